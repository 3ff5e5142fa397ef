"""Mail addresses out of what a prompt wants one to hold: forms insist on real ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.template.criteria import Criterion
from agents.template.values import meets

_ADDRESS = re.compile(r"[\w+-]+(?:\.[\w+-]+)*@[a-z\d-]+(?:\.[a-z\d-]+)+", re.I)
_WAYS = (
    "{}",
    "jordan{}",
    "{}example.com",
    "jordan{}.example.com",
    "jordan@{}",
    "jordan{}@example.com",
    "{}@example.com",
    "jordan@{}.example.com",
)


def address(value: str, asked: Sequence[Criterion]) -> str:
    """The value as a mail address that meets what is wanted; as it is where none does, or where it is a caller's placeholder."""
    if value.startswith("<"):
        return value
    made = (way.format(value) for way in _WAYS)
    return next((one for one in made if _ADDRESS.fullmatch(one) and all(meets(each, one) for each in asked)), value)
