"""Healthchecks' log page beside this panel's: a peer that is a Django panel too and shows a log of things that came in.

Its own code from a checkout (`--healthchecks DIR`, else a clone), in a virtual environment and with databases of its own, all in
data/healthchecks. Its page shows the newest 1,000 of its pings, the panel's lists 50 or 100 rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.seeded import ROOT

NAME = "Healthchecks' log page"
SOURCE = "https://github.com/healthchecks/healthchecks"
PLACE = ROOT / "data" / "healthchecks"
CLONE_SECONDS = 120


def measured(steps: tuple[int, int], checkout: str | None) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Its log page at so many pings each, as bench.pages tells of a page. None, with a word why, where it can't be had."""
    place = _checkout(checkout)
    if place is None:
        print(f"Healthchecks is left out: {SOURCE} can't be reached. Clone it elsewhere and give the folder: --healthchecks DIR")
        return None
    python = _installed(place)
    few, many = (_run(place, python, count) for count in steps)
    return few, many


def _checkout(given: str | None) -> Path | None:
    if given:
        return Path(given).resolve()
    place = PLACE / "checkout"
    if not place.exists():
        command = ["git", "clone", "--quiet", "--depth", "1", SOURCE, str(place)]
        try:
            subprocess.run(command, check=True, timeout=CLONE_SECONDS, capture_output=True, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None
    return place


def _installed(place: Path) -> Path:
    """The Python that has what the checkout requires."""
    home, wanted = PLACE / "venv", (place / "requirements.txt").read_text()
    python, mark = home / "bin" / "python", home / "installed.txt"
    if not mark.exists() or mark.read_text() != wanted:
        print(f"What Healthchecks requires is installed into {home}.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", str(place / "requirements.txt")], check=True)
        mark.write_text(wanted)
    return python


def _run(place: Path, python: Path, pings: int) -> dict[str, Any]:
    own = {
        "DB_NAME": str(PLACE / f"{pings}.sqlite3"),
        "DJANGO_SETTINGS_MODULE": "hc.settings",
        "DEBUG": "False",
        "SECRET_KEY": "bench " * 10,
        "ALLOWED_HOSTS": "testserver",
        "USE_GZIP_MIDDLEWARE": "True",
        "PYTHONPATH": str(place),
        "PINGS": str(pings),
    }
    script = [str(python), "-W", "ignore", str(ROOT / "bench" / "peers" / "healthchecks_log.py")]
    done = subprocess.run(script, cwd=place, env={**os.environ, **own}, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
