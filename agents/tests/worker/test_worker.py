"""The worker as processes: whichever of them is killed, jobs run again within a bounded time."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.tests import family

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 200.0  # seconds; where the lock is held, the watchdog waits for about 85
# Seconds without a sign of life; a cluster must have started in them on a slow machine, too.
STALLED = 20
START = [sys.executable, "manage.py", "worker", "--canary-seconds=0.5", f"--stalled-seconds={STALLED}"]
QUEUE_JOB = "from django_q.tasks import async_task; async_task({func!r}, *{arguments!r}, save=False)"


@dataclass
class Worker:
    """A running worker with a database of its own."""

    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def beaten_after(self, moment: float) -> bool:
        """Whether a canary came through after `moment` (Unix seconds)."""
        with sqlite3.connect(Path(self.environment["DATA_DIR"]) / "panel.sqlite3", timeout=30) as database:
            newest = database.execute("SELECT max(beaten_at) FROM agents_heartbeat WHERE name LIKE 'worker %'").fetchone()[0]
        return newest is not None and datetime.fromisoformat(newest).replace(tzinfo=UTC).timestamp() > moment

    def works(self) -> None:
        now = time.time()
        wait_for(lambda: self.beaten_after(now))

    def cluster(self) -> int:
        return family.cluster(self.process.pid)

    def sentinel(self) -> int:
        return family.sentinel(self.process.pid)

    def pool(self) -> list[int]:
        return family.pool(self.process.pid)

    def queue(self, func: str, *arguments: object) -> None:
        command = [sys.executable, "manage.py", "shell", "--command", QUEUE_JOB.format(func=func, arguments=arguments)]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)


@pytest.fixture
def worker(process_environment: dict[str, str]) -> Iterator[Worker]:
    process = subprocess.Popen(START, cwd=ROOT, env=process_environment)
    started = Worker(process, process_environment)
    try:
        wait_for(lambda: started.beaten_after(0))
        yield started
    finally:
        started.process.terminate()
        started.process.wait(PATIENCE)


@pytest.mark.slow
def test_two_long_jobs_at_once_with_the_queue_full_are_no_stall_and_are_begun_again_at_once_where_the_cluster_is_killed(
    worker: Worker,
) -> None:
    marker = Path(worker.environment["DATA_DIR"]) / "started"
    for _ in range(2):
        worker.queue("agents.tests.long_jobs.wait", str(marker), 2 * 60)
    wait_for(lambda: begun(marker) >= 2)
    cluster = worker.cluster()
    for _ in range(4):  # what waits behind them
        worker.queue("agents.tests.long_jobs.wait", str(marker), 0)
    time.sleep(2 * STALLED)  # no canary comes through for twice as long as the watchdog is patient
    assert worker.cluster() == cluster
    os.kill(cluster, signal.SIGKILL)
    wait_for(lambda: begun(marker) >= 4)  # a job's lock alone would keep it for 390 s, longer than this test is patient
    worker.process.kill()  # does not wait for the long jobs


@pytest.mark.slow
def test_the_cluster_recovers_from_a_worker_that_is_killed_with_the_queues_lock(worker: Worker) -> None:
    wait_for(lambda: len(worker.pool()) >= 4)
    wait_for(lambda: family.holder_of_the_queue(worker.process.pid) is not None)
    holder = family.holder_of_the_queue(worker.process.pid)
    assert holder is not None
    old = worker.cluster()
    os.kill(holder, signal.SIGKILL)
    wait_until_gone(old)  # no worker can take a job any more, so the watchdog starts a new cluster
    worker.works()


@pytest.mark.slow
def test_the_cluster_recovers_from_a_busy_worker_that_is_killed(worker: Worker) -> None:
    wait_for(lambda: len(worker.pool()) >= 4)
    marker = Path(worker.environment["DATA_DIR"]) / "busy"
    worker.queue("subprocess.call", ["sh", "-c", f"echo $PPID > {marker}.new && mv {marker}.new {marker} && sleep 30"])
    wait_for(marker.exists)
    os.kill(int(marker.read_text()), signal.SIGKILL)
    worker.works()


@pytest.mark.slow
@pytest.mark.parametrize("which", ["sentinel", "cluster"])
def test_the_cluster_comes_back_when_its_parents_are_killed(worker: Worker, which: str) -> None:
    wait_for(lambda: len(worker.pool()) >= 4)
    old = [worker.cluster(), worker.sentinel(), *worker.pool()]
    os.kill(getattr(worker, which)(), signal.SIGKILL)
    for pid in old:
        wait_until_gone(pid)
    worker.works()


@pytest.mark.slow
def test_no_process_outlives_a_killed_watchdog(worker: Worker) -> None:
    wait_for(lambda: len(worker.pool()) >= 4)
    old = [worker.cluster(), worker.sentinel(), *worker.pool()]
    worker.process.kill()
    for pid in old:
        wait_until_gone(pid)


@pytest.mark.slow
def test_a_second_worker_on_the_same_folder_is_refused_and_the_first_goes_on(worker: Worker) -> None:
    second = subprocess.run(START, check=False, cwd=ROOT, env=worker.environment, capture_output=True, text=True, timeout=PATIENCE)
    assert second.returncode == os.EX_TEMPFAIL
    assert f"A worker runs here already: process {worker.process.pid}, lock {worker.environment['DATA_DIR']}" in second.stderr
    worker.works()


@pytest.mark.slow
def test_a_killed_worker_leaves_its_place_to_the_next(worker: Worker) -> None:
    worker.process.kill()
    worker.process.wait(PATIENCE)
    worker.process = subprocess.Popen(START, cwd=ROOT, env=worker.environment)
    worker.works()


def test_a_stop_leaves_no_process_behind(worker: Worker) -> None:
    wait_for(lambda: len(worker.pool()) >= 4)
    old = [worker.cluster(), worker.sentinel(), *worker.pool()]
    worker.process.terminate()
    assert worker.process.wait(PATIENCE) == 0
    for pid in old:
        wait_until_gone(pid)


def begun(marker: Path) -> int:
    """How many jobs of `agents.tests.long_jobs` have begun."""
    return len(marker.read_text().split()) if marker.exists() else 0


def wait_until_gone(pid: int) -> None:
    wait_for(lambda: not family.running(pid))


def wait_for(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if happened():
                return
        except IndexError:  # a process of the chain is being started again
            pass
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.1)
