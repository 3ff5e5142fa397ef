"""The panel in a real browser, with a real miner behind it."""

import json
import re
from pathlib import Path

import httpx
from playwright.sync_api import expect

from minerpanel.tests.processes import Miner, step_body, wait_until
from minerpanel.tests.visitors import Panel, Visitor


def test_an_admin_sees_a_step_arrive_changes_the_spacing_takes_it_back_and_imports_it_again(visitor: Visitor) -> None:
    page = visitor.page
    visitor.log_in("admin")
    httpx.post(f"{visitor.url}/step", json=step_body(), timeout=60)
    row = page.get_by_role("row").filter(has_text="Search for the film 'Arrival'")
    expect(row).to_contain_text("LLM")
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
    preview = page.get_by_label("Result of these settings")
    expect(preview).to_contain_text("24 requests a minute at most")
    page.get_by_label("Backoff", exact=True).fill("60, 900")
    expect(preview).to_contain_text("Is raised to 15 min")
    expect(preview).to_be_in_viewport()
    page.get_by_role("button", name="What if on the last 24 h").click()
    expect(page.get_by_label("Backoff, s", exact=True)).to_have_value("60, 900")
    page.go_back()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Export as JSON").click()
    exported = saved.value.path().read_text()
    change.get_by_role("button", name="Revert").click()
    expect(page.get_by_label("Spacing")).to_have_value("5")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("Or its text").fill(exported)
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("row").filter(has_text="Spacing")).to_contain_text("2.5 s")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_label("Spacing")).to_have_value("2.5")
    page.get_by_role("button", name="Test the key of default").click()
    expect(page.get_by_role("main")).to_contain_text("Direct key test of account default")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("main")).to_contain_text("Cancelled")
    assert visitor.faults == []


def test_a_viewer_is_offered_no_form_and_a_post_is_refused(guest: Visitor, panel: Panel) -> None:
    page = guest.page
    guest.log_in("viewer")
    page.goto(f"{guest.url}/settings/")
    expect(page.get_by_role("main")).to_contain_text("Spacing")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    assert guest.faults == []
    token = next(cookie["value"] for cookie in page.context.cookies() if "csrf" in cookie["name"])
    refused = page.request.post(
        f"{guest.url}/settings/", form={"spacing_seconds": "0"}, headers={"X-CSRFToken": token, "Referer": guest.url}
    )
    assert refused.status == 403
    assert '"spacing_seconds": 5' in panel.miner.manage("miner_settings")


def test_an_operators_task_is_tried_then_answered_before_their_eyes(visitor: Visitor, miner: tuple[Miner, str]) -> None:
    page = visitor.page
    miner[0].worker()
    visitor.log_in("operator")
    page.goto(f"{visitor.url}/tasks/")
    page.get_by_role("link", name="New task").click()
    page.get_by_label("Prompt").fill("Log out")
    page.get_by_label("URL").fill("http://localhost:8000/?seed=5")
    page.get_by_label("Try").select_option("The first step")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("region", name="The template agent's answer")).to_contain_text("Answered by the recipe Logout")
    expect(page.get_by_label("Prompt")).to_have_value("Log out")
    assert miner[0].rows("SELECT count(*) FROM agents_task") == [(0,)], "a try keeps nothing"
    page.get_by_role("button", name="Queue the task").click()
    expect(page.get_by_role("main")).to_contain_text(re.compile("Answered"))
    expect(page.get_by_role("main").get_by_role("definition").filter(has_text="Log out")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("NavigateAction")
    assert visitor.faults == []


def test_the_tests_run_before_an_operators_eyes_and_their_report_is_the_file(visitor: Visitor, miner: tuple[Miner, str]) -> None:
    page, running = visitor.page, miner[0]
    running.environment["PORT"] = visitor.url.rpartition(":")[2]  # the miner that the live test posts to
    running.execute("DELETE FROM agents_heartbeat")
    visitor.log_in("operator")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Tests").click()
    page.get_by_role("button", name="Run the tests").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Test run 1")
    expect(page.get_by_role("main")).to_contain_text("The worker is not running, so the run does not start.")
    expect(page.get_by_role("progressbar")).to_be_visible()
    running.worker()
    expect(page.locator("details.result").first).to_contain_text("API key (default)")
    expect(page.get_by_role("heading", name="Recommendations")).to_be_visible(timeout=120_000)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert running.rows("SELECT state, verdict FROM monitoring_testrun")[0][0] == "succeeded"
    with page.expect_download() as download:
        page.get_by_role("link", name="Markdown").click()
    markdown = download.value.path().read_text().replace("\\", "")
    results = page.locator("details.result").all()
    assert len(results) >= 6
    for result in results:
        verdict, title = result.locator(".badge").inner_text(), result.locator("strong").inner_text()
        mark = {"OK": "ok", "Warning": "warn", "Failed": "fail", "Skipped": "skipped"}[verdict]
        assert f"- **{title}**: [{mark}] {result.locator('.result-sentence').inner_text()}" in markdown
    assert page.get_by_role("main").get_by_role("status").inner_text().partition(" ")[2] in markdown
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Health").click()
    expect(page.get_by_role("article", name="database")).to_contain_text("Read and written in")
    assert visitor.faults == []


def test_the_log_is_live_waits_while_it_is_read_and_goes_on(visitor: Visitor, miner: tuple[Miner, str]) -> None:
    page, log = visitor.page, "import logging; logging.getLogger('agents.hybrid.spool').warning('{}')"
    miner[0].manage("shell", "--command", "import logging; [logging.warning('early') for _ in range(60)]")
    visitor.log_in("viewer")
    page.get_by_role("link", name="Logs").click()
    state, list_ = page.locator("[data-tail-state]"), page.get_by_label("Log entries")
    expect(state).to_have_text("Live")
    miner[0].manage("shell", "--command", log.format("while live"))
    expect(list_).to_contain_text("while live")
    page.mouse.wheel(0, 2_000)
    expect(state).to_have_text("Paused while you read")
    miner[0].manage("shell", "--command", log.format("while read"))
    page.wait_for_timeout(3_500)  # two ticks
    expect(list_).not_to_contain_text("while read")
    page.get_by_role("heading", level=1).scroll_into_view_if_needed()
    expect(list_).to_contain_text("while read")
    page.get_by_role("button", name="Pause").click()
    expect(state).to_have_text("Paused")
    miner[0].manage("shell", "--command", log.format("while paused"))
    page.wait_for_timeout(3_500)
    expect(list_).not_to_contain_text("while paused")
    page.get_by_role("button", name="Continue").click()
    expect(list_).to_contain_text("while paused")
    page.get_by_label("Text").fill("while live")
    page.get_by_label("Text").press("Enter")
    expect(list_).to_contain_text("1 entry matches")
    expect(page).to_have_url(re.compile("text=while"))
    assert visitor.faults == []


def test_an_operator_imports_a_journal_before_their_eyes(visitor: Visitor, miner: tuple[Miner, str], tmp_path: Path) -> None:
    page, file = visitor.page, tmp_path / "journal.log"
    file.write_text("Nov 18 16:27:53 autoppia-miner python3[133676]: WARNING:api.endpoints:Task a-1 timed out after 25 seconds\nodd\n")
    miner[0].worker()
    visitor.log_in("operator")
    page.get_by_role("link", name="Logs").click()
    page.get_by_role("link", name="Imports").click()
    page.get_by_label("Journal").set_input_files(file)
    page.get_by_label("Year").fill("2025")
    page.get_by_role("button", name="Import the journal").click()
    row = page.get_by_role("row").filter(has_text="journal.log")
    expect(row).to_contain_text("Succeeded")
    row.get_by_role("link", name="journal.log").click()
    expect(page.get_by_label("Log entries")).to_contain_text("Task a-1 timed out after 25 seconds")
    assert visitor.faults == []


def test_an_operator_pauses_the_account_sees_the_countdown_and_takes_it_back(visitor: Visitor, miner: tuple[Miner, str]) -> None:
    page = visitor.page
    visitor.log_in("operator")
    page.get_by_role("link", name="Rate limit").click()
    expect(page.get_by_role("main")).to_contain_text("LLM ready")
    page.get_by_role("link", name="Pause…").click()
    page.get_by_label("5 min", exact=True).check()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"LLM paused by an operator for \d min"))
    figure = page.locator(".expected .figure")
    before = figure.inner_text()
    page.wait_for_timeout(3_200)  # two ticks of the live part
    assert re.fullmatch(r"\d min( \d+ s)?", figure.inner_text()), "a tick leaves the countdown written"
    expect(figure).not_to_have_text(before)
    wait_until(
        lambda: httpx.get(f"{visitor.url}/health", timeout=60).json()["llm"]["state"] == "paused", "Health does not report the pause"
    )
    page.get_by_role("link", name="Resume").click()
    expect(page.get_by_role("main")).to_contain_text("Ends the pause. The next step may send at once.")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("main")).to_contain_text("LLM ready")
    page.get_by_role("link", name="Clear…").click()
    expect(page.get_by_role("main")).to_contain_text("Forgets all refusals")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Clear…").click()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("status").filter(has_text="is cleared")).to_be_visible()
    page.get_by_role("link", name="Probe now").click()
    expect(page.get_by_role("alert")).to_contain_text("The worker sends the probe.")
    page.get_by_role("button", name="Probe now").click()
    expect(page.get_by_role("status").filter(has_text="is queued")).to_be_visible()
    done = page.get_by_role("region", name="Operator actions").get_by_role("row")
    expect(done.filter(has_text="operator")).to_have_count(4)
    assert visitor.faults == []


def test_a_viewer_filters_by_keyboard_opens_copies_and_exports(visitor: Visitor) -> None:
    page = visitor.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=visitor.url)
    httpx.post(f"{visitor.url}/step", json=step_body(), timeout=60)
    visitor.log_in("viewer")
    page.get_by_role("link", name="Tasks", exact=True).click()
    bar = page.get_by_role("combobox", name="Filter")
    bar.press_sequentially("rou")
    expect(page.get_by_role("option")).to_have_text(["route: Who answered a step"])
    bar.press("ArrowDown")
    bar.press("Enter")
    expect(page.get_by_role("option")).to_have_count(2)
    bar.press_sequentially("l")
    bar.press("ArrowDown")
    bar.press("Enter")
    expect(bar).to_have_value("route:llm ")
    bar.press("Escape")
    bar.press_sequentially("since:soon")
    bar.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("since: write 30m, 2h or 7d")
    assert "q=route%3Allm" in page.url
    bar.fill('route:llm since:2h "Arrival"')
    bar.press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0)
    with page.expect_download() as saved:
        page.get_by_role("link", name="CSV").click()
    file = saved.value.path().read_text()
    assert re.fullmatch(r"tasks-[0-9-]+\.csv", saved.value.suggested_filename)
    assert "Search for the film 'Arrival'" in file
    assert len(file.splitlines()) == 2
    with page.expect_download() as saved:
        page.get_by_role("link", name="JSON lines").click()
    (text,) = map(json.loads, saved.value.path().read_text().splitlines())
    assert text["prompt"] == "Search for the film 'Arrival'"
    page.get_by_role("row").filter(has_text="Arrival").get_by_role("link").first.click()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "Search for the film 'Arrival'" in page.evaluate("navigator.clipboard.readText()")
    assert visitor.faults == []


def test_an_operator_has_a_step_answered_again_by_others_and_tries_other_settings_out(visitor: Visitor, miner: tuple[Miner, str]) -> None:
    page = visitor.page
    miner[0].worker()
    httpx.post(f"{visitor.url}/step", json=step_body(), timeout=60)
    visitor.log_in("operator")
    page.goto(f"{visitor.url}/tasks/1/")
    page.get_by_role("link", name="Replay this step").click()
    page.get_by_label("Who answers").select_option("Template agent only")
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_role("group", name="Now")).to_contain_text("Template")
    expect(page.get_by_role("group", name="Then")).to_contain_text("Qwen/Qwen3-32B-TEE")
    expect(page.get_by_role("status").filter(has_text="answer")).to_be_visible()
    page.get_by_text("Prompt to the model").click()
    expect(page.get_by_text("Search for the film 'Arrival'").first).to_be_visible()
    page.get_by_label("Who answers").select_option("Qwen/Qwen3-32B-TEE")
    page.get_by_label("Deadline, s").fill("30")
    page.get_by_role("button", name="Replay", exact=True).click()
    by_model = page.get_by_role("region", name="Replay 2")
    expect(by_model).to_contain_text("deadline 30 s")
    expect(by_model.get_by_role("group", name="Now")).to_contain_text("Qwen/Qwen3-32B-TEE")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Rate limit").click()
    page.get_by_role("link", name="What if other settings").click()
    page.get_by_label("Spacing, s").fill("1")
    page.get_by_role("button", name="Try these settings").click()
    compared = page.get_by_role("table", name="Before and after")
    expect(compared).to_contain_text("Steps")
    expect(page.get_by_role("region", name="Latest run")).to_contain_text("Spacing 1 s")
    assert '"spacing_seconds": 5' in miner[0].manage("miner_settings"), "nothing is changed by it"
    assert visitor.faults == []
