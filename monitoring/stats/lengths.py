"""Lengths of time in words."""

from __future__ import annotations


def length(seconds: float) -> str:
    """A length of time in its two largest units, such as 3 min 12 s."""
    left, parts = max(0, round(seconds)), list[str]()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
