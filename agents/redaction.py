"""Take secrets out of text before it reaches a log, a row or a page."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "[secret]"
SHORTEST_SECRET = 6  # anything shorter would mask ordinary words

_PATTERNS = (
    re.compile(r"cpk_[A-Za-z0-9._-]+"),
    re.compile(r"(?i)\b(?P<keep>bearer\s+)[^\s'\",;)}\]]+"),
    re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+(?=@)"),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with Chutes keys, bearer tokens, passwords in URLs and every one of `secrets` replaced by a mask."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    for pattern in _PATTERNS:
        text = pattern.sub(_masked, text)
    return text


def _masked(match: re.Match[str]) -> str:
    return match.groupdict().get("keep", "") + MASK
