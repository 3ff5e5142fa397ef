"""What the demo's callers post, read by the miner's own protocol."""

import json
from random import Random
from typing import Any

import pytest

from agents.contract import protocol
from agents.contract.protocol import Form
from agents.devtools.demo_traffic.sites import draw_task
from agents.devtools.demo_traffic.traffic import CALLERS, Browser, Caller, Ran, one_shot_body, step_body

TASK = draw_task(Random(1))
BROWSER = Browser(TASK, TASK.url)
SELECTOR = {"type": "xpathSelector", "value": "//nav/a[1]"}
HISTORY = (
    Ran("browser.click", {"selector": SELECTOR}, TASK.url, 1_760_000_000.0),
    Ran("browser.input", {"selector": SELECTOR, "text": "Heat"}, TASK.url, 1_760_000_001.0, "Timeout 10000ms exceeded."),
)
ONE_SHOT = [caller for caller in CALLERS if caller.one_shot]
STEPPERS = [caller for caller in CALLERS if not caller.one_shot]


def parsed(caller: Caller, body: dict[str, Any]) -> protocol.Step:
    return protocol.parse(caller.path, json.dumps(body).encode())


@pytest.mark.parametrize("caller", ONE_SHOT, ids=lambda caller: caller.path)
def test_a_one_shot_body_reads_as_its_task(caller: Caller) -> None:
    step = parsed(caller, one_shot_body(caller, BROWSER))
    assert (step.form, step.task_id, step.prompt, step.url) == (Form.ONE_SHOT, TASK.id, TASK.prompt, TASK.url)
    assert step.project == TASK.site.project


def test_old_one_shot_callers_send_the_page_and_newer_ones_do_not() -> None:
    old, *newer = (one_shot_body(caller, BROWSER) for caller in ONE_SHOT)
    assert old["html"] == BROWSER.html
    assert all("html" not in body for body in newer)


@pytest.mark.parametrize("caller", STEPPERS, ids=lambda caller: caller.path)
def test_a_step_reads_with_its_page_and_history(caller: Caller) -> None:
    step = parsed(caller, step_body(caller, BROWSER, HISTORY, 2))
    assert (step.form, step.task_id, step.index, step.page) == (Form.STEP, TASK.id, 2, BROWSER.html)
    assert [past.type for past in step.history] == ["ClickAction", "TypeAction"]
    assert [past.succeeded for past in step.history] == [True, False]
    assert step.history[1].error == "Timeout 10000ms exceeded."


def test_act_says_its_timeout_and_step_does_not() -> None:
    act, step = (parsed(caller, step_body(caller, BROWSER, (), 0)) for caller in STEPPERS)
    assert act.timeout_seconds == 25.0
    assert step.timeout_seconds is None
