"""Tasks about items, in steps on a small shop of paper."""

import pytest

from agents.tests.item_pages import NAV, shop
from agents.tests.paper_browser import Outcome, step_by_step
from agents.tests.rows import rows

CALLERS = [pytest.param(True, id="runs-the-first-call"), pytest.param(False, id="runs-all-calls")]


def done(prompt: str, pages: dict[str, str] | None = None, *, first_only: bool = True) -> Outcome:
    return step_by_step(prompt, pages or shop(), first_only=first_only)


@rows("first_only", CALLERS)
@rows(
    ("prompt", "path"),
    [
        ("Show the details of a lamp where rating is less than '4.0'", "/lamps/2"),
        ("Show the details of a lamp where brand equals 'Nordlicht'", "/lamps/1"),
        ("Add to the wishlist a lamp where price equals '60'", "/lamps/1/in"),
        ("Remove from the wishlist a lamp where price equals '60'", "/lamps/1/out"),
        ("Add to the cart a lamp where the brand is NOT 'Kestrel'", "/lamps/1/added"),
        ("Share a lamp where name contains 'Cone'", "/lamps/2/share"),
        ("Expand the details section of a lamp where rating equals '4.1'", "/lamps/1/open"),
        ("Remove from the cart the lamp where price is less than '50'", "/gone"),
        ("Filter the lamps where brand equals 'Nordlicht'", "/search/n"),
        ("Show me the contents of my shopping cart", "/cart"),
    ],
)
def test_a_task_about_an_item_is_done_and_ends_there(prompt: str, path: str, first_only: bool) -> None:
    outcome = done(prompt, first_only=first_only)
    assert outcome.browser.visited[-1] == path
    assert outcome.done
    assert not outcome.browser.failures


@rows("first_only", CALLERS)
def test_an_item_is_shared_by_sending_the_dialogs_form(first_only: bool) -> None:
    fields = "<label>Recipient name<input name=n></label><label>Recipient email<input type=email name=e></label>"
    dialog = f"<div role=dialog><h2>Share this lamp</h2><form action='/sent'>{fields}<button type=submit>Send invite</button></form></div>"
    pages = shop() | {"/lamps/2/share": f"<body>{NAV}<h1>Cone lamp</h1>{dialog}</body>", "/sent": f"<body>{NAV}<h1>Shared</h1></body>"}
    outcome = done("Share a lamp where name contains 'Cone'", pages, first_only=first_only)
    assert outcome.browser.visited[-1] == "/sent"
    assert outcome.done


@rows("first_only", CALLERS)
def test_a_typed_search_is_sent_before_items_are_tried(first_only: bool) -> None:
    search = "<form action='/search'><input type=search name=q aria-label='Find lamps'></form>"

    def listed(*names: str) -> str:
        cards = "".join(f"<li><h3>{name} lamp</h3><a href='/lamps/{'ABC'.index(name[0])}?seed=58'>View details</a></li>" for name in names)
        return f"<body>{NAV}{search}<ul>{cards}</ul></body>"

    pages = shop() | {"/": listed("Arc", "Bow"), "/search": listed("Bow", "Cone")}
    visited = done("Show the details of a lamp where name equals 'Cone lamp'", pages, first_only=first_only).browser.visited
    assert visited == ["/", "/search", "/lamps/2"]


def test_values_that_a_card_does_not_show_are_checked_on_the_items_own_pages() -> None:
    visited = done("Show the details of a lamp where brand equals 'Nordlicht'").browser.visited
    assert visited[-1] == "/lamps/1"
    assert visited.count("/lamps/0") <= 1


def test_an_item_goes_into_the_cart_before_it_is_taken_out() -> None:
    visited = done("Remove from the cart the lamp where name equals 'Bow lamp'").browser.visited
    assert "/lamps/1/added" in visited
    assert visited.index("/lamps/1/added") < visited.index("/cart")


@pytest.mark.parametrize("put", ["Add to list", "Guardar", "Bookmark", "Add to favorites"])
def test_buttons_are_identified_by_their_meaning(put: str) -> None:
    assert done("Add to my wishlist the lamp where name equals 'Arc lamp'", shop(put=put)).browser.visited[-1] == "/lamps/0/in"


def test_a_single_result_is_opened() -> None:
    pages = shop() | {
        "/": f"<body>{NAV}<form action='/search'><input type=search name=q><button>Go</button></form></body>",
        "/search": f"<body>{NAV}<h1>Results</h1><div><p>Bow lamp</p><p>$60</p><a href='/lamps/1?seed=58'>View</a></div></body>",
    }
    assert done("Show the details of a lamp where name equals 'Bow lamp'", pages).browser.visited[-1] == "/lamps/1"


def test_a_single_result_is_no_item_although_its_page_has_the_searched_value() -> None:
    box = "<form action='/search'><input type=search name=q value='{}'><button>Go</button></form>"
    card = "<div><p>Bow lamp</p><p>$60</p><button type=button data-goto='/lamps/1'>View</button></div>"
    pages = shop() | {
        "/": f"<body>{NAV}{box.format('')}</body>",
        "/search": f"<body>{NAV}{box.format('Nordlicht')}<h1>Results for Nordlicht</h1>{card}</body>",
    }
    assert done("Show the details of a lamp where brand equals 'Nordlicht'", pages).browser.visited[-1] == "/lamps/1"


def test_the_next_page_of_a_list_is_searched() -> None:
    pages = shop()
    cards = "".join(f"<li><h3>Old {at}</h3><p>$9{at}</p><a href='/old/{at}?seed=58'>View</a></li>" for at in range(4))
    first = f"<body>{NAV}<h1>All</h1><ul>{cards}</ul><button type=button data-goto='/search'>Next</button></body>"
    visited = done("Show the details of a lamp where price equals '80'", pages | {"/": first}).browser.visited
    assert visited[-1] == "/lamps/2"


def test_a_row_is_scrolled_and_not_the_slide_show_above_it() -> None:
    show = "".join(f"<button type=button>Go to slide {at}</button>" for at in range(1, 4))
    row = "<section><h2>New</h2><button type=button data-goto='/left'>Back</button><button type=button data-goto='/right'>Forward</button></section>"
    pages = {
        "/": f"<body>{NAV}<div><button type=button data-goto='/show'>Previous slide</button><button type=button data-goto='/show'>Next slide</button>{show}</div>"
        f"<p>Much</p><a href='/a?seed=58'>A</a><a href='/b?seed=58'>B</a><a href='/c?seed=58'>C</a><a href='/d?seed=58'>D</a>{row}</body>",
        **{path: f"<body>{NAV}<h1>{path}</h1></body>" for path in ("/left", "/right", "/show")},
    }
    assert done("Scroll the carousel where direction equals 'LEFT'", pages).browser.visited[-1] == "/left"
    assert done("Scroll the carousel where the direction is NOT 'LEFT'", pages).browser.visited[-1] == "/right"


@pytest.mark.parametrize("own", ["/profile/films", "/me"])
def test_the_users_own_item_is_deleted_on_the_users_own_page_behind_its_tab(own: str) -> None:
    tabs = "<div role=tablist><button role=tab type=button aria-selected=true data-goto='/profile'>Edit profile</button>"
    tabs += f"<button role=tab type=button data-goto='{own}'>Edit films</button><button role=tab type=button>Saved films</button></div>"
    nav = "<nav><a href='/profile?seed=58'>Ann</a></nav>"
    pages = {
        "/": f"<body>{nav}<h1>Films</h1></body>",
        "/profile": f"<body>{nav}{tabs}<h1>Hello</h1></body>",
        own: f"<body>{nav}{tabs.replace('aria-selected=true', '').replace(own, own + chr(39) + ' aria-selected=' + chr(39) + 'true')}<h2>Copper Moon</h2><button type=button data-goto='/gone'>Erase item</button></body>",
        "/gone": f"<body>{nav}<h1>Gone</h1></body>",
    }
    assert done("Delete your film", pages).browser.visited == ["/", "/profile", own, "/gone"]


def test_only_the_item_itself_is_deleted_on_the_users_own_page() -> None:
    tabs = "<div role=tablist><button role=tab type=button aria-selected=true>Edit films</button></div>"
    page = f"<body>{tabs}<h2>Copper Moon</h2><button type=button data-goto='/no'>Delete photo</button></body>"
    pages = {"/": "<body><a href='/me?seed=58'>Ann</a></body>", "/me": page, "/no": "<body><h1>No photo</h1></body>"}
    assert "/no" not in done("Delete your film", pages).browser.visited


def test_buying_at_once_uses_no_cart() -> None:
    pages = shop()
    buying = pages["/lamps/2"].replace("<button", "<button type=button data-goto='/pay'>Order Now</button><button", 1)
    outcome = done(
        "Click Buy now for the lamp where price equals '80'", pages | {"/lamps/2": buying, "/pay": f"<body>{NAV}<h1>Pay</h1></body>"}
    )
    assert outcome.browser.visited[:4] == ["/", "/search", "/lamps/2", "/pay"]


@pytest.mark.parametrize(("prompt", "column"), [("Sort the lamps by price", "/p"), ("Sort lamps where column equals 'Rating'", "/r")])
def test_a_list_is_sorted_by_the_head_of_its_column(prompt: str, column: str) -> None:
    heads = "<button type=button data-goto='/n'>Name</button><button type=button data-goto='/p'>Price</button><button type=button data-goto='/r'>Rating</button>"
    pages = dict.fromkeys(("/", "/n", "/p", "/r"), f"<body>{NAV}{heads}</body>")
    assert done(prompt, pages).browser.visited == ["/", column]


@pytest.mark.parametrize(
    ("prompt", "order"),
    [
        ("Sort the lamps by rating, highest first", "Rating: High to Low"),
        ("Sort the lamps by rating in ascending order", "Rating: Low to High"),
        ("Order the lamps by year, newest first", "Year: Newest First"),
    ],
)
def test_a_list_is_sorted_in_the_requested_order(prompt: str, order: str) -> None:
    options = "".join(
        f"<option>{label}</option>" for label in ("Default", "Rating: Low to High", "Rating: High to Low", "Year: Newest First")
    )
    outcome = done(prompt, {"/": f"<body>{NAV}<select>{options}</select></body>"})
    assert [entry.fields["text"] for entry in outcome.history if entry.type == "SelectDropDownOptionAction"] == [order]
