"""The panel in a real browser, with a real miner behind it."""

from __future__ import annotations

import fcntl
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

from agents.standin.process import StandIn
from minerpanel.tests.processes import ROOT, Miner, step_body, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PASSWORD = "a-long-enough-password"
MAKE_USERS = """
from django.contrib.auth.models import Group, User
for name in ("viewer", "operator", "admin"):
    user = User.objects.create_user(name, password="{password}")
    user.groups.add(Group.objects.get(name=name + "s"))
"""


@pytest.fixture(scope="module")
def browser(chromium: dict[str, Any]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(**chromium)
        yield running
        running.close()


@pytest.fixture
def miner(process_environment: dict[str, str]) -> Iterator[tuple[Miner, str]]:
    """A miner with static files, a provider and a user a group; its address."""
    with (Path(tempfile.gettempdir()) / "minerpanel-static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=process_environment, check=True, timeout=120)
    with StandIn.started() as standin:
        account = {"CHUTES_API_KEY": standin.key, "CHUTES_BASE_URL": standin.base_url, "CHUTES_MODELS": "Qwen/Qwen3-32B-TEE"}
        with Miner.running({**process_environment, **account}) as running:
            running.manage("shell", "--command", MAKE_USERS.format(password=PASSWORD))
            yield running, running.web()


class Visitor:
    """A person at the panel; `faults` collects what the browser complained of."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.faults: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

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


@pytest.fixture
def visitor(browser: Browser, miner: tuple[Miner, str]) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield Visitor(context.new_page(), miner[1])
    context.close()


def test_an_admin_sees_a_step_arrive_opens_it_and_changes_the_spacing(visitor: Visitor) -> None:
    page = visitor.page
    visitor.log_in("admin")
    httpx.post(f"{visitor.url}/step", json=step_body(), timeout=60)
    row = page.get_by_role("row").filter(has_text="Search for the film 'Arrival'")
    expect(row).to_contain_text("LLM", timeout=2_000)
    row.get_by_role("link").first.click()
    expect(page.get_by_role("main")).to_contain_text("Search for the film 'Arrival'")
    expect(page.get_by_role("main")).to_contain_text("Qwen/Qwen3-32B-TEE")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Spacing").fill("2.5")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    expect(page.get_by_label("Spacing")).to_have_value("2.5")
    change = page.get_by_role("row").filter(has_text="Spacing").filter(has_text="2.5")
    expect(change).to_contain_text("admin")
    assert visitor.faults == []


def test_a_bad_spacing_is_refused_with_the_remedy_and_kept_in_the_form(visitor: Visitor) -> None:
    page = visitor.page
    visitor.log_in("admin")
    page.goto(f"{visitor.url}/settings/")
    page.get_by_label("Backoff", exact=True).fill("60, soon")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("main")).to_contain_text("“soon” is not a number")
    expect(page.get_by_label("Backoff", exact=True)).to_have_value("60, soon")


def test_a_viewer_is_offered_no_form_and_a_post_is_refused(visitor: Visitor, miner: tuple[Miner, str]) -> None:
    page = visitor.page
    visitor.log_in("viewer")
    page.goto(f"{visitor.url}/settings/")
    expect(page.get_by_role("main")).to_contain_text("Spacing")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    assert visitor.faults == []
    token = next(cookie["value"] for cookie in page.context.cookies() if "csrf" in cookie["name"])
    refused = page.request.post(
        f"{visitor.url}/settings/", form={"spacing_seconds": "0"}, headers={"X-CSRFToken": token, "Referer": visitor.url}
    )
    assert refused.status == 403
    assert '"spacing_seconds": 5' in miner[0].manage("miner_settings")


def test_an_operators_task_is_answered_before_their_eyes(visitor: Visitor, miner: tuple[Miner, str]) -> None:
    page = visitor.page
    miner[0].worker()
    visitor.log_in("operator")
    page.get_by_role("link", name="New task").click()
    page.get_by_label("Prompt").fill("Log out")
    page.get_by_label("URL").fill("http://localhost:8000/?seed=5")
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.get_by_role("main")).to_contain_text(re.compile("Answered"), timeout=60_000)
    expect(page.get_by_role("main")).to_contain_text("NavigateAction", timeout=10_000)
    assert visitor.faults == []


def test_no_page_makes_the_browser_complain_in_any_theme_or_width(visitor: Visitor) -> None:
    page = visitor.page
    httpx.post(f"{visitor.url}/step", json=step_body(), timeout=60)
    visitor.log_in("admin")
    for width, theme in ((1440, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        for path in ("/", "/compare/", "/tasks/", "/tasks/1/", "/tasks/new/", "/callers/", "/settings/"):
            page.goto(visitor.url + path)
            page.wait_for_timeout(1_700)  # one tick of the live parts
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{path} scrolls sideways at {width} px"
    assert visitor.faults == []


CHART = "Chart.getChart(document.querySelector('[data-chart=routes]'))"
DRAWN = f"{CHART}.data.datasets.map((set) => [set.label, set.data.reduce((sum, point) => sum + point.y, 0)])"
NEWEST_BAR = f"(() => {{ const bar = {CHART}.getDatasetMeta(0).data.at(-1); return {{ x: bar.x, y: (bar.y + bar.base) / 2 }}; }})()"


def test_charts_show_the_tables_numbers_renew_in_place_and_lead_to_the_tasks(visitor: Visitor) -> None:
    page = visitor.page
    httpx.post(f"{visitor.url}/step", json=step_body(), timeout=60)
    visitor.log_in("viewer")
    page.get_by_role("navigation", name="Range").get_by_role("link", name="1 h").click()
    expect(page).to_have_url(re.compile(r"\?range=1h$"))
    assert page.evaluate(DRAWN) == [["LLM", 1], ["Template", 0]]
    page.get_by_text("The same as a table").click()
    newest = page.locator("#figures-table tbody tr").first
    expect(newest).to_contain_text("1")
    height = page.evaluate("document.getElementById('charts').offsetHeight")
    page.evaluate(f"window.first = {CHART}")
    httpx.post(f"{visitor.url}/step", json=step_body(1), timeout=60)
    wait_until(lambda: page.evaluate(f"{DRAWN}[0][1] + {DRAWN}[1][1]") == 2, "the charts are not renewed")
    assert page.evaluate(f"window.first === {CHART}"), "drawn anew instead of renewed"
    assert page.evaluate("document.getElementById('charts').offsetHeight") == height
    expect(newest).to_be_visible()
    page.locator("[data-chart=routes]").press("ArrowLeft")
    expect(page.locator("#chart-routes [aria-live]")).to_contain_text(re.compile(r"LLM \d+, Template \d+ steps"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/tasks/\?since=\d{4}-\d\d-\d\dT"))
    expect(page.get_by_role("main")).to_contain_text("Search for the film 'Arrival'")
    page.go_back()
    expect(page.locator("[data-chart=routes]")).to_be_visible()
    page.locator("[data-chart=routes]").click(position=page.evaluate(NEWEST_BAR))
    expect(page).to_have_url(re.compile(r"/tasks/\?since=.*&route=llm$"))
    assert visitor.faults == []


def test_a_first_load_is_small_and_later_ones_are_tiny(visitor: Visitor) -> None:
    page, sizes = visitor.page, list[int]()
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    visitor.log_in("viewer")
    page.wait_for_load_state("load")
    assert 100_000 < sum(sizes) < 350_000
    sizes.clear()
    page.goto(f"{visitor.url}/?range=7d", wait_until="load")
    assert 0 < sum(sizes) < 30_000
