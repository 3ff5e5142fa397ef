"""A few minutes out of a long scenario, as a scenario of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def cut(scenario: Mapping[str, Any], start: float, seconds: float) -> dict[str, Any]:
    """`scenario` (a file's JSON object) from `start` on for `seconds`. What was changed before is so from the beginning."""
    return {**scenario, "horizon": seconds, "timeline": list(_moved(scenario.get("timeline", []), start))}


def _moved(timeline: list[dict[str, Any]], start: float) -> Iterator[dict[str, Any]]:
    for event in sorted(timeline, key=lambda event: float(event["at"])):
        late = max(0.0, start - event["at"])
        moved = {**event, "at": max(0.0, event["at"] - start)}
        if "ban" in moved:
            moved["ban"] = max(0.0, event["ban"] - late)
        if moved.get("ban") == 0:
            del moved["ban"]
        if len(moved) > 1:
            yield moved
