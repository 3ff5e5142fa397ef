"""Solutions learned from successful runs: for other items, values and designs of the site."""

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from agents import template
from agents.contract.action_types import CATALOGUE
from agents.contract.protocol import Form, PastAction, Step
from agents.learning.reading.runs import NotGeneral, RunStep, learned
from agents.page import Page, read
from agents.template.blind_xpath import picked
from agents.template.prompt.intents import understand
from agents.template.solutions.solution import (
    MOST_LOST,
    Control,
    LearnedAction,
    Sign,
    Solution,
    best_for,
    criteria_for,
    read_solution,
    sign_of,
)
from agents.template.solutions.using import by_solution
from agents.tests.solution_runs import solutions_of, start, won
from agents.tests.solution_sites import FERRY, SHED, USUAL

SEEDS, NEW_SEEDS = (1, 2, 3), range(101, 104)


def pressed(page: Page, label: str, nth: int = 0) -> dict[str, Any]:
    found = [element for element in page.elements if element.label == label]
    return {"type": "ClickAction", "selector": page.selector(found[nth])}


def typed(page: Page, label: str, text: str) -> dict[str, Any]:
    return {**pressed(page, label), "type": "TypeAction", "text": text}


CARDS = "".join(
    f"<article><h3>{name}</h3><p><b>Year:</b> {year}</p><button>Wax</button></article>" for name, year in (("Saw", 1990), ("Vise", 2004))
)
LIST = read(f"<main><h1>Shed</h1>{CARDS}</main>", start(1))
FORM = read("<form><label>Who<input></label><label>Code<input type=password></label><button>Seal</button></form>", start(1))


SITES = {"shed": SHED, "ferry": FERRY}


@pytest.fixture(scope="module")
def taught() -> dict[str, list[Solution]]:
    return {name: solutions_of(trials.values(), SEEDS) for name, trials in SITES.items()}


@pytest.mark.parametrize("name", SITES)
def test_three_runs_teach_kinds_that_the_rules_cannot_do(taught: dict[str, list[Solution]], name: str) -> None:
    assert len(taught[name]) == len(SITES[name])
    for trial, first_only in product(SITES[name].values(), (False, True)):
        assert not won(trial, NEW_SEEDS[:1])
        assert len(won(trial, NEW_SEEDS, taught[name], first_only=first_only)) >= 0.8 * len(NEW_SEEDS)


def test_kinds_that_the_rules_can_do_are_done_as_before(taught: dict[str, list[Solution]]) -> None:
    for trial in USUAL.values():
        assert won(trial, NEW_SEEDS, taught["shed"]) == won(trial, NEW_SEEDS) == list(NEW_SEEDS)


def test_a_solution_has_controls_by_meaning_items_by_criteria_and_values_by_field() -> None:
    solution = learned("Wax the tool where year equals '2004'", [RunStep(LIST, [pressed(LIST, "Wax", 1)]), RunStep(LIST, [])], 7)
    assert solution.actions == (LearnedAction("ClickAction", 0, Control("button", ("Wax",), in_item=True, place="0")),)
    assert (solution.by, solution.steps) == (("year",), (7,))
    filled = learned("Admit a person where person equals 'Ann' and code equals '<password>'", [
        RunStep(FORM, [typed(FORM, "Who", "Ann"), typed(FORM, "Code", "<password>"), pressed(FORM, "Seal")])
    ])  # fmt: skip
    assert [action.text for action in filled.actions] == ["{person}", "<password>", ""]
    assert [action.control.role for action in filled.actions if action.control] == ["textbox", "password", "submit"]
    assert not any(mark in json.dumps(filled.facts()) for mark in ("Ann", "xpath"))


@pytest.mark.parametrize(
    ("prompt", "run"),
    [
        ("Wax the tool where year equals '2004'", [RunStep(LIST, [pressed(LIST, "Wax", 0)])]),  # the other item
        ("Wax the tool where year equals '2004'", [RunStep(LIST, [pressed(LIST, "Wax", 1)])] * 2),  # repeated
        ("Admit 'Ann Moe' as who", [RunStep(FORM, [typed(FORM, "Who", "Moe")])]),  # a part of the prompt
        ("Open the tools", [RunStep(LIST, [{"type": "NavigateAction", "url": "http://127.0.0.1:8000/tools/4"}])]),
        ("Open the tools", [RunStep(LIST, [])]),
        ("How many tools are there?", [RunStep(LIST, [pressed(LIST, "Wax", 0)])]),
        ("Open the tools", [RunStep(LIST, [{"type": "ClickAction", "x": 3, "y": 4}])]),
    ],
)
def test_actions_of_one_task_alone_are_not_learned(prompt: str, run: list[RunStep]) -> None:
    with pytest.raises(NotGeneral):
        learned(prompt, run)


def test_an_item_is_recognised_by_criteria_that_exclude_values_of_what_it_does_not_show() -> None:
    solution = learned("Wax the tool where owner not contains 'Moe'", [RunStep(LIST, [pressed(LIST, "Wax", 1)])])
    assert [action.control and action.control.in_item for action in solution.actions] == [True]
    assert solution.by == ("owner",)


def test_any_item_is_the_one_of_a_task_whose_values_are_typed_and_its_later_controls_are_in_it() -> None:
    cards = CARDS.replace("<button>", "<form><textarea placeholder=Remark></textarea>{}</form><button>")
    before, after = (read(f"<main><h1>Shed</h1>{cards.format('', button)}</main>", start(1)) for button in ("", "<button>Seal</button>"))
    remarks = [element for element in before.elements if element.role == "textbox"]
    note = {"type": "TypeAction", "selector": before.selector(remarks[1]), "text": "Well kept"}
    solution = learned(
        "Remark on the tool where remark contains 'kept'", [RunStep(before, [note]), RunStep(after, [pressed(after, "Seal")])]
    )
    assert [(action.control and action.control.in_item, action.text) for action in solution.actions] == [(True, "{remark}"), (True, "")]
    other = learned("Remark on the tool where remark is not 'Broken'", [RunStep(before, [note])])
    assert (other.by, other.actions) == ((), solution.actions[:1])


PAGES = [
    read(
        f"<main><h1>Shed</h1>{cards}</main><nav aria-label='Pagination'><button disabled>Previous</button>"
        f"<span>Page {number} of 3</span><button>Next</button></nav>",
        f"{start(1)}&page={number}",
    )
    for number, cards in enumerate((CARDS.replace("2004", "1960"), CARDS.replace("2004", "1970"), CARDS), 1)
]


def test_the_way_through_the_pages_of_a_list_is_not_learned() -> None:
    paged = [RunStep(page, [pressed(page, "Next")]) for page in PAGES[:2]]
    solution = learned("Wax the tool where year equals '2004'", [*paged, RunStep(PAGES[2], [pressed(PAGES[2], "Wax", 1)])])
    assert [action.control and action.control.labels for action in solution.actions] == [("Wax",)]


DELETES = read("<main><h1>Saw</h1><button>Wax</button><button>Delete tool</button></main>", start(1))


def test_destroying_actions_that_were_not_requested_are_neither_learned_nor_done() -> None:
    with pytest.raises(NotGeneral):
        learned("Oil the tool", [RunStep(DELETES, [pressed(DELETES, "Delete tool")])])
    taught = Solution(sign_of(understand("Oil the tool")), (LearnedAction("ClickAction", 0, Control("button", ("Delete tool",))),), id=3)
    step = Step("/step", Form.STEP, "t", "Oil the tool", start(1), index=1, history=(PastAction("WaitAction", {}, True, "", start(1)),))
    plan = template.plan(step, DELETES, solutions=[taught])
    assert plan.solution == 0
    assert "Delete" not in str([action.as_action() for action in plan.actions])


def test_the_plan_names_its_runs() -> None:
    solution = replace(learned("Oil the tool", [RunStep(DELETES, [pressed(DELETES, "Wax")])], 41), id=3, won=1)
    plan = template.plan(Step("/step", Form.STEP, "t", "Oil the tool", start(1)), DELETES, solutions=[solution])
    assert (plan.solution, plan.confidence) == (3, 2 / 3)
    assert plan.confidence_why == "Learned solution 3, action 1 of 1; from the runs that ended with step 41."


def shelf(label: str, *, is_moved: bool = False) -> Page:
    buttons = [f"<button>{label}</button>", "<button>Quote</button>"]
    return read(
        f"<nav><button>Cart</button></nav><main><h1>Shed</h1>{''.join(reversed(buttons) if is_moved else buttons)}</main>", start(1)
    )


def test_a_control_whose_label_no_run_had_is_found_at_its_place_unless_the_runs_differ_in_it() -> None:
    alpha, omega = (shelf("Alpha"), 1), (shelf("Omega", is_moved=True), 2)
    one, other = (learned("Oil the tool", [RunStep(page, [pressed(page, page.elements[at].label)])]) for page, at in (alpha, omega))
    both = one.merged(other)
    assert both
    new = shelf("Zeta")
    for solution, label in ((one, "Zeta"), (both, "")):
        plan = template.plan(Step("/step", Form.STEP, "t", "Oil the tool", start(1)), new, solutions=[replace(solution, id=3)])
        presses = [
            element.label for action in plan.actions if "selector" in action.fields and (element := new.element(action.fields["selector"]))
        ]
        assert presses == ([label] if label else [])


def sent(solution: Solution, prompt: str, page: Page, *history: PastAction) -> list[str]:
    """The labels of what the plan presses."""
    step = Step("/step", Form.STEP, "t", prompt, start(1), index=len(history), history=history)
    elements = [
        page.element(action.fields["selector"]) or picked(action.fields["selector"], page)
        for action in template.plan(step, page, solutions=[replace(solution, id=3)]).actions
        if "selector" in action.fields
    ]
    return [element.label for element in elements if element]


def test_a_control_of_an_item_is_found_at_its_place_and_the_records_show_how_far_a_solution_came() -> None:
    prompt, cards = "Wax the tool where year equals '2004'", CARDS.replace("<button>Wax", "<button>Star</button><button>Wax")
    page = read(f"<main><h1>Shed</h1>{cards}</main>", start(1))
    solution = learned(prompt, [RunStep(page, [pressed(page, "Star", 1)]), RunStep(page, [pressed(page, "Wax", 1)])])
    new = read(f"<main><h1>Shed</h1>{cards.replace('Star', 'Zeta').replace('Wax', 'Omega')}</main>", start(1))
    assert sent(solution, prompt, new) == ["Zeta"]
    past = PastAction(
        "ClickAction", pressed(new, "Zeta", 1), True, "", start(1), words='click button "Zeta" in item "Vise"', learned=(3, 1)
    )
    assert sent(solution, prompt, new, past) == ["Omega"]


def test_a_button_that_led_to_the_page_where_the_run_went_on_is_no_booking() -> None:
    prompt, cards = "Wax the tool where year equals '2004'", CARDS.replace("Wax", "Book session")
    page, own = read(f"<main><h1>Shed</h1>{cards}</main>", start(1)), read("<main><h1>Vise</h1><button>Wax</button></main>", f"{start(1)}#")
    other = replace(own, url="http://127.0.0.1:8000/tools/2?seed=1")
    books = RunStep(page, [pressed(page, "Book session", 1)])
    for run in ([books], [books, RunStep(own, [pressed(own, "Wax")])]):
        with pytest.raises(NotGeneral):
            learned(prompt, run)
    solution = learned(prompt, [books, RunStep(other, [pressed(other, "Wax")])])
    assert sent(solution, prompt, page) == ["Book session"]
    step = Step("/step", Form.STEP, "t", prompt, start(1))
    assert by_solution(step, understand(prompt), page, replace(solution, actions=solution.actions[:1])) is None


def test_an_item_without_a_stated_value_is_chosen_once_the_list_ends() -> None:
    prompt = "Wax the tool where maker equals 'Norden' and year less than '2010'"
    solution = learned("Wax the tool where year equals '2004'", [RunStep(LIST, [pressed(LIST, "Wax", 1)])])
    waited = PastAction("WaitAction", {"time_seconds": 1}, True, "", start(1))
    assert sent(solution, prompt, PAGES[0], waited) == ["Next"]
    assert sent(solution, prompt, LIST, waited) == ["Wax"]


def test_a_solution_without_values_is_not_used_for_a_task_with_values() -> None:
    solution = Solution(sign_of(understand("Show the tools")), (LearnedAction("ClickAction", 0, Control("button", ("Wax",))),))
    assert best_for([solution], understand("Show the tools")) is solution
    assert best_for([solution], understand("Show the tools where year equals '2004'")) is None
    assert best_for([solution], understand("Log in with username 'ann' and password 'x'. Then, show the tools")) is None


def test_a_control_outside_of_items_is_not_mistaken_for_one_that_each_item_has() -> None:
    prompt, own = "Wax the tool where year equals '2004'", read("<main><h1>Vise</h1><button>Wax</button></main>", start(1))
    solution = replace(learned(prompt, [RunStep(own, [pressed(own, "Wax")])]), by=("year",))
    assert sent(solution, prompt, own) == ["Wax"]
    plan = by_solution(Step("/step", Form.STEP, "t", prompt, start(1)), understand(prompt), LIST, solution)
    assert plan and [action.type for action in plan.actions] == ["WaitAction"]


def test_a_solution_that_chose_an_item_by_values_is_not_used_for_a_task_without_values() -> None:
    actions = (LearnedAction("ClickAction", 0, Control("button", ("Wax",), in_item=True)),)
    solution = Solution(sign_of(understand("Remove the tool where code equals 'T-1'")), actions, by=("code",))
    assert best_for([solution], understand("Remove the tool where code equals 'T-2'")) is solution
    assert best_for([solution], understand("Delete my latest tool")) is None


def test_a_solution_that_failed_twice_is_not_used() -> None:
    solution = Solution(sign_of(understand("Oil the tool")), (LearnedAction("ClickAction", 0, Control("button", ("Wax",))),))
    intent = understand("Oil the tool")
    assert best_for([solution], intent) is solution
    assert best_for([replace(solution, lost=MOST_LOST)], intent) is None


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Oil the tool where code equals 'T-1'", "Please oil a tool whose code equals 'T-9'", True),
        ("Oil the tool where note is 'I'd like to connect'", "Oil the tool where note is 'Worn'", True),  # a value has no verb
        ("Oil the tool where code equals 'T-1'", "Retire the tool where code equals 'T-1'", False),
        ("Star the email where subject equals 'A'", "Unstar the email where subject equals 'A'", False),
        ("Go to the fares page", "Go to the cart page", False),
    ],
)
def test_kinds_of_task_are_distinguished(one: str, other: str, alike: bool) -> None:
    assert sign_of(understand(one)).is_like(sign_of(understand(other))) is alike


TEXTS = st.text(max_size=10)
CONTROLS = st.builds(Control, TEXTS, st.lists(TEXTS, max_size=2).map(tuple), TEXTS, TEXTS, st.booleans())
ACTIONS = st.builds(LearnedAction, st.sampled_from(sorted(CATALOGUE)), st.integers(0, 5), st.none() | CONTROLS, TEXTS)
LABELS = st.sampled_from(["Wax", "{item}", "{year}", "Saw {subject}", "Seal", "Who", "Delete tool", "{"])
LIKELY = st.builds(
    Control,
    st.sampled_from(["button", "textbox", "password", "submit", "link"]),
    st.lists(LABELS, max_size=3).map(tuple),
    place=st.sampled_from(["", "(//main//button)[1]", "(//main//button)[2]"]),
)
USED = st.builds(
    LearnedAction, st.sampled_from(["ClickAction", "TypeAction", "SubmitAction", "HoverAction"]), st.integers(0, 2), LIKELY, LABELS
)


@examples(
    st.builds(Solution, st.builds(Sign, TEXTS, TEXTS, st.lists(TEXTS, max_size=3).map(tuple)), st.lists(ACTIONS, max_size=5).map(tuple))
)
def test_a_solution_is_read_as_it_was_written(solution: Solution) -> None:
    assert read_solution(json.loads(json.dumps(solution.facts()))) == solution
    assert solution.merged(solution) in (None, solution)


@examples(st.lists(USED, min_size=1, max_size=5).map(tuple), st.sampled_from([LIST, FORM, DELETES]), st.booleans())
def test_whatever_was_learned_a_plan_keeps_to_the_veto_and_is_valid(actions: tuple[LearnedAction, ...], page: Page, waited: bool) -> None:
    prompt = "Oil the tool where year equals '2004'"
    past = (PastAction("WaitAction", {"time_seconds": 1}, True, "", start(1)),) if waited else ()
    solution = Solution(sign_of(understand(prompt)), actions, by=("year",), id=1)
    plan = template.plan(Step("/step", Form.STEP, "t", prompt, start(1), index=len(past), history=past), page, solutions=[solution])
    assert plan.actions or plan.done
    for action in plan.actions:
        element = page.element(action.fields["selector"]) if "selector" in action.fields else None
        assert element is None or action.type == "TypeAction" or element.label != "Delete tool"


def test_holes_are_filled_by_any_name_of_their_field() -> None:
    intent = understand("Add a film where release year equals '1994'")
    assert [criterion.value for criterion in criteria_for("release year", intent)] == ["1994"]
    assert [criterion.value for criterion in criteria_for("year", intent)] == ["1994"]
    assert criteria_for("director", intent) == ()
