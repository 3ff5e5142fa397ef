"""Twenty times `kill -9` in a row, at three places of a worker with its limits as in production; about a quarter of an hour.

With `-s` it prints how long each time jobs were not run.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from agents.devtools.fake_chutes.process import FakeChutes
from agents.tests import family
from minerpanel.tests.processes import Miner, wait_until

pytestmark = pytest.mark.slow

ROUNDS = 20
# After a fault jobs run again within this, in seconds.
PROMISE = 180.0
# A killed job is taken up when its lease is over, and a killed worker's claim on the account before that.
ALL_DONE = 300.0
BATCH = 3  # one for each of the two workers and one that waits
SUBMIT = """
from agents.operator_jobs.submissions import submit
for number in range({count}):
    print(submit(prompt="Log out", url="http://localhost:8000/?seed=5", page="", by="faults").pk)
"""


@pytest.fixture
def miner(process_environment: dict[str, str]) -> Iterator[Miner]:
    """With an account that answers slowly, so that jobs are in hand when the fault comes."""
    with FakeChutes.started("--latency", "10") as fake_chutes:
        account = {"CHUTES_API_KEY": fake_chutes.key, "CHUTES_BASE_URL": fake_chutes.base_url, "CHUTES_MODELS": "Qwen/Qwen3-32B-TEE"}
        with Miner.running({**process_environment, **account}) as running:
            running.manage("miner_settings", "spacing_seconds=0")
            yield running


def submit(miner: Miner, count: int) -> list[int]:
    return [int(line) for line in miner.manage("shell", "--verbosity", "0", "--command", SUBMIT.format(count=count)).split()]


def count(miner: Miner, condition: str) -> int:
    """How many operators' tasks there are of a kind."""
    rows: int = miner.rows(f"SELECT count(*) FROM agents_submission WHERE {condition}")[0][0]
    return rows


def or_none(read: Callable[[], int | None]) -> int | None:
    """What `read` returns of the processes; None while they restart."""
    try:
        return read()
    except IndexError:
        return None


def busy_worker(miner: Miner, worker: int) -> int:
    """One of the two workers while both have a job in hand."""
    wait_until(lambda: or_none(lambda: len(family.pool(worker)) >= 4 or None), "the cluster has no workers")
    submit(miner, BATCH)
    wait_until(lambda: count(miner, "state = 'running' AND lease_until > datetime('now', '+55 seconds')") >= 2, "no two jobs are in hand")
    return family.pool(worker)[0]


def main_process(miner: Miner, worker: int) -> int:
    """The cluster's, while its workers have jobs in hand."""
    busy_worker(miner, worker)
    return family.cluster(worker)


def lock_holder(miner: Miner, worker: int) -> int:
    """The idle worker that holds the queue's lock."""
    submit(miner, BATCH)
    idle = "state = 'queued' OR (state = 'running' AND lease_until > datetime('now', '+45 seconds'))"
    wait_until(lambda: count(miner, idle) == 0, "the workers are not idle")
    holder: int = wait_until(lambda: or_none(lambda: family.holder_of_the_queue(worker)), "no worker holds the queue's lock")
    return holder


PLACES = {"a busy worker": busy_worker, "the cluster's main process": main_process, "the queue's lock": lock_holder}


def test_jobs_run_again_after_every_kill_none_twice_and_none_lost(miner: Miner) -> None:
    process = miner.worker(canary_seconds=10)
    for number in range(ROUNDS):
        place, find = list(PLACES.items())[number % len(PLACES)]
        victim = find(miner, process.pid)
        os.kill(victim, signal.SIGKILL)
        killed_at = time.monotonic()
        (after,) = submit(miner, 1)
        wait_until(partial(count, miner, f"id = {after} AND state = 'succeeded'"), f"no job came through after {place} was killed", PROMISE)
        print(f"{number + 1:2} {place}: jobs ran again after {time.monotonic() - killed_at:.1f} s", flush=True)
    wait_until(lambda: count(miner, "state <> 'succeeded'") == 0, "a job is lost", ALL_DONE)
    answers = miner.rows(
        "SELECT submission.id, count(step.id) FROM agents_submission AS submission"
        " LEFT JOIN agents_step AS step ON step.task_id = submission.task_id AND step.answered_at IS NOT NULL GROUP BY submission.id"
    )
    assert len(answers) == ROUNDS * (BATCH + 1)
    assert {steps for _, steps in answers} == {1}, "each job is carried out once"
    again = count(miner, "tries > 1")
    print(f"{len(answers)} jobs, each answered once; {again} of them were cut off and taken up again.")
