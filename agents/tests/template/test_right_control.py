"""The item, the field and the control that a task is about, and none beside it, on small pages of other sites."""

from dataclasses import replace

import pytest

from agents.contract.protocol import PastAction
from agents.page import Element, Record, read
from agents.template.blind_xpath import picked
from agents.template.forms.widgets import cell_chosen
from agents.template.items.finding import is_target_page
from agents.template.items.matching import best_button, judge
from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.intents import Kind, understand
from agents.template.prompt.targets import target_of
from agents.template.prompt.verbs import is_unrequested, verb_of
from agents.template.recipes import recipe_for
from agents.tests.template.test_unseen_sites import WAITED, next_plan, pressed, pressed_next

START = "http://localhost:8000/?seed=58"
BOX = "".join(
    f"<div class='row cursor-pointer'><input type=checkbox aria-label=Select><h3>{name}</h3><p>{text}</p>"
    "<button type=button aria-label='Archive mail'></button></div>"
    for name, text in (("Emily Bell", "Hello"), ("Connor White", "Lamps"), ("Rachel Brown", "Oil"))
)


def went(label: str, url: str, *, item: str = "") -> PastAction:
    words = f'click link "{label}" in item "{item or label}"'
    return replace(pressed(label, words=words), url=url)


@pytest.mark.parametrize("rows", [BOX, BOX[: BOX.index("</div>") + 6]], ids=["several-rows", "one-row"])
@pytest.mark.parametrize("history", [(WAITED,), (pressed("Refresh"), WAITED)])
def test_no_control_of_a_list_is_pressed_while_none_of_its_items_is_the_tasks(rows: str, history: tuple[PastAction, ...]) -> None:
    assert "Archive" not in pressed_next("Archive the mail where from_email equals 'ann.hill@example.com'", rows, *history)


def test_a_block_with_a_picture_of_an_excluded_person_is_not_another_persons() -> None:
    picture = Element(0, "a", "link", "", href="/people/ann", label="Ann Lee")
    block = Record("New here", {}, "New here Since today", (picture,))
    assert not judge([Criterion("target name", Operator.NOT_EQUALS, ("Ann Lee",))], block).fits
    assert judge([Criterion("target name", Operator.NOT_EQUALS, ("Bob Hill",))], block).fits


def person(name: str) -> str:
    posts = "".join(
        f"<article><a href='/people/{name[:3].lower()}'>{name}</a><p>{text}</p><button>Save</button></article>"
        for text in ("Lamps are back in the shop", "The oil is out of stock")
    )
    return f"<h2>Bio</h2><p>Lamps</p><button>Follow</button><h2>Posts</h2>{posts}"


def test_the_page_of_an_excluded_person_is_left_even_if_only_its_link_showed_the_name() -> None:
    page = read(person("Ann Lee"), "http://localhost:8000/people/ann")
    intent = understand("Follow the maker where maker_name not equals 'Ann Lee'")
    assert not is_target_page(target_of(replace(intent, opened_as="Ann Lee")), page)
    assert is_target_page(target_of(replace(intent, opened_as="Bob Hill")), page)


def test_a_persons_page_that_lists_the_persons_posts_is_the_persons() -> None:
    html, url = person("Bob Hill"), "http://localhost:8000/people/bob?seed=58"
    prompt = "Follow the maker where maker_name not equals 'Ann Lee'"
    assert "Follow" in pressed_next(prompt, html, went("Bob Hill", url), replace(WAITED, url=url), url=url)


def test_what_is_to_be_chosen_is_chosen_on_its_page_and_not_left_for_another() -> None:
    texts = (("Warm lamp", "For evenings"), ("Cold lamp", "For work"), ("Red lamp", "For photos"))
    buttons = "".join(f"<button type=button><b>{name}</b> <p>{use}</p></button>" for name, use in texts)
    html = f"<a href='/?seed=58'>All lamps</a><h1>Saved presets</h1><div><h2>Saved presets</h2>{buttons}</div><label>To<input></label>"
    prompt = "Select the preset where preset_name not equals 'None' and use not contains 'zz'"
    url = "http://localhost:8000/presets?seed=58"
    chosen = next_plan(prompt, html, replace(WAITED, url=url), url=url).actions[0]
    assert "Warm lamp" in str(chosen.fields)
    done = PastAction(chosen.type, chosen.fields, succeeded=True, error="", url=url)
    assert next_plan(prompt, html, done, replace(WAITED, url=url), url=url).done


def test_a_mark_whose_stated_result_is_off_is_taken_off() -> None:
    assert (verb_of(understand("Mark the mail as important where is_important equals 'False'")) or [""])[0] == "unimportant"
    assert (verb_of(understand("Mark the mail as important where is_important equals 'True'")) or [""])[0] == "important"


def test_of_two_buttons_with_one_label_the_one_whose_markup_says_so_is_pressed() -> None:
    page = read(
        "<button id=star-a aria-label='Mark important'></button><button id=important-a aria-label='Mark important'></button>", START
    )
    assert getattr(best_button(page.elements, ("mark important", "important")), "id", "") == "important-a"


def test_a_row_that_opens_is_opened_for_its_own_controls_and_not_ticked() -> None:
    assert "//div" in pressed_next("Delete the email where from_email equals 'emily.bell@example.com'", BOX, WAITED)


def typed(prompt: str, html: str) -> dict[str, str]:
    made, page = next_plan(prompt, html, WAITED, url=START), read(f"<html><body>{html}</body></html>", START)
    fills = [action.fields for action in made.actions if action.type == "TypeAction"]
    return {element.label: fields["text"] for fields in fills if (element := page.element(fields["selector"]))}


def test_a_value_is_typed_into_the_field_of_its_name_and_not_into_the_larger_one() -> None:
    html = "<form><label>Reason<input></label><label>Notes<textarea></textarea></label><button>Book repair</button></form>"
    assert list(typed("Book a repair where reason not equals 'Rust'", html)) == ["Reason"]


CONTACT = """<h1>Contact us</h1><form><label>Name<input value='Ann'></label><label>{lamp}<input></label>
    <label>Message<textarea>Oil</textarea></label><button {state}>Send message</button></form>"""


@pytest.mark.parametrize(("lamp", "state", "is_filled"), [("Lamp", "", False), ("Lamp *", "", True), ("Lamp", "disabled", True)])
def test_a_field_is_filled_if_it_has_a_star_or_the_form_cannot_be_sent_without(lamp: str, state: str, is_filled: bool) -> None:
    prompt = "Fill in the contact form where name equals 'Ann' and message equals 'Oil'"
    assert (lamp in typed(prompt, CONTACT.format(lamp=lamp, state=state))) == is_filled


def test_a_value_with_a_second_text_in_its_cell_may_be_the_requested_one() -> None:
    row = Record("Ann Lee", {"lamp": "💡 Opal Grand", "maker": "Ann Lee"}, "💡 Opal Grand Ann Lee")
    assert judge([Criterion("lamp name", Operator.EQUALS, ("Opal",))], row).results == (None,)
    assert judge([Criterion("lamp name", Operator.EQUALS, ("Onyx",))], row).results == (False,)


def test_the_dialog_of_an_item_with_a_button_for_the_task_stays_open() -> None:
    table = "".join(f"<tr><td>{name}</td><td>Ann Lee</td><td><button>Open</button></td></tr>" for name in ("Opal", "Onyx", "Jade"))
    dialog = "<div role=dialog aria-modal=true><h2>Opal</h2><p>Oil</p><button>Cancel</button><button>Ask for a refill</button></div>"
    html = f"<table><tr><th>Lamp</th><th>Maker</th><th>Action</th></tr>{table}</table>{dialog}"
    opened = pressed("Open", words='click button "Open" in item "Opal"')
    assert "refill" in pressed_next("Refill the lamp where lamp_name equals 'Opal' and maker contains 'Lee'", html, opened, WAITED)


def test_a_filter_of_an_unknown_name_is_one_of_the_row_after_all() -> None:
    row = "".join(f"<button type=button>{label}</button>" for label in ("All (7)", "Unread (4)", "Offers (3)"))
    assert "Unread (4)" in pressed_next("Filter notes where filter_key not contains 'zz'", f"<h1>Notes</h1><div>{row}</div>", WAITED)
    control = next(element for element in read("<button>Mark as unread</button>", START).elements)
    assert is_unrequested(control, understand("Filter notes where filter_key not contains 'zz'"))


def test_what_an_items_part_shows_is_filtered_on_the_items_page() -> None:
    prompt = "Filter lamp reviews where lamp_name not contains 'zz' and filter_rating greater than 2 and sort_order not equals 'oldest'"
    assert understand(prompt).kind is Kind.OPEN_ITEM
    cards = "".join(f"<li><a href='/lamps/{at}?seed=58'>{name}</a><p>Oil</p></li>" for at, name in enumerate(("Opal", "Onyx", "Jade")))
    select = "<label>Sort order<select><option>Newest</option><option>Oldest</option></select></label>"
    assert "/lamps/0" in pressed_next(prompt, f"{select}<ul>{cards}</ul>", WAITED)


def test_a_field_whose_example_is_an_address_gets_one() -> None:
    html = "<div role=dialog><h2>Guests</h2><input placeholder='ann@lamps.example'><button>Add guest</button></div>"
    made = next_plan("Add a guest to an event where email contains '@m'", html)
    typed = next(str(action.fields["text"]) for action in made.actions if action.type == "TypeAction")
    assert "@m" in typed.lstrip("@")
    assert typed.count("@") == 1


def cells(first: int) -> str:
    small = "".join(f"<button aria-label='Select May {day}, 2026'>{day}</button>" for day in range(1, 30))
    large = "".join(
        f"<button aria-label='Add visit on May {day}, 2026 at {hour}:00'></button>"
        for day in range(first, first + 5)
        for hour in (7, 15, 21)
    )
    turns = "<button aria-label='Previous week'></button><button aria-label='Next week'></button>"
    tools = "".join(f"<button>Tool {letter}</button>" for letter in "ABCDEFGHIJ")
    return f"{small}{tools}{turns}<button aria-label='Select view'>Five-day view</button>{large}"


def test_a_calendars_cell_is_pressed_by_its_day_and_hour() -> None:
    prompt = "Click on the cell where view equals '5 days' and date less than '2026-05-12 00:00:00' and hour greater than 15"
    assert "May 11, 2026 at 21:00" in pressed_next(prompt, cells(11))
    assert "Previous week" in pressed_next(prompt, cells(12))
    assert "Select view" in pressed_next(prompt.replace("5 days", "Month"), cells(11))


FEED = "".join(
    f"<article><div><a href='/people/{name.lower()}'>{name} Lee</a> <span>1d</span><button type=button aria-label='Remove'></button></div>"
    f"<p>{text}</p>{{}}<form><textarea placeholder='Write a reply...'></textarea><button>Reply</button></form></article>"
    for name, text in (("Ann", "Good morning to all of you"), ("Bob", "Lamps are on sale today"), ("Cleo", "The oil is out of stock"))
)


def test_the_users_own_comment_is_written_in_the_feed_and_then_deleted_without_its_post() -> None:
    written = FEED.format("", "", "")
    assert [action.type for action in next_plan("Delete my comment.", written, WAITED, url=START).actions][:1] == ["TypeAction"]
    comment = "<div><b>Me</b><p>Nice</p><button aria-label='Delete comment'></button></div>"
    made = pressed_next("Delete my comment.", FEED.format(comment, "", ""), pressed("Reply"), WAITED, url=START)
    assert "Delete comment" in made


def test_of_two_calendars_with_the_same_labels_the_larger_one_below_is_used() -> None:
    month = "".join(f"<button aria-label='Select May {day}, 2026'>{day}</button>" for day in range(1, 31))
    tools = "".join(f"<button>Tool {letter}</button>" for letter in "ABCDEFGHIJ")
    page = read(f"<html><body>{month}{tools}{month}</body></html>", START)
    first = page.element(
        cell_chosen(page, understand("Click on the cell where date greater equal '2026-05-12'").criteria)[0]
        .alternatives[0]
        .fields["selector"]
    )
    assert first is not None
    assert (first.label, first.place > 30) == ("Select May 12, 2026", True)


TIMES = "".join(
    f"<tr><td>{name}</td><td>2026-05-0{at}</td><td>0{at}:30 PM</td><td><button>Book slot</button></td></tr>"
    for at, name in ((1, "Ann Lee"), (2, "Bob Hill"), (3, "Ann Lee"))
)


@pytest.mark.parametrize(("time", "row"), [("01:30 PM", "1"), ("03:30 PM", "3"), ("04:30 PM", "")])
def test_a_row_of_a_timetable_is_booked_only_at_the_requested_time(time: str, row: str) -> None:
    html = f"<h1>Repairs</h1><table><tr><th>Maker</th><th>Date</th><th>Time</th><th>Action</th></tr>{TIMES}</table>"
    url = "http://localhost:8000/repairs?seed=58"
    prompt = f"Book a repair where maker contains 'Ann' and time equals '{time}' and phone equals '555'"
    page = read(f"<html><body>{html}</body></html>", url)
    made = next_plan(prompt, html, replace(WAITED, url=url), url=url)
    pressed = [element for action in made.actions if (element := picked(action.fields.get("selector", {}), page))]
    assert [page.items[element.place].attributes["date"][-1] for element in pressed if element.place in page.items] == list(row)


def test_all_are_marked_by_the_button_outside_of_the_list() -> None:
    rows = "".join(
        f"<article><h3>{name} wrote to you</h3><p>Oil</p><button>Mark as read</button></article>" for name in ("Ann", "Bob", "Cleo")
    )
    html = f"<h1>Notes</h1><button id=notes-mark-all>Clear unread</button>{rows}"
    assert "Clear unread" in pressed_next("Mark all notes read.", html, WAITED)


def test_a_part_of_the_users_profile_is_added_there_and_not_written_as_a_post() -> None:
    html = "<nav><a href='/profile/me?seed=58'>Me</a></nav><button>Write an update</button><h1>Lamps</h1>"
    assert "/profile/me" in pressed_next(
        "Add an experience where title equals 'Baker' and duration equals '2 years'", html, WAITED, url=START
    )


def test_a_bound_is_set_by_a_row_of_buttons_named_like_the_field() -> None:
    row = "".join(f"<button type=button>{label}</button>" for label in ("All", "2★", "4★"))
    html = f"<h1>Lamps</h1><div><span>Filter by stars:</span><div>{row}</div></div>"
    assert "4★" in pressed_next("Filter lamps where filter stars greater than 3", html, WAITED)


def test_a_search_with_several_fields_gets_the_whole_values_that_the_list_shows() -> None:
    makers = (("Opal", "Ann Lee"), ("Onyx", "Bob Hill"), ("Jade", "Cleo Moss"))
    rows = "".join(f"<tr><td>{name}</td><td>{maker}</td><td><button>Open</button></td></tr>" for name, maker in makers)
    fields = "<label>Lamp<input></label><label>Maker<input></label><button type=button>Search</button>"
    page = read(f"<html><body>{fields}<table><tr><th>Lamp</th><th>Maker</th><th>Do</th></tr>{rows}</table></body></html>", START)
    intent = understand("Search lamps where maker contains 'ob Hi' and lamp not equals 'Opal'")
    assert "Bob Hill" in [move.alternatives[0].fields.get("text") for move in recipe_for(intent).act(intent, page)]


def test_what_comes_before_the_name_of_an_item_may_be_the_requested_name() -> None:
    card = Record("Lamp Works", {}, "Senior Lamp Designer Lamp Works Lisbon", ())
    assert judge([Criterion("title", Operator.CONTAINS, ("Designer",))], card).results == (None,)
    assert judge([Criterion("title", Operator.CONTAINS, ("Manager",))], card).results == (False,)


def test_a_guess_confirms_no_dialog_for_another_thing() -> None:
    fields = "<form><label>Team name<input></label><label>About<textarea></textarea></label></form>"
    buttons = "<button type=button>Dismiss</button><button type=button>Confirm</button>"
    html = f"<h1>Jobs</h1><div role=dialog aria-modal=true><h2>New team</h2>{fields}{buttons}</div>"
    prompt = "Complete task where name equals 'Oil' and priority not equals 'High'"
    assert "Confirm" not in pressed_next(prompt, html, pressed("Add task"), WAITED)
