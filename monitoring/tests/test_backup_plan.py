"""The backup by the plan: taken when its time has come, kept as many as wanted, told on Backups, Health and Audit."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from agents.models import AuditEntry
from monitoring import jobs
from monitoring.backup import files, plan
from monitoring.health import looks
from monitoring.models import BackupPlan, HealthState
from monitoring.tests.reading import text_of, tree_of

pytestmark = pytest.mark.django_db

PAGE = "/settings/backups/"


def posted(folder: Path | str, **more: Any) -> dict[str, Any]:
    return {"enabled": "on", "cron": "17 4 * * *", "folder": str(folder), "keep": 2, **more}


def set_plan(folder: Path, **more: Any) -> None:
    values = {"enabled": True, "cron": "* * * * *", "folder": str(folder), "keep": 2, **more}
    plan.change(values, by="ann", now=timezone.now() - timedelta(minutes=2))


def take(after: timedelta = timedelta()) -> bool:
    """A worker's part: it asks what is due, and carries out the job that it finds in the queue."""
    assert plan.ask_if_due(timezone.now() + after)
    job = OrmQ.objects.get()
    job.delete()
    return jobs.back_up(*job.task["args"])


def seen() -> list[Any]:
    return looks._backup(timezone.now())


def test_without_a_plan_nothing_is_backed_up_and_nothing_is_said_on_health() -> None:
    assert not plan.ask_if_due(timezone.now() + timedelta(days=30))
    assert seen() == []


def test_a_due_backup_is_queued_once_however_many_look_and_the_next_when_it_is_over(tmp_path: Path) -> None:
    set_plan(tmp_path)
    now, later = timezone.now(), timezone.now() + timedelta(minutes=1, seconds=1)
    assert [plan.ask_if_due(now) for _ in range(3)] == [True, False, False]
    assert OrmQ.objects.count() == 1
    assert (seen()[0].state, "Began" in seen()[0].message) == (HealthState.UP, True)
    assert not plan.ask_if_due(later)
    assert jobs.back_up(*OrmQ.objects.get().task["args"])
    assert plan.ask_if_due(later)


def test_the_next_is_not_kept_back_by_one_whose_worker_died(tmp_path: Path) -> None:
    set_plan(tmp_path)
    assert plan.ask_if_due(timezone.now())
    assert plan.ask_if_due(timezone.now() + plan.LOST_AFTER + timedelta(minutes=1))


def test_it_is_a_whole_database_and_only_the_newest_are_kept(tmp_path: Path) -> None:
    for day in ("01", "02"):
        (tmp_path / f"minerpanel-202501{day}T000000Z.sqlite3").touch()
    set_plan(tmp_path)
    assert take()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[0] == "minerpanel-20250102T000000Z.sqlite3" and len(names) == 2
    with closing(sqlite3.connect(tmp_path / names[1])) as database:
        assert database.execute("SELECT count(*) FROM django_migrations").fetchone() > (40,)
    row = BackupPlan.objects.get()
    assert (row.file, row.fault) == (str(tmp_path / names[1]), "")
    assert row.size_bytes == (tmp_path / names[1]).stat().st_size
    assert seen()[0].state == HealthState.UP
    entry = AuditEntry.objects.get(action="backup", by="")
    assert names[1] in entry.detail and "1 older ones deleted" in entry.detail


def test_what_a_killed_one_left_half_is_deleted_by_the_next_but_not_what_another_is_writing(tmp_path: Path) -> None:
    lost, writing = (tmp_path / f"minerpanel-20250{month}01T000000Z.sqlite3.part" for month in (1, 2))
    for path in (lost, writing):
        path.write_bytes(b"half")
    long_ago = time.time() - plan.LOST_AFTER.total_seconds() - 60
    os.utime(lost, (long_ago, long_ago))
    set_plan(tmp_path)
    assert take()
    assert list(tmp_path.glob("*.part")) == [writing]


def test_one_that_fails_is_told_with_its_cause(tmp_path: Path, admin: Client) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    set_plan(gone)
    gone.rmdir()
    gone.touch()
    assert not take()
    (look,) = seen()
    assert (look.state, str(gone) in look.message) == (HealthState.DOWN, True)
    assert "It failed" in AuditEntry.objects.get(action="backup", by="").detail
    assert "The last backup failed" in text_of(admin.get(PAGE))
    gone.unlink()
    assert take(timedelta(minutes=1, seconds=1))
    assert seen()[0].state == HealthState.UP


def test_one_whose_worker_died_is_told_as_lost(tmp_path: Path, admin: Client) -> None:
    set_plan(tmp_path)
    BackupPlan.objects.update(started_at=timezone.now() - timedelta(hours=1))
    assert seen()[0].state == HealthState.DOWN
    assert "did not end" in text_of(admin.get(PAGE))


def test_an_admin_sets_the_plan_and_that_is_on_record(tmp_path: Path, admin: Client) -> None:
    assert "It is off" in text_of(admin.get(PAGE))
    assert admin.post(PAGE, posted(tmp_path, keep=3))["Location"] == PAGE
    row = BackupPlan.objects.get()
    assert (row.enabled, row.folder, row.keep) == (True, str(tmp_path), 3)
    assert row.next_run_at is not None and row.next_run_at > timezone.now()
    assert "keep 7 → 3" in AuditEntry.objects.get(action="backup").detail
    assert "The next one is due" in text_of(admin.get(PAGE))
    assert "keep 7 → 3" in text_of(admin.get("/audit/"))
    admin.post(PAGE, {**posted(tmp_path, keep=3), "enabled": ""})
    assert BackupPlan.objects.get().next_run_at is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"folder": "backups"}, "write the whole path"),
        ({"folder": "/nowhere/at/all"}, "/nowhere/at/all is not there or can't be written to"),
        ({"cron": "daily"}, "five fields are wanted"),
        ({"keep": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_bad_value_is_named_and_nothing_changes(change: dict[str, str], said: str, admin: Client, tmp_path: Path) -> None:
    assert said in text_of(admin.post(PAGE, {**posted(tmp_path), **change}))
    assert not BackupPlan.objects.filter(enabled=True).exists()


def test_the_files_in_the_folder_are_listed_with_their_times(admin: Client, tmp_path: Path) -> None:
    set_plan(tmp_path)
    (tmp_path / "minerpanel-20250102T030405Z.sqlite3").write_bytes(b"x" * 2048)
    page = text_of(admin.get(PAGE))
    assert "minerpanel-20250102T030405Z.sqlite3" in page and "2.0" in page


def test_one_under_way_says_how_much_is_written_and_is_looked_at_again(admin: Client, tmp_path: Path) -> None:
    set_plan(tmp_path)
    status = "//*[@id='backup-status']"
    assert not tree_of(admin.get(PAGE)).xpath(f"{status}/@hx-get")
    BackupPlan.objects.update(started_at=timezone.now(), ended_at=None)
    (tmp_path / "minerpanel-20250102T030405Z.sqlite3.part").write_bytes(b"x" * 2048)
    page = admin.get(PAGE)
    assert "2.0 KB so far" in text_of(page, status)
    assert tree_of(page).xpath(f"{status}/@hx-get") == [PAGE]


def test_one_that_waits_is_cancelled_at_once_and_never_taken(admin: Client, tmp_path: Path) -> None:
    set_plan(tmp_path)
    plan.ask_if_due(timezone.now())
    page = admin.get(PAGE)
    (button,) = tree_of(page).xpath("//*[@id='backup-status']//button[@form='cancel']")
    assert button.text_content() == "Cancel"
    (form,) = tree_of(page).xpath("//form[@id='cancel']")
    page = admin.post(form.get("action"), follow=True)
    assert "The last backup was cancelled" in text_of(page) and "by one-of-admins. Nothing of it is left." in text_of(page)
    assert not tree_of(page).xpath("//button[@form='cancel'] | //*[@id='backup-status']/@hx-get")
    assert not jobs.back_up(*OrmQ.objects.get().task["args"])
    assert list(tmp_path.iterdir()) == []
    assert "over already" in text_of(admin.post(f"{PAGE}cancel/", follow=True))


def test_one_that_is_taken_stops_when_it_is_cancelled_and_leaves_nothing(
    admin: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cancel_at_the_first_look(monkeypatch, admin)
    set_plan(tmp_path)
    assert not take()
    assert list(tmp_path.iterdir()) == []
    row = BackupPlan.objects.get()
    assert (row.cancelled_by, row.fault, row.file) == ("one-of-admins", "", "")
    assert row.ended_at is not None
    assert f"Cancelled the backup that began {row.started_at:%Y-%m-%d %H:%M} UTC." in text_of(admin.get("/audit/"))
    assert AuditEntry.objects.get(action="backup", by="one-of-admins").detail.startswith("Cancelled")
    assert not AuditEntry.objects.filter(detail__contains="failed").exists()


def test_a_cancelled_one_raises_no_alarm_and_the_next_is_taken(admin: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_plan(tmp_path)
    assert take()
    (kept,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        cancel_at_the_first_look(patch, admin)
        assert not take(timedelta(minutes=1, seconds=1))
    (look,) = seen()
    assert (look.state, "Cancelled by one-of-admins" in look.message, str(kept) in look.message) == (HealthState.UP, True, True)
    assert list(tmp_path.iterdir()) == [kept]
    assert take(timedelta(minutes=2, seconds=2))
    assert (BackupPlan.objects.get().cancelled_by, len(list(tmp_path.iterdir()))) == ("", 2)


def test_one_that_is_cancelled_as_it_ends_is_gone_too(admin: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write = files.write

    def cancelled_after(*arguments: Any) -> Path:
        path = write(*arguments)
        admin.post(f"{PAGE}cancel/")
        return path

    monkeypatch.setattr(files, "write", cancelled_after)
    for day in ("01", "02"):
        (tmp_path / f"minerpanel-202501{day}T000000Z.sqlite3").touch()
    set_plan(tmp_path)
    assert not take()
    assert len(list(tmp_path.iterdir())) == 2, "the older ones stay"


def cancel_at_the_first_look(monkeypatch: pytest.MonkeyPatch, admin: Client) -> None:
    """SQLite is in the middle of its copy when the button is pressed."""
    look = plan._Looking._look
    presses: list[int] = []

    def pressed(looking: plan._Looking) -> bool:
        if not presses:
            presses.append(admin.post(f"{PAGE}cancel/").status_code)
        return look(looking)

    monkeypatch.setattr(plan._Looking, "_look", pressed)
    monkeypatch.setattr(plan, "LOOK_SECONDS", 0.0)
