"""Shared fixtures: a miner with an account at fake Chutes, and a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from agents.configuration import change
from agents.devtools.fake_chutes.process import FakeChutes

MODEL = "Qwen/Qwen3-32B-TEE"


@pytest.fixture
def managed_fake_chutes(fake_chutes: FakeChutes, settings: Any) -> FakeChutes:
    """With an admin key, and without spacing. For tests with a database."""
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = fake_chutes.key, fake_chutes.base_url, (MODEL,)
    settings.CHUTES_ADMIN_KEY, settings.CHUTES_MANAGEMENT_URL = fake_chutes.admin_key, fake_chutes.management_url
    change({"spacing_seconds": 0}, by=None, reason="test")
    return fake_chutes


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a new context, with a long timeout."""
    context = browser.new_context()
    opened = context.new_page()
    opened.set_default_timeout(90_000)
    yield opened
    context.close()
