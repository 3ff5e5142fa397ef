"""The intents of prompts."""

import pytest

from agents.template.prompt.criteria import Criterion, Operator, criteria
from agents.template.prompt.intents import Kind, understand
from agents.template.prompt.masking import mask
from agents.template.prompt.targets import target_of
from agents.tests.rows import rows

PROMPTS = [
    # logging in
    ("Log in where username equals <username> and password equals <password>", Kind.LOGIN, ""),
    ("Please sign in to the website username:<username> and password:<password>", Kind.LOGIN, ""),
    ("Fill the Login Form with a specific username:<username> and password:<password>", Kind.LOGIN, ""),
    ("Authenticate with username 'ann' and password 'x y'", Kind.LOGIN, ""),
    ("I want to log into my account using <username> and <password>.", Kind.LOGIN, ""),
    ("Login", Kind.LOGIN, ""),
    ("Connect me where username equals '<username>' and password equals '<password>'", Kind.LOGIN, ""),
    # logging out
    ("Log out", Kind.LOGOUT, ""),
    ("Sign me out of the mail program, please.", Kind.LOGOUT, ""),
    ("Login for the following username:<username> and password:<password>, then logout", Kind.LOGOUT, ""),
    ("Use username <username> and password <password>, then click logout so the session ends.", Kind.LOGOUT, ""),
    ("Sign in where username equals <username> and password equals <password>, after that please log me out", Kind.LOGOUT, ""),
    # registering
    ("Register with the following username:<signup_username>,email:<signup_email> and password:<signup_password>", Kind.REGISTER, ""),
    ("Sign up for an account where username equals <signup_username> and email equals <signup_email>", Kind.REGISTER, ""),
    ("Create a new account with username:<signup_username> and password:<signup_password>", Kind.REGISTER, ""),
    ("I'd like to join the site with email <signup_email>", Kind.REGISTER, ""),
    ("Open create-account and set username field to <signup_username>.", Kind.REGISTER, ""),
    # choosing
    ("I need to schedule this for June where date equals '2026-11-13'", Kind.CHOOSE, "I need schedule this June"),
    # searching
    ("Search for the film 'Arrival'", Kind.SEARCH, "Arrival"),
    ("Search for 'Elementary Statistics' in the book database", Kind.SEARCH, "Elementary Statistics"),
    ("Look for the film 'The Shawshank Redemption'", Kind.SEARCH, "The Shawshank Redemption"),
    ("Find restaurants with 'Sushi' in their name.", Kind.SEARCH, "Sushi"),
    ("Search for users where query equals 'al'.", Kind.SEARCH, "al"),
    ("Search for hotels where search term is Murree from July 25 to July 28", Kind.SEARCH, "Murree"),
    ("Search for products that contain 'fPlu'", Kind.SEARCH, "fPlu"),
    ('Please look up jobs in the list for "data engineer"', Kind.SEARCH, "data engineer"),
    ("Search for wireless headphones", Kind.SEARCH, "wireless headphones"),
    # opening an item
    ("Show details for the film 'Pulp Fiction'", Kind.OPEN_ITEM, "Pulp Fiction"),
    ("Navigate to The Matrix movie page", Kind.OPEN_ITEM, "Matrix"),
    ("Go directly to the page of the book 'Dune'", Kind.OPEN_ITEM, "Dune"),
    ("Open preview of a book whose title equals 'Emma'", Kind.PREVIEW, "Emma"),
    ("View the product page of the Smart Watch", Kind.OPEN_ITEM, "Smart Watch"),
    ("Open the restaurant page for the one named 'Pho 88'", Kind.OPEN_ITEM, "Pho 88"),
    ("View the email where subject contains 'Lunch'", Kind.OPEN_ITEM, "Lunch"),
    ("Show the doctor whose name equals 'Dr. Patel'", Kind.OPEN_ITEM, "Dr. Patel"),
    ("Take me to the details of the stay 'Lake View'", Kind.OPEN_ITEM, "Lake View"),
    # going to a page
    ("Go to the home page", Kind.NAVIGATE, "home"),
    ("Navigate to the contact page", Kind.NAVIGATE, "contact"),
    ("Switch to the Jobs tab.", Kind.NAVIGATE, "Jobs"),
    ("Open http://localhost:8000/about?seed=4", Kind.NAVIGATE, "http://localhost:8000/about?seed=4"),
    ("Visit the wishlist", Kind.NAVIGATE, "wishlist"),
    ("Go to the email templates page.", Kind.NAVIGATE, "email templates"),
    # kinds without a recipe of their own
    ("Add the Smart Watch to my cart", Kind.CART, None),
    ("Filter films where genre equals 'Drama' and year greater than 1994", Kind.FILTER, None),
    ("Delete the task whose name equals 'Plan' and priority not equals 'Medium'", Kind.DELETE_ITEM, "Plan"),
    ("Archive the email whose from email equals 'a@b.org'", Kind.MARK, None),
    ("Book a consultation whose country is not 'Morocco'", Kind.BOOKING, None),
    ("Submit the contact form where name equals 'James' and message contains 'hello'", Kind.CONTACT, "James"),
    ("Complete the task whose description equals 'Set up user registration and login using JWT.'", Kind.MARK, None),
    # anything else
    ("Frobnicate", Kind.OTHER, "Frobnicate"),
    ("", Kind.OTHER, ""),
]

LOGIN_FIRST = [
    ("Login where username equals <username> and password equals <password> and then add to watchlist The Matrix movie", Kind.WISHLIST),
    ("First, login for the following username:<username> and password:<password> and then open the Dune book page", Kind.OPEN_ITEM),
    ("After successful login with '<username>' and '<password>', add the book 'Sapiens' with genres History", Kind.ADD_ITEM),
    ("Log in with username <username> and password <password>, then search for 'Heat'", Kind.SEARCH),
    ("Add a comment to 'Heat' after logging in with username <username> and password <password>", Kind.COMMENT),
    ("Sign in with username:<username> and password:<password>. Then log out.", Kind.LOGOUT),
]

CRITERIA = [
    ("genre equals Science Fiction and year 2 is fine", [("genre", "equals", "Science Fiction")]),
    ("where the director not equals 'Nolan'", [("director", "not equals", "Nolan")]),
    ("name contains 'a and b' and city not contains 'x'", [("name", "contains", "a and b"), ("city", "not contains", "x")]),
    ("server_name not_equals \"Design Hub\"", [("server name", "not equals", "Design Hub")]),
    ("rating greater than 4.5 and price less than $20", [("rating", "greater than", "4.5"), ("price", "less than", "$20")]),
    ("year greater equal 1994 and seats less equal '4'", [("year", "greater equal", "1994"), ("seats", "less equal", "4")]),
    ("year greater than or equal to 1994", [("year", "greater equal", "1994")]),
    ("marketCap greater_than 2000", [("market cap", "greater than", "2000")]),
    ("topic is one of 'A', 'B' or 'C'", [("topic", "is one of", "A", "B", "C")]),
    ("genres is not one of ['Horror', 'War']", [("genres", "is not one of", "Horror", "War")]),
    ("role is not a 'UI/UX Designer'", [("role", "not equals", "UI/UX Designer")]),
    ("name does NOT contain 'Archived'", [("name", "not contains", "Archived")]),
    ("username:X and password:Y", [("username", "equals", "X"), ("password", "equals", "Y")]),
    ("user=<signup_username>, email:<signup_email>", [("user", "equals", "<signup_username>"), ("email", "equals", "<signup_email>")]),
    ("set to_name to Jordan and to_email to t@c.org.", [("to name", "equals", "Jordan"), ("to email", "equals", "t@c.org")]),
    ("title equals 'the user's page equals 3' and id equals 4", [("title", "equals", "the user's page equals 3"), ("id", "equals", "4")]),
    ("set notifications so that enabled equals true.", [("enabled", "equals", "true")]),
    ("price is between $20 and 1,299.50", [("price", "greater equal", "$20"), ("price", "less equal", "1,299.50")]),
    ("city in ['Paris', 'Rome'] and tag not in ['x']", [("city", "is one of", "Paris", "Rome"), ("tag", "is not one of", "x")]),
    ("city is one of Paris, Rome or Oslo and stars at least 4", [("city", "is one of", "Paris", "Rome", "Oslo"), ("stars", "greater equal", "4")]),
    ("author is neither 'A' nor 'B'", [("author", "is not one of", "A", "B")]),
    ("rating is not less than 7 and price no more than 50", [("rating", "greater equal", "7"), ("price", "less equal", "50")]),
    ("date is on or after 2025-07-18 and time before '19:30'", [("date", "greater equal", "2025-07-18"), ("time", "less than", "19:30")]),
    ("due date equals July 18, 2025", [("due date", "equals", "July 18, 2025")]),
    ("genre doesn’t contain 'War' and director isn't 'X'", [("genre", "not contains", "War"), ("director", "not equals", "X")]),
    ("films priced below $20 and rated at least 4", [("price", "less than", "$20"), ("rating", "greater equal", "4")]),
    ("the lamp with brand 'Ikea', colour 'red' and price 20", [("brand", "equals", "Ikea"), ("colour", "equals", "red"), ("price", "equals", "20")]),
    ("Set bio to 'Hi' and location to Rome", [("bio", "equals", "Hi"), ("location", "equals", "Rome")]),
    ("Change the name from 'A' to 'B' before 'C' is over", []),
    ("There is a film that is great: open it at http://x.org/a=b", []),
    ("a form with a name that contains 'Ann' and a subject that equals 'Hi'", [("name", "contains", "Ann"), ("subject", "equals", "Hi")]),
    ("a shelf with a colour that is not one of 'red', 'blue'", [("colour", "is not one of", "red", "blue")]),
    ("a lamp that does NOT contain the material 'glass'", [("material", "not contains", "glass")]),
    ("my motto to include the word 'calm'", [("motto", "contains", "calm")]),
    ("a walk with a length of 4.5 or more, whose ascent is 300 or less", [("length", "greater equal", "4.5"), ("ascent", "less equal", "300")]),
    ("by setting width to 20, height to 30", [("width", "equals", "20"), ("height", "equals", "30")]),
    ("setting room_name to 'Den', room_size to '12'", [("room name", "equals", "Den"), ("room size", "equals", "12")]),
    ("the guest_name CONTAINS 'le' and guest_mail NOT EQUALS 'x'", [("guest name", "contains", "le"), ("guest mail", "not equals", "x")]),
    ("a play written by 'Ida Berg' from year greater than 1955", [("author", "equals", "Ida Berg"), ("year", "greater than", "1955")]),
    ("all lamps in the category 'outdoor'", [("category", "equals", "outdoor")]),
    ("Search for lamps that contain 'gl'", []),
    ("a note whose text equals a very fine lamp and a tag that is Soft", [("text", "equals", "a very fine lamp"), ("tag", "equals", "Soft")]),
]  # fmt: skip


@rows(("prompt", "kind", "subject"), PROMPTS)
def test_a_prompt_is_understood(prompt: str, kind: Kind, subject: str | None) -> None:
    intent = understand(prompt)
    assert intent.kind is kind
    assert not intent.logs_in or kind is Kind.LOGOUT
    assert subject is None or intent.subject == subject


@pytest.mark.parametrize(("prompt", "kind"), LOGIN_FIRST)
def test_a_task_after_a_login_keeps_both_apart(prompt: str, kind: Kind) -> None:
    intent = understand(prompt)
    assert (intent.kind, intent.logs_in) == (kind, True)
    assert [criterion.value for criterion in intent.login] == ["<username>", "<password>"]
    assert not {"<username>", "<password>"} & {criterion.value for criterion in intent.criteria}


CHAINS = [
    ("Log in with username:<username> and password:<password>, add 'Heat' to my watchlist and then log out", ["login", "wishlist", "logout"]),
    ("Search for 'Heat', then open the film 'Heat'", ["search", "open an item"]),
    ("First search for the book 'Dune' and after that add it to the cart. Finally, proceed to checkout.", ["search", "cart", "checkout"]),
    ("Delete the task 'Then what' where name equals 'log out'", ["delete an item"]),
    ("Wait then rest", ["other"]),
]  # fmt: skip


@pytest.mark.parametrize(("prompt", "chain"), CHAINS)
def test_a_chain_is_understood_in_its_order(prompt: str, chain: list[str]) -> None:
    assert [kind.value for kind in understand(prompt).chain] == chain


def test_each_task_of_a_chain_has_its_own_criteria() -> None:
    intent = understand("Search for films where genre equals 'War' and then open the film where year greater than 1994")
    assert [criterion.field for criterion in intent.criteria] == ["genre"]
    assert [criterion.field for criterion in intent.then[0].criteria] == ["year"]


@rows(("prompt", "found"), CRITERIA)
def test_criteria_are_read_from_words(prompt: str, found: list[tuple[str, ...]]) -> None:
    assert [(criterion.field, criterion.operator.value, *criterion.values) for criterion in criteria(mask(prompt))] == found


@pytest.mark.parametrize("prompt", ["Login", "Log in to the shop, then log out"])
def test_a_login_without_credentials_uses_the_placeholders(prompt: str) -> None:
    intent = understand(prompt)
    assert [criterion.value for criterion in intent.login or intent.criteria] == ["<username>", "<password>"]


def test_the_end_of_an_endless_prompt_is_not_read() -> None:
    assert understand("x " * 4000 + "log out").kind is Kind.OTHER


def test_criteria_have_their_end_in_the_prompt() -> None:
    text = "name equals 'a' then stop"
    (one,) = criteria(mask(text))
    assert isinstance(one, Criterion)
    assert mask(text).text[one.end :] == " then stop"


def test_blanks_outside_of_values_are_kept_once_so_that_thousands_of_them_cost_nothing() -> None:
    masked = mask("name  equals\t 'a  b'" + " " * 3000 + "\n \n then stop")
    assert masked.plain(masked.text) == "name equals a  b\nthen stop"


def test_every_kind_of_task_has_its_own_words() -> None:
    assert len({kind.row.sentence for kind in Kind}) == len(Kind)
    assert all(kind.row.sentence[0].isupper() for kind in Kind)


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        ("Edit the matter 'Holt estate' to change the status to 'On hold'", "Holt estate"),
        ("Delete the document 'Patent.pdf' if its status is 'Submitted'", "Patent.pdf"),
        ("Archive the 'Holt' matter where client is not 'Bo'", "Holt"),
        ("Write a review for the book 'Old Roads' with a comment that does NOT contain the word 'dull'", "Old Roads"),
        ("Open the film 'lower case'", "lower case"),
    ],
)
def test_an_item_named_in_quotes_is_searched_for_whatever_criteria_there_are(prompt: str, subject: str) -> None:
    intent = understand(prompt)
    assert (intent.subject, intent.is_quoted) == (subject, True)
    assert target_of(intent).name == subject
    assert Criterion("name", Operator.CONTAINS, (subject,)) in target_of(intent).criteria


def test_a_new_items_name_is_filled_in_like_its_other_values() -> None:
    intent = understand("Add the film 'Salt' directed by 'Ines Holt'")
    assert [(criterion.field, criterion.value) for criterion in intent.criteria] == [("name", "Salt"), ("director", "Ines Holt")]
    assert understand("Share the 'Science' book not written by 'Bo'").subject != "Science", "it may as well be the book's genre"


def test_a_name_without_quotes_is_separated_from_the_verb() -> None:
    assert understand("Unselect the Personal calendar.").subject == understand("Select the Personal calendar").subject == "Personal"


@pytest.mark.parametrize(
    ("wording", "fields"),
    [
        ("rating equals '2'", {"name"}),
        ("rating is less than '3.1'", {"name"}),
        ("rating equals '4.5'", {"name", "rating"}),
        ("rating equals '4' and review_rating equals '2'", {"name", "rating"}),
    ],
)
def test_a_whole_rating_is_given_by_the_review_unless_that_has_its_own(wording: str, fields: set[str]) -> None:
    target = target_of(understand(f"Submit a review for a restaurant where name equals 'Oak' and {wording}"))
    assert {criterion.field for criterion in target.criteria} == fields
