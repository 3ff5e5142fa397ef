"""Controls that destroy, send, bind or keep something are pressed only if the task requests it."""

from dataclasses import replace

import pytest

from agents.contract.protocol import Form, Step
from agents.page import read
from agents.template import plan
from agents.template.prompt.intents import understand
from agents.template.prompt.verbs import is_unrequested
from agents.tests.template.test_unseen_sites import URL, WAITED, next_plan, pressed


@pytest.mark.parametrize(("markup", "prompt"), [
    ("<button>Delete film</button>", "Remove from the watchlist the film where title equals 'Dusk'"),
    ("<button>Remove film</button>", "Remove from the watchlist the film where title equals 'Dusk'"),
    ("<button>Deliver</button>", "Save the letter as a draft where to equals 'a@example.com'"),
    ("<button aria-label='Archive email'></button>", "Star the email where subject equals 'Dusk'"),
    ("<button><svg class='lucide lucide-trash'></svg></button>", "Open the email where subject equals 'Dusk'"),
    ("<button>Pay now</button>", "Open the booking page"),
    ("<button>Hire</button>", "Decide to hire later the expert where name equals 'Ann'"),
    ("<button>Send message</button>", "Click the contact card where kind equals 'Phone'"),
    ("<button>Log out</button>", "Edit the profile where name equals 'Ann'"),
    ("<button>Confirm</button>", "Open the page of the baker where name equals 'Ann'"),
    ("<button>Consult a baker</button>", "View the hired baker where name equals 'Ann'"),
    ("<button>Rehire ready</button>", "Contact the expert where name equals 'Ann'"),
    ("<button>Hide post</button>", "Remove the post where content equals 'Dusk'"),
    ("<button>Remove post</button>", "Hide the post where content equals 'Dusk'"),
    ("<button>Apply now</button>", "Save the job where title equals 'Baker'"),
    ("<button>Cancel booking</button>", "Change the booking where name equals 'Ann' to 2 people"),
    ("<button>Submit application</button>", "Cancel the application where title equals 'Baker'"),
    ("<button>Submit job</button>", "Choose the size of a job where size equals 'Large'"),
    ("<button>Delete</button>", "Star the email where subject equals 'Delete the lamp'"),
    ("<button>Click to book</button>", "View the stay where name equals 'Dusk'"),
    ("<button><svg class='lucide lucide-heart'></svg></button>", "Go back to all hotels where name equals 'Dusk'"),
    ("<button>Hold</button>", "Message the host of the place where name equals 'Dusk'"),
    ("<button>Book</button>", "Edit the check-in and check-out dates for a stay where name equals 'Dusk'"),
    ("<button>Confirm booking</button>", "Change the dates of the reservation where name equals 'Dusk'"),
    ("<div role=dialog aria-modal=true><button>Cancel</button></div>", "Remove the attendee from the event where email equals 'a@b.example'"),
    ("<button><svg></svg></button>", "Go back to all hotels where name equals 'Dusk'"),
])  # fmt: skip
def test_controls_that_destroy_send_or_bind_are_not_pressed_unless_requested(markup: str, prompt: str) -> None:
    element = read(f"<html><body>{markup}</body></html>", URL).elements[0]
    assert is_unrequested(element, understand(prompt))


@pytest.mark.parametrize(("markup", "prompt"), [
    ("<button>Delete film</button>", "Delete the film where title equals 'Dusk'"),
    ("<button>Remove from watchlist</button>", "Remove from the watchlist the film where title equals 'Dusk'"),
    ("<button>Remove</button>", "Remove the lamp from my cart"),
    ("<button>Add to purchase</button>", "Add to my cart the lamp where name equals 'Dusk'"),
    ("<button>Deliver</button>", "Send an email where to equals 'a@example.com'"),
    ("<button>Save draft</button>", "Save the letter as a draft where to equals 'a@example.com'"),
    ("<button aria-label='Navigate to Archive'></button>", "Open the email where subject equals 'Dusk'"),
    ("<button>Pay now</button>", "Complete the payment for the stay"),
    ("<button>Hire later</button>", "Decide to hire later the expert where name equals 'Ann'"),
    ("<button>Send message</button>", "Fill in the contact form where name equals 'Ann'"),
    ("<button>Log out</button>", "Log in where username equals 'ann' and password equals 'x', then log out"),
    ("<button>Confirm</button>", "Delete the film where title equals 'Dusk'"),
    ("<button>Confirm</button>", "Hire the baker where name equals 'Ann'"),
    ("<button>Hide post</button>", "Unhide the post where content equals 'Dusk'"),
    ("<button>Apply filters</button>", "View the jobs where title equals 'Baker'"),
    ("<button>Read book</button>", "Open the preview of the book where title equals 'Dusk'"),
    ("<button><svg class='lucide lucide-heart'></svg></button>", "Add to my favorites the stay where name equals 'Dusk'"),
    ("<button>Book appointment</button>", "Open the appointment form where doctor_name equals 'Ann'"),
])  # fmt: skip
def test_such_controls_are_pressed_if_the_task_requests_them(markup: str, prompt: str) -> None:
    element = read(f"<html><body>{markup}</body></html>", URL).elements[0]
    assert not is_unrequested(element, understand(prompt))


def test_of_several_booking_buttons_none_is_pressed_for_an_item_that_the_page_does_not_identify() -> None:
    prompt, trip = "Book a trip where location equals 'Oak Road'", "<button type=button data-goto='/booked'>Book trip</button>"
    plans = [next_plan(prompt, f"<h1>Trips</h1><div>Elm Road {trip * count}</div>", WAITED) for count in (1, 2)]
    assert [any(action.type == "ClickAction" for action in plan.actions) for plan in plans] == [True, False]


def test_no_trip_is_booked_in_a_list_that_does_not_show_whether_it_is_the_one() -> None:
    row = "<li><h3>{}</h3><p>{}</p><button type=button data-goto='/booked'>Book trip</button></li>"
    rows = "".join(row.format(name, text) for name, text in (("Comfort", "Oak Road, 4 seats"), ("Van", "Elm Road, 6 seats")))
    texts = [
        str(action.fields.get("selector"))
        for road in ("Oak Road", "Ash Road")
        for action in next_plan(f"Book a trip where location equals '{road}'", f"<h1>Trips</h1><ul>{rows}</ul>", WAITED).actions
        if action.type == "ClickAction"
    ]
    assert len(texts) == 1 and "Comfort" in texts[0]


def test_the_verb_type_in_a_placeholder_is_no_name_of_the_field() -> None:
    form = "<form><textarea placeholder='Type message…' required></textarea><button>Send message</button></form>"
    plan = next_plan("Click the card where card_type not equals 'Phone'", f"<h1>Contact</h1><a href='/map'>Visit us</a>{form}")
    assert not any(action.type == "TypeAction" for action in plan.actions)


def test_no_message_is_sent_from_the_page_of_another_person() -> None:
    listed = "http://localhost:8000/experts?seed=58"
    opened = pressed("Ann Lee", words='click link "Ann Lee" in item "Ann Lee"')
    here = replace(opened, url="http://localhost:8000/experts/7?seed=58")
    form = "<h1>Ann Lee</h1><p>Painter</p><form><textarea placeholder='Your message'></textarea><button>Send message</button></form>"
    names = enumerate(("Bo Hill", "Cy Oak", "Di Elm"), 8)
    others = "".join(f"<li><h3><a href='/experts/{number}?seed=58'>{name}</a></h3><p>Painter</p></li>" for number, name in names)
    prompt = "Send a message to an expert where role equals 'Plumber'"
    step = Step("/step", Form.STEP, "t", prompt, here.url, index=1, history=(here,), start=listed)
    made = plan(step, read(f"<html><body>{form}<ul>{others}</ul></body></html>", here.url))
    assert [action.fields.get("go_back") for action in made.actions] == [True]
