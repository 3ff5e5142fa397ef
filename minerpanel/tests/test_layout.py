"""The layout of pages in a real browser: nothing moves while they load, nothing is cut off."""

import pytest
from playwright.sync_api import Page

from minerpanel.tests.visitors import FITS, Visitor

PHONE, LAPTOP, DESK = 390, 1280, 1440
SLOW = {"offline": False, "latency": 0, "downloadThroughput": 8_000, "uploadThroughput": 8_000}  # bytes/s
SHIFTS = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().map((shift) => shift.value))).observe({type: "layout-shift", buffered: true});
    setTimeout(() => resolve([]), 500);
})"""
# Each choice of each list that is seen, as long as it is chosen; zones and models have the names that they have.
CUT = """() => {
    const pen = document.createElement("canvas").getContext("2d");
    return [...document.querySelectorAll("select:not([name=zone], [name=who])")].filter((list) => list.checkVisibility()).flatMap((list) => [...list.options].filter((option) => {
        list.value = option.value;
        const style = getComputedStyle(list);
        pen.font = style.font;
        return pen.measureText(option.text).width > list.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) + 0.5;
    }).map((option) => option.text));
}"""
FIFTY = """() => {
    const strip = document.querySelector("nav.strip"), one = strip.querySelector(".beat");
    strip.replaceChildren(...Array.from({length: 50}, () => one.cloneNode(true)));
}"""
BEATS = "[...document.querySelectorAll('nav.strip .beat')].map((beat) => beat.getBoundingClientRect()).map(({bottom, width}) => [bottom, width])"


def test_a_slowly_loading_page_moves_no_element(admin: Visitor) -> None:
    page = admin.page
    page.goto(f"{admin.url}/figures/")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW)
    for path in ("/figures/", "/logs/"):
        page.goto(admin.url + path)
        assert page.evaluate(SHIFTS) == [], path


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_chosen_options_are_not_cut_off(width: int, admin: Visitor) -> None:
    page = admin.page
    page.set_viewport_size({"width": width, "height": 844})
    for path in ("/settings/", "/logs/", "/audit/", "/tests/", "/tasks/new/", "/rate-limit/events/", "/notifications/deliveries/"):
        page.goto(admin.url + path)
        assert page.evaluate(CUT) == [], path
        assert page.evaluate(FITS), path


def lines_of_fifty(page: Page, width: int) -> list[int]:
    """How many beats stand on each line of the strip."""
    page.set_viewport_size({"width": width, "height": 844})
    beats = page.evaluate(BEATS)
    assert min(wide for _, wide in beats) >= 24, "a beat can't be hit"
    bottoms = [bottom for bottom, _ in beats]
    return [bottoms.count(bottom) for bottom in sorted(set(bottoms))]


def test_fifty_runs_stand_in_full_lines(admin: Visitor) -> None:
    page = admin.page
    page.goto(f"{admin.url}/tests/")
    page.get_by_label("Refresh").select_option("off")
    page.evaluate(FIFTY)
    assert [lines_of_fifty(page, width) for width in (DESK, LAPTOP, PHONE)] == [[25, 25], [25, 25], [10] * 5]


def test_the_longest_times_of_events_fit_a_small_laptop(admin: Visitor) -> None:
    page = admin.page
    page.set_viewport_size({"width": 1024, "height": 844})
    page.goto(f"{admin.url}/rate-limit/events/")
    assert page.evaluate(FITS)
