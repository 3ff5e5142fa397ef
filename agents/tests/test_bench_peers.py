"""The miner beside its peers: the same part of a scenario and the same load for all, and their counts."""

import ast
import asyncio
import json
import sys
from pathlib import Path

import pytest

from agents.simulation.scenario import load_file
from bench.peers import client
from bench.peers.client import Load, play, usable
from bench.peers.run import PEERS, SCENARIO, START, Outcome, cut, edge, loaded, measured, table, target

ROOT = Path(__file__).resolve().parents[2]
PINS = {
    line.partition("==")[0]: line.strip()
    for line in (ROOT / "bench" / "requirements-peers.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
}


def played(post: object, **more: object) -> list[float | None]:
    load = {"arrivals": (0.0,), "steps": 3, "seconds": 60.0, "deadline": 60.0, "pause": 0.0, **more}
    return asyncio.run(play(Load(**load), post))  # type: ignore[arg-type]


def outcome(name: str = "miner", **facts: object) -> Outcome:
    return Outcome(**{"name": name, "version": "1", "taken": [1.0, 2.0, None], "llm": 2, "refused": 4, "in_ban": 1, **facts})  # type: ignore[arg-type]


def test_a_part_of_a_scenario_begins_as_the_account_is_by_then() -> None:
    whole = {
        "about": "x",
        "horizon": 900,
        "load": {"every": 10},
        "timeline": [
            {"at": 300, "ban": 120},
            {"at": 100, "set": {"limit": 4}},
            {"at": 50, "ban": 60},
            {"at": 170, "ban": 60, "set": {"limit": 5}},
        ],
    }
    assert cut(whole, 200, 240)["timeline"] == [
        {"at": 0, "set": {"limit": 4}},
        {"at": 0, "set": {"limit": 5}, "ban": 30},
        {"at": 100, "ban": 120},
    ]
    assert cut(whole, 200, 240)["horizon"] == 240


def test_the_default_part_has_the_ban_in_it_and_time_after_it(tmp_path: Path) -> None:
    part = cut(json.loads(SCENARIO.read_text("utf-8")), START, 240.0)
    file = tmp_path / "part.json"
    file.write_text(json.dumps(part), "utf-8")
    (change,) = load_file(file).timeline
    assert (change.at, change.ban) == (12.0, 120.0)
    load = loaded(part, 0)
    assert load == loaded(part, 0)
    assert load.steps == 12
    assert load.arrivals[0] < change.at
    assert load.arrivals[-1] < 240


def test_each_step_comes_after_the_answer_to_the_one_before() -> None:
    posted: list[tuple[int, int]] = []

    async def post(task: int, step: int) -> None:
        posted.append((task, step))

    taken = played(post, arrivals=(0.0, 0.0))
    assert sorted(posted) == [(task, step) for task in range(2) for step in range(3)]
    assert len(taken) == 6
    assert None not in taken


def test_a_failed_call_is_no_answer_and_the_task_goes_on() -> None:
    async def post(_: int, step: int) -> None:
        if step == 1:
            raise ValueError("refused")

    assert [seconds is None for seconds in played(post)] == [False, True, False]


def test_a_call_beyond_the_deadline_is_no_answer_and_is_left_alone() -> None:
    ended: list[int] = []

    async def post(_: int, step: int) -> None:
        if step == 0:
            await released.wait()
            ended.append(step)
        else:
            released.set()
            await asyncio.sleep(0)

    released = asyncio.Event()
    assert played(post, steps=1, deadline=0.01) == [None]
    released = asyncio.Event()
    taken = played(post, steps=2, deadline=0.5)
    assert (taken[0], ended) == (None, [0])


def test_no_step_is_posted_after_the_end() -> None:
    async def post(*_: int) -> None:
        pass

    assert played(post, seconds=0.0) == []


def test_a_reply_is_an_answer_where_it_has_actions() -> None:
    for text in (None, "", "sorry", "[]", "{}", '{"actions": []}', '{"actions": {}}'):
        with pytest.raises(ValueError):  # noqa: PT011 -- json's own error is one, and says more
            usable(text)
    assert usable('{"actions": [{"type": "WaitAction"}]}') == [{"type": "WaitAction"}]


def test_refusals_are_counted_until_the_end_of_the_run() -> None:
    arrivals = [
        {"at": at, "status": status, "in_ban": in_ban}
        for at, status, in_ban in [(1, 200, False), (2, 429, True), (3, 429, False), (9, 429, True)]
    ]
    assert edge(arrivals, 5.0) == (2, 1)


def test_the_table_compares_with_the_first() -> None:
    lines = list(
        table([outcome(), outcome("other", llm=1, refused=10, taken=[4.0, None]), outcome("nobody", llm=0, refused=0, taken=[None])])
    )
    assert lines[1].split()[-2:] == ["1.00", "1.00"]
    assert lines[2].split()[1:] == ["1", "2", "1", "1", "10", "1", "–", "–", "0.50", "2.50"]
    assert lines[3].split()[1:] == ["1", "1", "0", "0", "0", "1", "–", "–", "0.00", "0.00"]
    assert list(table([outcome(refused=0)]))[1].split()[-2:] == ["1.00", "–"]
    assert "1.50 s" in lines[1]


def test_each_peer_has_its_client_and_its_pin_and_the_product_has_none_of_them() -> None:
    product = (ROOT / "requirements.txt").read_text("utf-8")
    for peer in PEERS:
        assert hasattr(client, peer.client)
        if peer.distribution:
            assert peer.distribution in PINS
            assert f"\n{peer.distribution}==" not in product
    assert all("==" in pin for pin in PINS.values())


def test_what_runs_beside_a_peer_needs_nothing_of_the_project_but_the_bench_itself() -> None:
    """The peers' environment has neither Django nor this project's packages."""
    tree = ast.parse((ROOT / "bench" / "peers" / "client.py").read_text("utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert modules
    assert not [module for module in modules if module.startswith(("agents", "monitoring", "minerpanel", "django", "bench"))]


@pytest.mark.slow
@pytest.mark.process
def test_the_miner_itself_is_measured_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    """One miner, its fake Chutes, a client process; a task of two steps under a ban that begins between them."""
    (ROOT / "data").mkdir(exist_ok=True)
    monkeypatch.setattr("bench.peers.run.PEERS", PEERS[:1])
    part = {
        "horizon": 60,
        "load": {"every": 100},
        "account": {"latency": {"median": 0.0, "low": 0.0, "high": 0.0}},
        "timeline": [{"at": 0, "ban": 600}],
    }
    (found,) = measured(part, Load((0.0,), 2, 60.0, 60.0, 0.0), sys.executable)
    assert len([seconds for seconds in found.taken if seconds is not None]) == 2
    assert (found.llm, found.refused, found.in_ban) == (0, 1, 1)
    assert found.version


def test_the_libraries_get_the_page_that_the_miner_gets() -> None:
    request = target("http://127.0.0.1:9/v1", "key", ("m",))
    assert request.page["prompt"] in request.messages[1]["content"]
    assert "Find films" in request.messages[1]["content"]
