"""The items of a page, recognised by structure, with their attributes."""

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
def test_cards_are_records_everywhere_on_a_page(page: str) -> None:
    items = records(page.format(cards()))
    assert [(record.name, record.attributes["year"], record.attributes["rating"]) for record in items] == FILMS
    assert [[element.label for element in record.elements] for record in items] == [["View", "Add"]] * 3
    assert [record.place for record in items] == [0, 1, 2]


def test_column_heads_name_the_attributes_of_rows() -> None:
    rows = (
        "<tr><td>Jo</td><td>Active</td><td><button>Edit</button></td></tr><tr><td>Al</td><td>Closed</td><td><button>Edit</button></td></tr>"
    )
    items = records(f"<table><thead><tr><th>Client name<th>Status<th></tr></thead><tbody>{rows}</tbody></table>")
    assert [(record.name, dict(record.attributes)) for record in items] == [
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
        ("<h3>X</h3><span>4.8 (18,976 reviews)</span>", "rating", "4.8"),
        ("<h3>X</h3><span>4.8 (120)</span>", "rating", "4.8"),
        ("<h3>X</h3><span>★★★★☆</span>", "rating", "4"),
        ("<h3>X</h3><span role=img aria-label='4.5 out of 5'></span>", "rating", "4.5"),
        ("<h3>X</h3><span>(1,204 reviews)</span>", "reviews", "1,204"),
        ("<h3>X</h3><p>by Ann Lee</p>", "author", "Ann Lee"),
        ("<h3>X</h3><p>Directed by Ann Lee</p>", "director", "Ann Lee"),
        ("<h3>X</h3><span>Science Fiction</span>", "genre", "Science Fiction"),
        ("<h3>X</h3><span>In stock</span>", "stock", "In stock"),
        ("<h3>X</h3><time datetime='2025-07-18'>soon</time>", "date", "2025-07-18"),
        ("<h3>X</h3><i data-price='19.99'></i>", "price", "19.99"),
        ("<h3>X</h3><p>Drama · Crime — 1994</p>", "genre", "Drama, Crime"),
        ("<h3>X</h3><p>Fiction · Literary — 1859</p>", "genre", "Fiction, Literary"),
        ("<h3>X</h3><p>Fiction · Literary — 1859</p>", "year", "1859"),
        ("<h3>X</h3><i>Drama</i><i>Comedy</i>", "genre", "Drama, Comedy"),
        ("<h3>X</h3><p>2003 • 454 pages • Ann Lee</p>", "pages", "454"),
        ("<h3>X</h3><span>113m</span>", "duration", "113m"),
        ("<h3>X</h3><p>Call +1 (555) 010-9999</p><p>+1 (555) 010-9999</p>", "phone", "+1 (555) 010-9999"),
        ("<h3>1917</h3><p>2019</p>", "year", "2019"),
        ("<h3>Glass: A Mystery</h3><p>x</p>", "glass", None),
        ("<h3>X</h3><p>It was 1994 when the war that nobody had foreseen came to an end, $5 and 2 h later.</p>", "price", None),
        ("<h3>X</h3><a href='mailto:a@b.com'>a@b.com</a>", "email", "a@b.com"),
    ],
)
def test_attributes_are_recognised_by_label_or_shape(html: str, name: str, value: str | None) -> None:
    assert only(html).attributes.get(name) == value


def test_a_whole_number_where_the_other_items_have_ratings_is_one() -> None:
    items = "".join(
        f"<div><div><i>Drama</i><b>{rating}</b></div><h3>{name}</h3><a href=/x>x</a></div>" for name, rating in (("A", "7.5"), ("B", "8"))
    )
    assert [record.attributes["rating"] for record in records(items)] == ["7.5", "8"]


def test_a_text_that_all_items_have_beside_another_is_its_label() -> None:
    items = "".join(f"<div><h3>{name}</h3><p><i>Tonnage</i><b>{at}x</b></p><a href=/x>x</a></div>" for at, name in enumerate("ABC"))
    assert [record.attributes["tonnage"] for record in records(items)] == ["0x", "1x", "2x"]


@pytest.mark.parametrize(
    "frame",
    [
        "<main><section><h1>Films</h1><p>All of them</p><a href=/all>See all</a><div>{}</div></section><section><h2>Why</h2><a href=/w>w</a></section></main>",
        "<main><section><h2>New</h2><div>{}</div></section><section><h2>Genres</h2><a href=/d><h3>Drama</h3></a><a href=/c><h3>Crime</h3></a></section></main>",
        "<div><aside><a href=/1>Home</a><a href=/2>Cart</a><a href=/3>Pay</a></aside><aside><a href=/4>Drama</a><a href=/5>Crime</a><a href=/6>War</a></aside></div>{}",
        "<div class=row>{}</div><div class=row>{}</div>",
    ],
)
def test_parts_of_a_page_are_no_records(frame: str) -> None:
    names = [record.name for record in records(frame.replace("{}", cards())) if record.name not in {"Drama", "Crime"}]
    assert set(names) == {"Heat", "Alien", "Big"}


@pytest.mark.parametrize(
    "item",
    [
        "<span><div><img alt='{0} poster'><h3><a href='/f/{0}'>{0}</a></h3><p>{1}</p></div></span>",
        "<span class=hidden aria-hidden=true></span><div><img alt='{0} poster'><h3><a href='/f/{0}'>{0}</a></h3><p>{1}</p></div>",
        "<a href='/f/{0}'><img src=x><h4>{0}</h4><p>{1}</p></a>",
        "<div><button aria-label='View {0}'><img src=p alt='{0}'></button><p>{1}</p><button>Add to cart</button></div>",
        "<article><strong>{0}</strong><div>{1}</div><a href='/f/{0}'>More</a></article>",
        "<li><p>{0}</p><p>{1}</p><button>Delete</button></li>",
        "<div role=row><div role=cell>{0}</div><div role=cell>{1}</div><div role=cell><button>Edit</button></div></div>",
    ],
)
def test_items_are_recognised_in_any_markup_and_in_wrappers(item: str) -> None:
    items = records("<main><section>" + "".join(item.format(name, year) for name, year, _ in FILMS) + "</section></main>")
    assert [(record.name.removesuffix(" poster"), record.attributes.get("year")) for record in items] == [
        (name, year) for name, year, _ in FILMS
    ]


def test_invisible_text_is_ignored() -> None:
    record = only("<h3>X</h3><p hidden>Year: 1994</p><p style='display:none'>$5</p><p aria-hidden=true>4.5/5</p><p>ok</p>")
    assert (dict(record.attributes), record.text) == ({}, "X ok")


def test_a_detail_page_is_about_the_item_below_its_only_heading() -> None:
    page = read(
        f"<nav><a href=/>Home</a></nav><main><h1>Heat</h1><p>1995</p><p>Director: Ann</p><button>Add</button><h2>Alike</h2>{cards()}</main>",
        "",
    )
    assert page.subject
    assert (page.subject.name, dict(page.subject.attributes)) == ("Heat", {"director": "Ann", "year": "1995"})
    assert [element.label for element in page.subject.elements] == ["Add"]


LONE = "<div><div><h3>Heat</h3><p>1995 • 170 min</p><a href=/f/1>View</a></div></div>"


@pytest.mark.parametrize(
    "page",
    [
        "<main><h1>Search films</h1><p>1 film</p>{}</main>",
        "<main><h1>Search films</h1><input><button>Go</button>{}</main>",
        "<main><h1>Welcome, Jo</h1><h2>Your films</h2>{}<h2>More</h2><a href=/x>x</a></main>",
    ],
)
def test_a_single_result_is_a_record(page: str) -> None:
    assert [(record.name, record.attributes["year"]) for record in records(page.format(LONE))] == [("Heat", "1995")]


def test_a_single_result_comes_before_other_lists() -> None:
    assert [record.name for record in records(f"<main><h1>Search</h1>{LONE}<section><h2>Alike</h2>{cards()}</section></main>")][:2] == [
        "Heat",
        "Heat",
    ]


def test_the_parts_of_a_detail_page_are_no_records() -> None:
    page = read("<main><h1>Heat</h1><p>1995 • 170 min</p><div><h2>Details</h2><p>Director: Ann</p><a href=/x>More</a></div></main>", "")
    assert page.records == ()
    assert page.subject
    assert page.subject.attributes["director"] == "Ann"


@pytest.mark.parametrize(
    "heading", ["Shopping basket", "Search results for: Heat", "Check order (1 item)", "Welcome, Jo", "Order summary", "My films"]
)
def test_headings_of_lists_are_no_items(heading: str) -> None:
    for tag in ("h1", "h2"):
        page = read(f"<main><div><{tag}>{heading}</{tag}><p>1995 • 170 min</p><p>$5</p><a href=/x>x</a></div></main>", "")
        assert (page.records, page.subject) == ((), None)


@pytest.mark.parametrize("title", ["New Balance 1080", "All About Eve", "My Girl", "Register of Dreams", "Signs"])
def test_titles_that_begin_like_headings_of_lists_are_items(title: str) -> None:
    assert read(f"<main><h1>{title}</h1><p>1995 • 170 min</p></main>", "").subject


def test_other_text_after_by_is_not_an_author() -> None:
    assert "author" not in only("<h3>X</h3><p>By placing your order</p><p>by placing your order you agree</p>").attributes


def test_a_list_page_is_about_no_single_thing() -> None:
    assert read(f"<main><h1>All films</h1><div>{cards()}</div></main>", "").subject is None
