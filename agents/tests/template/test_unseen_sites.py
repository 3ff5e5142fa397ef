"""Cases from unseen sites, on small pages of other sites."""

from dataclasses import replace

import pytest

from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.page import Record, read
from agents.template import plan
from agents.template.items.matching import best_button, judge
from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.intents import Kind, understand
from agents.template.prompt.targets import target_of

URL = "http://localhost:8000/lamps?seed=58"
WAITED = PastAction("WaitAction", {"time_seconds": 1.5}, succeeded=True, error="", url=URL)


def next_plan(prompt: str, html: str, *history: PastAction, url: str = URL) -> Plan:
    page = f"<html><body>{html}</body></html>"
    return plan(Step("/step", Form.STEP, "t", prompt, url, page, len(history), history), None)


def pressed(label: str, *, words: str | None = None) -> PastAction:
    selector = {"type": "xpathSelector", "value": f"//button[normalize-space()='{label}']"}
    return PastAction("ClickAction", {"selector": selector}, succeeded=True, error="", url=URL, words=words)


def pressed_next(prompt: str, html: str, *history: PastAction, url: str = URL) -> str:
    made = next_plan(prompt, html, *history, url=url)
    return str(made.actions[0].fields["selector"]["value"]) if made.actions and "selector" in made.actions[0].fields else ""


def mail(sender: str, subject: str) -> str:
    return (
        f"<li tabindex=0 role=button class=row><input type=checkbox aria-label=Select><b>{sender}</b><p>{subject}</p><p>Text</p>"
        "<button type=button aria-label='Archive'></button></li>"
    )


@pytest.mark.parametrize(
    ("prompt", "thing"),
    [
        ("Add a lamp to the shopping cart where price equals '4'", ""),
        ("Add items to my basket where price equals '4'", ""),
        ("Mark the email important where from_email equals 'ann.lee@example.com'", ""),
        ("Open the lamp where price equals '4'", "lamp"),
    ],
)
def test_the_list_or_state_of_a_thing_is_not_the_thing(prompt: str, thing: str) -> None:
    assert target_of(understand(prompt)).thing == thing


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("Apply filters to search for lamps where year greater equal '2013'", Kind.FILTER),
        ("View the lamps I hid earlier.", Kind.NAVIGATE),
        ("Remove saved lamp where price equals '4'", Kind.WISHLIST),
    ],
)
def test_the_kind_of_task_is_determined_by_its_verb(prompt: str, kind: Kind) -> None:
    assert understand(prompt).kind is kind


def test_both_credentials_are_read_even_after_another_noun() -> None:
    found = {
        criterion.field: criterion.value
        for criterion in understand("Sign in to the website username:<username> and password:<password>").criteria
    }
    assert found == {"username": "<username>", "password": "<password>"}


def test_an_item_is_opened_in_a_list_that_has_one_entry_left() -> None:
    html = "<h1>Search</h1><a href='/lamps/7?seed=58'><p>Arc lamp</p><p>Glow Ltd</p><p>Oslo</p></a><a href='/about?seed=58'>About this site</a>"
    assert "/lamps/7" in pressed_next("Open the lamp where maker not contains 'ufl' and city contains 'sl'", html, WAITED)


def test_a_short_text_does_not_show_that_an_item_is_open() -> None:
    html = "<h1>Lamps</h1><p>These are the latest</p>"
    assert not next_plan("View the lamp where city contains 'te'", html, pressed("Filter")).reasoning.endswith("is done.")


def test_an_item_opened_in_place_is_recognised_by_its_back_button_if_criteria_only_exclude() -> None:
    html = "<h1>Lunch</h1><p>See you at noon</p>{}<button type=button title='Mark as spam'></button>"
    prompt = "Mark the email as spam where is_spam equals 'True' and subject not contains 'acb'"
    back = "<button type=button title='Back to list'></button>"
    assert pressed_next(prompt, html.format(back), pressed("Lunch"), WAITED) == "Mark as spam"


def test_a_persons_item_is_not_opened_for_anothers_address_but_searched_for_by_name() -> None:
    rows = "".join(mail(name, "Hello") for name in ("Emily Bell", "Connor White", "Rachel Brown"))
    made = next_plan(
        "View the email where from_email equals 'maria.hill@cloud.com'",
        f"<input type=search aria-label='Search mail'><ul>{rows}</ul>",
        WAITED,
    )
    assert made.actions[0].fields.get("text") == "maria hill"


def test_a_search_that_names_a_field_is_given_no_value_of_another_field() -> None:
    prompt = "Open the hotel where city contains 'Oslo' and amenities contains 'Free parking'"
    box = "<input type=search aria-label='Search destinations'>"
    assert next_plan(prompt, box, WAITED).actions[0].fields.get("text") == "Oslo"
    made = next_plan("Open the hotel where amenities contains 'Free parking'", box, WAITED)
    assert not any(action.type == "TypeAction" for action in made.actions)


def test_the_name_of_an_items_owner_is_not_the_items_name() -> None:
    record = Record("Harbour View Loft", {"price": "$90"}, "Harbour View Loft $90", ())
    assert judge([Criterion("host name", Operator.EQUALS, ("John",))], record).results == (None,)


def test_the_page_behind_the_only_link_of_its_name_is_the_items() -> None:
    url = "http://localhost:8000/stay/7?seed=58"
    html = "<main><h1>Entire place in Oslo</h1><p>Rating: 4.80</p><p>Price: $90</p><button type=button>Share</button></main>"
    link = replace(pressed("Harbour"), url=url, words='click link "View details for Harbour View Loft, Oslo, Norway"')
    prompt = "Share the stay where title equals 'Harbour View Loft'"
    assert "Share" in pressed_next(prompt, html, link, WAITED, url=url)
    assert "Share" not in pressed_next(prompt, html, replace(link, words='click link "View details for Lakeside"'), WAITED, url=url)


def test_each_password_field_of_a_registration_is_filled_whatever_its_label() -> None:
    html = (
        "<form><label>E-mail<input type=email></label><label>Security key<input type=password placeholder='At least 6 characters'></label>"
        "<label>Verify password<input type=password placeholder='Confirm your password'></label><label>Account name<input></label>"
        "<button>Register</button></form>"
    )
    prompt = "Register with username '<signup_username>', email '<signup_email>' and password '<signup_password>'."
    made = next_plan(prompt, html, url="http://localhost:8000/signup?seed=58")
    typed = [str(action.fields["selector"]) for action in made.actions if action.fields.get("text") == "<signup_password>"]
    assert len(set(typed)) == 2


@pytest.mark.parametrize(
    ("name", "result"), [("Emily Bell", False), ("Maria Lopez", False), ("Mia L.", None), ("The whole team", None), ("Maria Hill", True)]
)
def test_an_address_is_compared_with_persons_names_only(name: str, result: bool | None) -> None:
    record = Record(name, {}, f"{name} Hello", ())
    assert judge([Criterion("from email", Operator.EQUALS, ("maria.hill@cloud.com",))], record).results == (result,)


def test_a_search_that_found_nothing_is_cleared() -> None:
    html = (
        "<form><input type=search placeholder='Look up' value='669'><button type=button title='Clear search'></button></form>"
        "<p>Nothing found</p>"
    )
    typed = PastAction(
        "TypeAction",
        {"selector": {"type": "attributeValueSelector", "attribute": "placeholder", "value": "Look up"}, "text": "669"},
        succeeded=True,
        error="",
        url=URL,
    )
    entered = PastAction("SubmitAction", {"selector": typed.fields["selector"]}, succeeded=True, error="", url=URL)
    prompt = "Star the email where subject contains '669'"
    assert pressed_next(prompt, html, typed, entered, WAITED) == "Clear search"
    made = next_plan(prompt, html.replace("<button type=button title='Clear search'></button>", ""), typed, entered, WAITED)
    assert [action.fields.get("text") for action in made.actions if action.type == "TypeAction"] == [""]


def test_a_search_is_not_a_form_that_was_sent() -> None:
    html = "<form><input type=search placeholder='Look up' value='Holt'></form><h1>Drafts</h1><p>Nothing found</p>"
    typed = PastAction(
        "TypeAction",
        {"selector": {"type": "attributeValueSelector", "attribute": "placeholder", "value": "Look up"}, "text": "Holt"},
        succeeded=True,
        error="",
        url=URL,
    )
    entered = PastAction("SubmitAction", {"selector": typed.fields["selector"]}, succeeded=True, error="", url=URL)
    assert "is done" not in next_plan("Edit the draft email where subject equals 'Holt'", html, typed, entered, WAITED).reasoning


def test_the_folder_of_marked_items_is_not_the_button_that_marks_them() -> None:
    folder = "<button type=button aria-label='Navigate to Important'></button>"
    rows = "".join(mail(name, "Hello") for name in ("Emily Bell", "Connor White", "Rachel Brown"))
    prompt = "Mark the email important where from_email equals 'emily.bell@example.com'"
    assert "Navigate" not in pressed_next(prompt, f"{folder}<ul>{rows}</ul>")
    went = PastAction(
        "ClickAction",
        {"selector": {"type": "attributeValueSelector", "attribute": "aria-label", "value": "Navigate to Important"}},
        succeeded=True,
        error="",
        url=URL,
    )
    assert not next_plan(prompt, f"{folder}<ul>{rows}</ul>", went, WAITED).done


def test_a_send_button_opens_no_form_and_sends_none_without_a_field_for_a_stated_value() -> None:
    form = "<input aria-label=From value=me><textarea aria-label=Message>Hello</textarea><button type=button id=email-send>Send</button>"
    assert pressed_next("Send an email where to contains 'ail' and message contains 'Hello'", form, WAITED) == ""


def test_a_list_of_the_user_is_reached_by_the_users_action() -> None:
    links = "<nav><a href='/saved?seed=58'>Kept</a><a href='/muted?seed=58'>Muted lamps</a><a href='/about?seed=58'>About</a></nav>"
    assert "/muted" in pressed_next("View the lamps I muted earlier.", f"{links}<h1>Lamps</h1>")


def test_hiding_is_undone_in_the_list_of_hidden_items() -> None:
    links = "<nav><a href='/hidden?seed=58'>Muted</a><a href='/about?seed=58'>About</a></nav>"
    cards = "".join(f"<li><h3>{name}</h3><p>Glow Ltd</p><button type=button>Hide</button></li>" for name in ("Bow", "Cone", "Disc"))
    prompt = "Unhide the lamp where name equals 'Arc'"
    assert "/hidden" in pressed_next(prompt, f"{links}<ul>{cards}</ul>", pressed("Hide"), WAITED)


_PROFILE = (
    "<nav><a href='/lamps?seed=58'>Lamps</a><a href='/profile/me?seed=58'>Me</a></nav>"
    "<main><section><h2>About</h2><p>Designs</p><button type=button>Edit</button></section>"
    "<div><div><img src=a.png><p>Ann Lee</p><p>Designer</p><button type=button>Adjust profile</button></div>"
    "<div><h2>Career</h2><div><button type=button>Edit</button><button type=button>+ Add experience</button></div>"
    "<p>Glow Ltd</p><p>Oslo</p></div></div></main>"
)


def test_the_part_of_a_profile_named_in_the_prompt_is_edited() -> None:
    url = "http://localhost:8000/profile/me?seed=58"
    chosen = pressed_next("Edit experience where title not equals 'Sales Manager'", _PROFILE, url=url)
    assert "Edit" in chosen
    assert chosen.endswith("[2]")


def test_parts_of_a_page_with_buttons_of_their_own_are_no_items() -> None:
    assert not read(f"<html><body>{_PROFILE}</body></html>", URL).records


def test_parts_of_a_profile_are_searched_for_on_its_page() -> None:
    html = f"{_PROFILE.partition('<main>')[0]}<button type=button>Post</button><h1>Lamps</h1>"
    assert "/profile/me" in pressed_next("Add experience where company equals 'Glow Ltd'", html, WAITED)


def test_of_two_buttons_the_one_with_cart_in_its_markup_is_the_carts() -> None:
    html = "<html><body><button id='add-to-cart'>Add to list</button><button id='keep'>Save</button></body></html>"
    elements = read(html, URL).elements
    assert [getattr(best_button(elements, [name]), "id", "") for name in ("add to cart", "save")] == ["add-to-cart", "keep"]


def test_no_part_of_the_site_is_opened_for_a_field_with_only_excluded_values() -> None:
    html = "<nav><a href='/makers?seed=58'>Makers</a><a href='/search?seed=58'>Look</a></nav><h1>Hello</h1>"
    assert "/search" in pressed_next("Open the lamp where maker not contains 'urh'", html, WAITED)


def test_items_are_not_searched_for_in_a_list_of_the_user_first() -> None:
    html = "<button role=tab>Watchlist</button><nav><a href='/search?seed=58'>Look</a></nav><h1>Welcome</h1>"
    assert "/search" in pressed_next("Add a lamp to my watchlist where price not equals '8'", html, WAITED)


def test_all_are_marked_as_read_at_once() -> None:
    rows = "".join(f"<li><h3>{name}</h3><p>Text</p><button type=button>Mark as read</button></li>" for name in ("Arc", "Bow", "Cone"))
    assert "Read everything" in pressed_next("Mark all notifications read.", f"<ul>{rows}</ul><button type=button>Read everything</button>")


def test_the_part_of_a_profile_with_the_field_in_its_heading_is_edited() -> None:
    url = "http://localhost:8000/profile/me?seed=58"
    chosen = pressed_next("Edit profile where about equals 'I have 6 years of experience'", _PROFILE, url=url)
    assert chosen.endswith("[1]")


def test_a_new_entry_is_written_into_the_empty_ones_of_similar_fields_and_saved_by_its_own_button() -> None:
    row = "<p><label>Title <input value='{0}'></label> <label>Company <input value='{1}'></label></p>"
    html = (
        "<main><div><h2>About</h2><button type=button>Save</button></div><div><h2>Career</h2>"
        f"{row.format('Lead', 'Etsy')}{row.format('', '')}"
        "<button type=button>Discard</button><button type=button>Save experience</button><button type=button>+ Add experience</button></div></main>"
    )
    prompt = "Add experience where company equals 'Glow Ltd' and title equals 'Lead'"
    made = next_plan(prompt, html, pressed("+ Add experience"), url="http://localhost:8000/profile/me?seed=58")
    values = [str(action.fields["selector"]["value"]) for action in made.actions if "selector" in action.fields]
    assert values == ["(//input)[3]", "(//input)[4]", "//button[normalize-space()='Save experience']"]


def test_two_arrows_beside_a_lists_range_turn_its_pages() -> None:
    arrow = "<button type=button {1}><svg class='lucide lucide-chevron-{0}'></svg></button>"
    html = f"<div><span>1-15 of 49</span>{arrow.format('left', 'disabled')}{arrow.format('right', '')}</div>"
    pages = read(f"<html><body>{html}</body></html>", URL).pagination
    assert pages.next is not None
    assert pages.previous is None
    # Elsewhere they may be a calendar's, or a carousel's.
    assert read(f"<html><body>{html.replace('1-15 of 49', 'May')}</body></html>", URL).pagination.next is None


def test_very_short_texts_are_not_searched_for() -> None:
    html = "<form><input type=search placeholder='Search lamps'></form><h1>Lamps</h1>"
    made = next_plan("View the lamp where city contains 'te'", html, WAITED)
    assert all("text" not in action.fields for action in made.actions)


def test_nothing_is_removed_from_an_item_that_may_be_another_one() -> None:
    html = "<p>Posted today</p><button type=button>Remove</button>"
    prompt = "Remove saved post where content not equals 'Hello'"
    assert pressed_next(prompt, html, WAITED, url="http://localhost:8000/people/megan.lane?seed=58") == ""


@pytest.mark.parametrize(
    "prompt",
    [
        "Add the label 'Work' to the email where subject equals 'Lunch'",
        "Categorize the email where label_name equals 'Work' and subject equals 'Lunch'",
    ],
)
def test_an_item_is_labelled_by_choosing_the_label(prompt: str) -> None:
    rows = "".join(mail(name, subject) for name, subject in (("Emily Bell", "Lunch"), ("Connor White", "Tea"), ("Rachel Brown", "Cake")))
    bar = "<button type=button aria-haspopup=menu aria-label='Label'></button>"
    menu = "<div role=menu><button type=button role=option>Work</button><button type=button role=option>Home</button></div>"
    intent = understand(prompt)
    assert intent.kind is Kind.MARK
    assert "Work" not in target_of(intent).name
    assert pressed_next(prompt, f"{bar}{menu}<ul>{rows}</ul>", pressed("Label")).count("Work") == 1
    # Opening the list of labels chooses none.
    assert not next_plan(prompt, f"{bar}<ul>{rows}</ul>", pressed("Label"), WAITED).done


def test_each_wrong_item_is_left_again() -> None:
    back = "<button type=button aria-label='Back to list'></button>"
    html = f"{back}<h1>Tea</h1><p>With milk</p>"
    prompt = "View the email where from_email equals 'maria.hill@cloud.com'"
    opened = pressed("Tea", words='click button "Tea" in item "Maria Lopez"')
    left = PastAction(
        "ClickAction",
        {"selector": {"type": "attributeValueSelector", "attribute": "aria-label", "value": "Back to list"}},
        succeeded=True,
        error="",
        url=URL,
        words='click button "Back to list"',
    )
    assert pressed_next(prompt, html, opened, left, opened, WAITED) == "Back to list"


def test_an_item_is_put_on_the_list_before_it_is_taken_off_and_is_not_deleted() -> None:
    buttons = "<button type=button>Remove</button><button type=button>Save</button>"
    cards = "".join(f"<li><h3>{name}</h3><p>Glow Ltd</p>{buttons}</li>" for name in ("Arc", "Bow", "Cone"))
    assert "Save" in pressed_next("Remove saved lamp where name equals 'Bow'", f"<ul>{cards}</ul>")


def test_a_post_is_not_deleted_instead_of_a_comment_on_it() -> None:
    post = "<li><p>{0}</p><p>★ 4.0</p><p>Well.</p><button type=button>Delete</button>{1}</li>"
    head = "<h1>Arc lamp</h1><p>$40</p><button type=button>Buy</button><h2>Reviews</h2>"
    prompt = "Delete the review for the lamp where name equals 'Arc lamp' and author is NOT 'Ann'"

    def chosen(below: str) -> str:
        html = f"{head}<ul>{post.format('Ann', below)}{post.format('Bo', below)}</ul>"
        return pressed_next(prompt, html, WAITED, url="http://localhost:8000/lamps/1?seed=58")

    assert "Delete" in chosen("")
    assert "Delete" not in chosen("<textarea aria-label='Write a comment'></textarea>")


@pytest.mark.parametrize("prompt", ["Delete a post I authored.", "Delete my post", "Remove a post that I have written"])
def test_the_users_own_post_is_deleted_on_the_users_page_and_no_other_in_the_feed(prompt: str) -> None:
    posts = "".join(
        f"<article><a href='/profile/{name.lower()}'>{name} Lee</a><p>Post {name}</p><button type=button>Remove</button></article>"
        for name in ("Ann", "Bob", "Cara")
    )
    html = f"<main>{posts}</main><nav><a href='/lamps'>Lamps</a><a href='/profile/me'>Me</a></nav>"
    assert "/profile/me" in pressed_next(prompt, html, url="http://localhost:8000/")
    own = "<h1>My posts</h1><article><p>Post of mine</p><button type=button>Delete</button></article>"
    assert "Delete" in pressed_next(prompt, own, url="http://localhost:8000/profile/me")


def test_a_comment_is_not_sent_by_a_button_with_the_number_of_likes() -> None:
    posts = "".join(
        f"<article><p>{text}</p><button type=button data-testid=post_like_button_{text}>42</button>"
        "<form><textarea placeholder='Add a comment...'></textarea></form></article>"
        for text in ("Morning", "Evening")
    )
    made = next_plan("Comment 'Thanks for sharing!' on the post where content equals 'Morning'", posts, url="http://localhost:8000/")
    assert [action.type for action in made.actions] == ["TypeAction"]


def test_a_post_is_commented_on_in_the_feed_by_its_own_field() -> None:
    posts = "".join(
        f"<article><a href='/profile/{name.lower()}'>{name} Lee</a><p>{text}</p>"
        "<form><input placeholder='Write a reply...'><button>Reply</button></form></article>"
        for name, text in (("Ann", "Good morning to all of you"), ("Bob", "Lamps are on sale today"))
    )
    prompt = "Comment on the post where comment_text equals 'Nice' and poster_content contains 'Lamps are on sale'"
    made = next_plan(prompt, posts, url="http://localhost:8000/")
    assert [(action.type, "[2]" in str(action.fields["selector"])) for action in made.actions if action.type != "WaitAction"] == [
        ("TypeAction", True), ("ClickAction", True),
    ]  # fmt: skip


def test_no_comment_is_sent_as_a_new_post() -> None:
    html = """<h1>Ann Lee</h1><form><textarea placeholder="What's on your mind?"></textarea><button>Share</button></form>"""
    made = next_plan("Comment on the post where comment_text equals 'Nice'", html, WAITED, url="http://localhost:8000/profile/ann")
    assert all(action.type != "TypeAction" for action in made.actions)


def test_size_and_number_are_set_in_the_carts_dialog_first() -> None:
    cards = "".join(
        f"<article><h3>{name}</h3><p>{price}</p><button type=button>Add to Basket</button></article>"
        for name, price in (("Soup", "$4"), ("Pasta", "$9"), ("Cake", "$6"))
    )
    dialog = (
        "<div role=dialog aria-modal=true aria-label='Choose'><h2>Pasta</h2><label>Quantity <input type=number name=quantity value=1></label>"
        "<button type=button>Add to Basket</button></div>"
    )
    prompt = "Add a menu item to the cart where name equals 'Pasta' and quantity greater equal '3'"
    opening = pressed_next(prompt, cards, WAITED)
    assert "Add to Basket" in opening
    first = pressed("Add to Basket", words='click button "Add to Basket" in item "Pasta"')
    inside = next_plan(prompt, cards + dialog, first)
    assert [action.type for action in inside.actions if action.type != "WaitAction"] == ["TypeAction", "ClickAction"]
    assert inside.actions[0].fields["text"] == "3"
    second = pressed("Add to Basket", words='click button "Add to Basket" in dialog "Choose"')
    assert next_plan(prompt, cards, first, second, WAITED).done


def test_the_number_in_that_dialog_is_set_by_its_plus_if_it_has_no_field() -> None:
    dialog = (
        "<article><h3>Pasta</h3><button type=button>Add to Basket</button></article>"
        "<div role=dialog aria-modal=true aria-label='Choose'><h2>Pasta</h2><label>Notes <input name=notes></label>"
        "<div><button type=button aria-label='Decrease'>−</button><span>1</span><button type=button aria-label='Increase'>+</button></div>"
        "<button type=button>Add to Basket</button></div>"
    )
    prompt = "Add a menu item to the cart where quantity greater equal '3'"
    first = pressed("Add to Basket", words='click button "Add to Basket" in item "Pasta"')
    clicks = [action for action in next_plan(prompt, dialog, first).actions if action.type == "ClickAction"]
    assert [str(action.fields["selector"]["value"]) for action in clicks] == ["//button[normalize-space()='+']"] * 2
    more = pressed("+", words='click button "Increase" in dialog "Choose"')
    assert "Add to Basket" in pressed_next(prompt, dialog.replace("<span>1<", "<span>3<"), first, more, more)


def test_a_rating_that_could_be_the_items_is_chosen_in_the_open_list_of_the_reviews_form() -> None:
    prompt = "Submit a review for a restaurant where the rating is less than or equal to 4.4 and comment equals 'Well cooked'"
    stars = "".join(f"<div role=option aria-selected={str(count == 5).lower()}>{count} stars</div>" for count in (5, 4, 3, 2, 1))
    form = "<form><textarea name=comment>Well cooked</textarea><button type=button role=combobox id=stars>5 stars</button><button>Send</button></form>"
    html = f"<div aria-hidden=true><h1>Oak</h1><p>★ 4.4</p>{form}</div><div role=listbox>{stars}</div>"
    typed = {"selector": {"type": "attributeValueSelector", "attribute": "name", "value": "comment"}, "text": "Well cooked"}
    opened = (replace(WAITED, type="TypeAction", fields=typed), pressed("5 stars"))
    assert "4 stars" in pressed_next(prompt, html, *opened, url="http://localhost:8000/restaurants/2?seed=58")


@pytest.mark.parametrize("suggestion", ["Elm Hall 12 Elm Road", "Use Elm Hall - 12 Elm Road"])
def test_a_place_is_taken_from_the_suggestions_below_its_field(suggestion: str) -> None:
    place = "Elm Hall - 12 Elm Road"
    below = f"<button type=button aria-label='Close list'></button><button type=button>{suggestion}</button><button type=button>Oak Hall</button>"
    html = f"<h1>Rides</h1><input placeholder='Pickup location' value='{place}'>{below}<button>Find rides</button>"
    typed = {"selector": {"type": "attributeValueSelector", "attribute": "placeholder", "value": "Pickup location"}, "text": place}
    prompt = f"Enter and select a location where location equals '{place}'"
    assert suggestion in pressed_next(prompt, html, replace(WAITED, type="TypeAction", fields=typed))


def test_a_button_that_does_something_with_the_typed_name_is_no_suggestion() -> None:
    html = "<h1>Place</h1><div><label>Location<input name=location value='Elm Hall'></label><button type=button>Clear Elm Hall</button><button type=button>Save</button></div>"
    typed = {"selector": {"type": "attributeValueSelector", "attribute": "name", "value": "location"}, "text": "Elm Hall"}
    prompt = "Enter and select a location where location equals 'Elm Hall'"
    assert "Clear" not in pressed_next(prompt, html, replace(WAITED, type="TypeAction", fields=typed))


def test_no_reservation_is_cancelled_to_choose_a_time_and_no_choice_confirmed_at_once() -> None:
    prompt = "Select time for my trip where the time is NOT '21:00:00'"
    page = "<h1>Trips</h1><p>Upcoming</p><button type=button>{}</button>"
    assert pressed_next(prompt, page.format("Cancel Reservation"), WAITED) == ""
    assert pressed_next(prompt, page.format("Cancel Trip"), WAITED) == ""
    assert pressed_next(prompt, page.format("Confirm Time")) == ""


def test_a_time_is_chosen_in_the_list_that_the_shown_time_opens() -> None:
    prompt = "Select time for my trip where time is less equal '20:20:00'"
    shown = "<h1>When</h1><div tabindex=0 role=button id=slot>09:30 AM</div>"
    times = "".join(f"<button type=button>{hour:02}:20 PM</button>" for hour in range(4, 12))
    assert pressed_next(prompt, shown) == "slot"
    opened = replace(
        WAITED, type="ClickAction", fields={"selector": {"type": "attributeValueSelector", "attribute": "id", "value": "slot"}}
    )
    assert "08:20 PM" in pressed_next(prompt, f"{shown}<div>{times}</div>", opened)


def test_of_items_whose_sizes_only_their_dialogs_show_each_is_tried_until_one_has_the_size() -> None:
    cards = "".join(
        f"<article><h3>{name}</h3><p>$4</p><button type=button>Add to Basket</button></article>" for name in ("Soup", "Rice", "Tea")
    )
    dialog = "<div role=dialog aria-modal=true aria-label='Choose'>{}<textarea placeholder=Notes></textarea><button type=button>Add to Basket</button><button type=button>Close</button></div>"
    sizes = "<label>Size<select name=size><option>Small</option><option>Large</option></select></label>"
    prompt = "Add a menu item to the cart where price equals '4' and size equals 'large'"
    first = next_plan(prompt, cards).actions[0]
    opened = replace(WAITED, type="ClickAction", fields=dict(first.fields), words='click button "Add to Basket" in item "Soup"')
    assert "Close" in pressed_next(prompt, cards + dialog.format(""), opened)
    closed = pressed("Close", words='click button "Close" in dialog "Choose"')
    second = next_plan(prompt, cards, opened, closed).actions[-1]
    assert second.type == "ClickAction"
    assert second.fields != first.fields
    inside = next_plan(prompt, cards + dialog.format(sizes), opened, closed)
    assert [action.type for action in inside.actions if action.type != "WaitAction"] == ["SelectDropDownOptionAction", "ClickAction"]


def test_an_item_is_searched_for_again_after_a_log_in_that_its_form_required() -> None:
    prompt = "Add a comment to the lamp where name equals 'Arc' and content contains 'fine'"
    form = "<form role=search><input type=search name=q aria-label=Search><button>Search</button></form>"
    card = "<article><h3>{0}</h3><p>Glow Ltd</p><a href='/lamps/{0}?seed=58'>Details</a></article>"
    html = f"{form}<nav><a href='/logout?seed=58'>Log out</a></nav>{''.join(map(card.format, ('Bow', 'Cat', 'Dot')))}"
    box = {"type": "xpathSelector", "value": "//input[@type='search']"}
    secret = {"type": "xpathSelector", "value": "//input[@type='password']"}
    first = (
        replace(WAITED, type="TypeAction", fields={"selector": box, "text": "Arc"}),
        replace(WAITED, type="SubmitAction", fields={"selector": box}),
    )
    entered = (replace(WAITED, type="TypeAction", fields={"selector": secret, "text": "<password>"}), pressed("Log in"), WAITED)
    made = next_plan(prompt, html, *first, WAITED, *entered)
    assert made.actions[0].fields.get("text") == "Arc"
    assert all(action.fields.get("text") != "Arc" for action in next_plan(prompt, html, *first, WAITED).actions)


def test_no_row_of_buttons_is_pressed_because_a_form_was_refused() -> None:
    html = (
        "<p role=alert>Name is required</p><div><fieldset><legend>Mine</legend><button type=button>Saved</button>"
        "<button type=button>Orders</button></fieldset><label>Name<input name=n></label><label>Subject<input name=s></label>"
        "<label>Message<textarea name=m></textarea></label><button type=button>Send message</button></div>"
    )
    made = next_plan("Fill out the contact form where message equals 'Hello there'", html, url="http://localhost:8000/contact?seed=58")
    assert not any(name in str(action.fields.get("selector")) for action in made.actions for name in ("Saved", "Orders"))
    assert any(action.fields.get("text") == "Hello there" for action in made.actions)


def test_a_verb_that_is_a_fields_name_begins_no_further_task() -> None:
    intent = understand("Book the stay where checkin equals '2026-05-01' and checkout equals '2026-05-04'")
    assert [stage.kind for stage in intent.stages] == [Kind.BOOKING]


def test_a_field_beside_a_credential_begins_no_further_task() -> None:
    assert understand("Log in where the username does NOT contain 'Amelia' and the source is NOT 'None'").kind is Kind.LOGIN


def test_an_excluded_name_is_not_used_to_log_in() -> None:
    form = "<form><input name=username aria-label=Username><input type=password><button>Log in</button></form>"
    made = next_plan("Log in where the username does NOT contain 'Amelia'", form)
    assert [action.fields["text"] for action in made.actions if action.type == "TypeAction"] == ["<username>", "<password>"]


def test_a_letter_of_a_name_chooses_no_chip() -> None:
    cards = "".join(f"<li><a href='/lamps/{at}?seed=58'><b>{name}</b><p>$4</p></a></li>" for at, name in enumerate(("Lux", "Moon", "Arc")))
    chips = "<button type=button>All</button><button type=button>hall</button><button type=button>desk</button>"
    assert "hall" not in pressed_next("View the lamp where name contains 'h' and price equals '$5'", f"{chips}<ul>{cards}</ul>", WAITED)


def test_an_uncertain_item_is_given_time_to_load_in_the_same_reply() -> None:
    cards = "".join(f"<li><a href='/lamps/{at}?seed=58'><b>{name}</b><p>$4</p></a></li>" for at, name in enumerate(("Lux", "Moon", "Arc")))
    made = next_plan("View the lamp where maker equals 'Glow'", f"<ul>{cards}</ul>", WAITED)
    assert [action.type for action in made.actions] == ["ClickAction", "WaitAction"]


def test_a_value_is_not_sent_by_the_form_of_a_review_whose_button_is_disabled() -> None:
    review = "<form><input placeholder='Your name (optional)'><textarea></textarea><button disabled>Send review</button></form>"
    made = next_plan("Select where method does NOT equal 'card' and the title contains 'Arc'", review, WAITED)
    assert not any(action.type == "SubmitAction" for action in made.actions)


def test_a_country_beside_a_card_is_the_payers() -> None:
    prompt = "Confirm the booking for a stay where title contains 'Arc' and country equals 'Peru' and card_number equals '3000000'"
    assert [criterion.field for criterion in target_of(understand(prompt)).criteria] == ["title"]


def test_the_months_of_a_calendar_are_no_pages_of_a_list() -> None:
    page = "<h1>Plans</h1><button type=button>New entry</button><button type=button aria-label='Next month'>›</button>"
    assert "Next month" not in pressed_next("Delete the event where the title equals 'Tea'", page, WAITED)


def test_a_search_without_results_shows_no_item_though_it_repeats_the_text() -> None:
    html = "<h1>Mail</h1><input type=search value='lutions.com'><p>No results for lutions.com</p>"
    made = next_plan("View the email where from_email contains 'lutions.com'", html, pressed("Search"), WAITED)
    assert not made.reasoning.endswith("is done.")


def test_what_a_search_found_is_opened_before_another_value_is_searched_for() -> None:
    rows = "".join(mail(name, "Notes of 4 December") for name in ("Emily Bell", "Connor White", "Rachel Brown"))
    prompt = "View the email where from_email contains 'lutions.com' and subject contains 'ecem'"
    made = next_plan(prompt, f"<input type=search aria-label='Search mail' value='ecem'><ul>{rows}</ul>", WAITED)
    assert [action.type for action in made.actions] == ["ClickAction", "WaitAction"]


def test_what_is_to_be_cancelled_is_looked_for_in_its_own_part_of_the_site() -> None:
    page = "<a href='/templates?seed=58'>Saved texts</a><button type=button>New message</button>"
    home = "http://localhost:8000/?seed=58"
    assert "/templates" in pressed_next("Cancel template where to equals 'ann@example.com'", page, WAITED, url=home)
