"""Plans of fake Chutes' models, whatever the text around the task."""

import json
from typing import Any

import pytest

from agents.contract.actions import validate
from agents.contract.protocol import Form, PastAction, Step
from agents.devtools.fake_chutes.plans import plan
from agents.page import read
from agents.prompting.prompt import question
from agents.prompting.replies import plan_from_reply

SYSTEM = "Answer with actions. A selector is, for instance, xpathSelector //input[@name='q']. See http://example.org."
LOGIN = "Log in where username equals <username> and password equals <password>"
PAGE = '1 searchbox "Find films"\n- Arrival | year 2016 → 2 link "Details", 3 link "Sign in"\n4 button "Go" (on)'


def answered(*texts: str) -> list[dict[str, Any]]:
    messages = [("system", SYSTEM), *(("user", text) for text in texts)]
    actions: list[dict[str, Any]] = json.loads(plan(messages))["actions"]
    assert all(validate(action) for action in actions if "element" not in action)
    return actions


@pytest.mark.parametrize(
    "format_",
    [
        "Task: {task}\nURL: {url}\nAnswer with the whole plan.",
        "You start at about:blank.\nurl = {url}\nprompt: {task}",
        '{{"prompt": "{task}", "url": "{url}"}}',
        "Please open {url} and then: {task}",
    ],
)
def test_a_one_shot_plan_starts_at_the_tasks_url_and_keeps_the_placeholders(format_: str) -> None:
    actions = answered(format_.format(task=LOGIN, url="http://localhost:8000/?seed=58"))
    assert actions[0] == {"type": "NavigateAction", "url": "http://localhost:8000/?seed=58"}
    assert [action["text"] for action in actions if action["type"] == "TypeAction"] == ["<username>", "<password>"]
    assert actions[-1]["type"] == "ClickAction"


def test_a_search_in_step_form_types_the_quoted_text_into_the_listed_field_and_clicks_the_button() -> None:
    actions = answered(f"Task: Search for the film 'Arrival'\nCurrent page: http://localhost:8000/?seed=58\n{PAGE}")
    assert actions == [{"type": "TypeAction", "element": 1, "text": "Arrival"}, {"type": "ClickAction", "element": 4}]


def test_a_login_clicks_the_link_to_the_form_when_the_page_has_no_password_field() -> None:
    assert answered(f"Task: {LOGIN}\nCurrent page: http://localhost:8000/?seed=58\n{PAGE}") == [{"type": "ClickAction", "element": 3}]


def test_a_login_form_is_filled_in_and_submitted() -> None:
    form = '1 textbox "Username"\n2 textbox "Password" (empty)\n3 button "Log in"'
    actions = answered(f"Task: {LOGIN}\n{form}")
    assert [(action.get("text"), action["element"]) for action in actions] == [("<username>", 1), ("<password>", 2), (None, 3)]


def test_actions_in_the_history_are_not_repeated() -> None:
    history = 'Done so far:\n- click 3 link "Sign in": worked'
    (action,) = answered(f"Task: {LOGIN}\n{PAGE}\n{history}")
    assert action["element"] != 3


def test_a_page_on_which_everything_was_tried_ends_the_task() -> None:
    line = '1 link "Sign in"'
    assert answered(f"Task: {LOGIN}\n{line}\nDone so far: {line}") == [{"type": "DoneAction"}]


def test_without_a_url_or_an_element_it_waits() -> None:
    assert answered("Say hello") == [{"type": "WaitAction", "time_seconds": 1.0}]


PAGE_OF_THE_MINERS = """<title>Autocinema</title><nav><a href="/login?seed=58">Sign in</a></nav>
<form><input type="search" name="query" placeholder="Find films"><button>Go</button></form>"""


def answered_to_the_miner(step: Step, page: str) -> list[dict[str, Any]]:
    prompt = question(step, read(page, step.url) if page else None)
    messages = [(message["role"], message["content"]) for message in prompt.messages]
    return [action.as_action() for action in plan_from_reply(plan(messages), step, prompt.shown).actions]


@pytest.mark.parametrize("page", ["", PAGE_OF_THE_MINERS])
def test_the_miners_prompt_for_a_whole_plan_is_understood(page: str) -> None:
    step = Step("/solve_task", Form.ONE_SHOT, "t", LOGIN, "http://localhost:8000/?seed=58")
    actions = answered_to_the_miner(step, page)
    assert actions[0] == {"type": "NavigateAction", "url": "http://localhost:8000/?seed=58"}
    assert [action["text"] for action in actions if action["type"] == "TypeAction"] == ["<username>", "<password>"]


def test_the_miners_prompt_for_a_step_is_understood() -> None:
    step = Step("/step", Form.STEP, "t", "Search for the film 'Arrival'", "http://localhost:8000/?seed=58", page=PAGE_OF_THE_MINERS)
    assert answered_to_the_miner(step, PAGE_OF_THE_MINERS) == [
        {"type": "TypeAction", "selector": {"type": "xpathSelector", "value": "//input[@type='search']"}, "text": "Arrival"},
        {"type": "WaitAction", "time_seconds": 0.5},
        {"type": "ClickAction", "selector": {"type": "xpathSelector", "value": "//form//button"}},
    ]


def test_past_actions_in_the_miners_prompt_are_not_repeated() -> None:
    link = {"type": "attributeValueSelector", "attribute": "href", "value": "/login?seed=58"}
    past = PastAction("ClickAction", {"selector": link}, succeeded=True, error="", url="", words='click link "Sign in" in navigation')
    step = Step("/step", Form.STEP, "t", LOGIN, "http://localhost:8000/?seed=58", page=PAGE_OF_THE_MINERS, index=1, history=(past,))
    actions = answered_to_the_miner(step, PAGE_OF_THE_MINERS)
    assert actions
    assert all(action.get("selector") != link for action in actions)
