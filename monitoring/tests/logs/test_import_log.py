"""Importing a journal by command and by upload: repeated, concurrent, after a fault; masking of secrets, and cleanup."""

import gzip
import io
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from django_q.models import OrmQ

from agents.configuration import default_account
from agents.configuration.account_changes import change_account
from agents.operator_jobs import leased_job
from agents.tests.disks import small_disk
from agents.tests.queue_of_jobs import work
from monitoring.logs import imports
from monitoring.logs.journal import SAMPLES, Kind, Records
from monitoring.models import JournalImport, LogEntry
from monitoring.tests import journals

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

HEAD = "Nov 18 16:27:28 autoppia-miner python3[133676]: "
LIMITED = HEAD + "WARNING:root:Chutes API rate limited (429). Exponential backoff: Waiting 60s before retry (attempt 1)...\n"
TIMEOUT = "Nov 18 16:27:53 autoppia-miner python3[133676]: WARNING:api.endpoints:Task test-task-001 timed out after 25 seconds\n"
State = JournalImport.State


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., Path]:
    def written(*lines: str, name: str = "miner.log") -> Path:
        path = tmp_path / name
        path.write_text("".join(lines))
        return path

    return written


def import_log(path: Path, *options: str) -> str:
    result = io.StringIO()
    call_command("import_log", str(path), *options, stdout=result, stderr=io.StringIO())
    return result.getvalue()


def entries() -> list[tuple[Any, ...]]:
    return list(LogEntry.objects.order_by("at", "id").values_list("kind", "facts", "level", "logger", "host", "process", "source"))


def test_a_miners_journal_becomes_entries_with_their_facts(log: Callable[..., Path]) -> None:
    result = import_log(log(LIMITED, HEAD + "INFO:root:nothing\n", TIMEOUT), "--year=2025")
    where = ("autoppia-miner", "python3[133676]", "imported")
    assert entries() == [
        ("rate_limited", {"wait_seconds": 60.0, "attempt": 1}, 30, "root", *where),
        ("timeout", {"task": "test-task-001", "seconds": 25.0}, 30, "api.endpoints", *where),
    ]
    assert LogEntry.objects.order_by("at")[0].at == datetime(2025, 11, 18, 16, 27, 28, tzinfo=UTC)
    assert result.splitlines() == [
        "3 lines read: 2 recorded, 0 already known, 0 not parsed.",
        "From 2025-11-18 16:27:28 to 2025-11-18 16:27:53 UTC; times without a zone were taken as UTC.",
    ]
    row = JournalImport.objects.get()
    assert (row.name, row.state, row.lines, row.recorded) == ("miner.log", "succeeded", 3, 2)
    assert row.first_at == datetime(2025, 11, 18, 16, 27, 28, tzinfo=UTC)


def test_the_zone_is_that_of_the_command(log: Callable[..., Path]) -> None:
    import_log(log(LIMITED), "--year=2025", "--tz=Europe/Berlin")
    assert LogEntry.objects.get().at == datetime(2025, 11, 18, 15, 27, 28, tzinfo=UTC)


def test_importing_again_adds_no_rows_and_true_repeats_are_kept(log: Callable[..., Path]) -> None:
    path = log(LIMITED, LIMITED, TIMEOUT)
    import_log(path, "--year=2025")
    assert "0 recorded, 3 already known" in import_log(path, "--year=2025")
    assert "1 recorded, 3 already known" in import_log(log(LIMITED, LIMITED, TIMEOUT, TIMEOUT, name="longer.log"), "--year=2025")
    assert LogEntry.objects.count() == 4


def test_a_file_over_new_year_and_one_without_times_are_placed_the_same_in_every_import(log: Callable[..., Path]) -> None:
    path = log(LIMITED.replace("Nov 18", "Dec 31"), LIMITED.replace("Nov 18", "Jan  1"), name="a.log")
    import_log(path)
    assert "2 already known" in import_log(path)
    old, new = LogEntry.objects.order_by("at").values_list("at__year", flat=True)
    assert new == old + 1
    timeless = log("WARNING:root:Task a-1 timed out after 25 seconds\n", name="b.log")
    import_log(timeless)
    assert "1 already known" in import_log(timeless)


def test_a_packed_file_and_standard_input_are_read_too(log: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    packed = log(name="miner.log.gz")
    packed.write_bytes(gzip.compress((LIMITED + TIMEOUT).encode()))
    assert "2 recorded" in import_log(packed)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((LIMITED + TIMEOUT).encode())))
    assert "2 already known" in import_log(Path("-"))
    assert JournalImport.objects.order_by("-id")[0].name == "standard input"


def test_of_a_damaged_packed_file_the_first_part_is_imported_and_the_fault_reported(log: Callable[..., Path]) -> None:
    packed = log(name="miner.log.gz")
    packed.write_bytes(gzip.compress(LIMITED.encode() * 5_000)[:-8])
    with pytest.raises(CommandError, match="The gzip file is damaged or cut off"):
        import_log(packed)
    row = JournalImport.objects.get()
    assert (row.state, row.fault[:24]) == ("failed", "The gzip file is damaged")
    assert row.recorded == LogEntry.objects.count() > 4_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/nowhere.log"], "there is no such file"),
        (["x.log", "--year", "0"], "--year: must be a year such as 2025"),
        (["x.log", "--tz", "Mars/Olympus"], "--tz"),
    ],
)
def test_a_bad_argument_is_named(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("import_log", *arguments)
    assert not JournalImport.objects.exists()


def test_lines_not_parsed_are_counted_and_shown_without_secrets(log: Callable[..., Path]) -> None:
    change_account(default_account(), {}, key="a-stored-key-of-no-known-form", by=None, reason="test")
    lines = [f"{{'at': {number}, 'said': 'a-stored-key-of-no-known-form'}}{'x' * 400}\n" for number in range(30)]
    output = import_log(log(*lines))
    row = JournalImport.objects.get()
    assert (row.unread, len(row.samples)) == (30, SAMPLES)
    assert all(len(sample) <= imports.SAMPLE_CHARS for sample in row.samples)
    assert row.samples[3].startswith("{'at': 3, 'said': '[secret]'}xxx")
    assert "30 not parsed" in output
    assert "stored-key" not in output + str(row.samples)


def test_entries_hold_no_secrets(log: Callable[..., Path]) -> None:
    import_log(log(HEAD + f"ERROR:root:refused cpk_{'a' * 32}.{'b' * 32}.{'c' * 32} at postgres://u:hunter22@db\n"))
    assert LogEntry.objects.get().message == "refused [secret] at postgres://u:[secret]@db"


def test_a_fault_leaves_the_import_failed_and_a_second_try_completes_it(log: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = log(LIMITED, TIMEOUT)
    with monkeypatch.context() as patched:
        patched.setattr(Records, "end", lambda self: 1 / 0)
        with pytest.raises(CommandError, match="A fault in the miner"):
            import_log(path)
    row = JournalImport.objects.get()
    assert (row.state, row.fault) == ("failed", leased_job.FAULT)
    assert "2 lines read" in import_log(path)
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def test_two_concurrent_imports_add_each_record_once_and_let_others_write(
    database: str, process_environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if database == "postgres":
        process_environment = {**process_environment, "DATABASE_URL": request.getfixturevalue("postgres_url")}
    file = tmp_path / "miner.log"
    journals.write(file, 400_000, 0.5)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: journals.imported(process_environment, file), range(2))
    lines, recorded, known_before, _ = first
    assert second == [lines, known_before, recorded, 0]
    assert recorded + known_before > 1_000
    assert journals.imported(process_environment, file) == [lines, 0, recorded + known_before, 0]


def test_a_batch_is_short_and_memory_does_not_grow_with_the_file(log: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    insert = imports._insert

    def counted(records: list[Any], journal: int) -> None:
        seen.append(len(records))
        insert(records, journal)

    monkeypatch.setattr(imports, "_insert", counted)
    import_log(log(*[LIMITED.replace(":28", f":{number % 60:02d}") for number in range(6_000)]))
    assert sum(seen) == 6_000
    assert max(seen) <= imports.BATCH + 1


# Uploads and their worker


def uploaded(text: str = LIMITED, *, name: str = "miner.log", year: int | None = 2025, zone: str = "UTC") -> JournalImport:
    file = TemporaryUploadedFile(name, "text/plain", len(text), None)
    file.write(text.encode())
    file.flush()
    return imports.keep(file, by="ann", year=year, zone=zone)


def test_an_upload_that_the_disk_refuses_fails_and_leaves_no_file(tmp_path: Path, settings: Any) -> None:
    with small_disk(tmp_path / "disk", 1) as folder:
        settings.DATA_DIR = folder
        row = uploaded("x" * 2_000_000)
        assert not [path for path in folder.rglob("*") if path.is_file()]
    assert (row.state, "No space left on device" in row.fault) == (State.FAILED, True)
    assert in_queue() == []


def in_queue() -> list[tuple[Any, ...]]:
    return [task.task["args"] for task in OrmQ.objects.order_by("id")]


def test_an_upload_waits_for_its_job_and_is_imported_once() -> None:
    row = uploaded()
    assert (row.state, row.requested_by, len(in_queue())) == ("queued", "ann", 1)
    assert [work(row), work(row)] == [True, False]
    assert (row.state, row.recorded) == ("succeeded", 1)
    assert LogEntry.objects.get().at.year == 2025
    assert [path.name for path in imports._folder().iterdir()] == []


def test_uploads_are_imported_one_at_a_time() -> None:
    first, second = uploaded(), uploaded(TIMEOUT)
    JournalImport.objects.filter(pk=first.pk).update(state=State.RUNNING, lease_until=timezone.now() + timedelta(minutes=1))
    assert not work(second)
    JournalImport.objects.filter(pk=first.pk).update(state=State.SUCCEEDED)
    assert work(second)


def test_an_import_whose_worker_died_is_taken_up_again_from_the_start() -> None:
    row = uploaded(LIMITED + TIMEOUT)
    JournalImport.objects.update(state=State.RUNNING, tries=1, lease_until=timezone.now())
    leased_job.dispatch(timezone.now())
    assert work(row)
    assert (row.state, row.recorded, row.known_before) == ("succeeded", 2, 0)


def test_while_the_database_is_away_the_file_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    row = uploaded()

    def refuse(*_: Any) -> None:
        raise OperationalError("locked")

    with monkeypatch.context() as patched:
        patched.setattr(imports, "import_file", refuse)
        assert not work(row)
    imports.delete_leftovers()
    leased_job.dispatch(timezone.now() + leased_job.LEASE + timedelta(seconds=1))
    assert work(row)
    assert LogEntry.objects.count() == 1


def test_an_import_without_its_file_fails_with_the_remedy() -> None:
    row = uploaded()
    imports._file(row.pk).unlink()
    assert work(row)
    assert (row.state, row.fault) == ("failed", imports.NO_FILE)


def test_a_command_that_was_killed_is_shown_as_failed() -> None:
    row, _ = leased_job.start_here(JournalImport, name="miner.log")
    leased_job.dispatch(timezone.now() + leased_job.LEASE + timedelta(seconds=1))
    assert work(row)
    assert (row.state, row.fault) == ("failed", imports.NO_FILE)


def test_files_of_imports_that_are_over_are_deleted() -> None:
    over, waiting = uploaded(), uploaded(TIMEOUT)
    JournalImport.objects.filter(pk=over.pk).update(state=State.FAILED)
    imports.delete_leftovers()
    assert [path.name for path in imports._folder().iterdir()] == [f"{waiting.pk}.log"]


def test_an_ordinary_journal_is_parsed_to_the_last_line(tmp_path: Path) -> None:
    journals.write(tmp_path / "miner.log", 100_000, 0.15)
    assert ", 0 not parsed." in import_log(tmp_path / "miner.log")
    assert set(LogEntry.objects.values_list("kind", flat=True)) == set(Kind) - {Kind.ORDINARY}
