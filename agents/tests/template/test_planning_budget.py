"""The template agent's time limit: when it is over, the best plan so far is sent, valid and marked as cut off."""

import time
from itertools import count

import pytest

from agents.contract.protocol import Form, Plan
from agents.page import Page, read
from agents.prompting.prompt import question
from agents.template import CUT_OFF, plain, plan
from agents.template.budget import TimeBudget
from agents.template.forms.forms import FormMatch, FormQuery, forms
from agents.template.recipes import form_task
from agents.tests.demo_sites import CONTACT, cinema, shop
from agents.tests.rows import rows
from agents.tests.template.test_intents import PROMPTS
from agents.tests.template.test_template_properties import START, assert_sound, step

PAGES = [*list(cinema().values())[:4], *list(shop().values())[:4], CONTACT, ""]
OVER = TimeBudget(lambda: 1.0, 1.0)


def readings_until(over: int) -> TimeBudget:
    """A budget that is over at a number of readings of its clock, from 0."""
    readings = count()
    return TimeBudget(lambda: float(next(readings)), float(over))


def assert_cut_off(made: Plan, form: Form, prompt: str) -> None:
    assert_sound(made, form)
    assert made.actions or not prompt.strip()
    assert made.confidence_why == CUT_OFF
    assert made.confidence <= 0.1
    assert not made.done or not prompt.strip()


@rows("form", Form)
@rows("prompt", ["", *(prompt for prompt, *_ in PROMPTS[::9])])
def test_a_budget_that_is_over_at_once_leaves_the_plain_plan(form: Form, prompt: str) -> None:
    for html in PAGES:
        request = step(form, prompt, html)
        made = plan(request, read(html, START), budget=OVER)
        assert_cut_off(made, form, prompt)
        assert made.actions == plain(request).actions


@pytest.mark.long
@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("prompt", [prompt for prompt, *_ in PROMPTS[::5]])
def test_wherever_planning_is_cut_off_the_plan_is_valid(form: Form, prompt: str) -> None:
    for html in PAGES:
        request, page = step(form, prompt, html), read(html, START)
        whole = plan(request, page)
        for over in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89):
            made = plan(request, page, budget=readings_until(over))
            if made.confidence_why != CUT_OFF:
                assert made == whole
                break
            assert_cut_off(made, form, prompt)


def test_once_the_budget_is_over_the_clock_is_read_no_more() -> None:
    for html in PAGES:
        for prompt, *_ in PROMPTS[::7]:
            readings = count(1)
            plan(step(Form.STEP, prompt, html), read(html, START), budget=TimeBudget(lambda now=readings: float(next(now)), 4.0))  # type: ignore[misc]
            assert next(readings) <= 5


WORDS = [
    "release",
    "film",
    "book",
    "page",
    "start",
    "end",
    "order",
    "user",
    "member",
    "price",
    "rating",
    "genre",
    "author",
    "studio",
    "city",
    "street",
]
NAMES = [
    f"{word} {other}" for word in WORDS for other in ["year", "name", "title", "date", "time", "number", "note", "size", "code", "level"]
]


def cost(prompt: str, fields: int) -> float:
    """Seconds of CPU time for a page of so many fields and a prompt: plan and question."""
    inputs = "".join(f"<label for=i{at}>{NAMES[at % 160]} {at}</label><input id=i{at}>" for at in range(fields))
    request = step(Form.STEP, prompt, f"<form>{inputs}<button>Save</button></form>")
    page = read(request.page, START)
    started = time.thread_time()
    plan(request, page)
    question(request, page)
    return time.thread_time() - started


@pytest.mark.long
@pytest.mark.parametrize("verb", ["Add the film", "Edit the film", "Fill in the form", "Filter films"])
def test_many_criteria_against_many_fields_cost_seconds_no_more(verb: str) -> None:
    """It took 23 s; a fifth of a second to one second now, by the machine."""
    assert cost(f"{verb} where " + " and ".join(f"{name} equals 'x{at}'" for at, name in enumerate(NAMES[:120])), 2_000) < 12


def test_the_form_is_searched_once_per_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = count()

    def counted(page: Page, wanted: FormQuery) -> list[FormMatch]:
        next(calls)
        return forms(page, wanted)

    monkeypatch.setattr(form_task, "forms", counted)
    html = "<form><label>Title<input></label><label>Year<input></label><button>Add film</button></form>"
    plan(step(Form.STEP, "Add a film where title equals 'Salt' and year equals 1999", html), read(html, START))
    assert next(calls) == 1
