"""Changes at fixed seconds after the start: `[{"at": 60, "set": {"limit": 4}}, {"at": 90, "ban": 600}]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from agents.standin.faults import BadSetting
from agents.standin.fields import mapping, number

# What the changes are merged into: the hidden account alone, or all of the stand-in's behaviour.
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """At `at` s after the start `changes` are merged in, and the account is banned for `ban` s (None: it is not)."""

    at: float
    changes: Mapping[str, Any] = field(default_factory=dict)
    ban: float | None = None


def read(entries: object, start: T, merge: Callable[[T, object], T]) -> tuple[Change, ...]:
    """The timeline in a JSON list, earliest first, for what starts as `start` and what `merge` can change.

    Raises BadSetting, which names the entry and the field in it.
    """
    if not isinstance(entries, list):
        raise BadSetting("timeline", "a JSON list is wanted")
    named = [(f"timeline[{i}]", _change(f"timeline[{i}]", entry)) for i, entry in enumerate(entries)]
    named.sort(key=lambda each: each[1].at)
    for name, change in named:
        start = _fits(name, change, start, merge)
    return tuple(change for _, change in named)


def _fits(name: str, change: Change, start: T, merge: Callable[[T, object], T]) -> T:
    try:
        return merge(start, change.changes)
    except BadSetting as error:
        raise error.within(f"{name}.set") from error


def _change(name: str, entry: object) -> Change:
    if not isinstance(entry, dict) or "at" not in entry or not {"at"} < set(entry) <= {"at", "set", "ban"}:
        raise BadSetting(name, 'an object of "at" (seconds) and "set" (settings), "ban" (seconds) or both is wanted')
    at, changes = number(f"{name}.at", entry["at"]), mapping(f"{name}.set", entry.get("set", {}))
    return Change(at, changes, number(f"{name}.ban", entry["ban"]) if "ban" in entry else None)
