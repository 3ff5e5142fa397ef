"""What the miner writes is for its user alone, from the start, whatever the umask and the folder were before."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import CheckMessage
from pytest_django.fixtures import Settings

from agents import checks
from agents.common.private_files import looser, tighten

ROOT = Path(__file__).resolve().parents[2]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def run(data: Path, *command: str) -> None:
    """A command of manage.py in a process of its own, started under the usual umask."""
    environment = {**os.environ, "DATA_DIR": str(data), "DATABASE_URL": "", "PANEL_ADMIN_PASSWORD": "Quiet-Harbor-81-Lantern"}
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, umask=0o022, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A data folder that exists already and is open to all, with a database and a page in it that are, too."""
    folder = tmp_path / "data"
    (folder / "spool").mkdir(parents=True)
    for path in (folder / "panel.sqlite3", folder / "panel.sqlite3-wal", folder / "spool" / "1.json"):
        path.touch()
        path.chmod(0o644)
    (folder / "spool").chmod(0o755)
    folder.chmod(0o755)
    return folder


@pytest.mark.process
@pytest.mark.slow
def test_the_first_start_closes_an_open_data_folder_and_all_in_it(shared: Path) -> None:
    run(shared, "setup_panel")
    assert list(looser(shared)) == []
    assert (mode(shared), mode(shared / "spool"), mode(shared / "panel.sqlite3")) == (0o700, 0o700, 0o600)


@pytest.mark.process
def test_files_of_a_command_are_private_without_setup(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    run(folder, "migrate", "agents", "0001", "--verbosity=0", "--skip-checks")
    assert mode(folder / "panel.sqlite3") == 0o600
    assert list(looser(folder)) == [folder]


def open_file_warnings() -> list[CheckMessage]:
    return [message for message in checks.check_settings(None) if message.id == "agents.W005"]


def test_the_check_names_open_files_and_the_remedy(shared: Path, settings: Settings) -> None:
    settings.DATA_DIR, settings.BASE_DIR = shared, shared.parent
    (shared.parent / ".env").touch(0o600)
    (result,) = open_file_warnings()
    assert result.id == "agents.W005"
    assert "panel.sqlite3" in result.msg and ".env" not in result.msg
    assert f"chmod -R go= {shared}" in str(result.hint)
    tighten(shared)
    assert open_file_warnings() == []
    (shared.parent / ".env").chmod(0o640)
    (result,) = open_file_warnings()
    assert ".env" in result.msg


def test_a_link_is_not_followed(shared: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    outside.chmod(0o644)
    (shared / "link").symlink_to(outside)
    tighten(shared)
    assert mode(outside) == 0o644
    assert list(looser(shared)) == []


def test_a_folder_that_all_users_share_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    tighten(folder)
    assert mode(folder) == 0o1777
    assert list(looser(folder)) == [folder]
