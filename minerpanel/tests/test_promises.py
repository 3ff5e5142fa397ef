"""What the miner promises, held with real processes against a real stand-in for Chutes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from agents.standin.process import StandIn
from minerpanel.tests.processes import Miner, answered, kill, post_at_once, step_body, wait_until

pytestmark = pytest.mark.slow

SUBMIT = "from agents.submissions import submit; submit(prompt='Log out{}', url='http://localhost:8000/?seed=5', page='', by='ann')"
MODEL = "Qwen/Qwen3-32B-TEE"
# The stand-in's threads share the machine's cores, so it may take note of a request this late, in seconds.
STANDIN_LATENESS = 0.05


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn.started() as running:
        yield running


def environment(process_environment: dict[str, str], standin: StandIn, **more: str) -> dict[str, str]:
    return {**process_environment, "CHUTES_API_KEY": standin.key, "CHUTES_BASE_URL": standin.base_url, "CHUTES_MODELS": MODEL, **more}


@pytest.fixture
def miner(process_environment: dict[str, str], standin: StandIn) -> Iterator[Miner]:
    with Miner.running(environment(process_environment, standin)) as running:
        yield running


def completions(standin: StandIn) -> list[float]:
    """When each chat completion arrived, in order, as Unix times."""
    return sorted(arrival["at"] for arrival in standin.state()["arrivals"] if arrival["path"].endswith("/chat/completions"))


def moment(value: str | datetime) -> float:
    """A time of either database as a Unix time."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def test_a_limited_account_gets_one_request_and_every_step_its_answer_at_once(miner: Miner, standin: StandIn) -> None:
    standin.set(limit=0)
    url = miner.web()
    answers = post_at_once([url], [step_body(number) for number in range(20)])
    assert all(answered(response) for _, response in answers)
    assert max(seconds for seconds, _ in answers) < 5, "nobody waits for a slot of a paused account"
    assert len(completions(standin)) == 1
    later = post_at_once([url], [step_body(number) for number in range(20, 40)])
    assert all(answered(response) for _, response in later)
    assert len(completions(standin)) == 1
    assert miner.rows("SELECT strike, pause_seconds, status FROM agents_ratelimitevent") == [(1, 60.0, 429)]
    assert miner.rows("SELECT count(*) FROM agents_step WHERE route = 'template' AND answered_at IS NOT NULL") == [(40,)]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_two_web_processes_and_a_worker_keep_the_spacing_together(
    database: str, process_environment: dict[str, str], standin: StandIn, request: pytest.FixtureRequest
) -> None:
    more = {"DATABASE_URL": request.getfixturevalue("postgres_url")} if database == "postgres" else {}
    with Miner.running(environment(process_environment, standin, **more)) as miner:
        miner.manage("miner_settings", "spacing_seconds=1")
        urls = [miner.web(), miner.web()]
        miner.worker()
        for number in range(2):
            miner.manage("shell", "--command", SUBMIT.format(number))
        answers = post_at_once(urls, [step_body(number) for number in range(12)])
        assert all(answered(response) for _, response in answers)
        wait_until(
            lambda: miner.rows("SELECT count(*) FROM agents_submission WHERE state = 'answered'") == [(2,)], "the worker answers nothing"
        )
        arrivals = completions(standin)
        assert len(arrivals) >= 12
        assert min(gaps(arrivals)) >= 1.0 - STANDIN_LATENESS
        sent = [moment(row[0]) for row in miner.rows("SELECT sent_at FROM agents_llmattempt WHERE sent_at IS NOT NULL ORDER BY sent_at")]
        assert min(gaps(sent)) >= 1.0
        ended = miner.rows(
            "SELECT count(*), min(prompt_tokens), min(completion_tokens), min(cost) FROM agents_llmattempt WHERE verdict = 'ok'"
        )
        assert ended[0][0] == len(arrivals)
        assert all(value > 0 for value in ended[0][1:3])
        assert miner.rows("SELECT DISTINCT source FROM agents_step WHERE route = 'llm' ORDER BY source")[-1] == ("validator",)


def test_the_llm_is_answered_with_its_own_actions_and_put_on_record(miner: Miner, standin: StandIn) -> None:
    answer = post_at_once([miner.web()], [step_body()])[0][1]
    assert answered(answer)
    assert len(completions(standin)) == 1
    assert miner.rows("SELECT route, reason FROM agents_step") == [("llm", "answered")]
    assert miner.rows("SELECT model, verdict, status FROM agents_llmattempt") == [(MODEL, "ok", 200)]


def test_a_killed_workers_task_is_answered_by_another_after_the_lease_and_once(miner: Miner, standin: StandIn) -> None:
    standin.set(faults={"hang": 1.0})
    first = miner.worker()
    miner.manage("shell", "--command", SUBMIT.format(""))
    wait_until(lambda: completions(standin), "the task does not reach the provider")
    kill(first)
    standin.set(faults={})
    miner.worker()
    time.sleep(3)
    assert miner.rows("SELECT state, claims FROM agents_submission") == [("running", 1)], "nobody takes it while the lease runs"
    miner.execute("UPDATE agents_submission SET lease_until = '2020-01-01 00:00:00'")
    wait_until(lambda: miner.rows("SELECT state FROM agents_submission") == [("answered",)], "the task is lost")
    assert miner.rows("SELECT claims FROM agents_submission") == [(2,)]
    assert miner.rows("SELECT count(*) FROM agents_step WHERE answered_at IS NOT NULL") == [(1,)]


def test_steps_are_answered_while_the_database_is_locked_and_written_down_afterwards(miner: Miner) -> None:
    miner.manage("miner_settings", "spacing_seconds=0")
    url = miner.web()
    post_at_once([url], [step_body()])
    released = threading.Event()
    holder = threading.Thread(target=hold_the_write_lock, args=(miner.database_file, released))
    holder.start()
    try:
        health = httpx.get(f"{url}/health", timeout=5)
        answers = post_at_once([url], [step_body(number) for number in range(1, 9)])
        asked_at = time.monotonic()
        for number in range(9, 12):
            answers += post_at_once([url], [step_body(number)])
        assert time.monotonic() - asked_at < 10, "while facts wait in the spool nobody waits for the database"
        spooled = list((miner.database_file.parent / "spool").glob("*.json"))
    finally:
        released.set()
        holder.join()
    assert health.json()["status"] == "healthy"
    assert all(answered(response) for _, response in answers)
    assert max(seconds for seconds, _ in answers) < 10, "the answering path waits 1 s for the database"
    assert len(spooled) == 11
    wait_until(lambda: miner.rows("SELECT count(*) FROM agents_step WHERE spooled") == [(11,)], "the spool is not written")
    assert miner.rows("SELECT DISTINCT route, reason FROM agents_step WHERE spooled") == [("template", "database")]
    assert not list((miner.database_file.parent / "spool").iterdir())


def hold_the_write_lock(path: Path, released: threading.Event) -> None:
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    released.wait(60)
    database.execute("ROLLBACK")
    database.close()


def test_all_generations_of_callers_get_their_form(miner: Miner) -> None:
    url = miner.web()
    one_shot = {
        "id": "one",
        "prompt": "Log in where username equals <username> and password equals <password>",
        "url": "http://localhost:8000/?seed=58",
    }
    for path in ("/solve_task", "/solve_task_at_once"):
        reply = httpx.post(url + path, json={**one_shot, "is_web_real": False, "unknown": [1]}, timeout=60).json()
        assert set(reply) == {"actions", "web_agent_id", "recording"}
        assert reply["actions"][0] == {"type": "NavigateAction", "url": "http://localhost:8000/?seed=58"}
    body = step_body()
    act = {
        **{name: value for name, value in body.items() if name != "html"},
        "snapshot_html": body["html"],
        "timeout_seconds": 25.0,
        "state_in": {},
    }
    for path, sent in (("/act", act), ("/step", body)):
        reply = httpx.post(url + path, json=sent, timeout=60).json()
        assert set(reply) == {"protocol_version", "tool_calls", "content", "reasoning", "done", "error"}
        assert reply["tool_calls"]
