"""A running panel, and its visitors with a real browser."""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import PATIENCE, ROOT, Miner

# Playwright counts in milliseconds, and is patient for 5 s only
expect.set_options(timeout=PATIENCE * 1_000)

# In a page: whether it needs no scrolling sideways
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
PASSWORD = "a-long-enough-password"
MAKE_USERS = f"""
from django.contrib.auth.models import Group, User
from monitoring.users import users
users.ensure_groups()
for name in ("viewer", "operator", "admin"):
    user = User.objects.create_user(name, password="{PASSWORD}")
    user.groups.add(Group.objects.get(name=name + "s"))
"""
OPEN_SESSION = """
from django.contrib.auth.models import User
from django.test import Client
client = Client()
client.force_login(User.objects.get(username="{name}"))
print("session", client.cookies["minerpanel_session"].value)
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """A miner, its provider, and where its panel is."""

    miner: Miner
    fake_chutes: FakeChutes
    url: str

    def session(self, name: str) -> str:
        """The session cookie of a user who is logged in."""
        result = self.miner.manage("shell", "--command", OPEN_SESSION.format(name=name))
        return next(line.split()[1] for line in result.splitlines() if line.startswith("session "))


@cache
def collect_static() -> None:
    """Once a run of tests, by the first of its processes: files are written anew each time, and others' panels serve them."""
    done = Path(tempfile.gettempdir()) / f"minerpanel-static-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    with done.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.stat().st_size:
            command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
            subprocess.run(command, cwd=ROOT, check=True, timeout=PATIENCE)
            lock.write("collected")


@contextmanager
def running_panel(environment: dict[str, str]) -> Iterator[Panel]:
    """A miner with static files and a provider, on a database that is migrated already and has a user a group (MAKE_USERS)."""
    collect_static()
    with FakeChutes.started() as fake_chutes:
        account = {"CHUTES_API_KEY": fake_chutes.key, "CHUTES_BASE_URL": fake_chutes.base_url, "CHUTES_MODELS": "Qwen/Qwen3-32B-TEE"}
        with Miner.running({**environment, **account}) as miner:
            yield Panel(miner, fake_chutes, miner.web())


class Visitor:
    """A person at the panel; `faults` collects what the browser complained of."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.faults: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    @classmethod
    @contextmanager
    def arrived(cls, browser: Browser, url: str, session: str = "", **context: Any) -> "Iterator[Visitor]":
        """A visitor with a browser window, logged in if there is a session."""
        window = browser.new_context(viewport={"width": 1440, "height": 900}, **context)
        window.set_default_timeout(PATIENCE * 1_000)
        if session:
            window.add_cookies([{"name": "minerpanel_session", "value": session, "url": url}])
        try:
            yield cls(window.new_page(), url)
        finally:
            window.close()

    def log_in(self, name: str) -> None:
        self.page.goto(f"{self.url}/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Overview")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        if "ERR_ABORTED" not in str(request.failure):  # a live part's request that a click overtook
            self.faults.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")
