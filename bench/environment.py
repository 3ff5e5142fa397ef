"""The environment of a miner of a bench's own."""

from __future__ import annotations

import os
from pathlib import Path

from agents.standin.process import StandIn


def environment(data: Path, standin: StandIn, models: str) -> dict[str, str]:
    """A data folder of its own, SQLite, and the stand-in as its provider."""
    own = {"DATA_DIR": str(data), "DATABASE_URL": "", "LOG_LEVEL": "ERROR", "SECRET_KEY": "bench " * 10}
    return {**os.environ, **own, "CHUTES_API_KEY": standin.key, "CHUTES_BASE_URL": standin.base_url, "CHUTES_MODELS": models}
