"""A backup is cancelled in the middle, in a real browser, with real workers, on both databases."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from conftest import missing
from minerpanel.tests.processes import PATIENCE, Miner, wait_until
from minerpanel.tests.visitors import MAKE_USERS, Panel, Visitor, running_panel
from monitoring.backup import postgres
from monitoring.backup.errors import Cancelled

pytestmark = [pytest.mark.slow, pytest.mark.browser]

Hold = Callable[[Miner, Path], AbstractContextManager[None]]
PLAN = """
from datetime import timedelta
from django.utils import timezone
from monitoring.backup import plan
plan.change({{"enabled": True, "cron": "0 0 1 1 *", "folder": "{folder}", "keep": 2}}, by="ann", now=timezone.now())
"""
DUE = "UPDATE monitoring_backupplan SET next_run_at = '2026-01-01 00:00:00'"
STATE = "SELECT cancelled_by, fault, file, ended_at IS NULL FROM monitoring_backupplan"
# Some 200 MB, so that there is a middle.
FILLER = (
    "CREATE TABLE filler AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000) SELECT randomblob(10000) FROM n"
)


@contextmanager
def held_on_postgres(miner: Miner, folder: Path) -> Iterator[None]:
    """A table that pg_dump waits for."""
    with psycopg.connect(miner.environment["DATABASE_URL"]) as database:
        database.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        miner.execute(DUE)
        wait_until(lambda: dumps(miner, "wait_event_type = 'Lock'"), "pg_dump does not wait for the table")
        assert parts(folder)
        yield
        wait_until(lambda: not dumps(miner, "true"), "pg_dump goes on")


def dumps(miner: Miner, condition: str) -> int:
    ((count,),) = miner.rows(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump' AND {condition}")
    return int(count)


@contextmanager
def held_on_sqlite(miner: Miner, folder: Path) -> Iterator[None]:
    """The worker's process stands still while it copies."""
    process = 0
    while not process:  # or it was done before anybody looked
        miner.execute(f"{DUE}, ended_at = '2026-01-01 00:00:00'")
        process = caught(miner, folder)
    yield
    os.kill(process, signal.SIGCONT)


def caught(miner: Miner, folder: Path) -> int:
    before = len(list(folder.glob("*.sqlite3")))
    over = time.monotonic() + PATIENCE
    while len(list(folder.glob("*.sqlite3"))) == before:
        assert time.monotonic() < over, "no backup is taken"
        for process in opened(parts(folder)):
            os.kill(process, signal.SIGSTOP)
            if parts(folder):
                return process
            os.kill(process, signal.SIGCONT)
    return 0


def parts(folder: Path) -> list[Path]:
    return list(folder.glob("*.part"))


def opened(files: list[Path]) -> list[int]:
    """The processes that have one of the files open."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*") if files else ():
        with suppress(OSError):
            if link.readlink() in files:
                found.append(int(link.parts[2]))
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def panel(request: pytest.FixtureRequest, make_inhabited: Callable[[Path], dict[str, str]], tmp_path: Path) -> Iterator[tuple[Panel, Hold]]:
    environment = make_inhabited(tmp_path)
    if request.param == "sqlite":
        with running_panel(environment) as running:
            running.miner.execute(FILLER)
            yield running, held_on_sqlite
        return
    if not shutil.which("pg_dump"):
        missing("pg_dump", "Run: sudo apt-get install postgresql-client")
    with running_panel({**environment, "DATABASE_URL": request.getfixturevalue("postgres_url")}) as running:
        running.miner.manage("shell", "--command", MAKE_USERS)
        running.miner.execute("CREATE TABLE held (id integer)")
        yield running, held_on_postgres


def test_an_admin_cancels_a_backup_under_way_and_nothing_of_it_is_left(browser: Browser, panel: tuple[Panel, Hold], tmp_path: Path) -> None:
    running, hold = panel
    folder = tmp_path / "backups"
    folder.mkdir()
    running.miner.manage("shell", "--command", PLAN.format(folder=folder))
    running.miner.worker()
    for with_scripts in (True, False):
        with (
            Visitor.arrived(browser, running.url, running.session("admin"), java_script_enabled=with_scripts) as visitor,
            hold(running.miner, folder),
        ):
            before = set(folder.glob("*.sqlite3"))
            page = visitor.page
            page.goto(f"{running.url}/settings/backups/")
            expect(page.get_by_role("main")).to_contain_text("A backup is being taken")
            page.get_by_role("button", name="Cancel the backup").click()
            expect(page.get_by_role("main")).to_contain_text("by admin. Nothing of it is left.")
            expect(page.get_by_role("button", name="Cancel the backup")).to_have_count(0)
            assert visitor.faults == []
        wait_until(lambda: not parts(folder), "the half file stays")
        assert set(folder.iterdir()) == before
        ((by, fault, _, is_open),) = running.miner.rows(STATE)
        assert (by, fault, bool(is_open)) == ("admin", "", False)


@pytest.mark.parametrize("heard", ["exec sleep 600", "trap '' TERM; while :; do sleep 0.1; done"])
def test_a_program_that_is_cancelled_is_told_to_end_and_killed_if_it_does_not(
    heard: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(postgres, "PATIENCE", 0.5)
    mark = tmp_path / "started"
    with pytest.raises(Cancelled):
        postgres._ended(["sh", "-c", f"echo $$ > {mark}.new; mv {mark}.new {mark}; {heard}"], mark.exists)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
