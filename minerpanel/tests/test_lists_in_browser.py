"""Lists in a real browser: filters that answer at once, orders, tabs, ranges; all kept in the URL."""

import re

from playwright.sync_api import expect

from minerpanel.tests.visitors import Visitor


def test_events_are_filtered_as_soon_as_a_condition_is_chosen(admin: Visitor) -> None:
    page = admin.page
    page.goto(f"{admin.url}/rate-limit/events/")
    listed = page.get_by_role("region", name="Rate-limit events")
    expect(listed).to_contain_text("3 events, newest first")
    page.get_by_text("More", exact=True).first.click()
    expect(listed).to_contain_text("The block began")
    page.get_by_label("Scope").select_option("model")
    expect(listed).to_contain_text("0 events match")
    expect(page).to_have_url(re.compile("scope=model"))
    page.go_back()
    expect(listed).to_contain_text("3 events, newest first")
    assert admin.faults == []


def test_attempts_are_filtered_ordered_and_exported_as_they_are_filtered(admin: Visitor) -> None:
    page = admin.page
    page.goto(f"{admin.url}/attempts/")
    bar = page.get_by_role("combobox", name="Filter")
    bar.fill("status:429")
    bar.press("Enter")
    listed = page.get_by_role("region", name="LLM attempts")
    expect(listed).to_contain_text("6 attempts match, newest first")
    listed.get_by_role("link", name="Duration").click()
    expect(listed).to_contain_text("6 attempts match, longest first")
    expect(page.get_by_role("columnheader", name="Duration")).to_have_attribute("aria-sort", "descending")
    expect(page).to_have_url(re.compile(r"q=status%3A429.*sort=longest|sort=longest.*q=status%3A429"))
    with page.expect_download() as saved:
        listed.get_by_role("link", name="CSV").click()
    rows = saved.value.path().read_text().splitlines()
    assert len(rows) == 7
    assert all(",429," in row for row in rows[1:])
    assert admin.faults == []


def test_steps_are_filtered_ordered_and_link_to_their_place_in_the_task(admin: Visitor) -> None:
    page = admin.page
    page.goto(admin.url)
    page.get_by_role("link", name="All steps").click()
    bar = page.get_by_role("combobox", name="Filter")
    bar.fill("status:429")
    bar.press("Enter")
    listed = page.get_by_role("region", name="Steps")
    expect(listed).to_contain_text("6 steps match, newest first")
    listed.get_by_role("link", name="Took").click()
    expect(listed).to_contain_text("6 steps match, longest first")
    with page.expect_download() as saved:
        listed.get_by_role("link", name="CSV").click()
    assert len(saved.value.path().read_text().splitlines()) == 7
    listed.get_by_role("row").nth(1).get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/tasks/\d+/#step-\d+$"))
    assert admin.faults == []


def test_tasks_are_chosen_by_tab_and_turned_round(admin: Visitor) -> None:
    page = admin.page
    page.goto(f"{admin.url}/tasks/")
    tabs = page.get_by_role("navigation", name="States")
    expect(tabs.get_by_role("link", name=re.compile("^All"))).to_have_attribute("aria-current", "true")
    tabs.get_by_role("link", name=re.compile("^Answered")).click()
    expect(page.get_by_role("combobox", name="Filter")).to_have_value("state:answered")
    first = page.get_by_role("row").nth(1).inner_text()
    page.get_by_role("link", name="First seen").click()
    expect(page.get_by_role("region", name="Tasks")).to_contain_text("oldest first")
    assert page.get_by_role("row").last.inner_text() == first
    assert admin.faults == []


def test_the_comparison_is_of_the_times_that_are_entered(admin: Visitor) -> None:
    page = admin.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(admin.url)
    page.get_by_text("Custom", exact=True).click()
    place = page.locator(".own-range form").bounding_box()
    assert place and place["x"] >= 0 and place["x"] + place["width"] <= 390, "a phone shows the whole form"
    page.get_by_label(re.compile("^From")).fill("2026-05-04T11:00")
    page.get_by_label(re.compile("^Until")).fill("2026-05-04T13:00")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"since=2026-05-04T11%3A00&until=2026-05-04T13%3A00"))
    figure = page.locator(".figure-cards > div").filter(has_text="Steps answered")
    expect(figure).to_contain_text("new")
    answered = figure.locator(".figure").inner_text()
    page.get_by_role("link", name="LLM and template side by side").click()
    sides = page.get_by_role("region", name="LLM and template").get_by_role("row")
    counts = [int(sides.nth(number).get_by_role("cell").nth(1).inner_text()) for number in (1, 2)]
    assert sum(counts) == int(answered) > 0
    assert admin.faults == []
