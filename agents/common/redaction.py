"""Masks secrets in text before it reaches a log, a row or a page.

`redact` is for logs, errors and pages. `mask_keys` is for callers' texts before they are stored: a replay needs the password that a
prompt contains, but no task needs an API key.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "[secret]"
SHORTEST_SECRET = 6  # anything shorter would mask ordinary words

_NAMES = r"(?:api[-_]?key|passw(?:or)?d|pwd|secret|token|authorization)"
# Each repetition before a keyword is bounded, so that matching takes linear time.
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<keep>bearer(?:\s+|%20|\+))(?!\[secret\])[^\s'\",;)}\]&]+",
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
# Issued keys by their prefix and the rest. Searching for a prefix is fast, so a large page without keys costs nearly nothing. A digit is
# required early where a CSS class may begin alike. Each repetition is of one character class, so that matching takes linear time.
_DIGIT = r"(?=[A-Za-z_-]{0,40}[0-9])"
_LONG = _DIGIT + r"[A-Za-z0-9_-]{16,}"
_JWT_PART = r"[A-Za-z0-9_-]{10,}"
_ISSUED: Mapping[str, str] = {
    "cpk_": r"[A-Za-z0-9._%-]+",  # Chutes
    **dict.fromkeys(("CPK_", "cpk%5F", "cpk%5f"), r"[A-Za-z0-9._%-]+"),
    **dict.fromkeys(("sk-", "gsk_", "xai-", "hf_", "pplx-", "nvapi-", "r8_", "fw_", "csk-"), _LONG),  # other providers of models
    **dict.fromkeys(("ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_"), r"[A-Za-z0-9_]{20,}"),
    "glpat-": r"[A-Za-z0-9_.-]{16,}",  # GitLab
    **dict.fromkeys(("xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-"), r"[A-Za-z0-9-]{10,}"),  # Slack
    **dict.fromkeys(("AKIA", "ASIA"), r"[A-Z0-9]{16}(?![A-Za-z0-9])"),  # AWS
    "AIza": r"[A-Za-z0-9_-]{35}",  # Google
    **dict.fromkeys(("sk_live_", "sk_test_", "rk_live_", "rk_test_"), r"[A-Za-z0-9]{16,}"),  # Stripe
    "npm_": r"[A-Za-z0-9]{36}",
    "pypi-": r"[A-Za-z0-9_-]{50,}",
    "mp_": r"[A-Za-z0-9_-]{40,}",  # this panel's API
    "eyJ": rf"(?<![A-Za-z0-9_-]eyJ){_JWT_PART}\.eyJ{_JWT_PART}\.{_JWT_PART}",  # JSON web tokens
    "-----BEGIN ": r"(?:[A-Z]{1,10} ){0,3}PRIVATE KEY-----[^-]*",
}
# Not matched inside a longer word.
_WHOLE = ("sk-", "hf_", "r8_", "fw_", "AKIA", "ASIA", "npm_", "mp_")
_NAMED: Mapping[str, str] = {
    **dict.fromkeys(("earer", "EARER"), r"(?:\s{1,4}|%20|\+)"),
    **dict.fromkeys(("api", "Api", "API"), r"[-_ ]?[Kk][Ee][Yy][\"']?\s{0,4}[:=]\s{0,4}[\"']?"),
}
# Each pattern starts with the prefix, which makes the search fast.
_KEYS = {prefix: re.compile(re.escape(prefix) + rest) for prefix, rest in _ISSUED.items()}
_KEYS |= {prefix: re.compile(rf"{prefix}(?<![A-Za-z0-9]{prefix}){_ISSUED[prefix]}") for prefix in _WHOLE}
_KEYS |= {name: re.compile(rf"(?P<keep>{name}{rest})[A-Za-z0-9._~+/=-]{{16,}}") for name, rest in _NAMED.items()}
# Characters that are masked at a time: a regular expression holds the interpreter lock, and steps wait for it.
PIECE = 65_536
_EDGE = re.compile(r"[\s<]")
# Secrets that this process has used. Others can't be in its output.
_remembered: set[str] = set()


def remember(*secrets: str) -> None:
    """Mask these secrets from now on, in this process."""
    _remembered.update(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Masks what looks like a key, token or password, remembered secrets and `secrets`."""
    text = _masked_keys(text, _remembered.union(secret for secret in secrets if len(secret) >= SHORTEST_SECRET))
    for pattern in _PATTERNS:
        text = pattern.sub(_masked, text)
    return text


def mask_keys(text: str) -> str:
    """Masks issued keys and remembered secrets, so that a caller's text may be stored."""
    masked, start = list[str](), 0
    while start < len(text):
        # A piece ends outside of a key, if such a place is near.
        edge = _EDGE.search(text, start + PIECE, start + 2 * PIECE)
        end = edge.start() if edge else start + 2 * PIECE
        masked.append(_masked_keys(text[start:end], _remembered))
        start = end
    return "".join(masked)


def _masked_keys(text: str, secrets: set[str]) -> str:
    if secrets:
        text = _any_of(frozenset(secrets)).sub(MASK, text)
    for prefix, pattern in _KEYS.items():
        if prefix in text:
            text = pattern.sub(_masked, text)
    return text


def mask_keys_in(value: Any) -> Any:
    if isinstance(value, str):
        return mask_keys(value)
    if isinstance(value, dict):
        return {name: mask_keys_in(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [mask_keys_in(part) for part in value]
    return value


@lru_cache(maxsize=8)
def _any_of(secrets: frozenset[str]) -> re.Pattern[str]:
    forms = {form for secret in secrets for form in _forms(secret)}
    return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def _forms(secret: str) -> set[str]:
    """A secret as it appears in text, in URLs, in JSON, and in Python's representation of strings and bytes."""
    encoded = {quote(secret, safe="", errors="replace"), quote(secret, errors="replace"), quote_plus(secret, errors="replace")}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in encoded}
    shown = {repr(secret)[1:-1], repr(repr(secret))[2:-2], repr(secret.encode("utf-8", "replace"))[2:-1], json.dumps(secret)[1:-1]}
    return {secret} | encoded | lower | shown


def _masked(match: re.Match[str]) -> str:
    return match.groupdict().get("keep", "") + MASK
