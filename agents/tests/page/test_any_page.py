"""Whatever a page is, all that can be asked of it is answered, in time."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.page import Page, changes, excerpt, read
from agents.page.summary import Changes
from agents.tests.mini_site import MiniSite

PIECES = st.sampled_from(
    [
        *(
            "<div>",
            "</div>",
            "<li>",
            "</li>",
            "<a href='/x'>x</a>",
            "<h1>A</h1>",
            "<h3>B</h3>",
            "<table><tr><th>Year<th>Name",
            "<tr><td>1994<td>C",
        ),
        *(
            "</table>",
            "<p>Year: 1994</p>",
            "<span>Director</span>",
            "<dl><dt>Cast<dd>D</dl>",
            "<img alt=E>",
            "<button>F",
            "</button>",
            "<form>",
            "</form>",
        ),
        *(
            "<input type=radio>",
            "<div role=dialog>",
            "<div aria-modal=true>",
            "<div role=alert>Wrong",
            "<button role=combobox>",
            "<div role=listbox>",
        ),
        *(
            "<div hidden>",
            "<svg><a href=y>",
            "</svg>",
            "<template>",
            "</template>",
            "<select><option>",
            "</select>",
            "<nav>",
            "</nav>",
            "★ 4.5",
            "$5",
            "1/2",
        ),
        *(
            "<label>",
            "</label>",
            "<input aria-invalid=true aria-describedby=e>",
            "<i id=e>no</i>",
            "<div role=row>",
            "<div role=cell>",
            "<article>",
            "1994 • x — y",
        ),
    ]
)


NO_CHANGES = Changes(moved=False, appeared=(), gone=(), errors=(), opened=None, closed=False)


def ask_all(page: Page) -> None:
    """Reads everything that a page has."""
    for record in (*page.records, page.subject):
        assert record is None or (len(record.text) <= 2_000 and all(record.attributes.values()))
    assert [record.place for record in page.records] == list(range(len(page.records)))
    assert len(page.errors) <= 10
    assert page.logged_in in {True, False, None}
    assert len(page.dialogs) <= len({one.layer for one in page.elements if one.layer})
    assert page.search_box is None or page.search_box.usable
    assert all(element.usable for element in page.pagination.numbered.values())
    assert len(excerpt(page, 2_000)) <= 2_000
    assert changes(page, page) == NO_CHANGES


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_pieces_of_markup_are_read(html: str) -> None:
    ask_all(read(html, "http://localhost:8000/a?seed=1"))


@settings(max_examples=60)
@given(st.text(max_size=200) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_read(html: str) -> None:
    ask_all(read(html, html[:50]))


@settings(max_examples=40)
@given(st.integers(1, 60), st.data())
def test_a_page_that_was_cut_or_damaged_is_read(seed: int, data: st.DataObject) -> None:
    html = MiniSite(seed, user="ann").get(data.draw(st.sampled_from(["/", "/films/2", "/account", "/contact"])), {})
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(html)), st.integers(0, len(html)))))
    ask_all(read(html[:start] + html[end:], ""))


LI = "<li><h3>Film {0}</h3><p>Year: 1994</p><p data-price=5>x</p><a href='/f/{0}'>View</a></li>"
# 500 kB and more of what takes longest in some part or other.
LARGE = {
    "inputs": "<input name=x>" * 20_000,
    "deep": "<div>" * 40_000 + "<h3>x</h3>",
    "deep labels": "<div><p>Year</p>" * 10_000,
    "items": "".join(LI.format(at) for at in range(6_000)),
    "one item after another": "<div>" + "<div><h3>x</h3><a>y</a></div>" * 15_000,
    "rows": "<table>" + "<tr><td>a<td>b" * 15_000,
    "bodies": "<table>" + "<tbody><tr><td>a<td>b<tr><td>a<td>b" * 6_000,
    "forms": "<form><input><button>x</button></form>" * 10_000,
    "radio buttons": "<div>" + "<p>Size</p><label><input type=radio>x</label>" * 10_000,
    "labels": "<label>" * 3_000 + "<input>" * 3_000,
    "selects": "<label>x<select>" + "<option>y" * 30_000,
    "dialogs": "<div role=dialog><a href=x>y</a>" * 8_000,
    "drawings": "<svg>" * 2_000 + "<a>x</a>" * 2_000,
    "headings": "<div><h1>x</h1><h2>1994</h2>" * 10_000,
    "numbers": "<p>" + "1994 • 4.5/5 $5 — " * 30_000,
    "errors": "<p class=error>Please enter a name, it is required</p>" * 10_000,
    "a long word": "<h3>" + "x" * 600_000,
    "digits": "<p>" + "1" * 600_000 + "</p><p>" + "1," * 300_000,
    "nested lists": "<ul><li>x" * 8_000,
    "wrappers": "<div>" * 500 + "<div><div><div><a>x</a>y</div></div></div>" * 10_000,
}


@pytest.mark.long
@pytest.mark.parametrize("name", LARGE)
def test_no_page_takes_long(name: str) -> None:
    started = time.thread_time()
    ask_all(read(LARGE[name], ""))
    assert time.thread_time() - started < 30
