"""The miner's settings: changed with who, when, old and new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from agents.configuration.recorded import save
from agents.models import Settings

SETTINGS = (
    "pacing",
    "spacing_seconds",
    "backoff_seconds",
    "backoff_max_seconds",
    "key_check_minutes",
    "probe_after_pause",
    "deadline_seconds",
    "agent_mode",
    "llm_use",
    "sure_from",
    "max_task_usd",
    "llm_callers",
    "look_before_planning",
    "look_hosts",
    "miner_api_url",
    "retest_after_pause",
    "health_seconds",
    "failures_before_down",
    "silence_minutes",
    "least_llm_percent",
    "keep_info_logs",
)


def values(settings: Settings) -> dict[str, Any]:
    """All settings by name, as JSON can hold them."""
    return {name: getattr(settings, name) for name in SETTINGS}


def change(changes: Mapping[str, Any], *, by: AbstractBaseUser | None, reason: str) -> Settings:
    """Change settings and keep who, when, old and new. Raises ValidationError with a message per field; then nothing is changed."""
    with transaction.atomic():
        row = Settings.objects.select_for_update().filter(id=Settings.ONLY).first() or Settings(id=Settings.ONLY)
        save(row, changes, SETTINGS, by, reason)
    return row
