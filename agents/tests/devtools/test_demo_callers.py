"""The demo's stream of tasks, and the requests of its callers, parsed by the miner's protocol."""

import json
from itertools import islice
from random import Random
from typing import Any

import pytest

from agents.contract import protocol
from agents.contract.protocol import PATHS, Form
from agents.devtools.demo_traffic.sites import PROMPTS, draw_task
from agents.devtools.demo_traffic.traffic import CALLERS, Browser, Caller, Ran, Visit, one_shot_body, step_body, visits

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


def test_act_sends_its_timeout_and_step_does_not() -> None:
    act, step = (parsed(caller, step_body(caller, BROWSER, (), 0)) for caller in STEPPERS)
    assert act.timeout_seconds == 25.0
    assert step.timeout_seconds is None


def first(count: int, seed: int = 1, per_minute: float = 6.0) -> list[Visit]:
    return list(islice(visits(seed, per_minute), count))


def test_the_same_seed_gives_the_same_visits_and_another_seed_others() -> None:
    assert first(40) == first(40)
    assert first(40) != first(40, seed=2)


def test_each_five_visits_use_all_five_endpoints() -> None:
    paths = [visit.caller.path for visit in first(40)]
    assert all(set(paths[i : i + 5]) == set(PATHS) for i in range(0, 40, 5))


def test_the_rate_is_kept_and_visits_are_in_order() -> None:
    times = [visit.at for visit in first(601)]
    assert times == sorted(times)
    assert 85 * 60 < times[-1] - times[0] < 115 * 60


def test_tasks_of_all_kinds_on_several_sites_come_soon_with_the_seed_in_their_url() -> None:
    tasks = [visit.task for visit in first(120)]
    assert {task.kind for task in tasks} == set(PROMPTS)
    assert len({task.site.project for task in tasks}) >= 6
    assert len({task.id for task in tasks}) == len(tasks)
    assert all(task.url.endswith(f"/?seed={task.seed}") for task in tasks)


def test_accounts_are_placeholders_and_no_other_brace_is_left_in_a_prompt() -> None:
    for task in (visit.task for visit in first(120)):
        assert "{" not in task.prompt
        if task.kind in {"log in", "log out"}:
            assert "<username>" in task.prompt
            assert "<password>" in task.prompt
