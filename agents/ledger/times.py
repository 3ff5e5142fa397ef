"""Unix seconds, as the core counts, to times as the database keeps them."""

from __future__ import annotations

from datetime import UTC, datetime


def at(seconds: float) -> datetime:
    """The time at `seconds`."""
    return datetime.fromtimestamp(seconds, UTC)


def maybe_at(seconds: float | None) -> datetime | None:
    """The time at `seconds`; None stays None."""
    return None if seconds is None else at(seconds)
