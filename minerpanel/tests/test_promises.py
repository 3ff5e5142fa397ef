"""The miner's promises, checked with real processes against fake Chutes."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import MODEL, Miner, answered, completions, environment, post_at_once, step_body, wait_until


@pytest.fixture
def fake_chutes() -> Iterator[FakeChutes]:
    with FakeChutes.started() as running:
        yield running


@pytest.fixture
def miner(process_environment: dict[str, str], fake_chutes: FakeChutes) -> Iterator[Miner]:
    with Miner.running(environment(process_environment, fake_chutes)) as running:
        yield running


def test_a_limited_account_gets_one_request_and_every_step_its_answer_at_once(miner: Miner, fake_chutes: FakeChutes) -> None:
    fake_chutes.set(limit=0)
    # There is time for slots one and two minutes later, and none for the end of a pause.
    miner.manage("miner_settings", "spacing_seconds=60", "deadline_seconds=180", "backoff_seconds=600")
    url = miner.web()
    answers = post_at_once([url], [step_body(number) for number in range(20)])
    assert all(answered(response) for _, response in answers)
    assert max(seconds for seconds, _ in answers) < 60, "no step waits for a slot of a paused account"
    assert miner.rows("SELECT count(*) FROM agents_llmattempt WHERE ended_at >= slot_at AND sent_at IS NULL") == [(0,)]
    assert len(completions(fake_chutes)) == 1
    later = post_at_once([url], [step_body(number) for number in range(20, 40)])
    assert all(answered(response) for _, response in later)
    assert len(completions(fake_chutes)) == 1
    assert miner.rows("SELECT strike, status FROM agents_ratelimitevent WHERE pause_seconds BETWEEN 600 AND 630") == [(1, 429)]
    counted = "SELECT count(*) FROM agents_step WHERE route = 'template' AND answered_at IS NOT NULL"
    wait_until(lambda: miner.rows(counted) == [(40,)], "not all steps are on record")  # a busy machine writes some of them a little later


def test_the_llm_is_answered_with_its_own_actions_and_put_on_record(miner: Miner, fake_chutes: FakeChutes) -> None:
    answer = post_at_once([miner.web()], [step_body()])[0][1]
    assert answered(answer)
    assert len(completions(fake_chutes)) == 1
    assert miner.rows("SELECT route, reason FROM agents_step") == [("llm", "answered")]
    assert miner.rows("SELECT model, verdict, status FROM agents_llmattempt") == [(MODEL, "ok", 200)]


def test_steps_are_answered_while_the_database_is_locked_and_written_down_afterwards(miner: Miner) -> None:
    miner.manage("miner_settings", "spacing_seconds=0")
    url = miner.web()
    post_at_once([url], [step_body()])
    released = threading.Event()
    holder = threading.Thread(target=hold_the_write_lock, args=(miner.database_file, released))
    holder.start()
    try:
        health = httpx.get(f"{url}/health", timeout=60)
        answers = post_at_once([url], [step_body(number) for number in range(1, 9)])
        posted_at = time.monotonic()
        for number in range(9, 12):
            answers += post_at_once([url], [step_body(number)])
        assert time.monotonic() - posted_at < 25, "while facts wait in the spool no step waits for the database"
        spooled = list((miner.database_file.parent / "spool").glob("*.json"))
    finally:
        released.set()
        holder.join()
    assert health.json()["status"] == "healthy"
    assert all(answered(response) for _, response in answers)
    assert max(seconds for seconds, _ in answers) < 25, "the answering path waits 1 s for the database, not the 30 s of other writers"
    assert len(spooled) == 11
    wait_until(lambda: miner.rows("SELECT count(*) FROM agents_step WHERE spooled") == [(11,)], "the spool is not written")
    assert miner.rows("SELECT DISTINCT route, reason FROM agents_step WHERE spooled") == [("template", "database")]
    assert not list((miner.database_file.parent / "spool").iterdir())


def hold_the_write_lock(path: Path, released: threading.Event) -> None:
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    released.wait(300)
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
    whole = httpx.post(f"{url}/find_trayectory", json=one_shot, timeout=60).json()
    assert whole["trajectory"][0] == {"name": "browser.navigate", "arguments": {"url": "http://localhost:8000/?seed=58"}}
    assert len(whole["trajectory"]) > 2
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
