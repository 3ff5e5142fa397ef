"""Log records become rows in every process, and logging neither blocks nor fails."""

import logging
import multiprocessing
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.db import OperationalError, connection

from agents.common import log_context
from agents.devtools.fake_chutes.process import FakeChutes
from agents.models import Settings
from minerpanel.logs import AddContext, RedactSecrets
from minerpanel.tests.processes import Miner, step_body, wait_until
from monitoring.logs import log_handler
from monitoring.logs.journal import meaning
from monitoring.logs.log_handler import RowHandler
from monitoring.models import LogEntry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

Make = Callable[..., tuple[logging.Logger, RowHandler]]


@pytest.fixture
def make() -> Iterator[Make]:
    """A logger whose records become rows, and its handler."""
    made: list[tuple[logging.Logger, RowHandler]] = []

    def logger_with(**options: float) -> tuple[logging.Logger, RowHandler]:
        handler = RowHandler(**options)  # type: ignore[arg-type]
        handler.addFilter(AddContext())
        handler.addFilter(RedactSecrets(["open-sesame"]))
        logger = logging.getLogger(f"minerpanel.tests.rows{len(made)}")
        logger.setLevel(logging.DEBUG)
        logger.propagate = False  # pytest prints what the root logger gets, and not all that is logged here can be printed
        logger.addHandler(handler)
        made.append((logger, handler))
        return logger, handler

    yield logger_with
    for logger, handler in made:
        logger.removeHandler(handler)
        logger.propagate = True
        handler.close()


def test_a_warning_is_stored_with_all_its_fields(make: Make) -> None:
    logger, handler = make()
    step, attempt = uuid.uuid4(), uuid.uuid4()
    with log_context.about(log_context.step, str(step)), log_context.about(log_context.attempt, str(attempt)):
        logger.warning("Chutes API rate limited (429). Exponential backoff: Waiting %.0fs before retry (attempt %d)...", 60, 1)
    logger.error("nothing to do with a step")
    handler.flush()
    entry, other = LogEntry.objects.order_by("id")
    assert (entry.level, entry.logger, entry.source) == (30, logger.name, "own")
    assert (entry.step_uid, entry.attempt_uid) == (step, attempt)
    assert (entry.kind, entry.facts) == ("rate_limited", {"wait_seconds": 60.0, "attempt": 1})
    assert entry.process.endswith(f"[{os.getpid()}]")
    assert abs(entry.at.timestamp() - time.time()) < 60
    assert (other.step_uid, other.attempt_uid, other.kind) == (None, None, "error")


def test_secrets_and_invalid_characters_are_removed(make: Make) -> None:
    logger, handler = make()
    try:
        int("open-sesame")
    except ValueError:
        logger.exception("A NUL \0, half a character \ud83d and %s", "open-sesame")
    handler.flush()
    message = LogEntry.objects.get().message
    assert message.startswith("A NUL \ufffd, half a character \ufffd and [secret]\nTraceback")
    assert "ValueError: invalid literal" in message
    assert "sesame" not in message


def test_info_is_kept_if_the_settings_enable_it(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_handler, "REFRESH_SECONDS", 0.01)
    logger, _ = make()
    logger.info("too little")
    Settings.objects.create(id=Settings.ONLY, keep_info_logs=True)

    def is_kept() -> bool:
        logger.info("worth keeping")
        return LogEntry.objects.exists()

    wait_until(is_kept, "INFO is not kept")
    logger.debug("never")
    Settings.objects.update(keep_info_logs=False)
    assert set(LogEntry.objects.values_list("message", "level")) == {("worth keeping", 20)}


def test_records_beyond_the_queue_are_counted_and_reported_in_one_row(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_handler, "RETRY_SECONDS", 0.01)
    refuses = threading.Event()
    refuses.set()
    write = log_handler.write

    def refusing(entries: list[log_handler.Row]) -> None:
        if refuses.is_set():
            raise OperationalError("database is locked")
        write(entries)

    monkeypatch.setattr(log_handler, "write", refusing)
    logger, handler = make(queue=10, last_patience=2)
    for number in range(10):
        logger.warning("%d", number)
    handler.flush()
    for number in range(10, 25):
        logger.warning("%d", number)
    refuses.clear()
    wait_until(lambda: LogEntry.objects.count() >= 20, "nothing is written when the database is back")
    kept = [entry.message for entry in LogEntry.objects.order_by("id") if entry.message.isdecimal()]
    rows = [entry.message for entry in LogEntry.objects.exclude(logger=logger.name)]
    assert kept == [str(number) for number in range(len(kept))]
    assert rows == [f"{25 - len(kept)} log records were not kept as rows: the database was not available. They are in the standard output."]


def test_a_record_that_no_row_can_hold_keeps_no_other_one_waiting(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    logger, handler = make()
    monkeypatch.setattr(log_handler, "meaning", lambda message, level: 1 / 0 if message == "bad" else meaning(message, level))
    logger.warning("bad")
    handler.flush()
    logger.warning("good")
    handler.flush()
    assert sorted(LogEntry.objects.values_list("message", flat=True))[-1] == "good"
    assert LogEntry.objects.filter(message__startswith="1 log records were not kept").exists()


def test_logging_does_not_wait_for_a_locked_database(make: Make) -> None:
    logger, handler = make(last_patience=0.2)
    holder = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        logger.warning("while it is locked")
        handler.flush()
        assert not LogEntry.objects.exists()
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    wait_until(LogEntry.objects.exists, "it is lost")


def test_the_writers_own_records_are_not_stored(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    logger, handler = make()
    write = log_handler.write

    def talking(entries: list[log_handler.Row]) -> None:
        logger.warning("about writing")
        write(entries)

    monkeypatch.setattr(log_handler, "write", talking)
    logger.warning("once")
    handler.flush()
    logger.warning("twice")
    handler.flush()
    assert list(LogEntry.objects.order_by("id").values_list("message", flat=True)) == ["once", "twice"]


def test_a_record_whose_arguments_cannot_be_printed_fails_no_request(make: Make) -> None:
    class Odd:
        def __str__(self) -> str:
            raise LookupError

    logger, handler = make()
    logger.warning("%s", Odd())
    logger.warning("%d of %d", *[1])
    handler.flush()
    assert list(LogEntry.objects.order_by("id").values_list("message", flat=True)) == [
        "%s (its arguments can't be printed: LookupError)",
        "%d of %d (its arguments can't be printed: TypeError)",
    ]


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_has_a_writer_of_its_own_and_writes_before_it_ends(make: Make) -> None:
    logger, handler = make()
    logger.warning("the parent's")
    child = multiprocessing.get_context("fork").Process(target=logger.warning, args=("the child's",))
    child.start()
    child.join()
    handler.flush()
    assert sorted(LogEntry.objects.values_list("message", flat=True)) == ["the child's", "the parent's"]
    assert LogEntry.objects.values("process").distinct().count() == 2


def test_web_processes_workers_and_commands_keep_their_records(process_environment: dict[str, str], tmp_path: Path) -> None:
    warn = "import logging; logging.getLogger('a.command').warning('from a command')"
    job = "from django_q.tasks import async_task; async_task('logging.warning', 'from a job')"
    with FakeChutes.started() as fake_chutes:
        account = {"CHUTES_API_KEY": fake_chutes.key, "CHUTES_BASE_URL": fake_chutes.base_url, "CHUTES_MODELS": "a/model"}
        with Miner.running({**process_environment, **account}) as miner:
            miner.manage("shell", "--command", warn)
            assert miner.rows("SELECT message FROM monitoring_logentry") == [("from a command",)]
            miner.worker()
            miner.manage("shell", "--command", job)
            kept = "SELECT count(*) FROM monitoring_logentry WHERE message = 'from a job' AND process LIKE 'manage run_cluster[%'"
            wait_until(lambda: miner.rows(kept) == [(1,)], "a job's record is not kept")
            fake_chutes.set(limit=0)
            httpx.post(f"{miner.web()}/step", json=step_body(), timeout=60)
            kept = "SELECT logger, process, facts FROM monitoring_logentry JOIN agents_step ON uid = step_uid WHERE attempt_uid IS NOT NULL"
            (row,) = wait_until(lambda: miner.rows(kept), "the step's record is not kept")
            assert row[0] == "agents.ledger.events"
            assert row[1].startswith("serve")
            assert '"wait_seconds": 60.0' in row[2]
