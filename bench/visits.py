"""What a browser tells of a first and of a later visit: bytes as they came over the wire, and the largest contentful paint."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
PAGES = {"Overview": "/", "Tasks": "/tasks/", "Rate limit": "/rate-limit/", "Logs": "/logs/"}
FIRST_KB, LATER_KB, PAINT_MS = 350.0, 30.0, 800.0
SESSION = """
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.get(username="bench"))
print("session", client.cookies["minerpanel_session"].value)
"""
PAINT = """() => new Promise(tell => {
    new PerformanceObserver(list => tell(list.getEntries().at(-1).startTime)).observe({type: 'largest-contentful-paint', buffered: true})
})"""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def tell(environment: dict[str, str]) -> None:
    """Visit each page with an empty cache and then once more; print what is promised of it and what was measured."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        print("\nNo browser is installed: bytes of a visit and paints are not measured.")
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- only where there is a browser

    with _served(environment) as url, sync_playwright() as playwright:
        session = _session(environment)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        print(f"\nIn {Path(path).name}, median of {ROUNDS} visits: kB over the wire, largest contentful paint in ms")
        print(f"{'':28}{'first kB':>10}{'paint':>8}{'later kB':>10}{'paint':>8}")
        for name, address in PAGES.items():
            _show(name, [_visit(browser, url, session, address) for _ in range(ROUNDS)])
        browser.close()


def _show(name: str, visits: list[tuple[float, float, float, float]]) -> None:
    first, painted, later, again = (statistics.median(column) for column in zip(*visits, strict=True))
    limits = ((first, FIRST_KB, "kB at first"), (later, LATER_KB, "kB later"), (max(painted, again), PAINT_MS, "ms to paint"))
    missed = [f"above {limit:g} {what}" for value, limit, what in limits if value > limit]
    print(f"{name:28}{first:10.1f}{painted:8.0f}{later:10.1f}{again:8.0f}  {'MISSED: ' + ', '.join(missed) if missed else 'kept'}")


def _visit(browser: Any, url: str, session: str, address: str) -> tuple[float, float, float, float]:
    """kB and ms of a visit with an empty cache, and of the next one."""
    window = browser.new_context(viewport={"width": 1440, "height": 900})
    window.add_cookies([{"name": "minerpanel_session", "value": session, "url": url}])
    page, told = window.new_page(), list[float]()
    wire = window.new_cdp_session(page)
    wire.send("Network.enable")
    came: list[float] = []
    wire.on("Network.loadingFinished", lambda event: came.append(event["encodedDataLength"]))
    for _ in range(2):
        came.clear()
        page.goto(url + address, wait_until="networkidle")
        painted = float(page.evaluate(PAINT))
        told += [sum(came) / 1000, painted]
        page.goto("about:blank")
    window.close()
    return told[0], told[1], told[2], told[3]


def _session(environment: dict[str, str]) -> str:
    command = [sys.executable, "manage.py", "shell", "--command", SESSION]
    said = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return next(line.split()[1] for line in said.splitlines() if line.startswith("session "))


@contextmanager
def _served(environment: dict[str, str]) -> Iterator[str]:
    """The panel's address, with its own server and collected static files."""
    subprocess.run([sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config", "minerpanel/gunicorn.conf.py"]
    process = subprocess.Popen(command, cwd=ROOT, env={**environment, "PORT": str(port)}, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/health/live")
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def _wait_for(url: str) -> None:
    over = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=5)
        except OSError:
            if time.monotonic() > over:
                raise
            time.sleep(0.1)
        else:
            return
