"""What the tests in a real browser share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from minerpanel.tests.processes import Miner
from minerpanel.tests.visitors import Panel, Visitor, running_panel

FILL = """
from monitoring.tests.test_pages import fill
fill(3)
"""


@pytest.fixture(scope="module")
def browser(chromium: dict[str, Any]) -> Iterator[Browser]:
    """A module's: Playwright's loop must be over when other tests ask the database."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(**chromium)
        yield running
        running.close()


@pytest.fixture(scope="session")
def panel(make_environment: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """A panel that tests share because they only look; it has rows on every page."""
    with running_panel(make_environment(tmp_path_factory.mktemp("panel"))) as running:
        running.miner.manage("shell", "--command", FILL)
        yield running


@pytest.fixture(scope="session")
def admin_session(panel: Panel) -> str:
    return panel.session("admin")


@pytest.fixture
def admin(browser: Browser, panel: Panel, admin_session: str) -> Iterator[Visitor]:
    """An admin at the shared panel."""
    with Visitor.arrived(browser, panel.url, admin_session) as visitor:
        yield visitor


@pytest.fixture
def miner(process_environment: dict[str, str]) -> Iterator[tuple[Miner, str]]:
    """A miner of the test's own, and its address."""
    with running_panel(process_environment) as panel:
        yield panel.miner, panel.url


@pytest.fixture
def visitor(browser: Browser, miner: tuple[Miner, str]) -> Iterator[Visitor]:
    with Visitor.arrived(browser, miner[1]) as visitor:
        yield visitor
