"""Fixtures of the tests in a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from minerpanel.tests.processes import Miner
from minerpanel.tests.visitors import MAKE_USERS, Panel, Visitor, running_panel

FILL = """
from monitoring.tests.test_pages import fill
fill(3)
"""


@pytest.fixture(scope="session")
def make_inhabited(
    make_environment: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], dict[str, str]]:
    """From a data folder to an environment for processes, with a migrated database there in which each group has a user."""
    template = tmp_path_factory.mktemp("inhabited")
    Miner(make_environment(template)).manage("shell", "--command", MAKE_USERS)

    def make(folder: Path) -> dict[str, str]:
        shutil.copy(template / "panel.sqlite3", folder)
        return {**os.environ, "DATA_DIR": str(folder)}

    return make


@pytest.fixture(scope="session")
def panel(make_inhabited: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """A panel that read-only tests share; it has rows on every page."""
    with running_panel(make_inhabited(tmp_path_factory.mktemp("panel"))) as running:
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
def guest(browser: Browser, panel: Panel) -> Iterator[Visitor]:
    """A visitor at the shared panel who is not logged in."""
    with Visitor.arrived(browser, panel.url) as visitor:
        yield visitor


@pytest.fixture
def miner(make_inhabited: Callable[[Path], dict[str, str]], tmp_path: Path) -> Iterator[tuple[Miner, str]]:
    """A miner of the test's own, and its address."""
    with running_panel(make_inhabited(tmp_path)) as panel:
        yield panel.miner, panel.url


@pytest.fixture
def visitor(browser: Browser, miner: tuple[Miner, str]) -> Iterator[Visitor]:
    with Visitor.arrived(browser, miner[1]) as visitor:
        yield visitor
