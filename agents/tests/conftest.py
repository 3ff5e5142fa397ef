"""A miner whose account is at the stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from agents.configuration import change
from agents.standin.process import StandIn

MODEL = "Qwen/Qwen3-32B-TEE"


@pytest.fixture
def managed_standin(standin: StandIn, settings: Any) -> StandIn:
    """With an admin key, and without spacing. For tests with a database."""
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = standin.key, standin.base_url, (MODEL,)
    settings.CHUTES_ADMIN_KEY, settings.CHUTES_MANAGEMENT_URL = standin.admin_key, standin.management_url
    change({"spacing_seconds": 0}, by=None, reason="test")
    return standin
