"""The README is correct."""

import io
import json
import re
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands
from dotenv import dotenv_values

from agents.models import Account

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docs/operations.md")]


def commands_of(path: Path) -> list[str]:
    """The lines of all fenced shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text(), re.MULTILINE))
    assert named
    assert named <= make_targets()


def test_every_make_target_is_explained() -> None:
    explained = set(re.findall(r"^\| `make ([a-z-]+)`", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert explained == make_targets()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_management_command_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", path.read_text()))
    assert named <= set(get_commands())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_linked_exists(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        assert target.startswith("http") or (path.parent / target).exists(), target


def test_the_table_of_settings_is_complete() -> None:
    rows = re.findall(r"^\| (`[A-Z`_, ]+`) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    listed = {key for row in rows for key in re.findall(r"[A-Z_]+", row)}
    keys = set(dotenv_values(ROOT / ".env.example"))
    assert listed == {key for key in keys if not key.endswith("_FILE")}
    secrets = {key.removesuffix("_FILE") for key in keys if key.endswith("_FILE")}
    text = set(re.findall(r"^\| `([A-Z_]+)` \|.*A secret \|$", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert text == secrets


def test_the_shell_blocks_are_those_that_the_first_start_runs() -> None:
    assert commands_of(ROOT / "README.md") == [
        "make run",
        "make demo",
        ".venv/bin/python manage.py miner_settings",
        ".venv/bin/python manage.py miner_settings spacing_seconds=2 backoff_seconds=60,120,240,480",
        ".venv/bin/python manage.py simulate bench/scenarios/02_limit_60.json --settings pacing=auto",
        ".venv/bin/python manage.py simulate --last 24h --settings spacing_seconds=2",
        ".venv/bin/python manage.py import_log miner.log --year 2025 --tz Europe/Berlin",
    ]


@pytest.mark.django_db
def test_the_commands_for_accounts_work_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for line in commands_of(ROOT / "docs/operations.md") if "account" in line]
    assert len(lines) == 5
    for line in lines:
        command, _, file = line.partition(" < ")
        monkeypatch.setattr("sys.stdin", io.StringIO("cpk_made.up.WXYZ\n" if file else ""))
        _, _, name, *arguments = shlex.split(command)
        out = io.StringIO()
        call_command(name, *arguments, stdout=out)
        assert "cpk_" not in out.getvalue()
    assert [account["name"] for account in json.loads(out.getvalue())["accounts"]] == ["default"]
    assert not Account.history.filter(name="spare", history_type="-").get().enabled
