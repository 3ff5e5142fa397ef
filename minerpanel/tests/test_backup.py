"""Backups are made while a miner runs, and restored, on both databases."""

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from conftest import missing
from minerpanel.tests.processes import PATIENCE, ROOT, Miner, step_body, wait_until

KEYS = "SELECT key FROM agents_task"
# One process for several commands, since its start takes longer than they do
IN_TURN = """
from django.core.management import CommandError, call_command
for arguments in {}:
    try:
        call_command(*arguments)
    except CommandError as error:
        print("Refused:", error)
"""


SLOW_ON_POSTGRES = pytest.mark.parametrize(
    "miner", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])], indirect=True
)


@pytest.fixture
def miner(request: pytest.FixtureRequest, process_environment: dict[str, str]) -> Iterator[Miner]:
    if request.param == "sqlite":
        with Miner.running(process_environment) as running:
            yield running
        return
    if not shutil.which("pg_dump"):
        missing("pg_dump", "Run: sudo apt-get install postgresql-client")
    with Miner.running({**process_environment, "DATABASE_URL": request.getfixturevalue("postgres_url")}) as running:
        yield running


class Poster:
    """Posts steps one after the other until it is stopped; `acknowledged`: the task ids that were answered so far."""

    def __init__(self, url: str) -> None:
        self.url, self.acknowledged = url, list[str]()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._post)

    def __enter__(self) -> "Poster":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)

    def _post(self) -> None:
        number = 0
        while not self._stop.is_set():
            httpx.post(f"{self.url}/step", json=step_body(number), timeout=PATIENCE).raise_for_status()
            self.acknowledged.append(f"task-{number}")
            number += 1


def in_turn(miner: Miner, *commands: tuple[str, ...]) -> str:
    """The output of management commands in sequence, refusals included."""
    return miner.manage("shell", "--command", IN_TURN.format(commands))


def refused(miner: Miner, *arguments: str) -> str:
    """The message of a management command that fails."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, check=False, cwd=ROOT, env=miner.environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr


def keys(miner: Miner) -> set[str]:
    return {key for (key,) in miner.rows(KEYS)}


def stop(miner: Miner) -> None:
    for process in miner.processes:
        process.terminate()
        process.wait(PATIENCE)


@SLOW_ON_POSTGRES
def test_steps_acknowledged_before_a_backup_are_restored(miner: Miner, tmp_path: Path) -> None:
    with Poster(miner.web()) as poster:
        wait_until(lambda: len(poster.acknowledged) > 5, "no steps are answered")
        before = set(poster.acknowledged)
        result = miner.manage("backup", str(tmp_path))
        count = len(poster.acknowledged)
        wait_until(lambda: len(poster.acknowledged) > count + 5, "no steps are answered any more")
    (file,) = tmp_path.glob("minerpanel-*")
    assert str(file) in result
    assert file.stat().st_mode & 0o777 == 0o600
    later = keys(miner)
    assert "Stop the miner first" in refused(miner, "restore", str(file))
    assert keys(miner) == later
    stop(miner)
    assert "is kept in" in miner.manage("restore", str(file))
    assert before <= keys(miner) < later
    miner.manage("migrate", "--verbosity", "0")
    httpx.post(f"{miner.web()}/step", json=step_body(10_000), timeout=PATIENCE).raise_for_status()
    assert "task-10000" in keys(miner)
    assert later == kept_keys(miner)


def kept_keys(miner: Miner) -> set[str]:
    """The tasks of the database as it was before it was restored."""
    if miner.environment.get("DATABASE_URL"):
        ((schema,),) = miner.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'")
        return {key for (key,) in miner.rows(f"SELECT key FROM {schema}.agents_task")}
    (kept,) = Path(miner.environment["DATA_DIR"]).glob("panel.sqlite3.before-*")
    with closing(sqlite3.connect(kept)) as database:
        return {key for (key,) in database.execute(KEYS)}


@SLOW_ON_POSTGRES
@pytest.mark.slow
def test_by_force_a_running_miner_goes_on_with_the_restored_data(miner: Miner, tmp_path: Path) -> None:
    url, file = miner.web(), str(tmp_path / "a.backup")
    httpx.post(f"{url}/step", json=step_body(1), timeout=PATIENCE).raise_for_status()
    miner.manage("backup", file)
    httpx.post(f"{url}/step", json=step_body(2), timeout=PATIENCE).raise_for_status()
    miner.manage("restore", file, "--force")
    httpx.post(f"{url}/step", json=step_body(3), timeout=PATIENCE).raise_for_status()
    assert keys(miner) == {"task-1", "task-3"}


@SLOW_ON_POSTGRES
@pytest.mark.slow
def test_a_backup_made_after_a_restore_leaves_the_kept_database_out_and_can_be_restored_too(miner: Miner, tmp_path: Path) -> None:
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    result = in_turn(miner, ("backup", first), ("restore", first), ("miner_settings", "spacing_seconds=7"), ("backup", second))
    miner.execute("UPDATE agents_settings SET spacing_seconds = 9")
    time.sleep(1.1)  # what is kept is named by the second
    result += in_turn(miner, ("restore", second), ("miner_settings",))
    assert '"spacing_seconds": 7' in result.rpartition("is kept in")[2]
    assert "Refused" not in result


@SLOW_ON_POSTGRES
def test_only_the_newest_backups_are_kept(miner: Miner, tmp_path: Path) -> None:
    for day in ("01", "02", "03"):
        (tmp_path / f"minerpanel-202501{day}T000000Z.sqlite3").touch()
    (tmp_path / "mine.sqlite3").touch()
    miner.manage("backup", str(tmp_path), "--keep", "2")
    names = sorted(path.name for path in tmp_path.glob("*.sqlite3")) + [path.name for path in tmp_path.glob("*.dump")]
    assert "mine.sqlite3" in names and "minerpanel-20250103T000000Z.sqlite3" in names
    assert "minerpanel-20250102T000000Z.sqlite3" not in names


@SLOW_ON_POSTGRES
def test_an_invalid_backup_is_refused_and_changes_nothing(miner: Miner, tmp_path: Path) -> None:
    good, bad = str(tmp_path / "good"), tmp_path / "bad"
    miner.manage("backup", good)
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("Not a database at all")
    bad.write_bytes((tmp_path / "good").read_bytes()[: (tmp_path / "good").stat().st_size // 2])
    unsound = [("restore", str(tmp_path / name)) for name in ("empty", "text", "bad", "nothing")]
    result = in_turn(miner, *unsound, ("backup", good), ("backup", str(tmp_path / "no" / "folder")), ("miner_settings",))
    assert result.count("Refused: ") == 6
    assert "exists already" in result and "Make it first" in result
    assert '"spacing_seconds": 5' in result


@SLOW_ON_POSTGRES
def test_a_backup_of_another_version_is_refused(miner: Miner, tmp_path: Path) -> None:
    miner.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('agents', '9999_from_the_future', '2026-01-01 00:00:00')")
    miner.manage("backup", str(tmp_path / "newer"))
    assert "agents.9999_from_the_future" in refused(miner, "restore", str(tmp_path / "newer"))
