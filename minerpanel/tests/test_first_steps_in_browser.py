"""A new admin is led through the first steps by hand in a real browser, against fake Chutes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import Miner
from minerpanel.tests.visitors import Visitor, collect_static


@pytest.fixture
def fake_chutes() -> Iterator[FakeChutes]:
    with FakeChutes.started() as running:
        yield running


@pytest.fixture
def visitor(
    make_inhabited: Callable[[Path], dict[str, str]], tmp_path: Path, fake_chutes: FakeChutes, browser: Browser
) -> Iterator[Visitor]:
    """At a panel without a key, with a worker."""
    collect_static()
    account = {"CHUTES_API_KEY": "", "CHUTES_BASE_URL": fake_chutes.base_url, "CHUTES_MODELS": "Qwen/Qwen3-32B-TEE"}
    with Miner.running({**make_inhabited(tmp_path), **account}) as miner:
        url = miner.web()
        miner.worker()
        with Visitor.arrived(browser, url) as visitor:
            yield visitor


def test_a_new_admin_is_led_from_a_wrong_key_to_an_answered_step_and_a_channel(visitor: Visitor, fake_chutes: FakeChutes) -> None:
    page = visitor.page
    visitor.log_in("admin")
    page.get_by_role("region", name="First steps").get_by_role("link", name="Open the guide").click()

    def point(heading: str) -> Locator:
        return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=heading))

    for key, state in (("cpk_a.wrong.one", "Failed"), (fake_chutes.key, "Done")):
        page.get_by_label("API key", exact=True).fill(key)
        page.get_by_role("button", name="Save the key").click()
        expect(point("API key set")).to_contain_text("Done The miner calls the LLM with it.")
        expect(point("API key works")).to_contain_text("To do")
        page.get_by_role("button", name="Test the key").click()
        expect(point("API key works")).to_contain_text(state)
        if state == "Failed":
            expect(point("API key works")).to_contain_text("The key was refused. Check the key")
    page.get_by_role("button", name="Answer a sample").click()
    expect(point("First step answered")).to_contain_text("Done")
    page.get_by_label("USD a day").fill("2")
    page.get_by_role("button", name="Save the caps").click()
    expect(point("Daily use capped")).to_contain_text("5,000 attempts and 2 USD a day.")
    page.get_by_label("Allowed callers").fill("203.0.113.7")
    page.get_by_role("button", name="Save the addresses").click()
    expect(point("Validators allowed")).to_contain_text("Done")
    page.get_by_role("link", name="Add a channel").click()
    page.get_by_label("Name").fill("phone")
    page.get_by_label("Apprise URL").fill("json://127.0.0.1:9/")
    page.get_by_role("button", name="Add channel").click()
    page.goto(visitor.url)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("region", name="First steps")).to_be_hidden()
    page.goto(f"{visitor.url}/settings/")
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="First steps").click()
    expect(point("Notifications configured")).to_contain_text("Done")
    expect(page.get_by_role("main")).to_contain_text("2 of 8 steps left")
    assert visitor.faults == []
