"""Stored bytes stay within their budgets: the oldest details are deleted first, facts last; with little disk space only facts are kept."""

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from agents import database
from agents.configuration import change
from agents.contract.protocol import parse
from agents.hybrid import page_archive, runner
from agents.hybrid.disk import MEGABYTE
from agents.models import LLMAttempt, Settings, Source, Step, StepPage, Submission, Task
from monitoring.jobs import keep_to_budgets
from monitoring.logs import log_handler
from monitoring.models import LogEntry, Notice, StoredBytes
from monitoring.notifications import detection
from monitoring.reporting import search
from monitoring.reporting.search import INDEXES
from monitoring.retention import pruning, storage
from monitoring.tests.reading import text_of
from monitoring.tests.records import NOW, make_attempt, make_open_step, make_step, make_task

pytestmark = [pytest.mark.django_db, pytest.mark.long]


@pytest.fixture(autouse=True)
def no_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BREAK_SECONDS", 0.0)
    monkeypatch.setattr(search, "BREAK_SECONDS", 0.0)


@pytest.fixture
def ten_ids_a_range(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, logs = replace(storage.STEPS, ids=10), replace(storage.LOGS, ids=100)
    monkeypatch.setattr(storage, "STEPS", steps)
    monkeypatch.setattr(storage, "LOGS", logs)
    monkeypatch.setattr(storage, "KEEP_SECONDS", 300.0)  # a busy machine gets as far as an idle one


def budgets(**megabytes: int) -> None:
    change(megabytes, by=None, reason="")


def make_flood(count: int) -> list[Step]:
    """Steps with texts of the maximum length: about 70 kB each by the estimate, 12 kB of it details."""
    steps = []
    for number in range(count):
        task = make_task(prompt=f"{number} {'prompt ' * 2_000}")
        steps.append(
            make_step(task, page_excerpt="x" * 4_000, fault="f" * 4_000, url=f"http://a/{'u' * 2_000}", at=NOW + timedelta(seconds=number))
        )
        make_attempt(steps[-1], reply="r" * 4_000)
    return steps


def keep() -> dict[str, int]:
    return storage.keep(time.monotonic())


def live_bytes() -> int:
    """Of SQLite's file, without its free pages."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
        )
        return int(cursor.fetchone()[0])


def test_the_estimate_is_one_to_three_times_the_size_in_sqlite() -> None:
    search.fill(until=time.monotonic() + 60)
    before = live_bytes() if connection.vendor == "sqlite" else 0
    make_flood(60)
    lines = (f"Step {number} was answered by the template in {number} ms." for number in range(500))
    LogEntry.objects.bulk_create(LogEntry(at=NOW, level=30, logger="a", message=line) for line in lines)
    search.fill(until=time.monotonic() + 60)
    assert storage.measure(time.monotonic() + 60)
    estimate = storage.STEPS.used() + storage.LOGS.used()
    assert estimate > 60 * 30_000
    if connection.vendor == "sqlite":
        taken = live_bytes() - before
        assert taken < estimate < 3 * taken


@pytest.mark.usefixtures("ten_ids_a_range")
def test_each_range_is_summed_once_and_the_newest_two_again(django_assert_num_queries: Any) -> None:
    make_flood(35)
    assert storage.measure(time.monotonic() + 60)
    ranges = list(storage.STEPS.ranges().values_list("from_id", flat=True))
    assert len(ranges) >= 4
    Step.objects.filter(pk__lt=ranges[-2]).update(page_excerpt="")  # in an old range this is not noticed …
    Step.objects.filter(pk__gte=ranges[-2]).update(page_excerpt="")  # … but in the newest ones, whose steps were open
    before = {row.from_id: row.details for row in storage.STEPS.ranges()}
    assert storage.measure(time.monotonic() + 60)
    after = {row.from_id: row.details for row in storage.STEPS.ranges()}
    assert [from_id for from_id in ranges if before[from_id] != after[from_id]] == ranges[-2:]


@pytest.mark.usefixtures("ten_ids_a_range")
def test_measuring_stops_in_time_and_the_next_round_goes_on() -> None:
    make_flood(35)
    assert not storage.measure(time.monotonic() - 1)
    assert storage.STEPS.ranges().count() == 1
    assert not storage.measure(time.monotonic() - 1)
    for _ in range(5):
        storage.measure(time.monotonic() - 1)
    assert storage.STEPS.ranges().count() >= 2
    assert storage.measure(time.monotonic() + 60)


@pytest.mark.usefixtures("ten_ids_a_range")
def test_ranges_go_with_their_rows() -> None:
    make_flood(25)
    storage.measure(time.monotonic() + 60)
    Step.objects.filter(pk__in=list(Step.objects.order_by("pk").values_list("pk", flat=True)[:15])).delete()
    storage.measure(time.monotonic() + 60)
    first = Step.objects.order_by("pk").first()
    assert first and storage.STEPS.ranges().first().from_id == first.pk // 10 * 10  # type: ignore[union-attr]
    Step.objects.all().delete()
    storage.measure(time.monotonic() + 60)
    assert not StoredBytes.objects.filter(table="steps").exists()


@pytest.mark.usefixtures("ten_ids_a_range")
def test_details_of_the_oldest_go_before_any_step_does(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = make_flood(60)
    storage.measure(time.monotonic() + 60)
    details = sum(row.details for row in storage.STEPS.ranges())
    monkeypatch.setattr(storage, "MEGABYTE", 1_000)  # so that budgets can be given in kilobytes
    budgets(records_mb=(storage.STEPS.used() - details // 2) // 1_000)
    kept = keep()
    assert (kept["steps"], Step.objects.count()) == (0, 60)
    excerpts = [bool(excerpt) for excerpt in Step.objects.order_by("pk").values_list("page_excerpt", flat=True)]
    assert excerpts == sorted(excerpts), "the oldest first"
    assert set(excerpts) == {False, True}
    oldest = Step.objects.get(pk=steps[0].pk)
    assert (oldest.page_excerpt, oldest.fault, oldest.route, oldest.attempts.get().reply) == ("", "", steps[0].route, "")
    assert storage.STEPS.used() <= Settings.current().records_mb * 1_000


@pytest.mark.usefixtures("ten_ids_a_range")
def test_a_flood_stays_within_small_budgets_and_the_newest_steps_are_there() -> None:
    budgets(records_mb=2, logs_mb=1)
    for _ in range(2):
        steps = make_flood(40)
        lines = (f"{number} {'word ' * 60}" for number in range(1_000))
        LogEntry.objects.bulk_create(LogEntry(at=NOW, level=30, logger="a", message=line) for line in lines)
        keep()
        assert storage.STEPS.used() <= 2 * MEGABYTE
        assert storage.LOGS.used() <= 1 * MEGABYTE
    assert Step.objects.filter(pk=steps[-1].pk).exists()
    assert 10 < Step.objects.count() < 80
    assert Task.objects.count() == Step.objects.count(), "a task goes with its last step"
    newest = LogEntry.objects.order_by("-pk").first()
    assert newest and newest.message.startswith("999 ")


@pytest.mark.usefixtures("ten_ids_a_range")
def test_open_rows_are_kept_however_small_the_budget() -> None:
    open_step = make_open_step()
    waiting = make_task(prompt="waits")
    Submission.objects.create(task=waiting, requested_by="ada", state="queued", enqueued_at=NOW)
    make_flood(60)
    budgets(records_mb=1)
    assert keep()["steps"] > 0
    assert Step.objects.filter(pk=open_step.pk).exists()
    assert Task.objects.filter(pk__in=[open_step.task_id, waiting.pk]).count() == 2


def test_within_the_budgets_no_row_is_deleted() -> None:
    make_flood(5)
    assert not any(keep().values())
    assert LLMAttempt.objects.exclude(reply="").count() == 5


def make_page(step: Step, size: int) -> StepPage:
    return StepPage.objects.create(step=step, gz=os.urandom(size), kept_until=NOW + timedelta(days=7))


def test_the_archive_keeps_the_newest_pages_within_its_budget() -> None:
    pages = [make_page(make_step(), 100_000) for _ in range(30)]
    assert page_archive.used() == 30 * (100_000 + page_archive.ROW_BYTES)
    assert page_archive.keep_to(1 * MEGABYTE) == 22, "a tenth of the budget is left for the next pages"
    assert list(StepPage.objects.order_by("pk").values_list("pk", flat=True)) == [page.pk for page in pages[22:]]
    assert page_archive.keep_to(1 * MEGABYTE) == 0


def test_one_transaction_frees_few_pages_however_many_are_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_archive, "MOST_FREED", 300_000)
    monkeypatch.setattr(page_archive, "MOST_TRANSACTIONS", 4)
    for _ in range(30):
        make_page(make_step(), 100_000)
    assert page_archive.keep_to(1 * MEGABYTE) == 4 * 2


@pytest.fixture
def little_space(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The disk space that a test sets; nearly full at first."""
    disk = SimpleNamespace(free=100 * MEGABYTE, total=100_000 * MEGABYTE)
    monkeypatch.setattr("shutil.disk_usage", lambda _: disk)
    return disk


def answered() -> Step:
    body = b'{"task_id": "1", "prompt": "Click Buy", "url": "http://a.test/", "snapshot_html": "<title>Shop</title><button>Buy</button>"}'
    runner.answer(parse("/step", body), source=Source.VALIDATOR, caller="203.0.113.7")
    page_archive.waiting.join()
    return Step.objects.latest("pk")


@pytest.mark.django_db(transaction=True)
def test_a_full_archive_takes_no_page_until_the_worker_has_made_room() -> None:
    budgets(pages_mb=1)
    for _ in range(10):
        make_page(make_step(), 98_000)
    step = answered()
    assert (step.route, "Shop" in step.page_excerpt) == ("template", True)
    assert not StepPage.objects.filter(step=step).exists()
    assert keep()["pages"] == 1
    assert StepPage.objects.filter(step=answered()).exists()


def test_pages_that_came_together_are_kept_as_far_as_they_fit() -> None:
    gzs = {pk: bytes(100_000) for pk in range(5)} | {5: bytes(page_archive.MAX_GZ + 1), 6: b"small"}
    assert list(page_archive.within(2 * (100_000 + page_archive.ROW_BYTES), gzs)) == [0, 1]
    assert list(page_archive.within(250_000, gzs)) == [0, 1, 6]


@pytest.mark.django_db(transaction=True)
def test_the_worker_deletes_pages_however_long_answers_would_wait_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ANSWERING_PATIENCE", 0.0)
    make_page(make_step(), 100_000)
    with database._queue:
        assert page_archive.keep_to(0) == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="Postgres bounds its write-ahead log itself")
@pytest.mark.django_db(transaction=True)
def test_a_write_ahead_log_that_readers_made_long_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Path(f"{connection.settings_dict['NAME']}-wal")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM agents_step").fetchone()
        for _ in range(10):
            make_page(make_step(), 200_000)
        reader.rollback()
    keep_to_budgets(NOW)
    assert log.stat().st_size > 1 * MEGABYTE, "a short one is left alone"
    monkeypatch.setattr(database, "LONG_LOG", 100)
    keep_to_budgets(NOW)
    assert log.stat().st_size == 0


@pytest.mark.django_db(transaction=True)
def test_with_little_space_facts_are_recorded_without_details_until_space_returns(little_space: Any) -> None:
    step = answered()
    assert (step.route, step.page_excerpt, step.actions != []) == ("template", "", True)
    assert not StepPage.objects.exists()
    little_space.free = 50_000 * MEGABYTE
    step = answered()
    assert "Shop" in step.page_excerpt
    assert StepPage.objects.get().step_id == step.pk


def test_with_little_space_info_records_are_dropped_and_indexing_stops(little_space: Any) -> None:
    change({"keep_info_logs": True}, by=None, reason="")
    assert not log_handler.keeps_info()
    make_task(prompt="number 1")
    search.fill(until=time.monotonic() + 60)
    assert sum(search.unindexed(index) for index in INDEXES) == (1 if connection.vendor == "sqlite" else 0)
    little_space.free = 50_000 * MEGABYTE
    assert log_handler.keeps_info()
    search.fill(until=time.monotonic() + 60)
    assert sum(search.unindexed(index) for index in INDEXES) == 0


def events() -> list[str]:
    return [
        notice.event
        for notice in Notice.objects.order_by("pk")
        if notice.event in ("disk_low", "disk_back", "budget_exceeded", "facts_lost")
    ]


def test_little_space_is_notified_once_and_its_end_too(little_space: Any) -> None:
    detection.notice(NOW)
    detection.notice(NOW + timedelta(seconds=5))
    little_space.free = 50_000 * MEGABYTE
    detection.notice(NOW + timedelta(seconds=10))
    assert events() == ["disk_low", "disk_back"]


def test_a_budget_that_deleting_does_not_keep_to_is_notified() -> None:
    StoredBytes.objects.create(table="steps", from_id=0, facts=5_000 * MEGABYTE + 1)
    detection.notice(NOW)
    notice = Notice.objects.get(event="budget_exceeded")
    assert (notice.title, notice.body[:24]) == ("Over its budget: Records", "5,000 MB of 4,000 MB. Mo")
    StoredBytes.objects.all().delete()
    detection.notice(NOW + timedelta(seconds=5))
    notice.refresh_from_db()
    assert notice.over_at is not None


def test_lost_facts_are_notified_with_their_number(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "lost").write_text("900\n25\n")
    detection.notice(timezone.now())
    assert "the facts of 925 steps are lost" in Notice.objects.get(event="facts_lost").body
    detection.notice(timezone.now() + timedelta(hours=2))
    assert events() == ["facts_lost"]


def test_the_page_shows_the_use_and_an_admin_changes_a_budget(admin: Client, viewer: Client) -> None:
    make_flood(30)
    storage.measure(time.monotonic() + 60)
    for client in (admin, viewer):
        text = text_of(client.get("/settings/retention/"))
        assert "of 4,000 MB (0 %)" in text
        assert "Used now: about 0 MB of 500 MB" in text
        assert "Free now:" in text
    posted = {
        "storage-records_mb": "1",
        "storage-pages_mb": "100",
        "storage-logs_mb": "50",
        "storage-free_disk_mb": "700",
        "part": "storage",
    }
    text = text_of(admin.post("/settings/retention/", {**posted, "storage-reason": "Small disk"}, follow=True))
    assert "Saved. It takes effect within a minute." in text
    assert "more is stored than deleted" in text
    row = Settings.current()
    assert (row.records_mb, row.pages_mb, row.logs_mb, row.free_disk_mb) == (1, 100, 50, 700)
    assert "Page archive 500 MB → 100 MB" in text_of(admin.get("/settings/"))
    assert "greater than or equal to 10" in text_of(admin.post("/settings/retention/", {**posted, "storage-free_disk_mb": "9"}))
    assert viewer.post("/settings/retention/", posted).status_code == 403
