"""Reading pages: what can be operated, what it is called, how it is selected, and what of it is shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from agents.contract.actions import click
from agents.page import Element, Page, excerpt, read
from agents.page.interactive import MOST_ELEMENTS
from agents.tests.demo_sites import cinema, shop
from agents.tests.paper_browser import matches
from agents.tests.rows import rows


def only(html: str) -> Element:
    (element,) = read(html, "").elements
    return element


def selector_of(html: str, place: int = 0) -> tuple[str, str]:
    page = read(html, "")
    chosen = page.selector(page.elements[place])
    return chosen.get("attribute", "xpath"), chosen["value"]


@rows(
    "html",
    [
        "<label for='f'>Film</label><input id='f'>",
        "<label>Film <input></label>",
        "<input aria-label='Film'>",
        "<b id='l'>Film</b><input aria-labelledby='l'>",
        "<input placeholder='Film'>",
        "<input title='Film'>",
        "<button title='x' aria-label=' Film '></button>",
        "<button><svg></svg> Film</button>",
        "<a href='/x'><img alt='Film'></a>",
        "<input type='submit' value='Film'>",
        "<div><label>Film</label><span><input></span></div>",
        "<table><tr><td>Film</td><td><input></td></tr></table>",
    ],
)
def test_an_element_is_called_what_a_person_would_call_it(html: str) -> None:
    assert only(html).label == "Film"


@rows(
    ("html", "role"),
    [
        ("<input>", "textbox"),
        ("<input type=PASSWORD>", "textbox"),
        ("<input type=search>", "searchbox"),
        ("<input type=number>", "spinbutton"),
        ("<input type=checkbox>", "checkbox"),
        ("<input type=submit>", "button"),
        ("<textarea></textarea>", "textbox"),
        ("<select><option>a</select>", "listbox"),
        ("<a href=x>y</a>", "link"),
        ("<div role=tab>y</div>", "tab"),
        ("<div role=menuitem>y</div>", "menuitem"),
        ("<div onclick='f()'>y</div>", "button"),
        ("<a role=button>y</a>", "button"),
    ],
)
def test_an_element_has_the_role_of_its_markup(html: str, role: str) -> None:
    assert only(html).role == role


@pytest.mark.parametrize(
    "around",
    [
        "<div hidden>{}</div>",
        "<div style='color:red; DISPLAY : none'>{}</div>",
        "<div aria-hidden='true'><p>{}</p></div>",
        "<span class='x hidden'>{}</span>",
        "<fieldset><input type=hidden name=seed value=4></fieldset>",
    ],
)
def test_what_can_not_be_seen_is_not_usable(around: str) -> None:
    assert not read(around.format("<button>Go</button>"), "").usable({"button", "textbox"})


def test_what_is_hidden_on_small_screens_alone_is_usable() -> None:
    assert read("<nav class='hidden md:flex'><a href=x>y</a></nav>", "").elements[0].usable


def test_a_select_has_its_options_and_its_choice() -> None:
    element = only("<select><option>Drama<option selected> Crime </select>")
    assert (element.options, element.value) == (("Drama", "Crime"), "Crime")


def test_forms_keep_their_fields_apart() -> None:
    assert [element.form for element in read("<form><input></form><input><form><input></form>", "").elements] == [0, None, 1]


def test_title_and_headings_are_read() -> None:
    page = read("<title>A  b</title><h1>C</h1><h2> </h2><h3>D <i>e</i></h3>", "")
    assert (page.title, page.headings) == ("A b", ("C", "D e"))


@pytest.mark.parametrize(
    ("wanted", "label"),
    [
        ("search product", "Search products"),
        ("sign in", "Sign in"),
        ("Sign-In", "Sign in"),
        ("register account", None),
        ("add cart", "Add to cart"),
    ],
)
def test_elements_are_found_by_likeness(wanted: str, label: str | None) -> None:
    found = read(shop()["/"], "").find((wanted,), {"button", "link", "searchbox"})
    assert (found.label if found else None) == label


@rows(
    ("html", "place", "chosen"),
    [
        ("<input type=password name=p>", 0, ("xpath", "//input[@type='password']")),
        ("<input type=password name=p><input type=password name=q>", 0, ("name", "p")),
        ("<input name=q id=search>", 0, ("name", "q")),
        ("<input id='main-search' placeholder='Find films'>", 0, ("placeholder", "Find films")),
        ("<input id='main-search' placeholder=\"Ann's\">", 0, ("id", "main-search")),
        ("<input id='q-58'>", 0, ("xpath", "(//input)[1]")),
        ("<input id=':r1:'>", 0, ("xpath", "(//input)[1]")),
        ("<input id='f7a1b2c3d'>", 0, ("xpath", "(//input)[1]")),
        ("<form><input></form><form><i></i><input><input></form>", 2, ("xpath", "(//form)[2]/descendant::input[2]")),
        ("<form><button type=submit>Go</button></form>", 0, ("xpath", "//form//button[@type='submit']")),
        ("<form><button>Go</button></form><form><button>Go</button></form>", 1, ("xpath", "(//form)[2]//button")),
        ("<a href='/x?seed=4'>x</a>", 0, ("href", "/x?seed=4")),
        ("<a href='/x'>x</a>", 0, ("xpath", "//a[@href='/x']")),
        ("<a href='/x?seed=4'>x</a><a href='/x?seed=4'>Log in</a>", 1, ("xpath", "//a[normalize-space()='Log in']")),
        ("<button>Log <b>in</b></button><button>No</button>", 0, ("xpath", "//button[normalize-space()='Log in']")),
        ("<button>A</button><button>A</button>", 1, ("xpath", "(//button[normalize-space()='A'])[2]")),
        ("<meta name=q><input name=q>", 0, ("xpath", "(//input)[1]")),
    ],
)
def test_the_steadiest_selector_is_chosen(html: str, place: int, chosen: tuple[str, str]) -> None:
    assert selector_of(html, place) == chosen


# Pieces that get into each other's way: the same names, ids and texts, quotes, broken nesting, case.
PIECES = st.sampled_from(
    [
        *("<form>", "</form>", "<div>", "</div>", "<textarea>", "</textarea>", "<label>", "</label>", "<a>", "<h2>Go</h2>", "<!-- -->"),
        *(
            "<input>",
            "<input name=q>",
            "<input name=q id=a>",
            "<input type=password>",
            "<input type=Password>",
            "<select name=q><option>a</select>",
        ),
        *("<button>Go</button>", "<button type=submit>Go</button>", "<button>G\u00a0o</button>", "<button>Go<!--x-->od</button>"),
        *("<a href='/x?seed=1'>x</a>", "<a href='/x?seed=1'>y</a>", '<a href="/it\'s">z</a>', "<x-y role=tab>t</x-y>"),
        *("<div role=button id=a>Go</div>", "<span onclick=f()>x</span>", "<input placeholder='a\"b'>", "<input aria-label=q title=q>"),
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_every_selector_matches_its_element_and_nothing_else(html: str) -> None:
    page = read(html, "")
    bare = etree.HTML(html, etree.HTMLParser(remove_comments=True)) if page.elements else None
    for element in page.elements:
        for selector in page.selectors(element):
            assert click(selector)
            found = matches(page._steady.root, selector)
            assert [page._reader.nodes.index(node) for node in found] == [element.place]
            assert len(matches(bare, selector)) == 1


@settings(deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_any_text_can_be_read_as_a_page(html: str) -> None:
    page = read(html, "")
    assert len(excerpt(page, 200)) <= 200


@rows(
    "html",
    [
        "",
        "\0",
        "<!-- never closed",
        "<?xml version='1.0' encoding='utf-16'?><p>",
        "<meta charset='utf-7'><p>\ud800",
        "<div>" * 100_000 + "x",
        "<a href='" + "x" * 1_000_000,
        "<label>" * 3000 + "<input>" * 3000,
        "<button>" * 3000 + "x",
        "<div hidden>" * 3000 + "<input>" * 3000,
    ],
)
def test_no_page_is_too_broken_to_be_read(html: str) -> None:
    assert len(excerpt(read(html, ""), 1000)) <= 1000


@pytest.mark.parametrize("html", ["<p>Straße ünter 日本</p><button>日本</button>", "<meta charset='latin-1'><button>日本</button>"])
def test_letters_survive_whatever_encoding_the_page_declares(html: str) -> None:
    assert only(html).label == "日本"


def big() -> Page:
    entry = "<li><h3>Item {0}</h3><a href='/i/{0}?seed=4'>View</a><form><button type=submit>Add to cart</button></form></li>"
    return read("".join(entry.format(at) for at in range(20_000)), "")


def test_a_page_of_thousands_of_elements_is_read_in_part() -> None:
    page = big()
    assert len(page.elements) == MOST_ELEMENTS
    assert page.selector(page.elements[-1])["value"] == "(//form)[750]//button[@type='submit']"


def test_an_excerpt_lists_headings_and_usable_elements() -> None:
    lines = excerpt(read(cinema()["/contact"], ""), 5000).splitlines()
    assert lines[:3] == ["Title: Autocinema", "# Contact", 'link "Home"']
    assert any(line.startswith("listbox ") and line.endswith("options Choose | Billing | Support") for line in lines)


def test_an_excerpt_leaves_out_what_is_hidden_and_ends_at_a_lines_end() -> None:
    page = read("<title>T</title><script>x</script><input type=hidden name=s><input name=q value=v><p>Some text</p><i>more</i>", "")
    whole = ["Title: T", 'textbox "" value "v"', "Text: Some text", "Text: more"]
    assert excerpt(page, 1000).splitlines() == whole
    for limit in range(len("\n".join(whole))):
        cut = excerpt(page, limit)
        assert len(cut) <= limit
        assert cut.splitlines() == whole[: len(cut.splitlines())]


def test_a_text_with_a_control_character_is_shown_by_no_selector() -> None:
    page = read("<h2>North Fork\x01</h2><h2>North Fork</h2>", "")
    assert page.showing("North Fork\x01") is None
    assert page.showing("north fork") is not None
