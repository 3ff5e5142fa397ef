"""The items that a page shows: found by their structure, told by their attributes."""

from __future__ import annotations

import pytest

from agents.page import Record, read

CARD = "<div><img src=p><h3>{0}</h3><p>{1}</p><p>★ {2}</p><a href='/f/{0}?seed=4'>View</a><button>Add</button></div>"
FILMS = [("Heat", "1995", "4.5"), ("Alien", "1979", "4.8"), ("Big", "1988", "3.9")]


def records(html: str) -> tuple[Record, ...]:
    return read(html, "").records


def only(html: str) -> Record:
    (record,) = records(f"<main><ul><li>{html}</li><li><h3>Other</h3><a href=/o>o</a></li></ul></main>")[:1]
    return record


def cards(template: str = CARD) -> str:
    return "".join(template.format(*film) for film in FILMS)


@pytest.mark.parametrize(
    "page",
    [
        "<main><div>{}</div></main>",
        "<body>{}</body>",
        "<main><h1>Films</h1><section><h2>New</h2><div>{}</div></section></main>",
        "<nav><a href=/>Home</a><a href=/a>About</a><a href=/b>Contact</a></nav><main>{}</main><footer><a href=/>x</a><a href=/y>y</a></footer>",
        "<div><div><div><div>{}</div></div></div></div>",
        "<aside><label><input type=checkbox>Drama</label><label><input type=checkbox>Crime</label></aside><div>{}</div>",
    ],
)
def test_cards_are_records_wherever_they_stand(page: str) -> None:
    found = records(page.format(cards()))
    assert [(one.name, one.attributes["year"], one.attributes["rating"]) for one in found] == FILMS
    assert [[element.label for element in one.elements] for one in found] == [["View", "Add"]] * 3
    assert [one.place for one in found] == [0, 1, 2]


def test_column_heads_name_the_attributes_of_rows() -> None:
    rows = (
        "<tr><td>Jo</td><td>Active</td><td><button>Edit</button></td></tr><tr><td>Al</td><td>Closed</td><td><button>Edit</button></td></tr>"
    )
    found = records(f"<table><thead><tr><th>Client name<th>Status<th></tr></thead><tbody>{rows}</tbody></table>")
    assert [(one.name, dict(one.attributes)) for one in found] == [
        ("Jo", {"client name": "Jo", "status": "Active"}),
        ("Al", {"client name": "Al", "status": "Closed"}),
    ]


@pytest.mark.parametrize(
    ("html", "name", "value"),
    [
        ("<h3>X</h3><p>Director: Ann Lee</p>", "director", "Ann Lee"),
        ("<h3>X</h3><p><b>Director:</b> Ann Lee</p>", "director", "Ann Lee"),
        ("<h3>X</h3><dl><dt>Cast</dt><dd>Ann</dd><dt>Pages</dt><dd>320</dd></dl>", "pages", "320"),
        ("<h3>X</h3><div><span>Director</span><span>Ann Lee</span></div>", "director", "Ann Lee"),
        ("<h3>X</h3><p>1994 • 142 min</p>", "year", "1994"),
        ("<h3>X</h3><p>1994 • 142 min</p>", "duration", "142 min"),
        ("<h3>X</h3><p>2h 22m</p>", "duration", "2h 22m"),
        ("<h3>X</h3><span>$1,299.00</span>", "price", "$1,299.00"),
        ("<h3>X</h3><span>4.5/5</span>", "rating", "4.5"),
        ("<h3>X</h3><span>★★★★☆</span>", "rating", "4"),
        ("<h3>X</h3><span role=img aria-label='4.5 out of 5'></span>", "rating", "4.5"),
        ("<h3>X</h3><span>(1,204 reviews)</span>", "reviews", "1,204"),
        ("<h3>X</h3><p>by Ann Lee</p>", "author", "Ann Lee"),
        ("<h3>X</h3><p>Directed by Ann Lee</p>", "director", "Ann Lee"),
        ("<h3>X</h3><span>Science Fiction</span>", "genre", "Science Fiction"),
        ("<h3>X</h3><span>In stock</span>", "stock", "In stock"),
        ("<h3>X</h3><time datetime='2025-07-18'>soon</time>", "date", "2025-07-18"),
        ("<h3>X</h3><i data-price='19.99'></i>", "price", "19.99"),
        ("<h3>X</h3><a href='mailto:a@b.com'>a@b.com</a>", "email", "a@b.com"),
    ],
)
def test_attributes_are_known_by_label_or_shape(html: str, name: str, value: str) -> None:
    assert only(html).attributes.get(name) == value


def test_what_can_not_be_seen_says_nothing() -> None:
    record = only("<h3>X</h3><p hidden>Year: 1994</p><p style='display:none'>$5</p><p aria-hidden=true>4.5/5</p><p>ok</p>")
    assert (dict(record.attributes), record.text) == ({}, "X ok")


def test_a_detail_page_is_about_what_stands_under_its_one_heading() -> None:
    page = read(
        f"<nav><a href=/>Home</a></nav><main><h1>Heat</h1><p>1995</p><p>Director: Ann</p><button>Add</button><h2>Alike</h2>{cards()}</main>",
        "",
    )
    assert page.subject
    assert (page.subject.name, dict(page.subject.attributes)) == ("Heat", {"director": "Ann", "year": "1995"})
    assert [element.label for element in page.subject.elements] == ["Add"]


def test_a_list_page_is_about_no_single_thing() -> None:
    assert read(f"<main><h1>All films</h1><div>{cards()}</div></main>", "").subject is None
