"""Cases from unseen sites: which control, field or list a task needs, on small pages of other sites."""

import pytest

from agents.contract.action_history import Past
from agents.contract.actions import validate
from agents.contract.protocol import PastAction
from agents.page import Record, read
from agents.template.forms.slots import option_for
from agents.template.forms.widgets import wizard
from agents.template.items.matching import best_button, judge
from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.intents import Kind, understand
from agents.template.prompt.verbs import is_unrequested
from agents.tests.template.test_unseen_sites import WAITED, next_plan, pressed, pressed_next

SHOP = "http://localhost:8000/shops/7?seed=58"
MENU = "<h1>Blue Bowl</h1><p>Rating 4.5</p>" + "".join(
    f"<article><h3>{name}</h3><p>{price}</p><button type=button>Add to cart</button></article>"
    for name, price in (("Soup", "$4"), ("Pasta", "$9"), ("Cake", "$6"))
)


def row(name: str, *buttons: str) -> str:
    return f"<li><b>{name}</b><span>v2</span>" + "".join(f"<button type=button>{label}</button>" for label in buttons) + "</li>"


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("Change to month view.", Kind.NAVIGATE),
        ("Go to the lamps section in the navbar.", Kind.NAVIGATE),
        ("Open the add-to-cart dialog where name equals 'Pasta'", Kind.CART),
        ("Select favorite lamp where price equals '4'", Kind.WISHLIST),
        ("Cancel the reservation where name equals 'Ann'", Kind.DELETE_ITEM),
    ],
)
def test_the_kind_of_task_is_read_from_its_verb_and_place(prompt: str, kind: Kind) -> None:
    assert understand(prompt).kind is kind


def test_a_field_in_camel_case_is_read_as_words() -> None:
    assert understand("Book the stay where paymentType equals 'card'").criteria[0].field == "payment type"


def test_the_dish_of_a_restaurant_is_taken_from_the_restaurants_list() -> None:
    prompt = "Add a dish to my cart where item does NOT contain 'Soup' and restaurant equals 'Blue Bowl'"
    assert "Pasta" in pressed_next(prompt, MENU, WAITED, url=SHOP)


def test_a_dialog_that_is_only_to_be_opened_is_not_sent() -> None:
    dialog = (
        "<div role=dialog aria-modal=true aria-label='Choose'><label>Notes <input name=notes></label><button>Add to cart</button></div>"
    )
    prompt = "Open the add-to-cart dialog where item equals 'Pasta' and restaurant equals 'Blue Bowl'"
    first = pressed("Add to cart", words='click button "Add to cart" in item "Pasta"')
    assert "Add to cart" in pressed_next(prompt, MENU, WAITED, url=SHOP)
    assert "Add to cart" not in pressed_next(prompt, MENU + dialog, first, url=SHOP)


def test_a_choice_without_a_name_is_known_by_the_requested_option() -> None:
    sizes = "".join(f"<label><input type=radio name='' value={one}>{one}</label>" for one in ("Small", "Large"))
    dialog = (
        f"<div role=dialog aria-modal=true><label>Notes <input name=notes></label>{sizes}<button type=button>Add to cart</button></div>"
    )
    made = next_plan("Add the lamp to my cart where size equals 'large'", dialog, pressed("Add to cart"))
    assert made.actions[0].fields["selector"]["value"] == "(//input)[3]"


def test_a_row_is_not_opened_by_the_button_that_renames_it() -> None:
    rows = "<ul>" + "".join(row(name, "Rename it") for name in ("Brief.zip", "Will.pdf", "Notes.txt")) + "</ul>"
    assert "Rename" not in pressed_next("Open the file where owner equals 'Ann Lee'", rows, WAITED)


def test_of_two_buttons_that_mean_the_same_the_one_called_so_is_pressed() -> None:
    page = read("<html><body><button>Remove</button><button>Delete</button></body></html>", SHOP)
    found = best_button(page.elements, ("delete", "remove"))
    assert found is not None
    assert found.label == "Delete"


def test_oldest_first_sorts_by_date() -> None:
    lists = "<select name=o><option>Latest first</option><option>Oldest to newest</option></select><ul><li>A</li><li>B</li></ul>"
    made = next_plan("Sort the cases by created date where direction equals 'asc'", lists, WAITED)
    assert made.actions[0].fields["text"] == "Oldest to newest"


def test_a_duration_keeps_its_decimals() -> None:
    rows = "".join(
        f"<li><b>{name}</b><span>{hours}h</span><span>2026-07-14</span><a href='/{name}'>Open</a></li>"
        for name, hours in (("A", "0.9"), ("B", "7.3"), ("C", "3.9"))
    )
    page = read(f"<html><body><ul>{rows}</ul></body></html>", SHOP)
    assert [record.attributes.get("duration") for record in page.records] == ["0.9h", "7.3h", "3.9h"]


def test_a_dialogs_next_step_is_known_by_its_name_among_the_steps() -> None:
    dialog = (
        "<div role=dialog aria-modal=true aria-label='Plan event'><button type=button aria-label='Go to Info step'>Info</button>"
        "<button type=button aria-label='Go to People step'>People</button><label>Title <input name=title></label>"
        "<label>Venue <input name=venue></label><button type=button>People</button><button type=button>Close</button></div>"
    )
    made = next_plan("Add an event where title equals 'Tea'", dialog, pressed("Create event"), WAITED)
    clicked = [str(action.fields["selector"]["value"]) for action in made.actions if action.type == "ClickAction"]
    assert clicked
    assert "Close" not in clicked[-1]
    assert "People" in clicked[-1]


def test_a_calendar_is_created_by_its_own_button_and_no_event() -> None:
    page = (
        "<button type=button>Create new event</button><button type=button>Toggle my calendars</button>"
        "<button type=button id=new-event-cta aria-label='Add new calendar'>+</button>"
    )
    assert "'+'" in pressed_next("Create calendar where name equals 'Goals'", page, WAITED)


def test_a_comment_is_not_written_into_the_box_for_new_posts() -> None:
    posts = "".join(
        f"<article><h3>Ann {number}</h3><p>Text {number}</p><form><textarea placeholder='Add a comment...'></textarea></form></article>"
        for number in range(3)
    )
    box = "<div><form><textarea placeholder='Write a comment or an update'></textarea><button>Post</button></form></div>"
    made = next_plan("Comment on the post where comment_text equals 'Nice' and author equals 'Zoe'", box + posts, WAITED)
    assert not any("Post" in str(action.fields.get("selector")) for action in made.actions)


@pytest.mark.parametrize(("prompt", "label"), [("Quick hire the expert", "Fast hire"), ("Hire the expert", "Hire now")])
def test_what_is_done_faster_is_pressed_only_where_it_is_requested(prompt: str, label: str) -> None:
    page = "<h1>Ann Lee</h1><p>Developer</p><button type=button>Hire now</button><button type=button>Fast hire</button>"
    opened = pressed("View", words='click button "View" in item "Ann Lee"')
    made = pressed_next(f"{prompt} where name equals 'Ann Lee'", page, opened, url="http://localhost:8000/experts/7?seed=58")
    assert label in made


def test_nobody_is_hired_where_something_is_booked() -> None:
    page = "<h1>Ann Lee</h1><p>Developer</p><button type=button>Start now</button><button type=button>Book a call</button>"
    opened = pressed("View", words='click button "View" in item "Ann Lee"')
    prompt = "Book a consultation with the expert where name equals 'Ann Lee'"
    assert "Start" not in pressed_next(prompt, page, opened, url="http://localhost:8000/experts/7?seed=58")


def test_nothing_is_reserved_to_choose_a_value() -> None:
    page = "<nav><a href='/trip?seed=58'>Book</a><a href='/all?seed=58'>All</a></nav><button type=button>Reserve ride</button>"
    selector = {"type": "xpathSelector", "value": "//a[normalize-space()='Book']"}
    opened = PastAction("ClickAction", {"selector": selector}, succeeded=True, error="", url=SHOP)
    prompt = "Select date for your trip where date equals '2026-12-05'"
    assert "Reserve" not in pressed_next(prompt, page, opened, WAITED)


def test_a_phone_number_is_no_quantity() -> None:
    form = (
        "<form><label>Call number <input name=phone></label><label>Address <input name=address></label><button>Place order</button></form>"
    )
    made = next_plan(
        "Place an order where quantity equals '4' and address equals '1 Elm Road'", form, url="http://localhost:8000/checkout?seed=58"
    )
    assert "4" not in [action.fields.get("text") for action in made.actions]


def test_a_field_that_holds_what_is_requested_keeps_it() -> None:
    form = (
        "<div role=dialog aria-modal=true><form><label>Client <input name=client value='Titan Holdings'></label>"
        "<label>Title <input name=title value='Lease'></label><button>Save changes</button></form></div>"
    )
    opened = pressed("Edit", words='click button "Edit" in item "Lease"')
    made = next_plan("Update any case where client contains 'ing'", form, opened)
    assert not any(action.type == "TypeAction" and "client" in str(action.fields["selector"]) for action in made.actions)


def test_the_end_of_an_address_is_the_end_of_a_name() -> None:
    criterion = Criterion("from email", Operator.CONTAINS, ("ris@gm",))
    names = ("Eric Harris", "Ann Lee", "Lamp Shop Support")
    assert [judge([criterion], Record(name, {}, name, ())).results for name in names] == [(True,), (False,), (None,)]


BOXES = "".join(
    f"<div><input type=checkbox aria-label='Toggle {name} folder' {state}><span>{name}</span></div>"
    for name, state in (("Trips", "checked"), ("Home", ""))
)


@pytest.mark.parametrize(
    ("prompt", "box", "presses"),
    [
        ("Unselect the folder where folder_name equals 'Trips'", "Toggle Trips folder", 1),
        ("Select the folder where folder_name equals 'Home'", "Toggle Home folder", 1),
        ("Select any folder where folder name not contains 'ome'", "Toggle Trips folder", 2),
    ],
)
def test_the_box_of_a_named_thing_is_changed_even_if_that_takes_two_presses(prompt: str, box: str, presses: int) -> None:
    made = next_plan(prompt, BOXES, WAITED)
    assert [action.fields["selector"]["value"] for action in made.actions if action.type == "ClickAction"] == [box] * presses


def test_a_box_that_was_changed_is_not_changed_again() -> None:
    selector = {"type": "attributeValueSelector", "attribute": "aria-label", "value": "Toggle Home folder"}
    done = PastAction("ClickAction", {"selector": selector}, succeeded=True, error="", url=SHOP)
    assert next_plan("Unselect the folder where folder_name equals 'Home'", BOXES, done, WAITED).done


STEPS = "".join(f"<button type=button aria-label='Go to {name} step'>{name}</button>" for name in ("Info", "People", "Options"))


def test_a_dialog_is_not_led_back_to_its_first_step() -> None:
    second = f"<div role=dialog aria-modal=true aria-label='Plan event'>{STEPS}<label>Guest <input></label><button type=button>Info</button></div>"
    intent, page = understand("Arrange the event where colour equals 'red'"), read(f"<html><body>{second}</body></html>", SHOP)
    assert wizard(intent, page, Past((pressed("People"),))) == ()


def test_a_wizard_that_is_only_to_be_opened_is_not_filled() -> None:
    dialog = f"<div role=dialog aria-modal=true><h2>Event details</h2>{STEPS}<label>Title <input name=title></label><button type=button>People</button></div>"
    made = next_plan("Open the event wizard where title does NOT equal 'Tea'", dialog, pressed("New event"), WAITED)
    assert made.done and not made.actions


TIMES = "".join(f"<div role=option tabindex=0>{time}</div>" for time in ("2:00 PM", "12:00 PM", "12:30 PM"))
HOURS = f"<button type=button aria-haspopup=listbox aria-expanded=true>Time</button><div role=listbox>{TIMES}</div>"


@pytest.mark.parametrize("other", ["people is greater equal 6", "date is less than or equal to '2026-12-13T19:00:00+00:00'"])
def test_a_time_of_day_is_neither_a_number_of_people_nor_a_date(other: str) -> None:
    assert "12:30" in pressed_next(f"Select a country where {other} and time equals '12:30 PM'", HOURS, pressed("Time"))


def test_a_country_is_chosen_by_its_code_in_a_list_of_flags_and_dial_codes() -> None:
    options = "".join(f"<option value={code}>+{number}</option>" for code, number in (("BR", 55), ("CA", 1), ("ZA", 27)))
    page = f"<h1>Details</h1><label>Phone <select id=country-field>{options}</select></label><input aria-label='Phone number'>"
    made = next_plan("Select a country where the country equals 'Canada'", page, WAITED)
    assert made.actions[0].fields["text"] == "+1"


def test_a_search_for_an_item_loads_its_results_in_the_same_reply() -> None:
    box = "<h1>Lamps</h1><input type=search aria-label='Search lamps'>"
    assert next_plan("View the lamp where name equals 'Moon'", box, WAITED).actions[-1].fields == {"time_seconds": 1.5}


def test_a_menu_is_folded_by_a_button_that_says_so() -> None:
    page = "<h1>Blue Bowl</h1><p>Rating 4.5</p><button type=button>Main menu</button><button type=button>Fold Menu</button>"
    made = pressed_next("Please collapse the menu for the restaurant where rating equals 4.5", page, WAITED, url=SHOP)
    assert "Fold Menu" in made


def test_one_of_several_buttons_below_a_heading_that_names_them_is_chosen() -> None:
    texts = (("Warm lamp", "For evenings"), ("Cold lamp", "For work"), ("Red lamp", "For photos"))
    buttons = "".join(f"<button type=button><b>{name}</b> <p>{use}</p></button>" for name, use in texts)
    html = f"<h1>Lamp shop</h1><button type=button>Back</button><div><h2>Saved presets</h2>{buttons}</div><label>Note<input></label>"
    assert "Cold lamp" in pressed_next("Select the preset where preset name is NOT 'Warm lamp'", html, WAITED)


def test_nothing_is_marked_as_unread_to_mark_it_as_important() -> None:
    control = next(element for element in read("<button>Mark as unread</button>", SHOP).elements)
    assert is_unrequested(control, understand("Mark the email as important where subject equals 'Lamps'"))
    assert not is_unrequested(control, understand("Mark the email as unread where subject equals 'Lamps'"))


def test_a_contact_form_is_sent_by_the_button_for_its_message() -> None:
    control = next(element for element in read("<form><button>Submit message</button></form>", SHOP).elements)
    assert not is_unrequested(control, understand("Go to the contact page and submit a form where email equals 'ann@lamps.example'"))
    assert is_unrequested(control, understand("Delete the lamp where name equals 'Opal'"))


def test_of_the_options_one_without_the_excluded_word_is_chosen() -> None:
    not_fixed = [Criterion("lamp price", Operator.NOT_EQUALS, ("fixed",))]
    assert option_for(["Fixed price", "Price by the hour"], not_fixed) == "Price by the hour"


def test_no_step_waits_for_a_press_that_is_not_allowed() -> None:
    cards = "".join(
        f"<div><b>{name}</b><p>${price}.00</p><p>4.{price} ★</p><button type=button>Rehire ready</button></div>"
        for name, price in (("Ann Lee", 4), ("Bo Ray", 5), ("Cy Fox", 6))
    )
    prompt = "Cancel the hiring of an expert where role contains 'amps' and price not equals '$70'"
    made = next_plan(prompt, f"<main>{cards}</main>", pressed("Hired"), WAITED)
    assert made.done or any(action.type != "WaitAction" for action in made.actions)


def test_a_question_with_a_sign_that_it_opens_is_opened_whatever_it_asks() -> None:
    questions = "".join(
        f"<button type=button>{text} <span>+</span></button>" for text in ("How do I cancel my booking?", "Is it far to the sea?")
    )
    assert "cancel my booking" in pressed_next("Open the FAQ item where question not equals 'Who'", f"<h1>Help</h1>{questions}", WAITED)


def test_a_search_in_a_closed_dialog_that_found_nothing_is_cleared() -> None:
    html = """<h1>Stays</h1><div role=button tabindex=0 aria-haspopup=dialog>Place: Kev <button type=button aria-label="Clear search">x</button></div>
        <button type=button id=submit-query>Search</button>"""
    field = {"type": "attributeValueSelector", "attribute": "id", "value": "place"}
    filled = PastAction(
        "TypeAction",
        {"selector": field, "text": "Kev"},
        succeeded=True,
        error="",
        url=SHOP,
        words='type "Kev" into textbox "Search regions"',
    )
    sent = PastAction("ClickAction", {"selector": {**field, "value": "submit-query"}}, succeeded=True, error="", url=SHOP)
    assert "Clear search" in pressed_next("Share the stay where host name contains 'Kev'", html, filled, sent, WAITED)


def test_a_view_is_chosen_from_the_menu_of_views_by_its_label_or_text() -> None:
    views = "".join(
        f"<button type=button aria-label='Select {name} view'>{text}</button>" for name, text in (("Week", "Weekly"), ("5 days", "Five"))
    )
    menu = f"<button type=button aria-label='Select calendar view' aria-expanded=true>Month</button><div role=menu>{views}</div>"
    assert "Week view" in pressed_next("Display weekly calendar view.", menu, pressed("Select calendar view"))
    assert "5 days" in pressed_next("Display 5-day workweek view.", menu, pressed("Select calendar view"))


def test_the_list_to_which_the_navigation_led_is_no_opened_item() -> None:
    cards = "".join(
        f"<article><h3>{name}</h3><p>Oak Ave, Rome</p><p>${price}</p><button type=button>Reserve</button></article>"
        for name, price in (("Comfort", 31), ("Van", 26))
    )
    url = "http://localhost:8000/ride/trips/available?seed=58"
    link = {"type": "attributeValueSelector", "attribute": "href", "value": "/ride/trips/available?seed=58"}
    came = PastAction("ClickAction", {"selector": link}, succeeded=True, error="", url=url, words='click link "Browse trips"')
    html = f"<nav><a href='/ride/trips/available?seed=58'>Browse trips</a><a href='/help?seed=58'>Help</a></nav><h1>Trips</h1>{cards}"
    made = next_plan("View the trip where location contains ' Ave' and ride name is NOT 'Van'", html, came, WAITED, url=url)
    assert "is done" not in made.reasoning


def test_nothing_is_removed_from_a_form_that_is_to_be_cancelled() -> None:
    control = next(element for element in read("<button aria-label='Remove ann@lamps.example'>x</button>", SHOP).elements)
    assert is_unrequested(control, understand("Cancel adding an event where attendees equals 'ann@lamps.example'"))


def test_nobody_is_removed_from_an_open_event_that_is_to_be_deleted() -> None:
    dialog = "<div role=dialog><button aria-label='Remove ann@lamps.example'>x</button><button>Delete</button></div>"
    page = read(f"<body>{dialog}</body>", "http://localhost:9410/calendar?seed=58")
    person, event = page.elements
    assert is_unrequested(person, understand("Delete the event where title equals 'Dusk'"))
    assert not is_unrequested(event, understand("Delete the event where title equals 'Dusk'"))
    assert not is_unrequested(person, understand("Remove the attendee where email equals 'ann@lamps.example' from the event 'Dusk'"))


def test_nothing_is_added_to_the_users_profile_where_something_else_is_to_be_added() -> None:
    html = "<h1>Ann Lee</h1><button type=button>+ Add experience</button>"
    assert "experience" not in pressed_next("Post a status update where content contains 'te'", html, WAITED)


def test_a_form_in_a_dialog_is_not_confirmed_to_delete_something() -> None:
    fields = "<label>Title<input value='Team lunch'></label><label>Day<input type=date value='2026-11-05'></label>"
    html = f"<h1>Calendar</h1><div role=dialog aria-modal=true><h2>New event</h2>{fields}<button type=button>Confirm</button></div>"
    assert "Confirm" not in pressed_next("Cancel an event where title not equals 'Art class'", html, pressed("Create event"), WAITED)


def cards(button: str) -> str:
    inside = f"<button type=button aria-label='Keep'><svg></svg></button><button type=button>{button}</button>"
    return "<h1>Smiths</h1>" + "".join(f"<article><h3>{name} Lee</h3><p>Peru</p>{inside}</article>" for name in ("Ann", "Bo", "Cy"))


def test_an_item_is_not_opened_by_a_button_that_may_book_it() -> None:
    prompt = "Contact the expert where name equals 'Bo Lee'"
    assert "Bo Lee" in pressed_next(prompt, cards("Full profile"), WAITED)
    assert not any(label in pressed_next(prompt, cards(label), WAITED) for label in ("Book session", "Reserve now", "Hire Bo"))


def test_a_link_is_no_button_for_the_ticked_items() -> None:
    rows = "".join(f"<tr><td><input type=checkbox></td><td>{name}</td><td>Open</td></tr>" for name in ("Holt", "Reed", "Nash"))
    html = f"<nav><a href='/archive?seed=58'>Archive</a></nav><h1>Files</h1><table>{rows}</table>"
    assert "/archive" not in pressed_next("Archive the file where name equals 'Reed'", html, WAITED)


def test_a_name_that_is_edited_in_its_row_is_typed_there_and_saved() -> None:
    rows = "".join(row(name, "Rename", "Delete") for name in ("Oak.pdf", "Elm.pdf"))
    edited = "<li><input value='Ash.pdf'><span>v2</span><button type=button>Save name</button><button type=button>Delete</button></li>"
    made = next_plan("Rename the file where new name equals 'Fir.pdf' and previous name equals 'Ash.pdf'", f"<ul>{edited}{rows}</ul>")
    assert [action.fields.get("text") for action in made.actions if action.type == "TypeAction"] == ["Fir.pdf"]
    assert "Save name" in str(made.actions[-1].fields)


def test_a_form_for_the_sites_owners_is_not_sent_where_a_person_is_to_be_contacted() -> None:
    form = "<form><label>Name<input></label><label>Message<textarea></textarea></label><button>Send Message</button></form>"
    url = "http://localhost:8000/contact?seed=58"
    prompt = "Send a message to an expert where name equals 'Zed' and message equals 'Good day'"
    assert "Send Message" not in pressed_next(prompt, f"<h1>Contact us</h1>{form}", WAITED, url=url)


def test_a_field_with_the_selector_of_one_that_was_filled_in_the_step_before_is_filled_too() -> None:
    selector = {"type": "xpathSelector", "value": "(//form)[1]/descendant::input[1]"}
    past = Past((PastAction("TypeAction", {"selector": selector, "text": "Lamp"}, succeeded=True, error="", url=SHOP),))
    assert past.did(validate({"type": "TypeAction", "selector": selector, "text": "Lamp"}))
    assert not past.did(validate({"type": "TypeAction", "selector": selector, "text": ""}))


def test_a_letter_that_a_criterion_states_is_taken_out_of_no_word_of_the_prompt() -> None:
    button = read("<button>Hire now</button>", SHOP).elements[0]
    assert not is_unrequested(button, understand("Confirm hiring of an expert where country contains 'g'"))


def test_a_form_for_new_messages_sends_no_reply() -> None:
    fields = "<label>To<input></label><label>Message<textarea>Good day</textarea></label>"
    html, url = f"<h1>Templates</h1><div>{fields}<button type=button>Send</button></div>", "http://localhost:8000/templates?seed=58"
    assert "Send" not in pressed_next("Reply to the email where subject equals 'Oil'", html, WAITED, url=url)
