"""What a page shows besides its items: errors, dialogs, tabs, pages of a list, who is logged in, and what has changed."""

import pytest

from agents.page import changes, read
from agents.page.summary import Changes
from agents.tests.page.test_fields_of_a_page import SIZES
from agents.tests.rows import rows


@pytest.mark.parametrize(
    "html",
    [
        "<div role=alert>{}</div>",
        "<p class='mt-1 text-red-500'>{}</p>",
        "<span id=email-error>{}</span>",
        "<input aria-invalid=true aria-describedby=e><i id=e>{}</i>",
        "<p>{}</p>",
    ],
)
def test_what_went_wrong_is_read(html: str) -> None:
    assert read(html.format("The e-mail is required"), "").errors == ("The e-mail is required",)


@pytest.mark.parametrize(
    "html",
    [
        "<p>Must have 8 characters</p>",
        "<div role=alert>Saved, thank you</div>",
        "<p hidden>Password is invalid</p>",
        "<p>Wrong Turn</p>",
        "<p class=text-red-500>Sale</p>",
    ],
)
def test_what_is_no_error_is_not_read_as_one(html: str) -> None:
    assert read(html, "").errors == ()


@rows(
    ("html", "known"),
    [
        ("<button>Log out</button><a href=/login>x</a>", True),
        ("<div hidden><a href='/logout?seed=3'>Leave</a></div>", True),
        ("<div role=menuitem>Sign Out</div>", True),
        ("<a href=/login?seed=1>Enter</a><a href=/profile>Profile</a>", False),
        ("<button>Sign in</button>", False),
        ("<a href=/me>Profile</a>", True),
        ("<a href=/>Home</a>", None),
        ("", None),
    ],
)
def test_whether_a_user_is_logged_in(html: str, known: bool | None) -> None:
    assert read(html, "").logged_in is known


@rows(
    ("html", "place"),
    [
        ("<input><input type=search>", 1),
        ("<input placeholder='Your name'><input placeholder='Search films…'>", 1),
        ("<input type=email><input name=q>", 1),
        ("<input type=number><input>", 1),
        ("<input type=password><input>", None),
        ("<input placeholder=City><input placeholder=Street>", None),
        ("<input type=search hidden>", None),
        ("<textarea></textarea>", None),
        ("<form><input><button>Go</button></form>", 0),
        ("<form><input><button><svg></svg></button></form>", 0),
        ("<form><input placeholder=What><button type=button>Priority</button><button type=button>Save task</button></form>", None),
        ("<form><input><button>Subscribe</button></form>", None),
        ("<form><input placeholder='Task name'></form><button>Save task</button>", None),
    ],
)
def test_the_field_to_search_in(html: str, place: int | None) -> None:
    box = read(html, "").search_box
    assert (None if box is None else box.place) == place


PAGES = "<nav><a aria-label='Previous page' {}>‹</a><a href=?p=1>1</a><a href=?p=2 aria-current=page>2</a><a href=?p=3>3</a><button>Next</button></nav>"


def test_a_list_has_its_next_and_previous_page() -> None:
    pages = read(PAGES.format(""), "").pagination
    assert pages.next
    assert pages.previous
    assert (pages.next.label, pages.previous.label, pages.now, [*pages.numbered]) == ("Next", "Previous page", 2, [1, 2, 3])


def test_a_way_that_is_closed_is_no_way() -> None:
    assert read(PAGES.format("aria-disabled=true"), "").pagination.previous is None


def test_a_lone_number_is_no_page() -> None:
    assert read("<button>3</button>", "").pagination.numbered == {}


@pytest.mark.parametrize(
    "dialog",
    [
        "<div role=dialog aria-modal=true><h2>New event</h2>{}</div>",
        "<div aria-modal=true aria-label='New event'>{}</div>",
        "<dialog open><h3>New event</h3>{}</dialog>",
        "<div role=dialog aria-labelledby=t><p id=t>New event</p>{}</div>",
        "<div class='fixed inset-0 z-50'><h2>New event</h2>{}</div>",
    ],
)
def test_the_dialog_on_top_is_found_with_its_elements(dialog: str) -> None:
    page = read("<button>Behind</button><div role=dialog><button>Below</button></div>" + dialog.format("<input><button>Save</button>"), "")
    assert page.dialogs == ("Below", "New event")
    assert [one.place for one in page.elements if one.layer == 2] == [2, 3]


@pytest.mark.parametrize(
    "html",
    [
        "<dialog><button>x</button></dialog>",
        "<div role=dialog hidden><a>x</a></div>",
        "<div class='fixed inset-0'><main><a>x</a></main></div>",
    ],
)
def test_what_is_closed_or_is_the_page_itself_is_no_dialog(html: str) -> None:
    assert read(html, "").dialogs == ()


def test_the_selected_tab_is_recognized() -> None:
    tabs = read(
        "<div role=tablist><button role=tab aria-selected=false>All</button><button role=tab data-state=active>Done</button></div>", ""
    ).elements
    assert [one.selected for one in tabs] == [False, True]


def test_what_has_changed_is_listed() -> None:
    before = read(f"<h1>Cart</h1><p>Empty</p><form>{SIZES}</form>", "http://a/x?seed=1")
    after = read(
        f"<h1>Cart</h1><p>1 item</p><div role=alert>Size is required</div><div role=dialog><b>Pay</b><a href=#>Go</a></div><form>{SIZES}</form>",
        "http://a/x/?seed=1",
    )
    found = changes(before, after)
    assert (found.moved, found.gone, found.errors, found.opened, found.closed) == (
        False,
        ("Empty",),
        ("Size is required",),
        "Pay Go",
        False,
    )
    assert "1 item" in found.appeared
    assert changes(after, before).closed
    assert changes(before, read("", "http://a/y?seed=1")).moved
    assert changes(before, before) == Changes(moved=False, appeared=(), gone=(), errors=(), opened=None, closed=False)
