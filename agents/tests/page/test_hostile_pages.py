"""Pages made to be expensive: all that is asked of them takes little processor time, and four times the page about four times as much."""

import sys
import time
from collections import Counter
from random import Random

import pytest

from agents.contract.protocol import Form, Step
from agents.page import Page, excerpt, read
from agents.page.interactive import MOST_ELEMENTS, MOST_OPTIONS
from agents.prompting.prompt import question
from agents.template import plan
from agents.template.forms.slots import MOST_FIELDS, slots
from agents.tests.hostile import PROMPT
from agents.tests.hostile_pages import FAMILIES, crossed_formatting, forms, less_than_signs, odd_characters
from agents.tests.hostile_pages import Page as Family
from agents.tests.rows import rows

pytestmark = pytest.mark.long

# Of CPU. Measured: a tenth of it at most, on an idle machine a twentieth.
MOST_SECONDS = 10.0
# Of a whole step. Typical pages take 60,000; with what was read before, such pages took up to 3.3 million.
MOST_CALLS = 2_100_000
# Those whose pages reach the bounds with little text.
LARGEST = (forms, *(pytest.param(family, marks=pytest.mark.slow) for family in (crossed_formatting, odd_characters, less_than_signs)))
URL = "http://localhost:8000/films?seed=1"
# Blocks inside of each other, and much inside of the innermost that says nothing: each was looked through for each element.
DEPTH = 200
NESTED = {
    "labels": "<label><b>" * 100 + "<br>" * 60_000 + "<input>" * 2_000,
    "buttons": "<div role=button>" * DEPTH + "<br>" * 100_000,
    "hands": "<div class=cursor-pointer>" * DEPTH + "<div class=cursor-pointer>x</div>" * 20_000,
    "menus": "<div role=menu id=m>" * DEPTH + "<button aria-expanded=true aria-controls=m>x</button>" * 2_000 + "<br>" * 60_000,
    "neighbours": "<div><b>" + "<br>" * 50_000 + "</b></div>" + ("<div>" + "<div><input></div>" * 500 + "</div>") * 5,
    "siblings": "<div>" + "<br>" * 60_000 + "</div>" + "<input>" * 2_500,
    "names": "<p id=p>" + "<b></b>" * 50_000 + "</p>" + f"<input aria-labelledby='{'p ' * 14}'>" * 2_500,
    "sets": "<fieldset>" * DEPTH + "<br>" * 60_000 + "<input type=radio>" * 2_500,
    "tables": "<table><tr><td>a<td><a href=x>b</a><tr><td>a<td><a href=x>b</a><tr><td>" * 50 + "<table>" + "<tr><td>x<td>y" * 20_000,
    "cells": "<div role=grid>" + "<div role=row><div role=gridcell>1</div><div role=gridcell>2</div></div>" * 25_000,
    "links": "".join(f"<a href=/film/{number}>Film</a>" for number in range(20_000)),
}


def ask(page: Page) -> None:
    """What the agents ask of each page, and a selector of each element."""
    answers = (page.records, page.subject, page.errors, page.logged_in, page.search_box, page.dialogs, page.pagination)
    assert len(answers) == 7
    assert len(excerpt(page, 4_000)) <= 4_000
    for element in page.elements:
        assert page.selectors(element)
        page.heading_before(element)
        page.card(element)


def seconds(html: str) -> float:
    started = time.thread_time()
    ask(read(html, URL))
    return time.thread_time() - started


@rows("family", FAMILIES)
def test_a_hostile_page_is_read_in_little_time(family: Family) -> None:
    assert max(seconds(family(Random(size), size)) for size in (3_000, 80_000)) < MOST_SECONDS


@rows("name", NESTED)
def test_what_nests_or_repeats_is_read_in_little_time(name: str) -> None:
    assert seconds(NESTED[name]) < MOST_SECONDS


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param("<div role=gridcell>1</div>", marks=pytest.mark.slow),
        pytest.param("<a href=/{0}>x</a>", marks=pytest.mark.slow),
        "<p>Year: 1994</p><input name=n{0}>",
        "<li><h3>F{0}</h3><p>1994</p><a href=/{0}>x</a></li>",
    ],
)
def test_four_times_the_page_cost_about_four_times_as_much(piece: str) -> None:
    small, large = ("".join(map(piece.format, range(count))) for count in (1_000, 4_000))
    seconds(small[:10_000])
    least = [min(seconds(page) for _ in range(3)) for page in (small, large)]
    assert least[1] < 9 * least[0] + 0.1, "with its square it would be sixteen times"


def calls(html: str) -> int:
    """How many calls a step with the page makes, of Python's and of C's functions: the same on any machine."""
    made = Counter[str]()
    step = Step("/step", Form.STEP, "t", PROMPT, URL, html)
    sys.setprofile(lambda _, event, __: made.update((event,)))
    try:
        page = read(html, URL)
        plan(step, page)
        question(step, page)
        excerpt(page, 4_000)
    finally:
        sys.setprofile(None)
    return made["call"] + made["c_call"]


@pytest.mark.parametrize("family", LARGEST)
def test_a_step_with_a_hostile_page_makes_a_bounded_number_of_calls(family: Family) -> None:
    assert calls(family(Random(3), 1_600_000)) < MOST_CALLS


def test_a_selector_from_a_history_is_not_run() -> None:
    page = read("<a href=/x>Next</a>" * (MOST_ELEMENTS - 1) + "<a href=/y>Last</a>", URL)
    endless = {"type": "xpathSelector", "value": "//*[count(//a[count(//a[count(//a) > 1]) > 1]) > 1]"}
    started = time.thread_time()
    assert page.element(endless) is None
    assert page.element({"type": "xpathSelector", "value": "//a[@href='/y']"}) == page.elements[-1]
    assert time.thread_time() - started < MOST_SECONDS


def test_of_many_selects_the_first_options_are_read() -> None:
    select = f"<select>{'<option>x' * 150}</select>"
    page = read(select * 100, URL)
    assert sum(len(one.options) for one in page.elements) == MOST_OPTIONS
    assert len(page.elements) == 100


def test_of_many_fields_the_first_are_filled() -> None:
    page = read(f"<form>{'<input>' * (MOST_FIELDS + 100)}</form>", URL)
    assert [slot.element.place for slot in slots(page.elements)] == list(range(MOST_FIELDS))
