"""The `.env` of the first start."""

import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from minerpanel.first_env import ensure_secret_key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".env.example").write_text("# Signs\nSECRET_KEY=\nPORT=8000\n")
    return tmp_path


def test_the_first_start_writes_a_random_key_that_only_its_owner_reads(folder: Path) -> None:
    assert ensure_secret_key(folder, {})
    values = dotenv_values(folder / ".env")
    assert len(values["SECRET_KEY"] or "") >= 50
    assert values["PORT"] == "8000"
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600


def test_a_second_start_leaves_it_alone(folder: Path) -> None:
    ensure_secret_key(folder, {})
    before = (folder / ".env").read_text()
    assert not ensure_secret_key(folder, {})
    assert (folder / ".env").read_text() == before


def test_two_first_starts_write_different_keys(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / ".env.example").write_text((folder / ".env.example").read_text())
    ensure_secret_key(folder, {})
    ensure_secret_key(other, {})
    assert dotenv_values(folder / ".env") != dotenv_values(other / ".env")


def test_a_key_of_the_environment_needs_no_file(folder: Path) -> None:
    assert not ensure_secret_key(folder, {"SECRET_KEY": "given"})
    assert not (folder / ".env").exists()


def test_a_file_for_the_key_that_the_environment_names_is_written_once(folder: Path) -> None:
    named = folder / "key"
    assert ensure_secret_key(folder, {"SECRET_KEY_FILE": str(named)}) == named
    key = named.read_text().strip()
    assert len(key) >= 50
    assert stat.S_IMODE(named.stat().st_mode) == 0o600
    assert not ensure_secret_key(folder, {"SECRET_KEY_FILE": str(named)})
    assert named.read_text().strip() == key
    assert not (folder / ".env").exists()


def test_a_file_without_a_key_gets_one_and_keeps_the_rest(folder: Path) -> None:
    (folder / ".env").write_text("PORT=9000\n")
    assert ensure_secret_key(folder, {})
    values = dotenv_values(folder / ".env")
    assert values["PORT"] == "9000"
    assert values["SECRET_KEY"]
