"""Controls that are tried where no recipe has a move or are never pressed unless requested, and widgets that open, on small paper pages."""

from dataclasses import replace

import pytest

from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.page import read
from agents.template import plan
from agents.template.forms.widgets import chosen_from_list
from agents.template.prompt.intents import understand
from agents.template.prompt.verbs import is_unrequested
from agents.tests.paper_browser import Outcome, step_by_step

URL = "http://localhost:8000/?seed=58"
WAITED = PastAction("WaitAction", {"time_seconds": 1.5}, succeeded=True, error="", url=URL)


def site(**bodies: str) -> dict[str, str]:
    home = "<a href='/?seed=58'>Home</a>"
    return {"/" if path == "start" else f"/{path}": f"<html><body>{home}{body}</body></html>" for path, body in bodies.items()}


def done(prompt: str, pages: dict[str, str]) -> Outcome:
    outcome = step_by_step(prompt, pages, first_only=True)
    assert not outcome.browser.failures
    return outcome


def next_plan(prompt: str, html: str, *history: PastAction) -> Plan:
    return plan(Step("/step", Form.STEP, "t", prompt, URL, f"<html><body>{html}</body></html>", len(history), history), None)


def pressed(label: str, *, words: str | None = None, effect: str = "") -> PastAction:
    selector = {"type": "xpathSelector", "value": f"//button[normalize-space()='{label}']"}
    return PastAction("ClickAction", {"selector": selector}, succeeded=True, error="", url=URL, words=words, effect=effect)


def first_selector(made: Plan) -> str:
    return str(made.actions[0].fields["selector"]["value"])


def test_a_control_is_searched_for_in_a_closed_menu() -> None:
    pages = site(
        start="<h1>Lamps</h1><p>Text</p><button type=button aria-haspopup=menu data-goto='/open'>Display</button>",
        open="<h1>Lamps</h1><p>Text</p><div role=menu><button type=button data-goto='/night'>Night mode</button></div>",
        night="<h1>Lamps</h1>",
    )
    assert "/night" in done("Switch to the night mode where mode equals 'night'", pages).browser.visited


def test_parts_of_the_site_are_visited_in_turn_and_none_twice() -> None:
    to = "<button type=button aria-label='Navigate to {name}' data-goto='/{name}'></button>"
    nav = f"<nav>{to.format(name='oils')}{to.format(name='shades')}</nav>"
    pages = site(start=f"{nav}<h1>Lamps</h1>", oils=f"{nav}<h1>Oils</h1>", shades=f"{nav}<h1>Shades</h1>")
    visited = done("Trim the wick where length equals '3'", pages).browser.visited
    assert visited.count("/oils") == visited.count("/shades") == 1


def test_it_ends_if_nothing_is_left_to_try() -> None:
    assert next_plan("Trim the wick where length equals '3'", "<a href='/?seed=58'>Home</a><h1>Lamps</h1>", WAITED).done


def test_nothing_is_explored_if_earlier_presses_are_unknown() -> None:
    unknown = PastAction("ClickAction", {}, succeeded=True, error="", url=URL)
    html = "<nav><a href='/oils?seed=58'>Oils</a></nav><h1>Lamps</h1>"
    assert not next_plan("Trim the wick where length equals '3'", html, WAITED).done
    assert next_plan("Trim the wick where length equals '3'", html, unknown, WAITED).done


def test_no_wait_follows_a_press_that_changed_the_page() -> None:
    html = "<h1>Lamps</h1><button type=button aria-haspopup=menu aria-expanded=false>Tools</button>"
    prompt = "Trim the wick where length equals '3'"
    assert next_plan(prompt, html, pressed("Shades")).actions[0].type == "WaitAction"
    after = next_plan(prompt, html, pressed("Shades", words='click button "Shades"', effect="2 items, 3 before"))
    assert "Tools" in first_selector(after)


def test_a_second_control_of_the_same_verb_is_pressed_if_the_caller_continues() -> None:
    row = "<button type=button title='Star' id=a>*</button><button type=button id='star-button'>Keep it up</button>"
    html = f"<h1>Dusk</h1><p>Text</p>{row}"
    first = next_plan("Star the lamp", html)
    again = PastAction("ClickAction", dict(first.actions[0].fields), succeeded=True, error="", url=URL)
    assert first_selector(first) != first_selector(next_plan("Star the lamp", html, again, WAITED))


DRAFT = (
    "<div role=dialog aria-modal=true><h2>New message</h2><input aria-label='Recipient' value=''><input aria-label='Subject' value=''>"
    "<textarea aria-label='Message'></textarea><button type=button data-goto='/sent'>Send</button>"
    "<button type=button data-goto='/kept'>Keep draft</button></div>"
)


def test_a_draft_is_saved_and_not_sent() -> None:
    pages = site(
        start="<h1>Inbox</h1><button type=button data-goto='/new'>Compose</button>",
        new=f"<h1>Inbox</h1>{DRAFT}",
        kept="<h1>Inbox</h1><p>Saved.</p>",
        sent="<h1>Inbox</h1><p>Sent.</p>",
    )
    outcome = done("Save the email as a draft addressed to 'ann@example.com' where subject equals 'Lamps'", pages)
    assert outcome.browser.visited[-1] == "/kept"
    assert "ann@example.com" in str(outcome.history)


MONTH = "<div role=dialog><button type=button aria-label='Previous month' data-goto='/{back}'></button><h4>{name}</h4><button type=button aria-label='Next month' data-goto='/{on}'></button>{days}</div>"


def month(name: str, *, back: str, on: str) -> str:
    days = "".join(f"<button type=button data-goto='/day{day}'>{day}</button>" for day in (*range(1, 31), 1, 2, 3))
    return MONTH.format(name=name, back=back, on=on, days=days)


def test_a_day_is_chosen_in_a_calendar_whose_months_are_turned() -> None:
    picker = "<h1>Table</h1><p>Text</p><button type=button aria-haspopup=dialog data-goto='/{to}'>Date</button>"
    pages = site(
        start=picker.format(to="april"),
        april=picker.format(to="april") + month("April 2027", back="march", on="june"),
        june=picker.format(to="april") + month("June 2027", back="april", on="july"),
        day17="<h1>Table</h1><p>17 June</p>",
    )
    assert done("Select the date where date equals '2027-06-17'", pages).browser.visited[:4] == ["/", "/april", "/june", "/day17"]


def test_people_are_chosen_before_a_table_is_booked() -> None:
    bar = "<h1>Sole</h1><p>Text</p><button type=button aria-haspopup=dialog id='people-picker' data-goto='/people'>2 Guests</button>"
    book = "<a href='/book?seed=58'>Book now</a>"
    options = "<div role=listbox><button type=button data-goto='/four'>4 Guests</button><button type=button>2 Guests</button></div>"
    pages = site(
        start=f"{bar}{book}",
        people=f"{bar}{book}{options}",
        four=f"{bar.replace('2 Guests', '4 Guests')}{book}",
        book="<h1>Your details</h1><form action='/sent'><input aria-label='Name' value='' data-field=name><button>Confirm reservation</button></form>",
        sent="<h1>Thank you</h1>",
    )
    visited = done("Book a table where people equals '4'", pages).browser.visited
    assert visited.index("/four") < visited.index("/book")


ROWS = "".join(
    f"<li style='cursor:pointer' data-goto='/{name.lower()}'><span>{name} {last}</span> <span>{subject}</span> <span>May {day}</span></li>"
    for day, (name, last, subject) in enumerate([("Ann", "Lee", "Lamps"), ("Bo", "Lind", "Lamps"), ("Cy", "Ray", "Oil")], 1)
)


def test_a_person_in_a_list_is_recognised_by_an_address_made_of_the_name() -> None:
    open_ = "<h2>Lamps</h2><p>Bo Lind bo.lind@example.com</p><p>Text</p><button type=button data-goto='/unread'>Mark as unread</button>"
    pages = site(
        start=f"<h1>Inbox</h1><ul>{ROWS}</ul>", bo=open_, ann=open_.replace("Bo Lind bo.lind", "Ann Lee ann.lee"), unread="<h1>Inbox</h1>"
    )
    outcome = done("Mark the email as unread where from_email equals 'bo.lind@example.com' and subject equals 'Lamps'", pages)
    assert outcome.browser.visited[1] == "/bo"
    assert "/unread" in outcome.browser.visited
    assert "/ann" not in outcome.browser.visited


def test_a_refused_form_is_sent_once_more_and_never_again() -> None:
    form = "<form action='/form' data-stays=1><label>Message<textarea data-field=message></textarea></label><button>Send message</button></form>"
    pages = site(start=f"<h1>Contact</h1><p class=error>The message is invalid.</p>{form}")
    assert len(step_by_step("Fill in the contact form where message equals 'Hello'", pages, first_only=True).browser.sent) <= 2


def wizard(step: str, body: str, onward: str) -> str:
    veil = "<div class='fixed inset-0 z-50 bg-black bg-opacity-50'><header><h2>New job</h2></header>"
    return f"<h1>Jobs</h1><button type=button data-goto='/jobs'>Post a job</button>{veil}<p>{step}</p><form>{body}</form>{onward}</div>"


def test_each_step_of_a_dialog_is_filled_before_the_next_and_the_last_one_sent() -> None:
    pages = site(
        start="<h1>Jobs</h1><button type=button data-goto='/title'>Post a job</button>",
        title=wizard("1", "<label>Title<input value=''></label>", "<button type=button data-goto='/size'>Next: Size</button>"),
        size=wizard("2", "<label>Description<textarea></textarea></label>", "<button type=button data-goto='/posted'>Submit job</button>"),
        posted="<h1>Jobs</h1><p>It has been submitted.</p>",
    )
    outcome = done("Submit a job where title equals 'Baker' and description contains 'bread'", pages)
    assert [path for path in outcome.browser.visited if path != "/"][:3] == ["/title", "/size", "/posted"]
    assert "Baker" in str(outcome.history)
    assert "bread" in str(outcome.history)


def test_a_person_is_contacted_on_their_own_page_and_not_by_the_sites_form() -> None:
    nav = "<nav><a href='/contact?seed=58'>Contact</a></nav>"
    cards = "".join(
        f"<li><h3>{name}</h3><p>Baker</p><a href='/experts/{name.lower()}?seed=58'>View</a></li>" for name in ("Annika", "Bodil", "Cyrus")
    )
    pages = site(
        start=f"{nav}<h1>Experts</h1><ul>{cards}</ul>",
        **{"experts/bodil": f"{nav}<h1>Bodil</h1><p>Baker</p><button type=button data-goto='/write'>Message</button>"},
        write="<h1>Bodil</h1><form action='/sent'><label>Message<textarea data-field=message></textarea></label><button>Send message</button></form>",
        contact="<h1>Contact us</h1><form action='/site'><textarea aria-label='Message' data-field=message></textarea><button>Send</button></form>",
        sent="<h1>Thank you</h1>",
    )
    outcome = done("Contact the expert where name equals 'Bodil' and message equals 'Bread?'", pages)
    assert outcome.browser.sent == [("/sent", {"message": "Bread?"})]


def test_a_new_item_is_not_written_as_a_comment_on_an_item_of_a_list() -> None:
    form = "<form action='/comment'><textarea aria-label='Comment' data-field=comment></textarea><button>Post</button></form>"
    posts = "".join(
        f"<li><h3>{name} Lee</h3><p>It rained {name}.</p><a href='/{name}?seed=58'>{name}</a>{form}</li>" for name in ("Ann", "Bo", "Cy")
    )
    own = "<form action='/post'><textarea aria-label='Content' data-field=content></textarea><button>Post</button></form>"
    pages = site(
        start=f"<h1>Feed</h1><button type=button data-goto='/new'>Write an update...</button><ul>{posts}</ul>",
        new=f"<h1>Feed</h1><div role=dialog aria-modal=true><h2>Update</h2>{own}</div>",
        post="<h1>Feed</h1><p>Posted.</p>",
        comment="<h1>Feed</h1>",
    )
    assert [path for path, _ in done("Post a status update where content equals 'Rain again'", pages).browser.sent] == ["/post"]


def test_a_control_of_a_list_item_does_not_open_another_choice() -> None:
    cards = "".join(
        f"<li><h3>{name}</h3><p>Baker</p><button type=button data-goto='/hired'>Book {name}</button></li>" for name in ("Ann", "Bo", "Cy")
    )
    pages = site(
        start=f"<h1>Jobs</h1><ul>{cards}</ul><button type=button data-goto='/new'>Post a job</button>",
        new="<h1>Job</h1><label>Budget type<select><option>Select</option><option>Hourly</option><option>Fixed</option></select></label>",
        hired="<h1>Hired</h1>",
    )
    outcome = done("Choose a budget type that is not 'Fixed'", pages)
    assert "/hired" not in outcome.browser.visited
    assert "Hourly" in str(outcome.history)


def test_a_dialog_with_one_text_field_gets_the_prompts_only_text() -> None:
    box = "<div role=dialog aria-modal=true><h2>Folders</h2><form action='/made'><input aria-label=Folders data-field=label>{}</form></div>"
    pages = site(
        start="<h1>Mail</h1><button type=button data-goto='/new'>Create label</button>",
        new=box.format("<button>Create label</button>"),
        made="<h1>Mail</h1>",
    )
    assert done("Create a new label where label_name equals 'Bills'", pages).browser.sent == [("/made", {"label": "Bills"})]


def test_a_search_that_is_hidden_is_opened_first() -> None:
    pages = site(
        start="<h1>Stays</h1><button type=button aria-haspopup=dialog data-goto='/open'>Where to?</button>",
        open="<h1>Stays</h1><form action='/found'><input type=search aria-label='Search cities' data-field=q></form>",
        found="<h1>Found</h1>",
    )
    assert done("Search for hotels where query equals 'Oslo'", pages).browser.sent == [("/found", {"q": "Oslo"})]


def test_a_part_of_the_site_is_recognised_by_its_route_and_by_a_field_of_the_criteria() -> None:
    cards = "".join(f"<li><h3>{name}</h3><p>Baker</p><button type=button data-goto='/on'>Follow</button></li>" for name in ("Ann", "Bo"))
    pages = site(
        start="<h1>Feed</h1><p>Hello</p><a href='/recommendations?seed=58'>For you</a>",
        recommendations=f"<h1>For you</h1><ul>{cards}</ul>",
        on="<h1>For you</h1>",
    )
    outcome = done("Follow a page where recommendation equals 'Bo'", pages)
    assert outcome.browser.visited[-2:] == ["/recommendations", "/on"]


def test_sending_to_spam_is_not_sending_a_message() -> None:
    page = read("<html><body><button>Send to spam</button><button>Send now</button></body></html>", URL)
    intent = understand("Mark the email as spam where subject equals 'Hi'")
    assert [is_unrequested(element, intent) for element in page.elements] == [False, True]


def test_the_sites_contact_page_is_not_for_a_listed_person() -> None:
    form = "<form action='/site'><label>Message<textarea data-field=message></textarea></label><button>Send message</button></form>"
    pages = site(start="<h1>Start</h1><a href='/contact?seed=58'>Contact</a>", contact=f"<h1>Contact us</h1>{form}")
    assert done("Contact an expert where name is 'Bodil'", pages).browser.sent == []


MAIL = "<h1>December news</h1><p>Chris Moore &lt;chris@news.example&gt;</p><p>Hello all</p><button title=Archive id=a>Archive</button>"
CARDS = "".join(
    f"<li><a href='/people/{at}?seed=58'>{name}</a><p>{land}</p><button type=button id=b{at}>Book a talk</button></li>"
    for at, (name, land) in enumerate((("Ann Lee", "Norway"), ("Bo Berg", "Chile"), ("Cy Diaz", "Kenya")))
)
REQUEST = (
    "<form><label>Name<input id=n></label><label>Email<input type=email id=e></label><button type=submit id=s>Send request</button></form>"
)
LEADS = "".join(f"<button type=button aria-label='Navigate to {name}'>{name}</button>" for name in ("Inbox", "Templates", "Drafts"))
TABS = "".join(f"<button type=button id={name}>{name}</button>" for name in ("Overview", "Education", "Hours", "Main menu", "Full menu"))
DATES = "<div role=dialog><h2>July 2027</h2><button aria-label='Next month' id=n>&gt;</button>{days}</div>"
DAYS = "".join(f"<button type=button>{day}</button>" for day in range(1, 32))
FAQ = "<h1>Help</h1><p>FAQ</p>" + "".join(
    f"<button aria-expanded=false>{question}</button>" for question in ("How do I pay for an order?", "Where is my parcel right now?")
)


@pytest.mark.parametrize(
    ("prompt", "html", "path", "expected"),
    [
        ("Archive the email where from_email equals 'kate@bank.example' and subject contains 'er n'", MAIL, "", ""),
        (
            "Book a talk with the expert where name equals 'Dee Park' and country equals 'Peru'",
            f"<h1>Experts</h1><ul>{CARDS}</ul>",
            "experts",
            "",
        ),
        ("Open the request form where name equals 'Jo'", f"<h1>Care</h1>{REQUEST}", "", ""),
        (
            "Send an email using the template where subject contains 'elcome'",
            f"{LEADS}<h1>Inbox</h1><button id=c>Compose</button>",
            "",
            "Templates",
        ),
        ("Edit the draft email where subject equals 'Plan'", f"{LEADS}<h1>Inbox</h1><button id=c>Compose</button>", "", "Drafts"),
        ("Show the education of a doctor where name equals 'Ann Lee'", f"<h1>Ann Lee</h1><p>Norway</p>{TABS}", "doctors/1", "Education"),
        ("Show the full menu of a place where name equals 'Ann Lee'", f"<h1>Ann Lee</h1><p>Norway</p>{TABS}", "places/1", "Full menu"),
        ("Open the FAQ item where question does NOT contain 'pay for'", FAQ, "help", "Where is my parcel"),
    ],
)
def test_a_pressed_button_is_about_the_tasks_object(prompt: str, html: str, path: str, expected: str) -> None:
    url = URL.replace("/?", f"/{path}?")
    page = f"<html><body><a href='/?seed=58'>Home</a>{html}</body></html>"
    opened = PastAction("ClickAction", {"selector": {"type": "xpathSelector", "value": "//a[1]"}}, succeeded=True, error="", url=url)
    made = plan(Step("/step", Form.STEP, "t", prompt, url, page, 2, (opened, replace(WAITED, url=url))), None)
    shown = [read(page, url).element(action.fields["selector"]) for action in made.actions if "selector" in action.fields]
    labels = " ".join(element.label for element in shown if element and not element.href)
    assert expected in labels if expected else not labels


def test_no_booking_is_sent_if_a_value_is_only_to_be_chosen() -> None:
    page = read("<button>Submit reservation</button><button>Approve booking</button><button>Get a table</button>", URL)
    chosen, booked = understand("Select a country where country equals 'Chile'"), understand("Book a table where people equals '2'")
    assert [is_unrequested(element, chosen) for element in page.elements] == [True, True, False]
    assert not any(is_unrequested(element, booked) for element in page.elements)


def test_a_comment_is_not_deleted_instead_of_a_post() -> None:
    page = read("<button>Delete comment</button><button>Delete</button>", URL)
    assert [is_unrequested(element, understand("Delete a post I authored.")) for element in page.elements] == [True, False]
    assert not is_unrequested(page.elements[0], understand("Delete the comment where content contains 'fine'"))


def test_a_calendars_arrow_is_pressed_until_the_month_is_shown() -> None:
    made = next_plan("Choose a date where date equals '2027-10-05'", f"<h1>Trip</h1>{DATES.format(days=DAYS)}")
    assert sum(action.type == "ClickAction" for action in made.actions) == 3


def test_a_longer_text_with_a_number_is_no_option_for_a_number() -> None:
    texts = ("Lisbon Aug 15 - Aug 22 | 2 Guests", "Bali Jul 18 - Jul 24 | 6 Guests")
    page = read("".join(f"<div role=listbox><div role=option tabindex=0>{text}</div></div>" for text in texts), URL)
    assert not chosen_from_list(page, understand("Book a stay where guests greater than '1'").criteria)
    assert chosen_from_list(page, understand("Book a stay where place contains 'Bali'").criteria)


def test_a_search_by_name_is_used_for_names_alone() -> None:
    box = "<label for=q>Search by name</label><input id=q placeholder='Name of the doctor'>"
    html = f"<h1>Doctors</h1>{box}<ul>{CARDS}</ul>"
    made = [next_plan(f"Show a doctor where {what}", html, WAITED) for what in ("language contains 'rman'", "name equals 'Di Ray'")]
    assert [any(action.type == "TypeAction" for action in each.actions) for each in made] == [False, True]
