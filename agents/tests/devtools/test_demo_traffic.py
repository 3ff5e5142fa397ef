"""The demo's traffic, posted over real HTTP to a small miner of our own."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from agents.contract.protocol import FIND_TRAJECTORY, PATHS
from agents.devtools.demo_traffic import traffic
from agents.devtools.demo_traffic.traffic import NoMiner, run, tool_calls
from agents.devtools.fake_chutes.server import Answer, Request, Server, json_answer

pytestmark = pytest.mark.long

ONE_SHOT = {"/solve_task", "/solve_task_at_once"}
LINK = {"type": "xpathSelector", "value": "//nav/a[2]"}
CALLS = [{"name": "browser.click", "arguments": {"selector": LINK}}, {"name": "browser.scroll", "arguments": {"down": True}}]


class Miner:
    """Answers every step with two calls, and the third with done; keeps the bodies that came."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.server = Server(self.answer, 0)

    def answer(self, request: Request) -> Answer:
        if request.path == "/health":
            return json_answer(200, {"status": "ok"})
        body = json.loads(request.body)
        self.bodies.append((request.path, body))
        if request.path == FIND_TRAJECTORY:
            return json_answer(self.status, {"trajectory": CALLS})
        if request.path in ONE_SHOT:
            return json_answer(self.status, {"actions": [{"type": "NavigateAction", "url": body["url"]}]})
        return json_answer(self.status, {"tool_calls": CALLS, "done": body["step_index"] == 2})

    def steps(self, path: str) -> list[dict[str, Any]]:
        """The bodies of the first task at `path`, in order."""
        bodies = [body for at, body in self.bodies if at == path]
        return [body for body in bodies if body["task_id"] == bodies[0]["task_id"]]

    def firsts(self) -> list[str]:
        """The first bodies of tasks, sorted: tasks of one moment arrive in any order."""
        return sorted(json.dumps([path, body]) for path, body in self.bodies if not body.get("step_index"))


@pytest.fixture
def miner() -> Iterator[Miner]:
    miner = Miner()
    miner.server.start()
    yield miner
    miner.server.stop()


def sent(miner: Miner) -> list[str]:
    """The lines that a short run reports: about ten tasks, one every few hundredths of a second."""
    lines: list[str] = []
    asyncio.run(run(miner.server.url, lines.append, per_minute=1200, duration=1.5, think=0.0))
    return lines


def test_all_endpoints_get_steps_and_each_answer_is_reported(miner: Miner) -> None:
    lines = sent(miner)
    assert {path for path, _ in miner.bodies} == set(PATHS)
    assert len(lines) == len(miner.bodies)
    assert any("/step step 2 · " in line and "2 actions, done in " in line for line in lines)
    assert any("/find_trayectory step 0 · " in line and "2 actions in " in line for line in lines)
    assert any("/solve_task step 0 · " in line and "1 action in " in line for line in lines)


def test_a_task_continues_on_the_page_after_the_answer_until_it_is_done(miner: Miner) -> None:
    sent(miner)
    first, second, third = miner.steps("/step")
    assert [step["step_index"] for step in (first, second, third)] == [0, 1, 2]
    assert first["history"] == []
    assert "/contact?seed=" in second["url"]
    assert second["html"] != first["html"]
    assert [(entry["action"]["type"], entry["success"]) for entry in second["history"]] == [("ClickAction", True), ("ScrollAction", True)]
    assert len(third["history"]) == 4


def test_the_callers_of_act_run_only_the_first_call_of_a_step(miner: Miner) -> None:
    sent(miner)
    _, second, _ = miner.steps("/act")
    assert [(entry["action"], entry["exec_ok"]) for entry in second["history"]] == [("ClickAction", True)]


def test_an_error_of_the_miner_ends_the_task_and_is_reported(miner: Miner) -> None:
    miner.status = 500
    lines = sent(miner)
    assert all("HTTP 500" in line for line in lines)
    assert len(miner.steps("/step")) == 1


def test_the_same_seed_posts_the_same_tasks(miner: Miner) -> None:
    sent(miner)
    once = miner.firsts()
    miner.bodies.clear()
    sent(miner)
    assert len(once) > 3
    assert miner.firsts() == once


def test_without_a_miner_the_error_has_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "HEALTH_SECONDS", 0.1)
    with pytest.raises(NoMiner, match=r"No miner answers at http://127\.0\.0\.1:9/health\. Start it"):
        asyncio.run(run("http://127.0.0.1:9", print))


def test_an_answer_without_done_is_dropped_as_callers_drop_it() -> None:
    assert tool_calls({"tool_calls": CALLS}) == []
    assert tool_calls({"tool_calls": [*CALLS, "click", {"name": "browser.click"}], "done": False}) == CALLS
