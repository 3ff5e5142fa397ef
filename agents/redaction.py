"""Take secrets out of text before it reaches a log, a row or a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

MASK = "[secret]"
SHORTEST_SECRET = 6  # anything shorter would mask ordinary words

_NAMES = r"(?:api[-_]?key|passw(?:or)?d|pwd|secret|token|authorization)"
# Each repetition before a known word is bounded, so that the time grows with the text and not with its square.
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"cpk(?:_|%5F)[A-Z0-9._%-]+",
        r"\b(?P<keep>bearer(?:\s+|%20|\+))[^\s'\",;)}\]&]+",
        r"(?P<keep>\bauthorization\W{1,6}basic\s+)[A-Z0-9+/=_-]+",
        r"(?P<keep>\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@]*:)[^\s/@]+(?=@)",
        r"(?P<keep>\b[a-z][a-z0-9+.-]{0,30}://)[^\s:/@]{16,}(?=@)",
        r"(?P<keep>%3A%2F%2F[^\s%]{0,100}%3A)\S{1,300}?(?=%40)",
        r"(?P<keep>[?&;](?:key|sig|signature|auth|[\w-]{0,40}" + _NAMES + r")=)[^\s&#'\"]+",
        # {'X-API-Key': 'a'}, api_key=a, "token": b'a'; not prompt_tokens=120, nor the placeholder password:<password>
        r"(?P<keep>" + _NAMES + r"\\?[\"']?\s*[:=]\s*b?\\?[\"']?)(?!bearer\b|basic\b|\[secret\])"
        r"(?!(?<=[\"'])<\w{1,40}>\\?[\"']|(?<![\"'])<\w{1,40}>\.?(?:[\s\"',;&)}\]\\]|$))"
        r"(?:(?<=\")[^\"\\]+|(?<=')[^'\\]+|[^\s\"',;&)}\]\\]{6,})",
    )
)
# What this process has opened or was given. A secret that it never held can't get into what it writes.
_known: set[str] = set()


def remember(*secrets: str) -> None:
    """Mask these wherever `redact` looks, from now on, in this process."""
    _known.update(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with what looks like a key, token or password, what was remembered and every one of `secrets` replaced by a mask."""
    wanted = _known.union(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)
    if wanted:
        text = _any_of(frozenset(wanted)).sub(MASK, text)
    for pattern in _PATTERNS:
        text = pattern.sub(_masked, text)
    return text


@lru_cache(maxsize=8)
def _any_of(secrets: frozenset[str]) -> re.Pattern[str]:
    forms = {form for secret in secrets for form in _forms(secret)}
    return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def _forms(secret: str) -> set[str]:
    """A secret as it stands in text, in a URL, in JSON, and in what Python prints of strings and bytes."""
    encoded = {quote(secret, safe="", errors="replace"), quote(secret, errors="replace"), quote_plus(secret, errors="replace")}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in encoded}
    shown = {repr(secret)[1:-1], repr(repr(secret))[2:-2], repr(secret.encode("utf-8", "replace"))[2:-1], json.dumps(secret)[1:-1]}
    return {secret} | encoded | lower | shown


def _masked(match: re.Match[str]) -> str:
    return match.groupdict().get("keep", "") + MASK
