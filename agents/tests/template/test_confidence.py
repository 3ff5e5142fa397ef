"""The confidence of the template agent's plans, and its reasons."""

from hypothesis import given
from hypothesis import strategies as st

from agents.contract.actions import click
from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.contract.selectors import xpath
from agents.page import read
from agents.template import plain, plan
from agents.template.confidence import SURE, rated
from agents.template.moves import NOTHING_LEFT
from agents.template.prompt.intents import understand
from agents.tests.demo_sites import cinema
from agents.tests.long_pages import films
from agents.tests.template.test_template_properties import HTML, ODD_PAST, PROMPT

START = "http://localhost:8000/?seed=58"
LOGIN = "Log in where username equals 'ann' and password equals 'x'"
SITE = cinema()


def made(prompt: str, page: str = "", history: tuple[PastAction, ...] = (), form: Form = Form.STEP) -> Plan:
    return plan(Step("/step", form, "t", prompt, START, page, len(history), history), None)


def past(kind: str, *, succeeded: bool, path: str = "//nowhere") -> PastAction:
    return PastAction(kind, {"selector": xpath(path)}, succeeded, "", START)


def test_an_understood_task_on_a_page_with_all_its_controls_has_full_confidence() -> None:
    sure = made(LOGIN, SITE["/login"])
    assert (sure.confidence, sure.confidence_why) == (1.0, SURE)
    assert made("Search for the film 'Arrival'", SITE["/"]).confidence == 1.0


def test_an_unknown_kind_of_task_lowers_confidence() -> None:
    unsure = made("Do the usual thing", SITE["/"])
    assert unsure.confidence < 0.6
    assert "kind of task" in unsure.confidence_why


def test_a_value_in_no_criterion_lowers_confidence() -> None:
    unsure = made("Search for 'Arrival' near 'Oslo'", SITE["/"])
    assert unsure.confidence <= 0.6
    assert "The purpose of “Oslo” is not understood." in unsure.confidence_why


def test_without_a_page_confidence_is_low() -> None:
    assert made(LOGIN).confidence == 0.3
    assert made(LOGIN, form=Form.ONE_SHOT).confidence == 0.6


def test_a_page_without_controls_for_the_task_lowers_confidence() -> None:
    unsure = made(LOGIN, "<button>Read the news</button>")
    assert unsure.confidence <= 0.2
    assert "Nothing on the page" in unsure.confidence_why


def test_a_missing_field_of_a_form_is_named_in_the_reason() -> None:
    unsure = made("Contact us where name equals 'Ann' and message equals 'Hi' and planet equals 'Mars'", SITE["/contact"])
    assert 0.5 <= unsure.confidence < 0.8
    assert "The form has no field for planet." in unsure.confidence_why


def test_a_counter_that_already_meets_a_criterion_is_no_missing_field() -> None:
    counter = "<div><button type=button aria-label='Decrease guests'>-</button><span>1</span><button type=button aria-label='Increase guests'>+</button></div>"
    form = f"<form><input name=name placeholder=Name><textarea name=message></textarea>{counter}<button>Send message</button></form>"
    prompt = "Contact us where name equals 'Ann' and message equals 'Hi' and guests is less than '3'"
    assert "no field for guests" not in made(prompt, form).confidence_why


def test_an_item_is_judged_by_what_the_page_shows_of_it() -> None:
    prompt = "Open the film where the genre equals 'Sci-Fi' and the year is greater than 1960"
    step = Step("/step", Form.STEP, "t", prompt, START, films(40))
    page, intent = read(step.page, START), understand(prompt)
    presses = {record.name: Plan((click(page.selector(record.elements[0])),)) for record in page.records}
    sure, wrong = rated(presses["Film number 13"], step, intent, page), rated(presses["Film number 1"], step, intent, page)
    assert (sure.confidence, sure.confidence_why) == (1.0, SURE)
    assert (wrong.confidence, wrong.confidence_why) == (0.4, "The item does not meet the criteria, as far as it is shown.")


def test_failures_lower_confidence() -> None:
    before = made(LOGIN, SITE["/login"], (past("ClickAction", succeeded=False), past("WaitAction", succeeded=True)))
    just_now = made(LOGIN, SITE["/login"], (past("ClickAction", succeeded=False),))
    assert just_now.confidence < before.confidence < 1.0
    assert just_now.confidence_why == "The last action failed."


def test_repeated_presses_and_long_histories_lower_confidence() -> None:
    to_login = made(LOGIN, SITE["/"])
    pressed = tuple(PastAction(action.type, action.fields, True, "", START) for action in to_login.actions)
    again = made(LOGIN, SITE["/"], (*pressed, past("WaitAction", succeeded=True)))
    assert to_login.confidence == 1.0
    assert (again.confidence, again.confidence_why) == (0.5, "The same control was pressed before.")
    presses = tuple(past("ClickAction", succeeded=True, path=f"//a[{number}]") for number in range(9))
    assert "Many presses" in made(LOGIN, SITE["/login"], presses).confidence_why


def test_giving_up_has_lower_confidence_than_being_done() -> None:
    step = Step("/step", Form.STEP, "t", LOGIN, START, SITE["/"])
    intent, page = understand(LOGIN), read(SITE["/"], START)
    given_up = rated(Plan((), done=True, reasoning=NOTHING_LEFT), step, intent, page)
    assert (given_up.confidence, given_up.confidence_why) == (0.1, "Nothing is left to try on this page.")
    assert rated(Plan((), done=True, reasoning="Template: login is done."), step, intent, page).confidence == 0.9


def test_a_plain_answer_has_low_confidence() -> None:
    assert plain(Step("/step", Form.STEP, "t", LOGIN, START)).confidence == 0.0


# The first text of a process is slow to draw on a busy machine.
@given(st.sampled_from(Form), PROMPT, HTML, st.lists(ODD_PAST, max_size=4).map(tuple))
def test_confidence_is_from_0_to_1_and_always_has_a_reason(form: Form, prompt: str, html: str, history: tuple[PastAction, ...]) -> None:
    rated = made(prompt, html, history, form)
    assert 0.0 <= rated.confidence <= 1.0
    assert rated.confidence_why
    assert (rated.confidence == 1.0) == (rated.confidence_why == SURE)
