"""The command palette and saved views, by keyboard in a real browser."""

import re

from playwright.sync_api import expect

from minerpanel.tests.visitors import Visitor


def test_ctrl_k_opens_pages_and_settings_by_keyboard_alone(visitor: Visitor) -> None:
    visitor.log_in("operator")
    page = visitor.page
    dialog, field = page.get_by_role("dialog", name="Go to"), page.get_by_role("searchbox", name="Page, task, action or setting")
    page.wait_for_load_state("load")  # a key is for a script that runs
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    expect(dialog.get_by_role("link", name="Overview")).to_be_visible()
    page.keyboard.type("spac")
    expect(dialog.get_by_role("status")).to_contain_text("1 result.")
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("link", name=re.compile("Spacing"))).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/#id_spacing_seconds$"))
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="Go to…").click()
    page.keyboard.type("new task")
    expect(dialog.get_by_role("status")).to_contain_text("1 result.")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/tasks/new/$"))
    saved_view(visitor)
    assert visitor.faults == []


def test_on_a_phone_the_menu_opens_it(guest: Visitor) -> None:
    guest.log_in("operator")
    page = guest.page
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Go to…").click()
    dialog = page.get_by_role("dialog", name="Go to")
    page.get_by_role("searchbox", name="Page, task, action or setting").fill("health")
    dialog.get_by_role("link", name="Health").first.click()
    expect(page).to_have_url(re.compile("/components/$"))
    assert guest.faults == []


def saved_view(visitor: Visitor) -> None:
    """Saved with what the filter line has just been changed to, opened again, deleted."""
    page = visitor.page
    page.goto(f"{visitor.url}/steps/")
    bar = page.get_by_role("combobox", name="Filter")
    bar.fill("route:template")
    bar.press("Enter")
    page.get_by_text("Save this view").click()
    page.get_by_label("Name of the view").fill("By template")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{visitor.url}/steps/")
    page.get_by_role("navigation", name="Saved views").get_by_role("link", name="By template").click()
    expect(bar).to_have_value("route:template")
    page.get_by_text("Save this view").click()
    page.get_by_role("button", name="Delete By template").click()
    expect(page.get_by_role("navigation", name="Saved views")).to_have_count(0)
