"""The worker as real processes: whatever of it is killed, jobs are run again within a bounded time."""

from __future__ import annotations

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

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds; far more than is needed, so that a slow machine passes too
QUEUE_JOB = "from django_q.tasks import async_task; async_task({func!r}, {argument!r}, save=False)"

pytestmark = pytest.mark.slow


@dataclass
class Worker:
    """A running worker with a database of its own."""

    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def beaten_after(self, moment: float) -> bool:
        """Whether a canary came through after `moment` (Unix seconds)."""
        with sqlite3.connect(Path(self.environment["DATA_DIR"]) / "panel.sqlite3", timeout=30) as database:
            newest = database.execute("SELECT max(beaten_at) FROM agents_heartbeat").fetchone()[0]
        return newest is not None and datetime.fromisoformat(newest).replace(tzinfo=UTC).timestamp() > moment

    def works(self) -> None:
        now = time.time()
        wait_for(lambda: self.beaten_after(now))

    def cluster(self) -> int:
        return children(self.process.pid)[0]

    def sentinel(self) -> int:
        return children(self.cluster())[0]

    def pool(self) -> list[int]:
        """The sentinel's children: two workers, monitor, pusher, in the order of their start."""
        return children(self.sentinel())

    def queue(self, func: str, argument: object) -> None:
        command = [sys.executable, "manage.py", "shell", "--command", QUEUE_JOB.format(func=func, argument=argument)]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)


@pytest.fixture
def worker(process_environment: dict[str, str]) -> Iterator[Worker]:
    command = [sys.executable, "manage.py", "run_worker", "--canary-seconds=0.5", "--stalled-seconds=5"]
    process = subprocess.Popen(command, cwd=ROOT, env=process_environment)
    started = Worker(process, process_environment)
    try:
        wait_for(lambda: started.beaten_after(0))
        yield started
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_an_idle_worker_that_is_killed_is_got_over(worker: Worker) -> None:
    wait_for(lambda: len(worker.pool()) >= 4)
    for pid in worker.pool()[:2]:  # one of the two holds the queue's lock while it waits
        os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    worker.works()


def test_a_busy_worker_that_is_killed_is_got_over(worker: Worker) -> None:
    wait_for(lambda: len(worker.pool()) >= 4)
    marker = Path(worker.environment["DATA_DIR"]) / "busy"
    worker.queue("subprocess.call", ["sh", "-c", f"echo $PPID > {marker}.new && mv {marker}.new {marker} && sleep 30"])
    wait_for(marker.exists)
    os.kill(int(marker.read_text()), signal.SIGKILL)
    worker.works()


@pytest.mark.parametrize("which", ["sentinel", "cluster"])
def test_the_cluster_comes_back_when_its_parents_are_killed(worker: Worker, which: str) -> None:
    wait_for(lambda: len(worker.pool()) >= 4)
    old = [worker.cluster(), worker.sentinel(), *worker.pool()]
    os.kill(getattr(worker, which)(), signal.SIGKILL)
    for pid in old:
        wait_until_gone(pid)
    worker.works()


def test_no_process_outlives_a_killed_watchdog(worker: Worker) -> None:
    wait_for(lambda: len(worker.pool()) >= 4)
    old = [worker.cluster(), worker.sentinel(), *worker.pool()]
    worker.process.kill()
    for pid in old:
        wait_until_gone(pid)


def test_a_stop_leaves_no_process_behind(worker: Worker) -> None:
    wait_for(lambda: len(worker.pool()) >= 4)
    old = [worker.cluster(), worker.sentinel(), *worker.pool()]
    worker.process.terminate()
    assert worker.process.wait(PATIENCE) == 0
    for pid in old:
        wait_until_gone(pid)


def children(pid: int) -> list[int]:
    """The ids of a process' children, oldest first; none when it is gone."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pid: int) -> None:
    wait_for(lambda: not running(pid))


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
