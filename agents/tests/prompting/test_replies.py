"""How a model's reply is parsed."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.contract import actions, selectors
from agents.contract.actions import validate
from agents.contract.protocol import Form, PastAction, Step
from agents.contract.task_rules import MAX_STEP
from agents.prompting.page_prompt import Shown
from agents.prompting.replies import InvalidReply, parse_reply, plan_from_reply
from agents.tests.rows import rows
from agents.tests.strategies import JSON, near_actions

START = "http://localhost:8000/?seed=58"
ONE_SHOT = Step(endpoint="/solve_task", form=Form.ONE_SHOT, task_id="1", prompt="Log in as <username>", url=START)
STEP = Step(endpoint="/step", form=Form.STEP, task_id="1", prompt="Log in as <username>", url=START, index=2)
CLICK = {"type": "ClickAction", "selector": {"type": "xpathSelector", "value": "//a"}}
LINK = actions.click(selectors.xpath("//a"))
UNSEEN = Shown()

TOOL_CALL = {"name": "browser.click", "arguments": {"selector": "//a"}}
FUNCTION = {"id": "1", "type": "function", "function": {"name": "click", "arguments": json.dumps({"selector": "//a"})}}


@rows(
    ("text", "actions"),
    [
        (json.dumps([CLICK]), [CLICK]),
        (json.dumps({"actions": [CLICK], "done": False}), [CLICK]),
        (json.dumps({"tool_calls": [TOOL_CALL]}), [TOOL_CALL]),
        (json.dumps({"role": "assistant", "content": None, "tool_calls": [FUNCTION]}), [FUNCTION]),
        (json.dumps(CLICK), [CLICK]),
        (f"{json.dumps(CLICK)}\n{json.dumps(CLICK)}", [CLICK, CLICK]),
        (f"```json\n{json.dumps([CLICK])}\n```", [CLICK]),
        (f"Here [1] is {{my}} plan:\n```\n{json.dumps({'actions': [CLICK]}, indent=1)}\n```\nGood luck!", [CLICK]),
        (f'<think>maybe [{{"type": "scroll"}}]</think>\n{json.dumps([CLICK])}', [CLICK]),
        (f"thoughts without a beginning []</think>{json.dumps([CLICK])}", [CLICK]),
        (json.dumps([{**CLICK, "why": "<think>"}]), [{**CLICK, "why": "<think>"}]),
        ('{"actions": [], "done": true}', []),
        ('{"done": true}', []),
    ],
)
def test_a_list_of_actions_is_found_however_the_model_wraps_it(text: str, actions: list[object]) -> None:
    assert parse_reply(text).actions == actions


@rows(
    "text",
    [
        "",
        "I can't do that.",
        "[]",
        "{}",
        "[1, 2]",
        '{"done": false}',
        json.dumps({"actions": [CLICK, CLICK]})[:-5],
        json.dumps([CLICK, CLICK])[:-30],
        json.dumps([CLICK, CLICK])[:-1],
        f"<think>{json.dumps([CLICK])}",
        "[" * 100_000,
        "{" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_a_reply_without_a_whole_list_is_invalid(text: str) -> None:
    with pytest.raises(InvalidReply):
        parse_reply(text)


def test_a_plan_is_repaired_freed_of_invalid_actions_and_brought_to_the_conventions() -> None:
    reply = {
        "actions": [
            {"type": "goto", "url": "/login?seed=7"},
            {"type": "type", "selector": "//input", "text": "<username>"},
            {"type": "teleport"},
            {"type": "NavigateAction", "url": "http://evil.example/"},
            TOOL_CALL,
        ],
        "reasoning": "The login form\0 is there.",
    }
    plan = plan_from_reply(json.dumps(reply), ONE_SHOT, UNSEEN)
    assert plan.actions == (
        actions.navigate(START),
        actions.navigate("http://localhost:8000/login?seed=58"),
        actions.type_text(selectors.xpath("//input"), "<username>"),
        LINK,
    )
    assert plan.done is False
    assert plan.reasoning == "The login form\ufffd is there."


def test_done_is_read_from_the_flag_and_from_a_done_action() -> None:
    assert plan_from_reply('{"actions": [], "done": true}', STEP, UNSEEN).done
    assert plan_from_reply('[{"type": "DoneAction"}]', STEP, UNSEEN).done
    plan = plan_from_reply(json.dumps([CLICK, {"name": "browser.done", "arguments": {}}]), STEP, UNSEEN)
    assert (plan.actions, plan.done) == ((LINK,), True)
    assert not plan_from_reply(json.dumps({"actions": [CLICK], "done": "true"}), STEP, UNSEEN).done


def test_each_action_that_is_left_out_gets_a_note_and_a_task_is_not_done_before_all_is_run() -> None:
    reply = {"actions": [CLICK, {"type": "teleport"}, {"type": "goto", "url": "http://evil.example/"}], "done": True}
    plan = plan_from_reply(json.dumps(reply), STEP, UNSEEN)
    assert (plan.actions, plan.done) == ((LINK,), False)
    teleport, evil = plan.notes
    assert teleport == '{"type": "teleport"}: type: no known action; use one of the catalogue.'
    assert evil.endswith("url: it leads off the task's site.")
    too_many = plan_from_reply(json.dumps({"actions": [CLICK] * 70, "done": True}), STEP, UNSEEN)
    assert too_many.notes == ("Only the first 5 of a reply are run, so not: click an element; click an element; 63 more.",)
    assert not too_many.done


def test_notes_are_few_and_short() -> None:
    plan = plan_from_reply(json.dumps([{"type": "x" * 3_000}] * 50 + [CLICK]), STEP, UNSEEN)
    assert len(plan.notes) == 8
    assert max(map(len, plan.notes)) < 300
    with pytest.raises(InvalidReply) as caught:
        plan_from_reply("I would click.", STEP, UNSEEN)
    assert caught.value.notes == ("The reply has no JSON list of actions.",)


@rows(
    ("reply", "why"),
    [
        ([{"type": "teleport"}], "type"),
        ([{"type": "ClickAction", "selector": "//a["}], "selector"),
        ([{"type": "goto", "url": "http://evil.example/"}], "off the task's site"),
        ({"actions": []}, "has no actions"),
    ],
)
@rows("step", [ONE_SHOT, STEP])
def test_a_reply_without_a_usable_action_is_invalid_with_the_reason(step: Step, reply: object, why: str) -> None:
    with pytest.raises(InvalidReply, match=why):
        plan_from_reply(json.dumps(reply), step, UNSEEN)


def test_a_one_shot_task_cant_be_done_without_actions() -> None:
    with pytest.raises(InvalidReply, match="no actions"):
        plan_from_reply('{"actions": [], "done": true}', ONE_SHOT, UNSEEN)


def test_tools_that_a_step_doesnt_allow_leave_nothing() -> None:
    step = Step(endpoint="/step", form=Form.STEP, task_id="1", prompt="x", url=START, allowed_tools=frozenset({"browser.wait"}))
    with pytest.raises(InvalidReply, match="does not allow"):
        plan_from_reply(json.dumps([CLICK]), step, UNSEEN)


LISTS = st.lists(near_actions() | JSON, max_size=3)
REPLIES = JSON | LISTS | st.fixed_dictionaries({}, optional={"actions": LISTS, "tool_calls": LISTS, "done": JSON, "reasoning": JSON})
WRAPPED = st.builds(lambda before, reply, after: f"{before}{json.dumps(reply)}{after}", st.text(max_size=10), REPLIES, st.text(max_size=10))


@settings(max_examples=300)
@given(st.text(st.characters(), max_size=50) | WRAPPED, st.sampled_from([ONE_SHOT, STEP]))
def test_any_reply_is_a_valid_plan_or_an_invalid_reply(text: str, step: Step) -> None:
    try:
        plan = plan_from_reply(text, step, UNSEEN)
    except InvalidReply:
        return
    assert plan.actions or plan.done
    assert all(validate(action.as_action()) == action for action in plan.actions)
    plan.reasoning.encode()


def test_the_actions_of_a_step_have_a_wait_between_them_and_after_a_failure() -> None:
    failed = PastAction("ClickAction", LINK.fields, succeeded=False, error="", url=START)
    step = Step(endpoint="/step", form=Form.STEP, task_id="1", prompt="x", url=START, history=(failed,))
    plan = plan_from_reply(json.dumps([CLICK, {"type": "wait", "time_seconds": 1}, CLICK, CLICK]), step, UNSEEN)
    assert [action.type for action in plan.actions] == [
        "WaitAction",
        "ClickAction",
        "WaitAction",
        "ClickAction",
        "WaitAction",
        "ClickAction",
    ]
    assert len(plan_from_reply(json.dumps([CLICK] * 20), step, UNSEEN).actions) == MAX_STEP
    only_off_site = json.dumps([{"type": "goto", "url": "http://evil.example/"}])
    with pytest.raises(InvalidReply, match="off the task's site"):
        plan_from_reply(only_off_site, step, UNSEEN)
