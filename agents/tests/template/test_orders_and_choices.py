"""Values chosen for an order or in a search, and what a cart, a dialog or an open calendar needs first, on small pages of a lamp shop."""

import pytest

from agents.contract.protocol import PastAction, Plan
from agents.page import Record, read
from agents.template.forms.widgets import chosen_from_list
from agents.template.items.matching import judge
from agents.template.prompt.intents import Kind, understand
from agents.template.prompt.verbs import is_unrequested
from agents.tests.template.test_unseen_sites import WAITED, next_plan, pressed, pressed_next

SHOP = "http://localhost:8000/shops/7?seed=58"
CART = "http://localhost:8000/cart?seed=58"
LAMPS = "".join(
    f"<article><h3>{name}</h3><p>{price}</p><button type=button>Add to cart</button></article>"
    for name, price in (("Arc", "$40"), ("Bow", "$60"), ("Cone", "$80"))
)
DIALOG = (
    "<div role=dialog aria-modal=true aria-label='Your lamp'><label>Notes <input name=notes></label>{}"
    "<button type=button>Add to cart</button><button type=button>Close</button></div>"
)
SIZES = "".join(f"<label><input type=radio name=size value={one}>{one}</label>" for one in ("Small", "Large"))
LINE = (
    "<h1>Your cart</h1><div><span>Arc</span><button type=button aria-label='Decrease quantity'>-</button><span>4</span>"
    "<button type=button aria-label='Increase quantity'>+</button><button type=button aria-label='Remove item'>×</button></div>"
)
PUT = pressed("Add to cart", words='click button "Add to cart" in item "Arc"')
PUT_BOW = pressed("Add to cart", words='click button "Add to cart" in item "Bow"')
CLOSED = pressed("Close", words='click button "Close" in dialog "Your lamp"')


def texts(prompt: str, html: str, *history: PastAction, url: str = SHOP) -> list[str]:
    made = next_plan(prompt, html, *history, url=url)
    return [str((action.fields.get("selector") or {}).get("value") or action.fields.get("keys", "")) for action in made.actions]


def done(made: Plan) -> PastAction:
    action = made.actions[0]
    return PastAction(action.type, dict(action.fields), succeeded=True, error="", url=SHOP)


def test_a_cart_is_emptied_and_its_numbers_are_left_alone() -> None:
    prompt = "Empty my cart where quantity greater equal 4 and item equals 'Arc'"
    assert "×" in pressed_next(prompt, LINE, PUT, PUT, WAITED, url=CART)
    assert "Clear cart" in pressed_next(prompt, f"{LINE}<button type=button>Clear cart</button>", PUT, PUT, WAITED, url=CART)


def test_an_item_whose_dialog_was_closed_is_not_in_the_cart() -> None:
    prompt = "Place an order where price greater equal 50 and size equals 'Large'"
    assert "Cone" in pressed_next(prompt, LAMPS, done(next_plan(prompt, LAMPS, WAITED, url=SHOP)), CLOSED, url=SHOP)


def test_after_two_closed_dialogs_an_item_without_the_requested_choice_is_ordered() -> None:
    prompt = "Place an order where price greater equal 50 and size equals 'Large'"
    plain = LAMPS + DIALOG.format("")
    assert "Close" in texts(prompt, plain, PUT_BOW, CLOSED, PUT_BOW)[-1]
    assert "Add to cart" in texts(prompt, plain, PUT_BOW, CLOSED, PUT_BOW, CLOSED, PUT_BOW)[-1]


def test_what_is_chosen_for_an_order_is_chosen_in_the_cart_with_the_item_in_it() -> None:
    prompt = "Select the gift wrap where quantity equals 1 and price equals 60 and gift_wrap equals 'Red'"
    boxes = "".join(f"<label><input type=radio name=gift_wrap value={one}>{one}</label>" for one in ("Red", "Blue"))
    cart = f"<a href='/cart?seed=58'>Cart</a>{LAMPS}"
    assert "Bow" in pressed_next(prompt, cart, WAITED, url=SHOP)
    assert "/cart" in pressed_next(prompt, cart, PUT_BOW, url=SHOP)
    assert "input" in texts(prompt, f"{LINE}<fieldset><legend>Gift wrap</legend>{boxes}</fieldset>", PUT_BOW, url=CART)[0]


def test_a_value_of_the_order_is_not_typed_in_the_items_dialog() -> None:
    prompt = "Set the notes preference where quantity equals 1 and price equals 60 and notes_preference equals 'Ring'"
    made = next_plan(prompt, LAMPS + DIALOG.format(""), PUT_BOW, url=SHOP)
    assert [action.type for action in made.actions] == ["ClickAction"]


def test_a_preference_of_an_order_is_no_setting_of_the_site() -> None:
    assert understand("Set my wrap preference where item equals 'Arc' and wrap equals 'Red'").kind is Kind.CHOOSE
    assert understand("Set my theme preference where theme equals 'dark'").kind is Kind.SETTINGS


def test_an_order_is_not_placed_by_the_dialog_that_puts_its_item_into_the_cart() -> None:
    typed = next_plan("Add the lamp to my cart where notes equals 'Soft'", DIALOG.format("")).actions[0]
    assert typed.type == "TypeAction"
    form = "<form><label>Address<input name=address required></label><button>Place order</button></form>"
    prompt = "Place an order where price equals 60 and preference equals 'Soft'"
    wrote = PastAction("TypeAction", {**typed.fields, "text": "Soft"}, succeeded=True, error="", url=SHOP)
    made = next_plan(prompt, LINE + form, PUT_BOW, wrote, PUT_BOW, url=CART)
    assert made.actions[0].fields["text"] == "1 Main Street"


def test_a_comment_that_was_deleted_is_followed_by_no_new_one() -> None:
    page = "<h1>Arc</h1><p>Rating 4.5</p><h2>Reviews</h2><form><textarea placeholder='Your review'></textarea><button>Post review</button></form>"
    made = next_plan("Delete the review where author equals 'Ann Lee'", page, pressed("Delete review"), url=SHOP)
    assert [action.type for action in made.actions] == ["WaitAction"]


def test_the_number_of_a_day_is_not_a_time() -> None:
    days = "".join(f"<button role=option>{day}</button>" for day in ("29", "30", "5:00 PM"))
    page = read(f"<html><body><div role=listbox>{days}</div></body></html>", SHOP)
    chosen = chosen_from_list(page, understand("Choose the slot where time greater equal '17:00'").criteria)
    assert "5:00 PM" in str(chosen[0].alternatives[0].fields)


def test_a_calendar_that_stays_open_is_closed_before_what_it_covers_is_pressed() -> None:
    days = "".join(f"<button type=button{' aria-selected=true' if day == 7 else ''}>{day}</button>" for day in range(1, 31))
    calendar = f"<div class=popover role=dialog><div>June 2030</div>{days}</div>"
    page = f"<button type=button>June 7, 2030</button><button type=button>9:00 AM</button>{calendar}"
    made = next_plan("Choose the next pickup where date equals '2030-06-07' and time equals '11:00'", page, pressed("7"))
    assert made.actions[0].fields.get("keys") == "Escape"


def test_a_choice_is_taken_over_if_it_does_not_suffice() -> None:
    prompt = "Choose the shade where shade equals 'Red'"
    page = "<select name=shade><option>Blue</option><option selected>Red</option></select><button type=button>{}</button>"
    chose = done(next_plan(prompt, page.format("Continue").replace(" selected", "")))
    assert "Continue" in texts(prompt, page.format("Continue"), chose, WAITED)[-1]
    assert not texts(prompt, page.format("Confirm booking"), chose, WAITED)


ROUTE = (
    "<a href='/find?seed=58'>Find a tour</a><div class=cursor-pointer><input readonly placeholder='Pickup place'{}></div>"
    "<div class=cursor-pointer><input readonly placeholder='Dropoff place'{}></div>"
    "<button type=button{}>Find a tour</button>"
)


@pytest.mark.parametrize(
    ("values", "next_press"),
    [
        (("", "", " disabled"), "Pickup place"),
        ((" value='Oak Square'", "", " disabled"), "Dropoff place"),
        ((" value='Oak Square'", " value='Elm Park'", ""), "Find a tour"),
    ],
)
def test_the_fields_of_a_search_are_opened_one_after_the_other_and_then_sent(values: tuple[str, str, str], next_press: str) -> None:
    prompt = "Search a tour where pickup equals 'Oak Square' and destination equals 'Elm Park'"
    assert next_press in texts(prompt, ROUTE.format(*values), WAITED)[-1]


def test_a_suggestion_is_chosen_before_the_next_field_of_a_search_is_opened() -> None:
    typed = "<input placeholder='Pickup place' value='Oak Square'><button type=button>Oak Square 2 Hill Road</button>"
    rest = "<input readonly placeholder='Dropoff place'><button type=button disabled>Find a tour</button>"
    prompt = "Search a tour where pickup equals 'Oak Square' and destination equals 'Elm Park'"
    assert "Hill Road" in texts(prompt, typed + rest, WAITED)[-1]


def test_a_page_is_opened_although_the_prompt_says_what_is_to_be_seen_there() -> None:
    assert understand("Go to the Imprint page to see company details").kind is Kind.NAVIGATE
    assert understand("Go to the details page of the film 'Rain'").kind is Kind.OPEN_ITEM


def test_what_was_expanded_is_reduced_again() -> None:
    page = "<h1>Arc</h1><p>Rating 4.5</p><p>$40</p><button type=button>Main menu</button><button type=button>Reduce menu</button>"
    assert "Reduce menu" in pressed_next("Collapse the menu of the shop where rating equals 4.5", page, pressed("Expand menu"), url=SHOP)


def test_changes_to_a_filter_are_applied_without_being_requested() -> None:
    page = read("<html><body><button>Apply changes</button><button>Apply now</button></body></html>", SHOP)
    intent = understand("Filter the lamps where rating equals '4.5'")
    assert [is_unrequested(element, intent) for element in page.elements] == [False, True]


def test_a_value_is_chosen_in_a_dialog_of_buttons_and_the_dialog_not_closed() -> None:
    buttons = "".join(f"<button type=button>{label}</button>" for label in ("Plain", "Red wrap", "Close"))
    dialog = f"<div role=dialog aria-modal=true><h2>Wrap</h2>{buttons}</div>"
    assert "Red wrap" in pressed_next("Choose the wrap where wrap equals 'Red wrap'", dialog, pressed("Wrap"))


def test_an_item_is_removed_from_the_cart_by_a_button_for_items() -> None:
    element = read("<html><body><button>Remove item</button></body></html>", CART).elements[0]
    assert not is_unrequested(element, understand("Remove the lamp from my cart where name equals 'Arc'"))
    assert is_unrequested(element, understand("Remove from my wishlist the lamp where name equals 'Arc'"))


def test_a_search_that_is_opened_for_places_is_given_no_other_value() -> None:
    cards = "".join(f"<li><h3>{name}</h3><p>$90</p><a href='/lamps/{name}'>Open</a></li>" for name in ("Arc", "Bow", "Cone"))
    shop = f"<button type=button aria-haspopup=dialog>{{}}</button><ul>{cards}</ul>"
    prompt = "Show the details of the lamp where owner contains 'Kestrel'"
    assert "Find a lamp" in pressed_next(prompt, shop.format("Find a lamp"), WAITED)
    assert "Find" not in pressed_next(prompt, shop.format("Find cities"), WAITED)


def test_a_number_in_a_text_does_not_show_that_an_item_has_an_excluded_one() -> None:
    record = Record("Arc", {}, "Arc May 1 - May 9", ())
    assert judge(understand("Show the hut where beds not equals 1").criteria, record).fits
    assert not judge(understand("Show the hut where owner not equals 'Arc'").criteria, record).fits


def test_the_name_of_an_items_owner_is_not_searched_for_as_the_items() -> None:
    cards = "".join(f"<li><h3>{name}</h3><p>$90</p><a href='/huts/{name}'>Open</a></li>" for name in ("Arc", "Bow"))
    page = f"<button type=button aria-haspopup=dialog>Where to? Find a hut</button><ul>{cards}</ul>"
    assert "Find" not in pressed_next("Show the details of the hut where host_name equals 'Kestrel'", page, WAITED)
