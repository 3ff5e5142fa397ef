"""A full disk: every step is answered, what is lost is counted, and nothing is left behind when space returns."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.tests.disks import fill_up, small_disk
from minerpanel.tests.processes import Miner, answered, post_at_once, step_body, wait_until

pytestmark = pytest.mark.slow

# The database as it begins takes 2 MB, its write-ahead log 4 MB. With less than 10 MB free no details are recorded.
MEGABYTES = 40


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", MEGABYTES) as folder:
        yield folder


def test_steps_are_answered_on_a_full_disk_and_lost_records_are_counted(
    disk: Path, make_environment: Callable[[Path], dict[str, str]]
) -> None:
    with Miner.running(make_environment(disk)) as miner:
        miner.manage("miner_settings", "free_disk_mb=10", "agent_mode=template")
        url, spool = miner.web(), disk / "spool"
        sent = post(url, 0)
        filler = fill_up(disk)
        while sent < 60:  # the write-ahead log has room for some
            sent += post(url, sent)
        assert not list(spool.rglob("*.part"))
        filler.unlink()
        wait_until(lambda: recorded(miner) + lost(spool) == sent, f"of {sent} steps some are neither on record nor counted as lost")
        assert lost(spool) > 0
        assert not [path for pattern in ("*.json", "*.part", "*.bad") for path in spool.rglob(pattern)]
        wait_until(
            lambda: (
                post(url, 1_000)
                and miner.rows(
                    "SELECT 1 FROM agents_step WHERE page_excerpt <> '' AND task_id IN (SELECT id FROM agents_task WHERE key >= 'task-1000')"
                )
            ),
            "no details are recorded again",
        )
        assert miner.rows("SELECT count(*) FROM agents_step WHERE answered_at IS NULL OR answered_at > deadline_at") == [(0,)]


def post(url: str, first: int) -> int:
    """Four steps at once; all are answered."""
    for _, answer in post_at_once([url], [step_body(first + number) for number in range(4)]):
        answered(answer)
    return 4


def recorded(miner: Miner) -> int:
    return int(miner.rows("SELECT count(*) FROM agents_step")[0][0])


def lost(spool: Path) -> int:
    """As Health and Retention show it."""
    file = spool / "lost"
    return sum(map(int, file.read_text().split())) if file.exists() else 0


def test_a_backup_and_a_restore_that_find_no_room_leave_everything_as_it_was(
    disk: Path, make_environment: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    with Miner.running(make_environment(disk)) as miner:
        miner.manage("backup", str(tmp_path / "before.sqlite3"))
        fill_up(disk)
        before = sorted(path.name for path in disk.iterdir())
        for command in (("backup", str(disk / "full.sqlite3")), ("restore", str(tmp_path / "before.sqlite3"), "--force")):
            with pytest.raises(subprocess.CalledProcessError):
                miner.manage(*command)
        assert {path.name for path in disk.iterdir()} - set(before) <= {"panel.sqlite3-wal", "panel.sqlite3-shm"}
        assert miner.rows("SELECT count(*) FROM django_migrations")[0][0] > 10
