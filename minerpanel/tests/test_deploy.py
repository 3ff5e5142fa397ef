"""What ships for production: the reverse proxy's configuration, the systemd unit, the supervisor's programs."""

import configparser
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def test_systemd_accepts_the_unit() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed.")
    unit = DEPLOY / "minerpanel.service"
    result = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, timeout=180, check=False)
    assert result.returncode == 0, result.stderr
    assert "minerpanel.service" not in result.stderr


@pytest.mark.parametrize("name", ["supervisord.conf", "demo.conf"])
def test_the_supervisor_starts_existing_commands(name: str) -> None:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",), strict=True)
    parser.read(DEPLOY / name)
    programs = [section for section in parser.sections() if section.startswith("program:")]
    assert programs
    for section in programs:
        command = parser.get(section, "command").split()
        assert command[0] == "%(here)s/../.venv/bin/python"
        if command[1] == "manage.py":
            assert command[2] in get_commands()
        else:
            assert command[1] == "-m" and find_spec(command[2])


def test_the_supervisor_restarts_each_program_alone() -> None:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    parser.read(DEPLOY / "supervisord.conf")
    for name, restarts in (("program:web", "true"), ("program:worker", "true"), ("program:mcp", "unexpected")):
        assert parser.get(name, "autorestart") == restarts
        assert parser.getboolean(name, "killasgroup")
        assert "--end-with-parent" in parser.get(name, "command"), "a killed supervisor leaves the port free"
