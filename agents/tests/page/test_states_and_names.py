"""What a control is called that has no words, the state that it is in, and the part of the page that it belongs to."""

from agents.page import Element, Page, read
from agents.tests.rows import rows


def only(html: str) -> Element:
    (element,) = read(html, "").elements
    return element


def page(html: str) -> Page:
    return read(f"<html><body>{html}</body></html>", "http://localhost:8000/")


@rows(
    ("html", "label"),
    [
        ("<button><svg class='lucide lucide-star h-4 w-4'><path/></svg></button>", "star"),
        ("<button><svg class='lucide lucide-trash-2'></svg></button>", "trash"),
        ("<button><svg class='icon icon-tabler icon-tabler-chevron-right'></svg></button>", "chevron right"),
        ("<button><i class='fas fa-heart fa-lg'></i></button>", "heart"),
        ("<button><i class='bi bi-bookmark-fill'></i></button>", "bookmark"),
        ("<button><span class='material-icons'>delete</span></button>", "delete"),
        ("<button><svg data-testid='DeleteIcon'></svg></button>", "delete"),
        ("<button><svg><use href='#icon-trash'/></svg></button>", "trash"),
        ("<button><svg><title>Share</title></svg></button>", "share"),
        ("<button>×</button>", "close"),
        ("<button>☰</button>", "menu"),
        ("<button data-testid='delete-item-button'></button>", "delete item"),
        ("<button id='open-menu'></button>", "open menu"),
        ("<button class='px-2 close-button hover:close'></button>", "close"),
        ("<button title='Remove'><svg class='lucide-trash'></svg></button>", "Remove"),
        ("<button class='px-2'></button>", ""),
    ],
)
def test_a_button_without_words_is_called_by_its_markup(html: str, label: str) -> None:
    assert only(html).label == label


@rows(
    ("html", "label", "hints"),
    [
        ("<button title='Accept all cookies'>Accept</button>", "Accept", "Accept all cookies"),
        ("<a href='/x' title='Page 2'>2</a>", "Page 2", "Page 2"),
        ("<button title='Close the dialog'>×</button>", "Close the dialog", "Close the dialog"),
        ("<input title='Your name'>", "Your name", ""),
    ],
)
def test_what_a_control_shows_comes_before_its_title(html: str, label: str, hints: str) -> None:
    assert (only(html).label, only(html).hints) == (label, hints)


def test_buttons_without_words_side_by_side_are_numbered() -> None:
    stars = page("<div><p>Rate it</p>" + "<button><svg class='lucide-star'></svg></button>" * 3 + "</div><button>Send</button>")
    assert [(one.label, one.nth) for one in stars.elements] == [("star", 1), ("star", 2), ("star", 3), ("Send", 0)]


@rows(
    ("html", "states"),
    [
        ("<input type=checkbox checked>", ("checked",)),
        ("<input type=radio>", ("not checked",)),
        ("<div role=checkbox class='ant-checkbox ant-checkbox-checked'>x</div>", ("checked",)),
        ("<button aria-pressed=true>Bold</button>", ("pressed",)),
        ("<button data-state=off>Bold</button>", ("not pressed",)),
        ("<button role=tab data-state=active>All</button>", ("selected",)),
        ("<a class='nav-link active' href=/>Home</a>", ("current",)),
        ("<li class=active><a href=/>Home</a></li>", ("current",)),
        ("<a class='active:underline' href=/>Home</a>", ()),
        ("<button aria-expanded=false aria-haspopup=menu>More</button>", ("not expanded",)),
        ("<button disabled>Save</button>", ("disabled",)),
        ("<input autofocus required>", ("focused", "required")),
        ("<div role=option aria-selected=true>Red</div>", ("selected",)),
        ("<button><svg class='lucide-star fill-yellow-400'></svg></button>", ("starred",)),
        ("<button><svg class='lucide-star' fill='none'></svg></button>", ("not starred",)),
        ("<button aria-label='Add'><i class='far fa-heart'></i></button>", ("not starred",)),
        ("<button>★</button>", ("starred",)),
        ("<button>☆</button>", ("not starred",)),
    ],
)
def test_a_control_has_its_states(html: str, states: tuple[str, ...]) -> None:
    assert only(html).states == states


def test_what_lies_behind_an_open_dialog_is_not_offered() -> None:
    seen = page(
        "<button>Behind</button><div role=dialog aria-modal=true><h2>Edit</h2><button>Save</button></div><div role=menu><a role=menuitem>Copy</a></div>"
    )
    assert [one.label for one in seen.offered] == ["Save", "Copy"]


def test_each_control_belongs_to_its_part_of_the_page() -> None:
    film = "<li><h3>Film {0}</h3><p>1994</p><button>Watch</button></li>"
    seen = page(
        "<nav><a href=/>Home</a></nav><h1>Films</h1><div><h2>Filters</h2><div><button>Drama</button></div></div>"
        f"<ul>{film.format(1)}{film.format(2)}</ul><form><h2>Contact</h2><input></form><form aria-label=Login><input></form><footer><a href=/x>Imprint</a></footer>"
    )
    assert [(part.kind, part.name) for part in map(seen.sections.get, range(7)) if part] == [
        ("navigation", ""),
        ("section", "Filters"),
        ("item", "Film 1"),
        ("item", "Film 2"),
        ("form", "Contact"),
        ("form", "Login"),
        ("footer", ""),
    ]


@rows(
    ("html", "is_loading"),
    [
        ("<p>Loading…</p>", True),
        ("<p>Loading films...</p>", True),
        ("<main aria-busy=true></main>", True),
        ("<div class='h-4 animate-pulse'></div>", True),
        ("<p>Loading bays are to be kept free at all times of the day.</p>", False),
        ("<h1>Films</h1>", False),
    ],
)
def test_a_page_that_is_still_loading_is_recognized(html: str, is_loading: bool) -> None:
    assert page(html).is_loading is is_loading


@rows(
    ("html", "label"),
    [
        ("<div class=cursor-pointer><h3>Baan Thai</h3><p>4.2 ★</p><p>$</p></div>", "Baan Thai"),
        ("<table><tr class=cursor-pointer><td>Estate of Doe</td><td>Jane Doe</td></tr></table>", "Estate of Doe Jane Doe"),
        ("<div class=cursor-pointer><h3>Loft</h3><p>2 beds</p><button>Save</button></div>", "Loft"),
    ],
)
def test_a_row_or_card_that_is_pressed_as_a_whole_is_listed(html: str, label: str) -> None:
    assert page(html).elements[0].label == label


def test_a_control_that_can_not_be_used_now_belongs_to_its_item_too() -> None:
    film = "<li><h3>Film {0}</h3><p>1994</p><button disabled>Watch</button><button>Save</button></li>"
    seen = page(f"<ul>{film.format(1)}{film.format(2)}</ul>")
    assert [seen.items[place].name for place in range(4)] == ["Film 1", "Film 1", "Film 2", "Film 2"]


@rows(
    ("html", "label", "selector"),
    [
        ("<input type=radio id=a name=n class='hidden peer'><label for=a>50 MB</label>", "50 MB", "//label[normalize-space()='50 MB']"),
        ("<input type=checkbox id=a class=btn-check><label for=a>Bold</label>", "Bold", "//label[normalize-space()='Bold']"),
        ("<label><input type=checkbox class='sr-only peer'><i></i>Wi-Fi</label>", "Wi-Fi", "//label[normalize-space()='Wi-Fi']"),
        ("<label><input type=checkbox style='display:none'><b>On</b></label>", "On", "//label[normalize-space()='On']"),
    ],
)
def test_a_choice_that_cannot_be_seen_is_pressed_by_its_label(html: str, label: str, selector: str) -> None:
    found = page(html)
    (one,) = found.elements
    assert (one.label, one.usable, one.checked, found.selector(one)["value"]) == (label, True, False, selector)


def test_a_choice_whose_label_is_hidden_too_is_hidden() -> None:
    assert not page("<div hidden><input type=radio id=a><label for=a>50 MB</label></div>").elements[0].usable


def test_the_label_of_one_choice_names_no_other_and_no_set() -> None:
    first, second = page("<input type=radio id=a><label for=a>Week</label><input type=radio id=b><label for=b>Month</label>").elements
    assert (first.label, first.group, second.label, second.group) == ("Week", "", "Month", "")
    assert page("<input type=checkbox id=a><label for=a>Week</label><input type=checkbox>").elements[1].label == ""


def test_what_stands_behind_a_drawn_box_names_it() -> None:
    assert only("<li><div><input type=checkbox id=a><label for=a></label></div><span>Buy milk</span></li>").label == "Buy milk"


def test_a_box_beside_a_drawing_is_named_by_the_text_after_both_and_never_by_the_value_that_browsers_send() -> None:
    menu = "".join(
        f"<div role=menuitem><button role=checkbox value=on></button><div></div><span>{name}</span></div>" for name in ("Work", "Home")
    )
    assert [each.label for each in page(menu).elements if each.role == "checkbox"] == ["Work", "Home"]
    assert only("<button role=checkbox aria-checked=false value=on></button>").label == ""


def test_options_that_a_library_appends_to_the_page_lie_in_front_of_its_dialog() -> None:
    dialog = "<button>Behind</button><div role=dialog aria-modal=true><h2>Team</h2><input role=combobox aria-label=Members></div><footer><button>Top</button></footer>"
    elements = page(f"{dialog}<div class=drop><div role=option>Ann</div></div>").elements
    assert [each.label for each in elements if each.usable] == ["Members", "Ann"]


def test_a_drawn_link_is_called_as_its_drawing_is() -> None:
    assert only("<a href=/x><svg role=img aria-label='Home page'><path/></svg></a>").label == "Home page"


def test_an_item_is_not_named_after_its_picture_nor_described_by_the_type_of_its_markup() -> None:
    row = "<li data-element-type='grid-item'><img alt='{0} avatar'><span>{0}</span><span>{0}@a.example</span><button>Open</button></li>"
    records = page(f"<ul>{''.join(map(row.format, ('Ann', 'Bob', 'Eve')))}</ul>").records
    assert [record.name for record in records] == ["Ann", "Bob", "Eve"]
    assert all("type" not in record.attributes for record in records)
