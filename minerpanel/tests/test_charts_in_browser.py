"""The Overview's charts in a real browser, and the weight of its load."""

import re
from collections import Counter

import httpx
from playwright.sync_api import Request, expect

from minerpanel.tests.processes import step_body, wait_until
from minerpanel.tests.visitors import Visitor

BAR = 300  # seconds
CHART = "Chart.getChart(document.querySelector('[data-chart=routes]'))"
DRAWN = f"{CHART}.data.datasets.map((set) => [set.label, set.data.reduce((sum, point) => sum + point.y, 0)])"
BOXES = f"{CHART}.options.plugins.annotation.annotations.filter((each) => each.type === 'box').length"
COST = "Chart.getChart(document.querySelector('[data-chart=cost]'))"
# The newest with a step: another one may have begun meanwhile
NEWEST_BAR = f"""(() => {{
    const bar = {CHART}.getDatasetMeta(0).data[{CHART}.data.datasets[0].data.findLastIndex((point) => point.y > 0)];
    return {{ x: bar.x, y: (bar.y + bar.base) / 2 }};
}})()"""


def test_charts_show_the_tables_numbers_refresh_in_place_and_link_to_steps(visitor: Visitor) -> None:
    page = visitor.page
    visitor.log_in("viewer")
    httpx.post(f"{visitor.url}/step", json=step_body(), timeout=60)
    page.get_by_role("navigation", name="Range").get_by_role("link", name="1 h").click()
    expect(page).to_have_url(re.compile(r"\?range=1h$"))
    assert page.evaluate(DRAWN) == [["LLM", 1], ["Template", 0]]
    page.get_by_text("Show as a table").click()
    newest = page.locator("#figures-table tbody tr").first
    expect(page.locator("#figures-table tbody").get_by_role("cell", name="1", exact=True).first).to_be_visible()
    labels = page.evaluate(f"{CHART}.scales.x.ticks.map((tick) => tick.value)")
    assert labels and all(label % BAR == 0 for label in labels), "labels are at round times"
    for axis in ("y", "right"):
        marks = page.evaluate(f"{COST}.scales.{axis}.ticks.map((tick) => tick.label)")
        assert len(marks) == len(set(marks)) > 1, f"labels repeat: {marks}"
    height = page.evaluate("document.getElementById('charts').offsetHeight")
    page.evaluate(f"window.first = {CHART}")
    httpx.post(f"{visitor.url}/step", json=step_body(1), timeout=60)
    wait_until(lambda: page.evaluate(f"{DRAWN}[0][1] + {DRAWN}[1][1]") == 2, "the charts are not renewed")
    assert page.evaluate(f"window.first === {CHART}"), "drawn anew instead of renewed"
    assert page.evaluate("document.getElementById('charts').offsetHeight") == height
    expect(newest).to_be_visible()
    element = page.locator("#chart-routes [aria-live]")
    page.locator("[data-chart=routes]").press("ArrowLeft")
    expect(element).to_contain_text(re.compile(r"LLM \d+, Template \d+ steps"))
    if "LLM 0, Template 0" in element.inner_text():  # another bar has begun
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/steps/\?q=since%3A\d{4}-\d\d-\d\dT"))
    expect(page.get_by_role("main")).to_contain_text("Search for the film 'Arrival'")
    page.go_back()
    expect(page.locator("[data-chart=routes]")).to_be_visible()
    page.locator("[data-chart=routes]").click(position=page.evaluate(NEWEST_BAR))
    expect(page).to_have_url(re.compile(r"/steps/\?q=since%3A.*%20source%3Avalidator%20route%3Allm$"))
    assert visitor.faults == []


def test_maintenance_is_planned_shown_in_charts_and_ended(visitor: Visitor) -> None:
    page = visitor.page
    visitor.log_in("operator")
    page.goto(f"{visitor.url}/notifications/")
    page.get_by_role("link", name="Plan maintenance").click()
    page.get_by_label("Reason").fill("Database is moved")
    page.get_by_role("button", name="Plan maintenance").click()
    expect(page.locator("[id^=maintenance-]").filter(has_text="On: nothing is sent")).to_be_visible()
    page.goto(f"{visitor.url}/?range=1h")
    expect(page.locator("#maintenance")).to_contain_text("Database is moved")
    assert page.evaluate(BOXES) == 1
    page.get_by_role("link", name="All windows").click()
    page.get_by_role("button", name="End Database is moved").click()
    expect(page.get_by_role("main")).to_contain_text("Over")
    assert visitor.faults == []


def test_a_first_load_is_small_and_later_ones_are_tiny(visitor: Visitor) -> None:
    page, sizes = visitor.page, Counter[str]()

    def count(request: Request) -> None:
        """Each address once, however often its live part is renewed. Responses from the cache have a negative size."""
        sizes[request.url] = max(sizes[request.url], request.sizes()["responseBodySize"])

    page.on("requestfinished", count)
    visitor.log_in("viewer")
    page.wait_for_load_state("networkidle")
    assert 100_000 < sizes.total() < 350_000
    sizes.clear()
    page.goto(f"{visitor.url}/?range=7d", wait_until="networkidle")
    assert 0 < sizes.total() < 30_000
