"""Several web processes and workers on one database keep to one gate, and one that is killed leaves nothing stuck.

Each process asks for a model of its own, so fake Chutes' record shows the sender of each request. All is measured there.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import httpx
import pytest

from agents.devtools.fake_chutes.catalogue import MODELS
from agents.devtools.fake_chutes.process import FakeChutes
from agents.policy.gate import Limits
from agents.policy.modes import Risk
from agents.policy.pacing import Pace
from minerpanel.tests.processes import (
    PATIENCE,
    QUICK_CANARY,
    Miner,
    Web,
    answered,
    completions,
    environment,
    kill,
    moment,
    post_at_once,
    step_body,
    wait_until,
)

WEBS, WORKERS = [{"CHUTES_MODELS": model.id} for model in MODELS[:3]], [{"CHUTES_MODELS": model.id} for model in MODELS[3:5]]
SENT_BY_WORKERS = [model["CHUTES_MODELS"] for model in WORKERS]
SUBMIT = "from agents.operator_jobs.submissions import submit\nfor n in range({}): submit(prompt=f'Log out{{n}}', url='http://localhost:8000/?seed=5', page='', by='ann')"
PUBLISHED = 8
# Shorter than a step takes whose model is still unknown would send nothing; longer, and a dead probe's lease would take longer too.
DEADLINE = 12
MORE_THAN_THE_LIMIT = "SELECT 1 FROM agents_step WHERE reason = 'spacing'"
SENT = "SELECT slot_at, sent_at, verdict FROM agents_llmattempt WHERE sent_at IS NOT NULL ORDER BY sent_at"
BY_LLM = "SELECT DISTINCT source FROM agents_step WHERE route = 'llm' ORDER BY source"


@pytest.fixture
def fake_chutes() -> Iterator[FakeChutes]:
    with FakeChutes.started("--published", str(PUBLISHED)) as running:
        yield running


SLOW_ON_POSTGRES = pytest.mark.parametrize(
    "miner", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])], indirect=True
)


@pytest.fixture
def miner(request: pytest.FixtureRequest, process_environment: dict[str, str], fake_chutes: FakeChutes) -> Iterator[Miner]:
    more = {"DATABASE_URL": request.getfixturevalue("postgres_url")} if request.param == "postgres" else {}
    with Miner.running(environment(process_environment, fake_chutes, **more)) as running:
        yield running


def submit(miner: Miner, count: int) -> None:
    miner.manage("shell", "--command", SUBMIT.format(count))


def posted(webs: list[Web], count: int) -> None:
    """Post steps to all web processes at once; all are answered with actions."""
    for _, response in post_at_once([web.url for web in webs], [step_body(number) for number in range(count)]):
        assert answered(response)


def post_until(webs: list[Web], count: int, condition: Callable[[], Any]) -> None:
    """Post round after round: on a busy machine a process may find a row locked for too long and answers without the LLM."""

    def next_round() -> Any:
        posted(webs, count)
        return condition()

    wait_until(next_round, "the web processes do not send what is wanted")


def requested_models(fake_chutes: FakeChutes, after: int) -> set[str]:
    return {arrival["model"] for arrival in completions(fake_chutes)[after:]}


def all_answered(miner: Miner) -> bool:
    return not miner.rows("SELECT 1 FROM agents_submission WHERE state <> 'succeeded'")


def most_in_a_minute(times: list[float]) -> int:
    return max(sum(start <= at < start + 60 for at in times) for start in times)


@contextmanager
def flood(webs: list[Web]) -> Iterator[list[dict[str, Any]]]:
    """Steps to all web processes without a break, until the end or until a process dies; the tool calls of each answer."""
    over, answers = threading.Event(), list[dict[str, Any]]()

    def post(web: Web) -> None:
        number = 0
        while not over.wait(0.25):
            try:
                answers.extend(answered(httpx.post(f"{web.url}/step", json=step_body(number), timeout=PATIENCE)))
            except httpx.TransportError:
                return
            number += 1

    threads = [threading.Thread(target=post, args=(web,)) for web in webs]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(
    ("miner", "webs", "workers"),
    [("sqlite", 2, 1), pytest.param("postgres", 3, 2, marks=[pytest.mark.postgres, pytest.mark.slow])],
    indirect=["miner"],
)
def test_all_processes_together_keep_the_automatic_pace_and_the_spacing(
    miner: Miner, fake_chutes: FakeChutes, webs: int, workers: int
) -> None:
    miner.manage("miner_settings", "pacing=auto", "spacing_seconds=0.5", f"deadline_seconds={DEADLINE}")
    models, running = {model["CHUTES_MODELS"] for model in WEBS[:webs]}, miner.webs(WEBS[:webs])
    miner.workers(WORKERS[:workers], QUICK_CANARY)
    post_until(running, 1, lambda: completions(fake_chutes))  # its answer has the limit
    submit(miner, 2)
    post_until(running, 12, lambda: miner.rows(MORE_THAN_THE_LIMIT))
    wait_until(lambda: all_answered(miner), "the workers answer nothing")
    automatic = [arrival["at"] for arrival in completions(fake_chutes)]
    level = pace_of(miner).level(time.time(), Risk.BALANCED.weight)
    assert 1 < most_in_a_minute(automatic) <= level

    miner.manage("miner_settings", "pacing=fixed", "deadline_seconds=25")
    submit(miner, 3)
    post_until(running, 12, lambda: models <= requested_models(fake_chutes, len(automatic)))
    wait_until(lambda: all_answered(miner), "the workers answer nothing")
    while miner.rows(BY_LLM) != [("operator",), ("validator",)]:
        submit(miner, 1)
        wait_until(lambda: all_answered(miner), "the workers answer nothing")
    everything = completions(fake_chutes)
    arrivals = everything[len(automatic) :]
    wait_until(lambda: len(miner.rows(SENT)) == len(everything), "an attempt is not on record")
    sent = miner.rows(SENT)
    times = [(moment(slot), moment(at)) for slot, at, _ in sent[len(automatic) :]]
    # One that is held up on its way out, as on a busy machine, may come close to the next.
    assert all(later - at >= 0.5 or at > slot + Limits().grace for (slot, at), (_, later) in pairwise(times))
    arrived_at = sorted(arrival["at"] for arrival in arrivals)
    assert all(arrived >= slot for slot, arrived in zip(sorted(slot for slot, _ in times), arrived_at, strict=True)), (
        "none left before its slot"
    )
    assert [verdict for _, _, verdict in sent] == ["ok"] * (len(automatic) + len(arrivals))


def pace_of(miner: Miner) -> Pace:
    """The gate row's, whatever type the database gives it."""
    value: str | dict[str, Any] = miner.rows("SELECT pace FROM agents_gate")[0][0]
    return Pace.from_json(json.loads(value) if isinstance(value, str) else value)


@pytest.mark.slow
@SLOW_ON_POSTGRES
def test_one_probe_at_a_time_ends_a_pause_and_a_killed_one_leaves_its_lease_to_the_next(miner: Miner, fake_chutes: FakeChutes) -> None:
    patience = ("backoff_seconds=2,4", f"deadline_seconds={DEADLINE}")
    miner.manage("miner_settings", "spacing_seconds=0.5", *patience, "probe_after_pause=false")  # a web process is to send the probe
    webs = miner.webs(WEBS[:2])
    miner.workers(WORKERS[:1], QUICK_CANARY)
    fake_chutes.set(limit=0)
    posted(webs, 1)
    with flood(webs) as answers:
        wait_until(lambda: len(events(miner)) == 2, "no probe after the pause")
        fake_chutes.set(limit=60, latency={"median": 6, "low": 6, "high": 6})
        probe = wait_until(lambda: completions(fake_chutes)[2:], "no probe after the second pause")[0]
        kill(webs[[model["CHUTES_MODELS"] for model in WEBS].index(probe["model"])].process)
        fake_chutes.set(latency={"median": 1, "low": 1, "high": 1})
        miner.manage("miner_settings", "probe_after_pause=true")
        submit(miner, 2)
        wait_until(lambda: events(miner)[1][1] == "succeeded", "no probe after the killed one")
    assert len(answers) > 10
    first, second, killed, ended, *after = completions(fake_chutes)
    assert second["at"] >= events(miner)[0][0] and killed["at"] >= events(miner)[1][0], "nothing leaves while the account is paused"
    assert [arrival["status"] for arrival in (first, second, killed, ended)] == [429, 429, 200, 200]
    lease = miner.rows("SELECT lease FROM agents_llmattempt WHERE lease IS NOT NULL AND verdict = 'open'")[0][0]
    assert killed["at"] < lease <= ended["at"], "the killed probe's lease runs out before the next one leaves"
    assert all(arrival["at"] >= ended["at"] + 1 for arrival in after), "one probe, and the others wait for its answer"
    assert kept_out_after(miner, lease) == [], "an expired lease makes no step wait"
    wait_until(lambda: all_answered(miner), "the workers answer nothing")
    nothing_is_open(miner, 1)


def events(miner: Miner) -> list[tuple[float, str]]:
    """Each pause's end and how it ended, in order."""
    rows = miner.rows("SELECT started_at, pause_seconds, ended_by FROM agents_ratelimitevent ORDER BY started_at")
    return [(moment(started_at) + pause, ended_by) for started_at, pause, ended_by in rows]


def kept_out_after(miner: Miner, lease: float) -> list[float]:
    """When steps were not let in for a probe whose lease was over, since the next probe was not yet decided on."""
    probes = miner.rows("SELECT decided_at FROM agents_llmattempt WHERE lease IS NOT NULL")
    following = min(at for (row,) in probes if (at := moment(row)) >= lease)
    kept_out = miner.rows("SELECT decided_at FROM agents_step WHERE reason = 'probing'")
    return [at for (row,) in kept_out if lease < (at := moment(row)) < following]


@pytest.mark.slow
@SLOW_ON_POSTGRES
def test_after_killed_processes_no_job_is_stuck_and_the_task_is_answered_once(miner: Miner, fake_chutes: FakeChutes) -> None:
    miner.manage("miner_settings", "spacing_seconds=0.5")
    webs, workers = miner.webs(WEBS[:2]), miner.workers(WORKERS, QUICK_CANARY)
    fake_chutes.set(latency={"median": 15, "low": 15, "high": 15})
    with ThreadPoolExecutor() as pool:
        submit(miner, 1)
        arrival = wait_until(lambda: completions(fake_chutes), "no task arrives")[0]
        call = pool.submit(httpx.post, f"{webs[0].url}/step", json=step_body(), timeout=PATIENCE)
        wait_until(lambda: completions(fake_chutes)[1:], "no step arrives")
        kill(webs[0].process)
        kill(workers.pop(SENT_BY_WORKERS.index(arrival["model"])))
        killed_at = time.time()
        assert isinstance(call.exception(), httpx.TransportError)
    fake_chutes.set(latency=0)
    posted(webs[1:], 1)
    assert completions(fake_chutes)[-1]["model"] == WEBS[1]["CHUTES_MODELS"], "the killed calls block no request"

    wait_until(lambda: miner.beaten_after(killed_at + 2) == 1, "the other worker runs no jobs")
    assert miner.rows("SELECT state, tries FROM agents_submission") == [("running", 1)], "no worker takes it while the lease runs"
    assert moment(miner.rows("SELECT lease_until FROM agents_submission")[0][0]) <= killed_at + 60
    miner.execute("UPDATE agents_submission SET lease_until = '2020-01-01 00:00:00'")
    wait_until(lambda: all_answered(miner), "the task is lost")
    assert miner.rows("SELECT tries FROM agents_submission") == [(2,)]
    task = "SELECT count(*) FROM agents_step WHERE source = 'operator' AND answered_at IS NOT NULL"
    assert miner.rows(task) == [(1,)]
    assert [request["task_id"] for request in completions(fake_chutes)].count(arrival["task_id"]) == 2
    nothing_is_open(miner, 2)


def nothing_is_open(miner: Miner, lost: int) -> None:
    """The attempts of killed processes are closed once they are long past their cut-off."""
    miner.execute("UPDATE agents_llmattempt SET cut_off_at = '2020-01-01 00:00:00' WHERE verdict = 'open' AND sent_at IS NULL")
    wait_until(lambda: miner.rows("SELECT count(*) FROM agents_llmattempt WHERE verdict = 'lost'") == [(lost,)], "an attempt stays open")
    # A test run after the pause may have one in hand.
    wait_until(lambda: miner.rows("SELECT count(*) FROM agents_llmattempt WHERE verdict = 'open'") == [(0,)], "an attempt stays open")
