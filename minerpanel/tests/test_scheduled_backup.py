"""The scheduled backup: a whole database, as many kept as wanted, shown on Health."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from agents.models import SystemSchedule
from agents.operator_jobs import leased_job
from agents.tests.queue_of_jobs import work
from agents.worker import schedules
from minerpanel.schedules import schedules as all_schedules
from monitoring import jobs
from monitoring.health import health_checks
from monitoring.health.health_checks import Checked
from monitoring.models import HealthState

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where backups go, each day, two of them kept."""
    settings.BACKUP_FOLDER, settings.BACKUP_KEEP, settings.SCHEDULES = tmp_path / "backups", 2, all_schedules("17 4 * * *")
    settings.BACKUP_FOLDER.mkdir()
    return tmp_path / "backups"


def take() -> SystemSchedule:
    """Its time has come: a worker takes it."""
    schedules.ensure()
    schedules.start_now(health_checks.BACKUP)
    leased_job.dispatch(timezone.now())
    row = SystemSchedule.objects.get(name=health_checks.BACKUP)
    assert work(row)
    return row


def seen() -> Checked | None:
    return health_checks._backup(timezone.now())


def checked() -> Checked:
    result = seen()
    assert result
    return result


def test_without_a_cron_no_backup_is_scheduled_or_shown_on_health(settings: Any) -> None:
    settings.SCHEDULES = all_schedules("")
    schedules.ensure()
    assert not SystemSchedule.objects.filter(name=health_checks.BACKUP).exists()
    assert seen() is None


def test_another_cron_counts_from_the_next_start_and_no_cron_ends_it(settings: Any) -> None:
    schedules.ensure()
    row = SystemSchedule.objects.get(name=health_checks.BACKUP)
    assert row.due_at and f"{row.due_at:%H:%M}" == "04:17"
    assert checked().message.startswith("None was taken yet; due at ")
    settings.SCHEDULES = all_schedules("30 5 * * *")
    schedules.ensure()
    row.refresh_from_db()
    assert row.due_at and f"{row.due_at:%H:%M}" == "05:30"
    settings.SCHEDULES = all_schedules("")
    schedules.ensure()
    assert seen() is None


def test_it_is_a_whole_database_and_only_the_newest_are_kept(folder: Path) -> None:
    for day in ("01", "02"):
        (folder / f"minerpanel-202501{day}T000000Z.sqlite3").touch()
    row = take()
    names = sorted(path.name for path in folder.iterdir())
    assert names[0] == "minerpanel-20250102T000000Z.sqlite3" and len(names) == 2
    with closing(sqlite3.connect(folder / names[1])) as database:
        assert database.execute("SELECT count(*) FROM django_migrations").fetchone() > (10,)
    assert (names[1] in row.result, "1 older ones deleted" in row.result, row.fault) == (True, True, "")
    assert checked().state == HealthState.UP


def test_a_killed_backups_file_is_deleted_by_the_next_but_not_an_active_ones(folder: Path) -> None:
    lost, writing = (folder / f"minerpanel-20250{month}01T000000Z.sqlite3.part" for month in (1, 2))
    for path in (lost, writing):
        path.write_bytes(b"half")
    long_ago = time.time() - jobs.LOST_AFTER.total_seconds() - 60
    os.utime(lost, (long_ago, long_ago))
    take()
    assert list(folder.glob("*.part")) == [writing]


def test_one_that_fails_is_shown_with_its_cause_until_the_next(folder: Path) -> None:
    folder.rmdir()
    folder.touch()
    assert str(folder) in take().fault
    result = checked()
    assert (result.state, str(folder) in result.message) == (HealthState.DOWN, True)
    folder.unlink()
    assert take().fault == ""
    assert checked().state == HealthState.UP
