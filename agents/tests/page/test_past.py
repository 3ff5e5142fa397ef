"""What an action changed, by the page before and the page after it: nothing is said that the two don't show."""

import json

from agents.contract.actions import click, type_text
from agents.contract.selectors import attribute, xpath
from agents.page import read
from agents.page.past import MOST_CONTROLS, NOTHING, View, action_in_words
from agents.tests.rows import rows

URL = "http://localhost:8000/mails?seed=7"
MAILS = (
    "<ul>"
    + "".join(
        f"<li><h3>{name}</h3><p>from {name}@a.example</p><label><input type=checkbox name={name}>Select</label></li>"
        for name in ("Ann", "Bob", "Eve")
    )
    + "</ul>"
)


def effect(before: str, after: str, url: str = URL) -> str:
    kept = json.loads(json.dumps(View(read(before, URL)).signature))
    return View(read(after, url)).effect(kept)


@rows(
    ("before", "after", "said"),
    [
        ("<p>Hello</p><button>Go</button>", "<p>Hello</p><button>Go</button>", NOTHING),
        ("<input name=q placeholder=Find>", "<input name=q placeholder=Find value=Dune>", 'field "Find" holds "Dune"'),
        ("<input name=q placeholder=Find value=Dune>", "<input name=q placeholder=Find>", 'field "Find" is empty'),
        ("<input type=password placeholder=Key>", "<input type=password placeholder=Key value=s3cret>", 'field "Key" is filled in'),
        ("<button>Go</button>", "<button>Go</button><button>Archive</button><button>Delete</button>", "new buttons Archive, Delete"),
        ("<button disabled>Save</button>", "<button>Save</button>", 'button "Save" is no longer disabled'),
        (MAILS, MAILS.replace("name=Bob", "name=Bob checked"), "1 checked"),
        ("<input type=checkbox aria-label=Ann>", "<input type=checkbox aria-label=Ann checked>", 'checkbox "Ann" is checked'),
        ("<p>Write</p><button>Send</button>", "<p>Write</p><button>Send</button><p>Message sent</p>", 'new text "Message sent"'),
    ],
)
def test_the_effect_names_what_is_other_than_before(before: str, after: str, said: str) -> None:
    assert said in effect(before, after)


def test_another_address_is_named_without_the_seed() -> None:
    assert effect("<p>Hello</p>", "<p>Cart</p>", "http://localhost:8000/cart?page=2&seed=7") == "URL /cart?page=2"
    assert effect("<p>Hello</p>", "<p>Cart</p>", "http://localhost:8000/?seed=7") == "URL /"
    assert effect("<p>Hello</p>", "<p>Cart</p>", "http://localhost:8000/cart?seed=8") == "URL /cart?seed=8"


def test_of_a_page_with_too_many_controls_nothing_is_called_new() -> None:
    many = "".join(f"<button>Number {at}</button>" for at in range(MOST_CONTROLS + 1))
    assert "new" not in effect(many, many + "<button>Archive</button>")


def test_a_signature_is_small_and_holds_no_value_of_a_field() -> None:
    html = "<form><input type=password name=p value=s3cret><input name=card value=4242424242424242></form>" + MAILS * 30
    text = json.dumps(View(read(html, URL)).signature)
    assert "s3cret" not in text
    assert "4242424242424242" not in text
    assert len(text) < 20_000


def test_an_action_is_named_as_a_person_sees_it_and_never_by_an_xpath() -> None:
    page = read("<h1>Contact</h1><form><h2>Write to us</h2><label>Topic<input name=topic></label><button>Send</button></form>", URL)
    field, button = page.elements
    assert action_in_words(type_text(page.selector(field), "Hours"), page) == 'type "Hours" into textbox "Topic" in form "Write to us"'
    assert action_in_words(click(page.selector(button)), page) == 'click button "Send" in form "Write to us"'
    assert action_in_words(click(xpath("//button[normalize-space()='Log in']")), None) == 'click an element of "Log in"'
    assert action_in_words(click(xpath("(//form//input)[1]")), None) == "click an element"
    assert action_in_words(click(attribute("name", "q")), None) == 'click the element with name "q"'


def test_what_an_item_that_is_new_shows_is_no_change() -> None:
    box = "<button role=checkbox aria-checked=false>Pick</button>"
    first = "".join(f"<li><h3>{name}</h3><p>from {name}@a.example</p>{box}</li>" for name in ("Ann", "Bob"))
    second = "".join(f"<li><h3>{name}</h3><p>from {name}@a.example</p>{box}</li>" for name in ("Eve", "Ida"))
    assert "not checked" not in effect(f"<ul>{first}</ul>", f"<ul>{second}</ul>")


def test_a_control_that_is_new_has_not_changed_though_another_had_its_name() -> None:
    items = "".join(f"<li><h3>{name}</h3><p>from {name}@a.example</p><button>Create</button></li>" for name in ("Ann", "Bob"))
    after = effect(f"<ul>{items}</ul>", f"<ul>{items}</ul><form><input aria-label=Task><button disabled>Create</button></form>")
    assert "disabled" not in after
    assert "new field Task" in after


def test_an_item_of_another_page_of_a_list_with_the_same_name_has_not_changed() -> None:
    item = "<li><h3>{0}</h3><p>from {0}@a.example</p><button aria-label=Star aria-pressed={1}>x</button></li>"
    first = "".join(item.format(name, "false") for name in ("Ann", "Bob", "Eve", "Ida"))
    second = "".join(item.format(name, "true") for name in ("Ann", "Max", "Joe", "Kim"))
    assert "pressed" not in effect(f"<ul>{first}</ul>", f"<ul>{second}</ul>")
    assert "is pressed" in effect(f"<ul>{first}</ul>", f"<ul>{first.replace('false', 'true', 1)}</ul>")


MODAL = "<div role=dialog aria-modal=true><h2>New tag</h2><p>Name it</p><button>Create</button></div>"


def test_what_a_dialog_hid_is_neither_gone_nor_new() -> None:
    page = f"<main{{}}><h1>Mails</h1><p>Storage 2 of 15</p><p>18 unread</p>{MAILS.replace('name=Bob', 'name=Bob checked')}</main>"
    hidden = page.format(" aria-hidden=true") + MODAL
    opened, closed = effect(page.format(""), hidden), effect(hidden, page.format(""))
    assert opened.startswith('dialog "New tag" opened')
    assert "items" not in opened
    assert "checked" not in opened
    assert closed == "the dialog closed"


def test_what_a_page_says_after_its_dialog_closed_is_new() -> None:
    page = "<main><h1>Mails</h1><p>Storage 2 of 15</p><p>18 unread</p>{}</main>"
    assert 'new text "Tag created"' in effect(page.format("") + MODAL, page.format("<p>Tag created</p>"))
