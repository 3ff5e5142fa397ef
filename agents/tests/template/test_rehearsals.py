"""One-shot plans by doing the task on learned pages: what is sent at a site with other items, labels and texts."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from agents.contract.protocol import Form, Step
from agents.learning.reading.pages import Fact, learned
from agents.page import Page, read
from agents.template import plan
from agents.template.sites.site_plans import by_facts
from agents.tests.site_maps import facts_of

START = "http://site:8000/?seed=7"
NAV = "<title>x</title><header><nav><a href='/'>Home</a><a href='/logs'>Logs</a><a href='/help'>Help</a></nav></header>"


def actions(prompt: str, pages: Mapping[str, str]) -> list[tuple[str, Mapping[str, Any]]]:
    """The actions of the one-shot task, without waits, after those that open its page."""
    facts = dict[Fact, dict[str, Any]]()
    before: Page | None = None
    for key, html in pages.items():
        route, _, pressed = key.partition(" > ")
        page = read(html, f"http://site:8000{route}?seed=3")
        facts |= learned(page, html, before if pressed else None, [{"type": "xpathSelector", "value": pressed}] if pressed else [], facts)
        before = page
    made = plan(Step("/solve_task", Form.ONE_SHOT, "t", prompt, START), None, by_facts({}, facts_of(facts))).actions
    return [(action.type, action.fields) for action in made if action.type != "WaitAction"][1:]


def picked(fields: Mapping[str, Any], html: str) -> Any:
    return next(iter(etree.HTML(html, etree.HTMLParser()).xpath(fields["selector"]["value"])), None)


def rows(*logs: tuple[str, str]) -> str:
    buttons = "<button aria-label='Edit {0}'>e</button><button aria-label='Delete {0}'>d</button>"
    inside = "".join(f"<div><span>{name}</span><span>{hours}h</span>{buttons.format(name)}</div>" for name, hours in logs)
    return f"{NAV}<main><h1>Logs</h1><button>New log</button><section>{inside}</section></main>"


LOGS = rows(("M&amp;A Advice", "7.3"), ("Estate Planning", "3.5"), ("Licensing", "1.5"), ("Trusts", "4.0"))
HOME = f"{NAV}<main><h1>Office</h1></main>"


def test_an_entry_with_buttons_alone_is_found_by_its_texts_and_numbers() -> None:
    made = actions("Delete the log where hours less than 2.35 and matter not equals 'Trusts'", {"/": HOME, "/logs": LOGS})
    assert [kind for kind, _ in made] == ["NavigateAction", "ClickAction"]
    elsewhere = rows(("Trusts", "1.0"), ("Wills", "5.0"), ("Patents", "2.0"), ("Leases", "9.0")).replace("div>", "article>")
    assert picked(made[-1][1], elsewhere).get("aria-label") == "Delete Patents"


def test_a_field_that_the_list_does_not_show_excludes_no_entry() -> None:
    made = actions("Delete the log where hours less than 2.35 and client equals 'Ann'", {"/": HOME, "/logs": LOGS})
    assert picked(made[-1][1], rows(("Trusts", "5.0"), ("Patents", "2.0"))).get("aria-label") == "Delete Patents"
    with_clients = rows(("Trusts for Bo", "2.0"), ("Patents for Ann", "2.0"))
    assert picked(made[-1][1], with_clients).get("aria-label") == "Delete Patents for Ann"


def test_a_form_that_can_be_sent_once_something_is_typed_is_sent() -> None:
    contact = f"{NAV}<main><h1>Contact</h1><form><textarea aria-label=Message></textarea><input aria-label=Name><button type=submit disabled>Send</button></form></main>"
    made = actions(
        "Fill the contact form where message equals 'Hello'",
        {"/": HOME.replace("help", "contact").replace("Help", "Contact"), "/contact": contact},
    )
    assert [kind for kind, _ in made][-1] == "ClickAction" and picked(made[-1][1], contact).text == "Send"


def test_a_question_is_pressed_by_its_text_if_the_learned_page_has_others() -> None:
    shown = f"{NAV}<main><h1>FAQ</h1><button>How do I pay?</button><button>Where is it?</button></main>"
    made = actions("Open the FAQ item where question equals 'Who are you?'", {"/": LOGS, "/help": shown})
    assert picked(made[-1][1], shown.replace("Where is it?", "Who are you?")).text == "Who are you?"


def test_a_press_that_completes_the_task_is_not_repeated_for_its_unknown_effect() -> None:
    cards = "".join(
        f"<li><h3>Inn {n}</h3><a href='/inns/{n}'>Open</a><button aria-label='Add to wishlist'></button></li>" for n in range(3)
    )
    made = actions("Add to the wishlist the inn where name equals 'Inn 2'", {"/": f"{NAV}<main><h1>Inns</h1><ul>{cards}</ul></main>"})
    assert [kind for kind, _ in made].count("ClickAction") == 1


def test_a_field_that_has_another_usual_name_by_now_is_filled() -> None:
    def form(*names: str) -> str:
        fields = "".join(f"<label>{name}<input></label>" for name in names)
        return f"{NAV}<main><h1>Logs</h1><form>{fields}<button type=submit>Add log</button></form></main>"

    made = actions("Add a log where hours equals '2.5' and client equals 'Ann'", {"/": HOME, "/logs": form("Hours", "Client", "Notes")})
    elsewhere, typed = form("Notes", "Customer", "Duration"), {str(fields["text"]): fields for kind, fields in made if kind == "TypeAction"}
    assert picked(typed["Ann"], elsewhere).getparent().text == "Customer" and picked(typed["2.5"], elsewhere).getparent().text == "Duration"


def test_what_was_done_before_nothing_was_left_is_sent_without_the_search_for_more() -> None:
    made = actions(
        "Open the logs and press the lever of the log where name equals 'Trusts'",
        {"/": HOME, "/logs": f"{NAV}<main><h1>Logs</h1></main>", "/help": f"{NAV}<main><h1>Help</h1></main>"},
    )
    assert made and not any("/help" in str(fields) for _, fields in made)


def test_nothing_more_is_pressed_on_the_unseen_page_of_an_opened_item() -> None:
    cards = "".join(f"<li><h3>Inn {n}</h3><p>${n}90</p><a href='/inns/{n}'>Open</a></li>" for n in range(3))
    made = actions("Open the inn where price equals '190'", {"/": f"{NAV}<main><h1>Inns</h1><ul>{cards}</ul></main>"})
    assert [kind for kind, _ in made].count("ClickAction") == 1


def test_a_reply_that_was_never_written_is_written_and_sent() -> None:
    mail = f"{NAV}<main><h1>Inbox</h1>{''.join(f'<li><a href=/mail/{n}>Mail {n}</a></li>' for n in range(3))}</main>"
    opened = f"{NAV}<main><h1>Mail 1</h1><p>From: Ann</p><button>Reply</button></main>"
    made = actions("Reply to the email where subject equals 'Mail 2'", {"/": mail, "/mail/1": opened})
    dialog = "<div role=dialog><textarea aria-label='Your reply'></textarea><button>Send reply</button></div>"
    page = opened.replace("</main>", f"{dialog}</main>")
    typed = [fields for kind, fields in made if kind == "TypeAction"]
    assert picked(typed[-1], page).tag == "textarea"
    assert picked(made[-1][1], page).text == "Send reply"
    # Without the dialog, no other control with such a label is pressed.
    assert picked(made[-1][1], opened.replace("</main>", "<section><div><button>Send</button></div></section></main>")) is None


def test_a_link_that_begins_like_those_of_items_is_no_item() -> None:
    def jobs(*names: str) -> str:
        cards = "".join(f"<li><h3>{name}</h3><a href='/jobs/{at}'>Open</a></li>" for at, name in enumerate(names))
        return f"{NAV}<main><h1>Jobs</h1><a href='/jobs/applied'>Applied</a><ul>{cards}</ul></main>"

    made = actions("Open the job where title not equals 'Cook'", {"/": jobs("Clerk", "Cook", "Baker")})
    assert picked(made[-1][1], jobs("Cook", "Tailor")).get("href") == "/jobs/1"


def test_a_menu_is_closed_once_an_entry_is_chosen() -> None:
    pickers = "<button id=people aria-haspopup=dialog>People</button><button id=time aria-haspopup=dialog>Time</button>"
    table = f"{NAV}<main><h1>Table</h1>{pickers}</main>"
    entries = "".join(f"<button>{n} people</button>" for n in (2, 3, 4))
    chosen = table.replace("</main>", f"</main><div role=dialog class=bg-popover>{entries}</div>")
    pages = {"/": table, "/ > //button[@id='people']": chosen}
    made = actions("Book a table where people equals '3' and time equals '7:30 PM'", pages)
    labels = [picked(fields, chosen).text for kind, fields in made if kind == "ClickAction" and picked(fields, chosen) is not None]
    assert labels[:2] == ["People", "3 people"] and "Time" in labels


def test_a_link_that_ends_the_task_is_pressed_before_its_page_is_opened() -> None:
    made = actions("Open the help page", {"/": HOME, "/help": f"{NAV}<main><h1>Help</h1></main>"})
    assert [kind for kind, _ in made] == ["ClickAction", "NavigateAction"]
    assert picked(made[0][1], HOME.replace("'/help'", "'/help?seed=7'")).text == "Help"
    made = actions("Delete the log where hours less than 2.35", {"/": HOME, "/logs": LOGS})
    assert [kind for kind, _ in made] == ["NavigateAction", "ClickAction"]


def test_a_previous_page_is_opened_from_the_next_one() -> None:
    pager = "<button disabled>Previous</button><button>Next</button></main>"
    listed = LOGS.replace("</main>", pager)
    made = actions("Go to the previous page of the list", {"/": listed})
    assert [picked(fields, listed).text for _, fields in made] == ["Next", "Previous"]
    made = actions("Go to the next page of the list", {"/": listed})
    assert [picked(fields, listed).text for _, fields in made] == ["Next"]


def test_an_item_that_the_first_page_lacks_is_sought_on_the_next_one() -> None:
    def inns(*names: str) -> str:
        cards = "".join(f"<li><h3>{name}</h3><a href='/inns/{at}'>Open</a></li>" for at, name in enumerate(names))
        return f"{NAV}<main><h1>Inns</h1><ul>{cards}</ul><button>Prev page</button><button>→ Next</button></main>"

    shown = inns("Crown", "Anchor", "Bell")
    made = actions("Open the inn where name equals 'Swan'", {"/": shown})
    presses = [fields for kind, fields in made if kind == "ClickAction"]
    assert [picked(fields, shown).text for fields in presses] == ["→ Next", "Open"]
    assert [picked(fields, inns("Star", "Swan")).tag for fields in presses] == ["h1", "a"]
    assert picked(presses[-1], inns("Star", "Swan")).get("href") == "/inns/1"
