"""The panel's interaction: refreshing, keys, themes, times."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from minerpanel.tests.processes import step_body
from minerpanel.tests.visitors import PASSWORD, Panel, Visitor

COUNT_TICKS = "document.body.addEventListener('tick', () => { window.ticks = (window.ticks ?? 0) + 1; })"
TICKS = "window.ticks ?? 0"
# For what all pages share: one with a live part that costs little.
HEALTH = "/components/"
# As the browser reports to a page that its tab is in the background
HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", {configurable: true, value: hidden});
    document.dispatchEvent(new Event("visibilitychange"));
}"""
WATCH_SHIFTS = """() => {
    window.shifts = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shifts += entry.value; }).observe({type: "layout-shift"});
}"""


def open_counted(visitor: Visitor, path: str) -> Page:
    """The page with its ticks counted, on a clock that only the test moves."""
    visitor.page.clock.install()
    visitor.page.goto(visitor.url + path)
    visitor.page.clock.pause_at(visitor.page.evaluate("Date.now()") / 1000 + 1)
    visitor.page.evaluate(COUNT_TICKS)
    expect_nothing_requested(visitor.page)
    return visitor.page


def expect_nothing_requested(page: Page) -> None:
    """A part with an active request drops the next tick."""
    expect(page.locator(".htmx-request")).to_have_count(0)


def refresh(page: Page) -> Locator:
    return page.get_by_label("Refresh")


def ticks_within(page: Page, seconds: int) -> int:
    before: int = page.evaluate(TICKS)
    page.clock.run_for(seconds * 1000)
    after: int = page.evaluate(TICKS)
    return after - before


def test_times_are_in_their_readers_zone_before_they_are_seen(admin: Visitor) -> None:
    """Written in it later, they would move what stands beside them."""
    remember = "window.shown = [...document.querySelectorAll('time[data-show]')].map((time) => time.textContent)"
    admin.page.add_init_script(f"addEventListener('DOMContentLoaded', () => {{ {remember}; }})")
    admin.page.goto(f"{admin.url}/rate-limit/")
    shown = admin.page.evaluate("window.shown")
    assert shown and not [text for text in shown if "UTC" in text]


@pytest.mark.parametrize(
    ("choice", "ticks"),
    [("live", 40), pytest.param("10", 6, marks=pytest.mark.slow), pytest.param("60", 1, marks=pytest.mark.slow), ("off", 0)],
)
def test_a_page_is_renewed_as_often_as_its_reader_chose(choice: str, ticks: int, admin: Visitor) -> None:
    page = open_counted(admin, HEALTH)
    refresh(page).select_option(choice)
    # The page's clock runs on between opening it and putting it forward: on a busy machine for another tick.
    assert abs(ticks_within(page, 60) - ticks) <= min(ticks, 1)
    page.reload()
    expect(refresh(page)).to_have_value(choice)


def test_a_hidden_tab_requests_nothing_and_refreshes_when_it_is_shown(admin: Visitor) -> None:
    page = open_counted(admin, HEALTH)
    page.evaluate(HIDE, True)
    assert ticks_within(page, 30) == 0
    page.evaluate(HIDE, False)
    assert page.evaluate(TICKS) == 1
    assert ticks_within(page, 6) >= 3


def test_an_unchanged_live_part_has_no_body(admin: Visitor) -> None:
    page, statuses = admin.page, list[int]()
    page.goto(f"{admin.url}/logs/imports/")
    page.wait_for_load_state("networkidle")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.responseReceivedExtraInfo", lambda answer: statuses.append(answer["statusCode"]))
    for _ in range(60):  # a tick takes 1.5 s, on a busy machine longer
        page.wait_for_timeout(1_000)
        if len(statuses) >= 3:
            break
    assert len(statuses) >= 3
    assert statuses[0] in (200, 304)
    assert set(statuses[1:]) == {304}


def test_a_page_without_live_parts_offers_no_refresh(admin: Visitor) -> None:
    admin.page.goto(f"{admin.url}/settings/")
    expect(refresh(admin.page)).to_be_hidden()


def test_a_stale_page_shows_since_when_retries_more_rarely_and_recovers(admin: Visitor) -> None:
    page = open_counted(admin, HEALTH)
    notice, element = page.locator("#connection"), page.locator("[data-stale-text]")
    expect(notice).to_have_css("opacity", "0")
    page.route(admin.url + HEALTH, lambda route: route.abort("connectionrefused"))
    gaps = []
    for _ in range(7):
        with page.expect_event("requestfailed"):
            gaps.append(seconds_to_next_tick(page))
        expect_nothing_requested(page)
        expect(element).to_contain_text(re.compile(r"Stale since \d+:\d\d.*The panel can't be reached\."))
    # The page's clock also runs by itself while a busy machine answers.
    assert all(0.4 * wanted <= gap <= wanted for gap, wanted in zip(gaps[1:], (2, 4, 8, 16, 32, 60), strict=True)), gaps
    expect(notice).to_have_css("opacity", "1")
    expect(notice).to_contain_text("Trying again in 1 min")
    page.unroute(admin.url + HEALTH)
    page.get_by_role("button", name="Try now").click()
    expect(element).to_be_empty()
    expect(notice).to_have_css("opacity", "0")
    assert seconds_to_next_tick(page) <= 2


def seconds_to_next_tick(page: Page) -> int:
    before = page.evaluate(TICKS)
    for second in range(1, 100):
        page.clock.run_for(1000)
        if page.evaluate(TICKS) > before:
            return second
    raise AssertionError("There is no tick.")


def test_a_part_that_is_no_longer_served_is_marked(admin: Visitor, panel: Panel) -> None:
    page = admin.page
    page.goto(f"{admin.url}/tasks/1/")
    page.route("**/tasks/1/", lambda route: route.fulfill(status=404, body=""))
    expect(page.locator("[data-stale-text]")).to_contain_text("no longer serves this (404). Reload the page to see why.")


def test_focus_and_selection_survive_a_live_update(admin: Visitor, panel: Panel) -> None:
    page = admin.page
    body = step_body(prompt="Look at what survives", task_id="survives")
    httpx.post(f"{panel.url}/step", json=body, timeout=60)
    page.goto(admin.url)
    page.get_by_role("link", name="Look at what survives").click()
    page.set_viewport_size({"width": 1440, "height": 500})
    page.get_by_text("As JSON").first.click()
    copy = page.get_by_role("button", name="Copy").first
    copy.focus()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.prompt'))")
    page.evaluate("scrollTo(0, 200)")
    httpx.post(f"{panel.url}/step", json={**body, "step_index": 1}, timeout=60)
    expect(page.get_by_role("region", name="Step 1")).to_be_visible()
    expect(copy).to_be_visible()
    expect(copy).to_be_focused()
    assert page.evaluate("getSelection().toString()") == "Look at what survives"
    assert page.evaluate("scrollY") == 200
    assert admin.faults == []


@pytest.mark.parametrize("path", ["/", "/rate-limit/", "/tasks/1/", "/logs/", "/components/", "/tests/"])
def test_a_refresh_moves_no_element(path: str, admin: Visitor) -> None:
    page = admin.page
    page.goto(admin.url + path)
    page.wait_for_load_state("networkidle")
    page.evaluate(WATCH_SHIFTS)
    for _ in range(2):
        with page.expect_event("requestfinished"):
            page.evaluate("document.body.dispatchEvent(new CustomEvent('tick'))")
        expect_nothing_requested(page)
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifts") == 0


def test_keys_open_each_page_of_the_navigation(admin: Visitor) -> None:
    page = admin.page
    page.goto(admin.url)
    links = page.locator("nav a[data-key]")
    letters = [link.get_attribute("data-key") or "" for link in links.all()]
    names = [name.strip() for name in links.all_inner_texts()]
    assert all(re.fullmatch("[a-z]", letter) for letter in letters), "each page of the navigation has a letter"
    assert len(set(letters)) == len(letters)
    for letter, name in zip(letters, names, strict=True):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page.locator("nav a[aria-current=page]")).to_have_text(name)
        page.wait_for_load_state()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    for letter, name in zip(letters, names, strict=True):
        expect(dialog.locator("[data-key-pages] > div").filter(has_text=name).filter(has_text=f"g {letter}")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_slash_goes_to_the_search_field_and_typing_there_is_typing(admin: Visitor) -> None:
    page = admin.page
    page.goto(f"{admin.url}/tasks/")
    page.keyboard.press("/")
    field = page.get_by_role("search").locator("input").first
    expect(field).to_be_focused()
    page.keyboard.type("g l?/")
    expect(field).to_have_value("g l?/")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_keys_can_be_switched_off_in_their_dialog(admin: Visitor) -> None:
    page = admin.page
    page.goto(admin.url + HEALTH)
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use these keys in this browser").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_have_text("Health")


def test_the_keyboard_alone_gets_past_the_navigation(admin: Visitor) -> None:
    page = admin.page
    page.goto(admin.url + HEALTH)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_theme_is_the_systems_until_one_is_chosen(admin: Visitor) -> None:
    page, html = admin.page, admin.page.locator("html")
    page.emulate_media(color_scheme="dark")
    page.goto(admin.url + HEALTH)
    expect(html).to_have_attribute("data-bs-theme", "dark")
    page.get_by_text("Light", exact=True).click()
    expect(html).to_have_attribute("data-bs-theme", "light")
    page.reload()
    expect(html).to_have_attribute("data-bs-theme", "light")
    page.get_by_text("As the system").click()
    expect(html).to_have_attribute("data-bs-theme", "dark")


@pytest.mark.parametrize(
    ("context", "written"),
    [
        ({"locale": "en-US", "timezone_id": "America/New_York"}, "May 4, 08:00:00"),
        ({"locale": "de-DE", "timezone_id": "Asia/Tokyo"}, "4. Mai, 21:00:00"),
    ],
)
def test_times_are_the_readers_own_with_utc_on_hover(
    context: dict[str, Any], written: str, browser: Browser, panel: Panel, admin_session: str
) -> None:
    with Visitor.arrived(browser, panel.url, admin_session, **context) as visitor:
        visitor.page.goto(f"{panel.url}/tasks/1/")
        time = visitor.page.locator("time[datetime='2026-05-04T12:00:00.000Z']").first
        expect(time).to_have_text(written)
        expect(time).to_have_attribute("title", "4 May 2026 12:00:00 UTC")
        expect(visitor.page.get_by_role("contentinfo")).to_contain_text(f"Times in {context['timezone_id']}")
        visitor.page.goto(f"{visitor.url}/compare/")
        expect(visitor.page.get_by_text(f"From ({context['timezone_id']})")).to_be_attached()


def test_without_javascript_times_name_their_zone_and_no_control_lies(browser: Browser, panel: Panel, admin_session: str) -> None:
    with Visitor.arrived(browser, panel.url, admin_session, java_script_enabled=False) as visitor:
        page = visitor.page
        page.goto(f"{panel.url}/tasks/1/")
        expect(page.locator("time[datetime='2026-05-04T12:00:00.000Z']").first).to_have_text("4 May 12:00:00 UTC")
        for control in (refresh(page), page.get_by_role("button", name="Keyboard shortcuts"), page.get_by_role("radiogroup")):
            expect(control).to_be_hidden()


def test_dismissed_first_steps_stay_hidden(admin: Visitor) -> None:
    page = admin.page
    page.goto(admin.url)
    steps = page.get_by_role("region", name="First steps")
    expect(steps).to_contain_text("First step answered")
    steps.get_by_role("button", name="Dismiss").click()
    expect(steps).to_be_hidden()
    page.reload()
    expect(page.get_by_role("region", name="Status")).to_be_visible()
    expect(steps).to_be_hidden()


def test_a_session_that_is_over_redirects_to_the_log_in_and_back(admin: Visitor) -> None:
    page = admin.page
    page.goto(admin.url + HEALTH)
    page.context.clear_cookies()
    page.evaluate("document.body.dispatchEvent(new CustomEvent('tick'))")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Health")
    page.goto(f"{admin.url}/tests/")
    page.context.clear_cookies(name="minerpanel_session")
    page.get_by_role("button", name="Run the tests").click()
    expect(page.get_by_role("status")).to_contain_text("You were logged out before this arrived, so nothing was done.")


def test_with_reduced_motion_no_element_is_animated(admin: Visitor) -> None:
    page = admin.page
    page.goto(f"{admin.url}/settings/")
    moves = "[...document.querySelectorAll('*')].filter((each) => parseFloat(getComputedStyle(each).transitionDuration) > 0).length"
    assert page.evaluate(moves) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moves) == 0


def test_a_report_prints_without_controls_and_with_collapsed_parts(admin: Visitor) -> None:
    page = admin.page
    page.emulate_media(color_scheme="dark")
    page.goto(f"{admin.url}/tests/1/")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("html").get_attribute("data-bs-theme") == "light"
    for shown in (page.get_by_role("navigation", name="Pages"), page.get_by_role("link", name="Markdown"), refresh(page)):
        expect(shown).to_be_hidden()
    expect(page.get_by_role("heading", name="Test run 1")).to_be_visible()
    expect(page.locator("details.result dd").first).to_be_visible()
    assert page.pdf()[:4] == b"%PDF"
