"""What is known of sites: what comes with the agent, and the operators' own folder over it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings

from agents.template.site_facts import Fault, Sites
from agents.template.site_reading import KNOWN, load


def known_sites() -> Sites:
    """The facts of all sites, by project, as they were when this process started."""
    return _loaded(settings.SITE_FACTS_DIR)[0]


def faults() -> tuple[Fault, ...]:
    """What can't be used of them. It is left out, and the rest serves."""
    return _loaded(settings.SITE_FACTS_DIR)[1]


@cache
def _loaded(folder: Path | None) -> tuple[Sites, tuple[Fault, ...]]:
    return load(KNOWN, *([folder] if folder else []))
