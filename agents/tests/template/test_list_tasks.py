"""Tasks about lists, choices and the user's own texts, in steps on small paper sites."""

import pytest

from agents.page import read
from agents.tests.paper_browser import Outcome, step_by_step

NAV = "<nav><a href='/?seed=58'>Home</a><a href='/about?seed=58'>About</a></nav>"
CALLERS = [pytest.param(True, id="runs-the-first-call"), pytest.param(False, id="runs-all-calls")]


def site(**bodies: str) -> dict[str, str]:
    """Pages by path: `start` is the start page, `a_b` the page at /a/b."""
    named = {"/" if path == "start" else "/" + path.replace("_", "/"): body for path, body in bodies.items()}
    return {path: f"<html><head><title>Shop</title></head><body>{NAV}<main>{body}</main></body></html>" for path, body in named.items()}


def done(prompt: str, pages: dict[str, str], *, first_only: bool = True) -> Outcome:
    outcome = step_by_step(prompt, pages, first_only=first_only)
    assert not outcome.browser.failures
    return outcome


def turned(*, now: int, back: str, on: str, off: str = "") -> str:
    cards = "".join(f"<li><h3>Lamp {now}{at}</h3><p>$4{at}</p><a href='/lamps/{now}{at}?seed=58'>View</a></li>" for at in range(4))
    return (
        f"<h1>Lamps</h1><ul>{cards}</ul><button type=button {off or f'data-goto=/p{now - 1}'}>{back}</button>"
        f"<button type=button data-goto='/p{now + 1}'>{on}</button>"
    )


@pytest.mark.parametrize("first_only", CALLERS)
@pytest.mark.parametrize(("back", "on"), [("Previous", "Next"), ("←", "→"), ("Back Page", "Next page")])
def test_the_pages_of_a_list_are_turned_and_turned_back(back: str, on: str, first_only: bool) -> None:
    pages = site(
        start=turned(now=1, back=back, on=on, off="disabled"), p2=turned(now=2, back=back, on=on), p1=turned(now=1, back=back, on=on)
    )
    onward = done("Go to the next page of lamps", pages, first_only=first_only)
    assert onward.browser.visited == ["/", "/p2"]
    assert onward.done
    assert done("Show the lamps that are on the previous page", pages, first_only=first_only).browser.visited == ["/", "/p2", "/p1"]


def test_the_list_is_reopened_from_the_tasks_item() -> None:
    cards = "".join(f"<li><h3>{name}</h3><p>$40</p><a href='/lamps/{name}?seed=58'>View</a></li>" for name in ("Arc", "Bow", "Cone"))
    item = "<h1>{0}</h1><p>$40</p><button type=button data-goto='/list'>Back to all lamps</button><button type=button>Buy</button>"
    pages = site(
        start=f"<ul>{cards}</ul>", list=f"<ul>{cards}</ul>", **{f"lamps_{name}": item.format(name) for name in ("Arc", "Bow", "Cone")}
    )
    assert done("Go back to all lamps from the lamp where name equals 'Bow'", pages).browser.visited == ["/", "/lamps/Bow", "/list"]
    assert done("Return to all lamps", pages).browser.visited == ["/", "/lamps/Arc", "/list"]


def test_all_items_of_a_kind_are_shown_by_the_link_to_their_list() -> None:
    assert done(
        "Show me all lamps", site(start="<h1>Hello</h1><a href='/lamps?seed=58'>Lamps</a>", lamps="<h1>Lamps</h1>")
    ).browser.visited == ["/", "/lamps"]


def test_a_list_is_filtered_by_a_box_that_opens_its_choices() -> None:
    box = "<button type=button role=combobox aria-expanded=false data-goto='{0}'>{1}</button>"
    options = "<div role=listbox><div role=option data-goto='/done'>Nordlicht</div><div role=option data-goto='/wrong'>Kestrel</div></div>"
    pages = site(
        start=f"<h1>Lamps</h1>{box.format('/brands', 'All brands')}{box.format('/ratings', 'All ratings')}",
        brands=f"<h1>Lamps</h1>{box.format('/brands', 'All brands')}{options}",
        done="<h1>Lamps</h1>",
    )
    assert done("Filter the lamps where brand equals 'Nordlicht'", pages).browser.visited == ["/", "/brands", "/done"]


def to_do(*, day: str = "Date", rank: str = "Priority", over: str = "", held: str = "") -> str:
    """A form whose date and priority are chosen from lists that their buttons open, in a page without a form element."""
    return (
        f"<div><input placeholder='Task name' value='{held}'><input placeholder='Description'><div><button type=button data-goto='/days'>{day}</button>"
        f"<button type=button data-goto='/ranks'>{rank}</button></div><div>Inbox</div><div><button type=button data-goto='/left'>Nevermind</button>"
        f"<button type=button data-goto='/saved'>Add task</button></div></div>{over}"
    )


DAYS = "".join(f"<td title='2027-03-{day:02}' data-goto='/dated'><div>{day}</div></td>" for day in range(1, 29))
RANKS = "".join(f"<button type=button data-goto='/{rank}'>{rank}</button>" for rank in ("High", "Medium", "Low"))
TO_DOS = site(
    start="<ul><li class='px-2 cursor-pointer' data-goto='/beginners'>Getting started</li></ul><h1>Inbox</h1>",
    beginners="<h1>Welcome</h1><button type=button data-goto='/form'>Add your first task</button>",
    form=to_do(),
    days=to_do(over=f"<div class='x-popover'><table><tr>{DAYS}</tr></table></div>"),
    ranks=to_do(over=f"<div role=tooltip>{RANKS}</div>"),
    dated=to_do(day="4 Mar"),
    **dict.fromkeys(("High", "Medium", "Low"), "<h1>Chosen</h1>"),
    left="<h1>Inbox</h1>",
)


def test_a_date_is_chosen_from_the_days_that_its_button_shows() -> None:
    outcome = done("Set the date for the task where date equals '2027-03-04'", TO_DOS)
    assert outcome.browser.visited[-2:] == ["/days", "/dated"]
    assert outcome.history[-1].fields.get("time_seconds") or "2027-03-04" in str(outcome.history[-1].fields)


@pytest.mark.parametrize(("prompt", "path"), [
    ("Set the task priority where priority equals 'Medium'", "/Medium"),
    ("Select a priority for the task where priority is NOT 'High'", "/Medium"),
])  # fmt: skip
def test_a_priority_is_chosen_from_the_list_that_its_button_opens(prompt: str, path: str) -> None:
    assert path in done(prompt, TO_DOS).browser.visited


def test_a_cancelled_form_is_filled_and_left() -> None:
    outcome = done("Cancel the task creation where name equals 'Water the plants'", TO_DOS)
    assert outcome.browser.visited[-1] == "/left"
    assert "Water the plants" in str(outcome.history)


def thread(*, own: str = "") -> str:
    others = "<li><p>Ann</p><p>Fine.</p><p>3 May</p></li>"
    form = "<form action='/said' data-goto='/lamps/1/said'><input placeholder='Your name' value=''><textarea placeholder='Your comment'></textarea><button>Post comment</button></form>"
    return f"<h1>Arc lamp</h1><p>$40</p><h2>Comments</h2><ul>{others}{own}</ul>{form}"


OWN = (
    "<li><p>Jo Miller</p><p>Mine.</p><button type=button data-goto='/lamps/1/edit'>Edit</button>"
    "<button type=button data-goto='/lamps/1'>Delete</button></li>"
)
EDITED = (
    "<li><p>Jo Miller</p><form action='/changed' data-goto='/lamps/1/saved'><textarea data-field='text'>Mine.</textarea>"
    "<button>Save changes</button></form></li>"
)
TALK = site(
    start="<ul><li><h3>Arc lamp</h3><p>$40</p><a href='/lamps/1?seed=58'>View</a></li><li><h3>Bow lamp</h3><p>$50</p><a href='/lamps/2?seed=58'>View</a></li></ul>",
    lamps_1=thread(),
    lamps_1_said=thread(own=OWN),
    lamps_1_edit=thread(own=EDITED),
    lamps_1_saved=thread(own=OWN),
)


@pytest.mark.parametrize("button", ["Post comment", "Submit feedback"])
def test_the_users_own_comment_is_written_before_it_is_deleted(button: str) -> None:
    pages = {path: html.replace("Post comment", button) for path, html in TALK.items()}
    visited = done("Delete my comment on a lamp where name equals 'Arc lamp'", pages).browser.visited
    assert visited == ["/", "/lamps/1", "/lamps/1/said", "/lamps/1"]


def test_the_item_itself_is_not_edited_where_no_comment_can_be() -> None:
    form = "<form action='/lamps' data-goto='/form'><input name=watts value='40'><button>Edit lamp</button></form>"
    pages = TALK | site(lamps_1=f"<h1>Arc lamp</h1><p>$40</p>{form}")
    assert "/form" not in done("Edit my comment on a lamp where name equals 'Arc lamp'", pages).browser.visited


def test_the_users_own_comment_is_written_and_then_changed_by_the_prompt() -> None:
    outcome = done("Edit my comment on a lamp where name equals 'Arc lamp' and message equals 'Bright enough'", TALK)
    assert outcome.browser.visited[-3:] == ["/lamps/1/said", "/lamps/1/edit", "/lamps/1/saved"]
    assert outcome.browser.sent[-1] == ("/changed", {"text": "Bright enough"})


def test_the_rating_of_a_changed_comment_is_chosen_and_not_written() -> None:
    stars = "<label>Rating<select data-field='stars'><option>1</option><option>5</option></select></label>"
    pages = TALK | site(lamps_1_edit=thread(own=EDITED.replace("<button>Save", f"{stars}<button>Save")))
    prompt = "Edit my comment on a lamp where name equals 'Arc lamp' and review_rating equals '5' and message equals 'Bright enough'"
    assert done(prompt, pages).browser.sent[-1] == ("/changed", {"text": "Bright enough", "stars": "5"})


def test_another_users_review_is_deleted_if_the_page_has_a_button_for_it() -> None:
    review = "<li><p>{0}</p><p>★ 4.0</p><p>Well.</p><button type=button data-goto='/gone/{0}'>Delete comment</button></li>"
    page = (
        f"<h1>Arc lamp</h1><p>$40</p><button type=button>Buy</button><h2>Reviews</h2><ul>{review.format('Ann')}{review.format('Bo')}</ul>"
    )
    visited = done(
        "Delete the review for the lamp where name equals 'Arc lamp' and author is NOT 'Ann'", TALK | site(lamps_1=page)
    ).browser.visited
    assert visited[-1] == "/gone/Bo"


def test_a_button_named_only_in_its_markup_is_found() -> None:
    pages = site(
        start="<button type=button id='chat-open'>Talk</button><button type=button id='team-add-button' data-goto='/team'>Submit</button>"
    )
    assert done("Please click the Add Team button", pages).browser.visited[-1] == "/team"


def test_a_button_named_in_the_prompt_is_pressed() -> None:
    pages = site(
        start="<h1>Meals</h1><button type=button data-goto='/quick'>Quick order</button><button type=button>Order book</button>",
        quick="<h1>Meals</h1>",
    )
    assert done("Start a quick order", pages).browser.visited[-1] == "/quick"


def test_a_button_for_another_thing_is_not_pressed_for_its_verb() -> None:
    pages = site(
        start="<button type=button id='add-project-button' data-goto='/project'>Create a task</button><p>Projects</p>"
        "<button type=button id='open-it' data-goto='/form'>New task</button>",
        form="<form action='/tasks'><input placeholder='Task name' value='' data-field='name'><button>Save task</button></form>",
        tasks="<h1>Thank you</h1><p>It has been saved.</p>",
    )
    assert done("Add a task where name equals 'Dust'", pages).browser.sent == [("/tasks", {"name": "Dust"})]


@pytest.mark.parametrize(("markup", "role"), [
    ("<li class='p-2 cursor-pointer hover:x'>Inbox</li>", "button"),
    ("<div style='cursor: pointer'>Inbox</div>", "button"),
    ("<li class='p-2 hover:bg-gray-100'>Inbox</li>", "button"),
    ("<td title='2027-03-04'>4</td>", "option"),
    ("<div aria-selected='false'>Medium</div>", "option"),
])  # fmt: skip
def test_blocks_that_scripts_make_pressable_are_recognised_by_their_style(markup: str, role: str) -> None:
    page = read(
        f"<body><table><tr>{markup}</tr></table></body>" if markup.startswith("<td") else f"<body>{markup}</body>", "http://localhost:8000/"
    )
    assert [element.role for element in page.elements] == [role]


@pytest.mark.parametrize("markup", [
    "<li class='p-2'>Inbox</li>",
    "<div class='cursor-pointer'><button>Inbox</button></div>",
    "<button><span class='cursor-pointer'>Inbox</span></button>",
    "<td title='A cell'>4</td>",
    f"<div class='cursor-pointer'>{'long ' * 40}</div>",
    "<li class='md:cursor-pointer-events-none'>Inbox</li>",
])  # fmt: skip
def test_the_parents_and_children_of_a_control_are_no_controls_nor_is_plain_text(markup: str) -> None:
    assert [element.tag for element in read(f"<body>{markup}</body>", "http://localhost:8000/").elements if element.tag != "button"] == []


def test_a_list_for_screen_readers_only_is_not_pressed() -> None:
    listed = "<div style='width: 0px; height: 0px; overflow: hidden;'><div role=option aria-label='Ann'>0</div></div>"
    page = read(f"<body>{listed}<div class='x' aria-selected=false title='Ann'>Ann</div></body>", "http://localhost:8000/")
    assert [element.text for element in page.usable({"option"})] == ["Ann"]


def test_a_bound_is_set_by_a_choice_of_the_list_that_a_box_opens() -> None:
    box = "<button type=button role=combobox aria-expanded=false data-goto='/ratings'>All ratings</button>"
    options = "".join(f"<div role=option data-goto='/{text[0]}'>{text}</div>" for text in ("All ratings", "2+", "4+"))
    pages = site(start=f"<h1>Lamps</h1>{box}", ratings=f"<h1>Lamps</h1>{box}<div role=listbox>{options}</div>", **{"4": "<h1>Lamps</h1>"})
    assert done("Filter the lamps where rating is greater than '3.5'", pages).browser.visited == ["/", "/ratings", "/4"]


def row(title: str, path: str, *, left: bool = True) -> str:
    back = f"<button type=button aria-label='Scroll left' data-goto='{path}/left'></button>" if left else ""
    return f"<section><h2>{title}</h2><p>Lamps</p>{back}<button type=button aria-label='Scroll right' data-goto='{path}/right'></button></section>"


@pytest.mark.parametrize(("prompt", "last"), [
    ("Scroll the carousel where title equals 'For the bath' and direction equals 'RIGHT'", "/b/right"),
    ("Scroll the carousel where title does NOT contain 'bath' and direction equals 'LEFT'", "/a/left"),
    ("Scroll the carousel where title equals 'New ones' and direction equals 'LEFT'", "/c/right"),
    ("Scroll the carousel where title equals 'Best sellers in bath' and direction equals 'LEFT'", "/b/left"),
])  # fmt: skip
def test_of_several_rows_the_one_of_the_title_is_scrolled(prompt: str, last: str) -> None:
    paths = {f"{way}_{side}": "<h1>Moved</h1>" for way in "abc" for side in ("left", "right")}
    pages = site(start=row("For the desk", "/a") + row("For the bath", "/b") + row("New ones", "/c", left=False), **paths)
    assert done(prompt, pages).browser.visited[1] == last


def in_cart(amount: int) -> str:
    counted = f"<div><button type=button aria-label='Minus one' data-goto='/cart/{amount - 1}'></button><span>{amount}</span>"
    counted += f"<button type=button aria-label='Raise quantity' data-goto='/cart/{amount + 1}'></button></div>"
    return f"<h1>Cart</h1><ul><li><h3>Arc lamp</h3><p>$40</p>{counted}<button type=button>Discard</button></li></ul>"


@pytest.mark.parametrize("first_only", CALLERS)
@pytest.mark.parametrize(("wording", "last"), [("equals '4'", 4), ("is greater than '2'", 3), ("is less than '3'", 2)])
def test_plus_is_pressed_until_the_amount_is_met(wording: str, last: int, first_only: bool) -> None:
    pages = site(start=in_cart(1).replace("Cart", "Lamps"), cart=in_cart(1), **{f"cart_{amount}": in_cart(amount) for amount in range(6)})
    pages["/"] = pages["/"].replace("About", "Cart").replace("/about", "/cart")
    visited = done(f"Update the quantity of an item in my cart where new_quantity {wording}", pages, first_only=first_only).browser.visited
    assert visited[-1] == f"/cart/{last}"


def test_an_item_of_the_cart_is_edited_by_its_own_button() -> None:
    edit = in_cart(1).replace("Discard", "Edit order").replace("<button type=button>Edit", "<button type=button data-goto='/edit'>Edit")
    pages = site(start="<h1>Lamps</h1>", cart=edit, edit="<h1>Edit</h1>")
    pages["/"] = pages["/"].replace("About", "Cart").replace("/about", "/cart")
    visited = done("Edit the cart item where the item equals 'Arc lamp'", pages).browser.visited
    assert visited == ["/", "/cart", "/edit"]


def test_a_search_before_does_not_count_as_a_change_of_the_cart() -> None:
    box = "<form action='/found' data-goto='/found'><input type=search name=q><button>Search</button></form>"
    add = "<h1>Found</h1><ul>" + "".join(f"<li><h3>{name} lamp</h3><p>$40</p>{{}}</li>" for name in ("Arc", "Bow", "Cone")) + "</ul>"
    pages = site(
        start=box, found=add.replace("{}", "<button type=button data-goto='/home'>Add to cart</button>"), cart=in_cart(1), cart_2=in_cart(2)
    )
    pages["/home"] = pages["/"].replace("About", "Cart").replace("/about", "/cart")
    visited = done("Increase the quantity where item equals 'Arc lamp' and quantity is not '8'", pages).browser.visited
    assert visited[-2:] == ["/cart", "/cart/2"]


def test_a_footers_link_is_not_used_if_the_page_has_its_own() -> None:
    foot = "<footer><button type=button data-goto='/wrong'>Checkout</button></footer>"
    pages = site(
        start=f"<h1>Cart</h1><button type=button data-goto='/checkout'>Checkout now</button>{foot}",
        checkout="<h1>Check out</h1>",
        wrong="<h1>No</h1>",
    )
    assert done("Proceed to checkout", pages).browser.visited[:2] == ["/", "/checkout"]


@pytest.mark.parametrize("save", ["Save changes", "Save settings"])
def test_criteria_on_the_users_own_item_are_its_new_values(save: str) -> None:
    tabs = "<div role=tablist><button role=tab type=button data-goto='/profile'>My saved films</button><button role=tab type=button data-goto='/own'>Edit titles</button></div>"
    form = f"<form action='/films'><label>Director<input value='Jo' data-field='director'></label><label>Year<input value='1990' data-field='year'></label><button>{save}</button></form>"
    pages = site(
        start="<h1>Films</h1><a href='/profile?seed=58'>Ann</a>",
        profile=f"{tabs}<h1>Hello</h1>",
        own=f"{tabs}<h2>Dusk</h2>{form}",
        films="<h1>Thank you</h1><p>It has been saved.</p>",
    )
    sent = done("Edit your film where director equals 'Nora Lind'", pages).browser.sent
    assert sent == [("/films", {"director": "Nora Lind", "year": "1990"})]


def test_after_a_required_log_in_the_item_is_opened_again() -> None:
    shut = "<h1>Arc lamp</h1><p>$40</p><p>Log in to comment.</p><a href='/login?seed=58'>Log in</a><textarea placeholder='Your comment' disabled></textarea><button disabled>Post comment</button>"
    enter = "<h1>Log in</h1><form action='/in' data-goto='/home'><input name=username placeholder=Username value=''><input type=password value=''><button>Log in</button></form>"
    cards = TALK["/"]
    pages = (
        TALK
        | {"/": cards.replace("/lamps/1", "/lamps/shut").replace("About", "Log in").replace("/about", "/login")}
        | site(lamps_shut=shut, login=enter)
    )
    pages["/home"] = cards.replace("About", "Log out").replace("/lamps/1", "/lamps/shut")
    browser = step_by_step("Delete my comment on a lamp where name equals 'Arc lamp'", pages, first_only=False).browser
    assert browser.visited[:3] == ["/", "/lamps/shut", "/login"]
    assert browser.visited[-1] == "/lamps/shut"
    assert browser.visited.count("/lamps/shut") > 1


def test_a_layer_that_is_closed_is_not_pressed() -> None:
    layer = "<div class='x-popover x-popover-hidden'><button>High</button></div><div class='overflow-hidden'><button>Low</button></div>"
    assert [element.text for element in read(f"<body>{layer}</body>", "http://localhost:8000/").usable({"button"})] == ["Low"]


def test_a_list_is_filtered_by_a_select_named_only_in_its_markup() -> None:
    options = "<option value='All'>Entire set</option><option value='Active'>Functioning</option><option value='Archived'>Inactive</option>"
    pages = site(
        start=f"<h1>Cases</h1><form action='/cases'><select id='project-state-filter' data-field='state'>{options}</select><button>Apply</button></form>",
        cases="<h1>Cases</h1>",
    )
    assert done("Filter matters where status contains 'chive'", pages).browser.sent == [("/cases", {"state": "Inactive"})]


@pytest.mark.parametrize("leave", ["Back", "Close", "Cancel"])
def test_the_foot_of_a_form_is_no_choice(leave: str) -> None:
    pages = TO_DOS | site(form=to_do(held="").replace("Nevermind", leave), saved="<h1>Thank you</h1>")
    outcome = step_by_step("Add a task where name equals 'Dust' and description does NOT contain 'x'", pages, first_only=False)
    assert outcome.browser.visited[-1] == "/saved"


def test_a_chip_with_the_fields_name_in_its_markup_is_not_its_opener() -> None:
    chips = "".join(
        f"<button type=button id='category-action' data-goto='/in/{name}'>{name}</button>" for name in ("Home", "Kitchen", "Technology")
    )
    pages = site(
        start=f"<h1>Shop by category</h1>{chips}", **{f"in_{name}": "<h1>Results</h1>" for name in ("Home", "Kitchen", "Technology")}
    )
    assert done("Filter to show only products where category equals 'technology'", pages).browser.visited == ["/", "/in/Technology"]
