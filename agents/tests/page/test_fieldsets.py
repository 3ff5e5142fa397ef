"""What a page's fields say of themselves besides their label."""

import pytest

from agents.page import Element, Page, read


def page(html: str) -> Page:
    return read(f"<html><body>{html}</body></html>", "http://localhost:8000/")


def called(html: str, label: str) -> Element:
    return next(element for element in page(html).elements if label in {element.label, element.text})


@pytest.mark.parametrize(
    ("html", "label"),
    [
        ("<div><label>Guests</label><input placeholder='2 adults'></div>", "Guests"),
        ("<div><span><svg></svg>Guests</span><div><i class='hidden'></i><input placeholder='2 adults'></div></div>", "2 adults"),
    ],
)
def test_a_field_has_the_text_beside_it_whatever_its_label(html: str, label: str) -> None:
    field = page(html).elements[0]
    assert (field.label, field.beside) == (label, "Guests")


@pytest.mark.parametrize(
    "html",
    [
        "<div><label>Name</label><input></div><div><input placeholder='Email'></div>",
        "<p>Name <input></p><input placeholder='Email'>",
    ],
)
def test_the_block_of_another_field_is_no_label(html: str) -> None:
    assert page(html).elements[1].beside == ""


@pytest.mark.parametrize(
    "html",
    [
        "<fieldset><legend>Rating</legend><label><input type=radio>4</label><label><input type=radio>5</label></fieldset>",
        "<div role=radiogroup aria-label=Rating><div role=radio>4</div><div role=radio>5</div></div>",
        "<p>Rating</p><div><button>4</button><button>5</button></div>",
        "<div><label>Rating</label><button>4</button><button>5</button></div>",
        "<div><span>Rating</span><ul><li><button>4</button></li><li><button>5</button></li></ul></div>",
    ],
)
def test_a_choice_has_the_name_of_its_set(html: str) -> None:
    assert called(html, "5").group == "Rating"


def test_a_single_button_belongs_to_no_set() -> None:
    assert called("<div><p>Ready?</p><button>5</button></div>", "5").group == ""


def test_a_field_has_its_limits() -> None:
    field = page("<input type=number min=1 max=9 required aria-invalid=true>").elements[0]
    assert (field.least, field.most, field.required, field.invalid) == ("1", "9", True, True)


def test_a_choice_that_is_on_is_checked() -> None:
    assert called("<div role=radio aria-checked=true>5</div>", "5").value == "checked"


def test_the_blocks_around_a_field_grow_outwards() -> None:
    seen = page("<nav><a href=/>Home</a></nav><main><div><div><input></div><button>Send</button></div><button>More</button></main>")
    field = next(element for element in seen.elements if element.tag == "input")
    assert [[one.text or one.tag for one in block] for block in seen.blocks([field])] == [
        ["input", "Send"],
        ["input", "Send", "More"],
        ["Home", "input", "Send", "More"],
    ]


def test_what_a_shut_set_of_fields_holds_is_shut() -> None:
    assert [one.usable for one in page("<fieldset disabled><input><p><button>Send</button></p></fieldset><input>").elements] == [
        False,
        False,
        True,
    ]


def test_a_field_that_only_opens_a_list_is_no_text_field() -> None:
    found = page("<input readonly role=combobox aria-haspopup=listbox><input readonly>").elements
    assert [(one.role, one.usable) for one in found] == [("picker", True), ("textbox", False)]


def test_an_option_has_the_value_it_is_sent_as() -> None:
    field = page("<select><option value=us>United States<option>Spain</select>").elements[0]
    assert (field.options, field.sent_as) == (("United States", "Spain"), ("us", "Spain"))
