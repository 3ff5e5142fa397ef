"""Fields and their state: what they are called, what they are a choice of, what they take, what opens them."""

import pytest

from agents.page import Element, read
from agents.page.elements import CHECKED, PICKER
from agents.tests.rows import rows


def elements(html: str) -> tuple[Element, ...]:
    return read(html, "").elements


SIZES = "<label><input type=radio name=s>Small</label><label><input type=radio name=s checked>Large</label>"


@rows(
    ("html", "label"),
    [
        ("<input type=checkbox> Gift wrap", "Gift wrap"),
        ("<div><input type=radio><span>Red</span></div>", "Red"),
        ("<p>Colour</p><div><input type=radio><span>Red</span></div>", "Red"),
        ("<button role=checkbox id=t></button><label for=t>Terms</label>", "Terms"),
        ("<div><button role=switch></button><span>Dark mode</span></div>", "Dark mode"),
        ("<input type=radio value=blue>", "blue"),
        ("<label>Genre<select><option>Drama<option>Crime</select></label>", "Genre"),
        ("<label>Genre</label><button role=combobox>Choose one</button>", "Genre"),
        ("<button aria-haspopup=listbox>Any year</button>", "Any year"),
        ("<p id=h>When</p><input type=date aria-labelledby=h>", "When"),
        ("<div contenteditable=true aria-label=Note></div>", "Note"),
    ],
)
def test_a_field_is_called_what_stands_with_it(html: str, label: str) -> None:
    assert elements(html)[0].label == label


@rows(
    ("html", "role"),
    [
        ("<button role=combobox>Any</button>", PICKER),
        ("<div role=combobox tabindex=0>Any</div>", PICKER),
        ("<button aria-haspopup=listbox>Any</button>", PICKER),
        ("<input role=combobox>", "combobox"),
        ("<button aria-haspopup=menu>More</button>", "button"),
        ("<div contenteditable></div>", "textbox"),
        ("<input type=file>", "file"),
        ("<input type=range>", "slider"),
        ("<button role=switch></button>", "switch"),
        ("<div role=option>x</div>", "option"),
        ("<li role=menuitemradio>x</li>", "menuitemradio"),
    ],
)
def test_a_field_has_the_role_by_which_it_is_operated(html: str, role: str) -> None:
    assert elements(html)[0].role == role


@pytest.mark.parametrize(
    "around",
    [
        "<fieldset><legend>Size</legend>{}</fieldset>",
        "<div role=radiogroup aria-label=Size>{}</div>",
        "<b id=z>Size</b><div role=group aria-labelledby=z>{}</div>",
        "<div><p>Size</p>{}</div>",
        "<section><h4>Size</h4><div>{}</div></section>",
    ],
)
def test_radio_buttons_know_what_they_are_a_choice_of(around: str) -> None:
    found = elements(f"<form>{around.format(SIZES)}</form>")
    assert [(one.group, one.label, one.value) for one in found] == [("Size", "Small", ""), ("Size", "Large", CHECKED)]


def test_checkboxes_know_what_they_are_a_choice_of() -> None:
    boxes = "".join(f"<div><input type=checkbox><span>{name}</span></div>" for name in ("Drama", "Crime"))
    found = elements(f"<div><h3>Genre</h3>{boxes}</div>")
    assert [(one.group, one.label) for one in found] == [("Genre", "Drama"), ("Genre", "Crime")]


@pytest.mark.parametrize(
    "html",
    ["<input type=checkbox checked>", "<button role=switch aria-checked=true></button>", "<button role=checkbox data-state=checked>"],
)
def test_what_is_on_has_a_value(html: str) -> None:
    assert elements(html)[0].value == CHECKED


def test_a_field_has_the_kind_of_its_input() -> None:
    (number,) = elements("<input type=number min=1 max=10 required aria-invalid=true maxlength=3>")
    assert (number.least, number.most, number.required, number.invalid, number.longest) == ("1", "10", True, True, 3)


def test_a_picker_shows_its_value_and_whether_it_is_open() -> None:
    options = "<div role=listbox><div role=option>Drama</div><div role=option aria-selected=true>Crime</div></div>"
    picker, *offered = elements(f"<label>Genre</label><button role=combobox aria-expanded=true>Drama</button>{options}")
    assert (picker.label, picker.value, picker.expanded) == ("Genre", "Drama", True)
    assert [(one.label, one.selected) for one in offered] == [("Drama", False), ("Crime", True)]


def test_a_menu_is_opened_by_a_button_and_offers_its_entries() -> None:
    menu = "<div role=menu><div role=menuitem>Edit</div><a role=menuitem>Delete</a></div>"
    button, *entries = elements(f"<button aria-haspopup=menu aria-expanded=true>More</button>{menu}")
    assert (button.opens, [one.label for one in entries]) == ("menu", ["Edit", "Delete"])
