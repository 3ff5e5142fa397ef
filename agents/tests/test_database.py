"""The answering path waits once for a locked database, goes on without it, and uses it again by itself."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from agents import database
from agents.contract.protocol import Form, Step
from agents.database import Untried, answering, answering_transaction, background_transaction, breaker
from agents.hybrid.runner import StepRun
from agents.models import Settings, Source
from agents.policy.reasons import Reason

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ANSWERING_PATIENCE", 0.05)
    monkeypatch.setattr(database, "RETRY_SECONDS", 0.02)


@contextmanager
def locked() -> Iterator[Callable[[], None]]:
    """Another process' writer holds the lock until it is released."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other.rollback


def test_the_first_failure_opens_the_breaker_and_later_writes_do_not_wait() -> None:
    with locked() as release:
        with pytest.raises(OperationalError), answering_transaction():
            pass
        assert breaker.is_open
        statements: list[str] = []
        with connection.execute_wrapper(lambda execute, sql, *more: statements.append(sql) or execute(sql, *more)):  # type: ignore[func-returns-value]
            for _ in range(20):
                with pytest.raises(Untried), answering_transaction():
                    pass
                with pytest.raises(Untried), answering():
                    Settings.current()
        assert not statements, "the database is not used at all"
        release()
        closes()
    with answering_transaction():
        assert Settings.current()


def test_one_thread_checks_the_database_however_many_steps_fail() -> None:
    with locked() as release:
        threads = [threading.Thread(target=fails) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [thread.name for thread in threading.enumerate()].count("database") == 1
        release()
        closes()


def test_a_wait_for_other_writes_of_this_process_does_not_open_the_breaker() -> None:
    with answering_transaction():
        thread = threading.Thread(target=fails)
        thread.start()
        thread.join()
        assert not breaker.is_open


def test_a_background_write_does_not_open_the_breaker_and_does_not_wait_while_it_is_open() -> None:
    with locked() as release:
        with pytest.raises(OperationalError), background_transaction():
            pass
        assert not breaker.is_open
        with pytest.raises(OperationalError), answering_transaction():
            pass
        with pytest.raises(Untried), background_transaction():
            pass
        release()
        closes()


def test_a_fault_of_ours_does_not_open_the_breaker() -> None:
    with pytest.raises(ZeroDivisionError), answering_transaction():
        _ = 1 / 0
    assert not breaker.is_open


def test_without_the_database_the_settings_are_those_last_read() -> None:
    Settings.objects.create(id=Settings.ONLY, deadline_seconds=7)
    step = Step("/step", Form.STEP, "t", "Log out", "http://localhost:8000/")
    StepRun(step, Source.VALIDATOR, None, time.time(), time.time).read_settings()
    with locked() as release:
        with pytest.raises(OperationalError), answering_transaction():
            pass
        run = StepRun(step, Source.VALIDATOR, None, time.time(), time.time)
        run.read_settings()
        assert (run.rules.deadline_seconds, run.reason, run.requests) == (7, Reason.DATABASE, [])
        release()
        closes()


def fails() -> None:
    try:
        with pytest.raises(OperationalError), answering_transaction():
            pass
    finally:
        connection.close()


def closes() -> None:
    over = time.monotonic() + 90
    while breaker.is_open:
        assert time.monotonic() < over, "the breaker stays open"
        time.sleep(0.01)


FULL_DISK = """
import resource, signal, time
import django
django.setup()
from agents import database
from agents.hybrid import runner, spool
from agents.models import Source, Step
from agents.contract.protocol import Form
from agents.contract.protocol import Step as Request

database.RETRY_SECONDS = spool.RETRY_SECONDS = 0.05

def limit(most):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

def answer(index):
    step = Request("/step", Form.STEP, "t", "Log out", "http://localhost:8000/?seed=58", index=index)
    return len(runner.answer(step, source=Source.TEST, caller=None).plan.actions) > 0

tries = []
writing = database._writing
database._writing = lambda: tries.append(0) or writing()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
print(answer(0), Step.objects.count(), database.breaker.is_open)
limit(100)
print(answer(1), Step.objects.count(), database.breaker.is_open, spool.lost())
tries.clear()
while len(tries) < 3:
    time.sleep(0.01)
print(answer(2), database.breaker.is_open, spool.lost())
limit(resource.RLIM_INFINITY)
while database.breaker.is_open:
    time.sleep(0.01)
print(answer(3), list(Step.objects.values_list("index", "spooled")), spool.lost())
"""


def test_on_a_full_disk_steps_are_answered_and_counted_and_the_breaker_stays_open_until_a_row_is_taken(
    process_environment: dict[str, str],
) -> None:
    """A limit on file sizes has the effects of a full disk: reads succeed, and each write fails at once."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK], cwd=ROOT, env=process_environment, capture_output=True, text=True, timeout=300, check=False
    )
    printed = [line for line in done.stdout.splitlines() if not line.startswith("20")]
    assert printed == ["True 1 False", "True 1 True 1", "True True 2", "True [(0, False), (3, False)] 2"], done.stdout + done.stderr
