"""What ships for production: the reverse proxy's configuration, the systemd unit, the supervisor's programs."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from agents import protocol
from agents.api import HEALTH

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def test_the_proxy_passes_on_the_miners_paths_and_nothing_else() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    passed = set(re.findall(r"location = (\S+) \{ proxy_pass http://minerpanel; \}", text))
    assert passed == {HEALTH, *protocol.PATHS}
    assert text.count("proxy_pass") == len(passed)
    assert "location / { return 404; }" in text


def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if nginx is None:
        pytest.skip("nginx is not installed. Run: sudo apt-get install nginx-light")
    whole = f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; include {DEPLOY}/nginx.conf; }}"
    (tmp_path / "nginx.conf").write_text(whole.replace("listen 80", "listen 8080"))
    result = subprocess.run([nginx, "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True, timeout=30, check=False)
    assert "syntax is ok" in result.stderr, result.stderr


def test_systemd_accepts_the_unit() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed.")
    unit = DEPLOY / "minerpanel.service"
    result = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert "minerpanel.service" not in result.stderr


@pytest.mark.parametrize("name", ["supervisord.conf", "demo.conf"])
def test_the_supervisor_starts_what_exists(name: str) -> None:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",), strict=True)
    parser.read(DEPLOY / name)
    programs = [section for section in parser.sections() if section.startswith("program:")]
    assert programs
    for section in programs:
        words = parser.get(section, "command").split()
        assert words[0] in {"%(here)s/../.venv/bin/gunicorn", "%(here)s/../.venv/bin/python"}
        if words[1] == "manage.py":
            assert words[2] in get_commands()
        else:
            assert (ROOT / words[2]).exists()


def test_the_supervisor_restarts_web_and_worker_each_alone() -> None:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    parser.read(DEPLOY / "supervisord.conf")
    for name in ("program:web", "program:worker"):
        assert parser.getboolean(name, "autorestart")
        assert parser.getboolean(name, "killasgroup")
