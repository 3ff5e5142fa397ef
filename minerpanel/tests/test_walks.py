"""What a new user reaches from the Overview in at most three clicks."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from minerpanel.tests.processes import step_body
from minerpanel.tests.visitors import Panel, Visitor, running_panel

CHANGE = """
from django.contrib.auth.models import User
from agents.configuration import change
change({"spacing_seconds": 7}, by=User.objects.get(username="admin"), reason="Chutes requested it")
"""
TEST = """
from monitoring.tests.status_records import make_result, make_run
make_result(make_run("ok"))
make_result(make_run("fail"), "fail", meaning="The key is refused.", next_step="Enter another key.")
make_result(make_run("ok"))
"""


REFUSED_POINTS = """Chart.getChart(document.querySelector('#charts canvas')).data.datasets.find((set) => set.label === 'Refused')
    .data.filter((point) => point.y !== null).length"""


class Walk:
    """A person at the Overview; each click counts."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.clicks = page, 0
        page.goto(url)

    @property
    def seen(self) -> Locator:
        return self.page.get_by_role("main")

    def click(self, link: Locator) -> None:
        self.clicks += 1
        assert self.clicks <= 3, "That are too many clicks."
        link.click()


@pytest.fixture(scope="module")
def refused(make_inhabited: Callable[[Path], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """A panel whose last step was refused by the provider, whose last test but one failed, whose settings were changed yesterday and today."""
    with running_panel(make_inhabited(tmp_path_factory.mktemp("walks"))) as panel:
        panel.miner.manage("shell", "--command", CHANGE)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        panel.miner.execute(f"UPDATE agents_historicalsettings SET history_date = '{yesterday:%Y-%m-%d %H:%M:%S}'")
        panel.miner.manage("shell", "--command", CHANGE.replace("7", "6").replace("Chutes requested it", "Calmer now") + TEST)
        panel.fake_chutes.set(limit=0)
        assert httpx.post(f"{panel.url}/step", json=step_body(), timeout=60).status_code == 200
        yield panel


@pytest.fixture(scope="module")
def viewer_session(refused: Panel) -> str:
    return refused.session("viewer")


@pytest.fixture
def walk(browser: Browser, refused: Panel, viewer_session: str) -> Iterator[Walk]:
    with Visitor.arrived(browser, refused.url, viewer_session) as visitor:
        yield Walk(visitor.page, refused.url)
        assert visitor.faults == []


def test_why_the_last_step_was_not_answered_by_the_llm(walk: Walk) -> None:
    row = walk.page.get_by_role("row").filter(has_text="Search for the film 'Arrival'")
    expect(row).to_contain_text("Template")
    expect(row).to_contain_text("refused")
    walk.click(row.get_by_role("link"))
    attempt = walk.page.get_by_role("table", name="LLM attempts")
    expect(attempt).to_contain_text("429")
    expect(walk.seen).to_contain_text(re.compile("refus|rate limit", re.IGNORECASE))
    walk.click(walk.seen.get_by_role("link", name="Rate limit and its estimate"))
    expect(walk.seen).to_contain_text("No probe was sent during this block yet: next one at")
    expect(walk.seen).to_contain_text(re.compile(r"The limit is not known yet|The account most likely allows \d+"))
    expect(walk.seen.get_by_role("img", name="Limit of account default")).to_be_visible()
    assert walk.page.evaluate(REFUSED_POINTS) == 1


def test_when_the_limit_resets_and_its_source(walk: Walk) -> None:
    state = walk.page.get_by_role("region", name="Status")
    expect(state).to_contain_text(re.compile(r"LLM paused for \d+ (s|min)"))
    expect(state).to_contain_text(re.compile(r"Expected back at \d+:\d\d:\d\d.*: \w+"))
    walk.click(state.get_by_role("link", name="Rate limit"))
    expect(walk.seen).to_contain_text(re.compile(r"Expected back at .*our own backoff"))
    expect(walk.seen.get_by_text("Cause", exact=True).first).to_be_visible()


def test_what_was_changed_in_the_settings_yesterday(walk: Walk) -> None:
    walk.click(walk.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Settings"))
    changes = walk.page.get_by_role("region", name="History").get_by_role("row").filter(has_text="Spacing")
    yesterday = changes.filter(has_text="Chutes requested it")
    expect(yesterday).to_contain_text("5 s → 7 s")
    expect(yesterday).to_contain_text("admin")
    day = yesterday.get_by_role("time")
    assert datetime.fromisoformat(day.get_attribute("datetime") or "").date() == (datetime.now(UTC) - timedelta(days=1)).date()


def test_the_report_of_the_last_failed_test(walk: Walk) -> None:
    region = walk.page.get_by_role("region", name="Health and tests")
    failed = region.get_by_text(re.compile("^Last failed: Run 2"))
    walk.click(failed.get_by_role("link"))
    expect(walk.page.get_by_role("heading", level=1)).to_have_text("Test run 2")
    expect(walk.seen).to_contain_text("The key is refused.")
    expect(walk.seen).to_contain_text("Enter another key.")


ANNOTATIONS = "Object.values(Chart.getChart(document.querySelector('[data-chart=routes]')).options.plugins.annotation.annotations)"
NEWEST_BAR = """(() => {
    const chart = Chart.getChart(document.querySelector('[data-chart=routes]')), bar = chart.getDatasetMeta(0).data.at(-1);
    return { x: bar.x, y: (chart.chartArea.top + chart.chartArea.bottom) / 2 };
})()"""
TOOLTIP = "Chart.getChart(document.querySelector('[data-chart=routes]')).tooltip"


def test_charts_show_pauses_maintenance_and_changes_also_in_a_bars_tooltip(walk: Walk) -> None:
    walk.click(walk.page.get_by_role("navigation", name="Range").get_by_role("link", name="1 h"))
    expect(walk.page).to_have_url(re.compile("range=1h"))
    drawn = [note["type"] for note in walk.page.evaluate(f"{ANNOTATIONS}.map(({{ type }}) => ({{ type }}))")]
    assert (drawn.count("box"), drawn.count("line")) == (1, 1), "the pause is shaded and today's change of the settings is marked"
    walk.page.locator("[data-chart=routes]").hover(position=walk.page.evaluate(NEWEST_BAR))
    walk.page.wait_for_function(f"{TOOLTIP}.opacity > 0")
    assert re.search(r"Paused \d+ % of the time", " ".join(walk.page.evaluate(f"{TOOLTIP}.footer")))
    walk.click(walk.page.get_by_text("Show as a table"))
    expect(walk.page.get_by_role("table", name="Settings changes")).to_contain_text("Spacing 7 s → 6 s, by admin")
