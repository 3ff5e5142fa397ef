"""Take secrets out of text before it reaches a log, a row or a page.

`redact` is for logs, errors and pages. `mask_keys` is for what callers send, before it is stored: a task's prompt may say which password
to type, which a replay needs, but no task needs an issued key.
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
# Each repetition before a known word is bounded, so that the time grows with the text and not with its square.
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
# Keys as they are issued, by what each begins with and what follows. A search for a plain text is fast, so a page of megabytes without
# keys costs nearly nothing. A digit is required early where a class name of a style sheet may begin alike. Repetitions are of one class
# each, so the time is linear.
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
# Of these a part of a longer word is none.
_WHOLE = ("sk-", "hf_", "r8_", "fw_", "AKIA", "ASIA", "npm_", "mp_")
_NAMED: Mapping[str, str] = {
    **dict.fromkeys(("earer", "EARER"), r"(?:\s{1,4}|%20|\+)"),
    **dict.fromkeys(("api", "Api", "API"), r"[-_ ]?[Kk][Ee][Yy][\"']?\s{0,4}[:=]\s{0,4}[\"']?"),
}
# The prefix comes first in each pattern, so that it is what the search starts with.
_KEYS = {prefix: re.compile(re.escape(prefix) + rest) for prefix, rest in _ISSUED.items()}
_KEYS |= {prefix: re.compile(rf"{prefix}(?<![A-Za-z0-9]{prefix}){_ISSUED[prefix]}") for prefix in _WHOLE}
_KEYS |= {name: re.compile(rf"(?P<keep>{name}{rest})[A-Za-z0-9._~+/=-]{{16,}}") for name, rest in _NAMED.items()}
# Characters that are masked at a time: a regular expression holds the interpreter, and steps are waiting for it.
PIECE = 65_536
_EDGE = re.compile(r"[\s<]")
# What this process has opened or was given. A secret that it never held can't get into what it writes.
_known: set[str] = set()


def remember(*secrets: str) -> None:
    """From now on, in this process."""
    _known.update(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with what looks like a key, token or password, what was remembered and every one of `secrets` replaced by a mask."""
    text = _masked_keys(text, _known.union(secret for secret in secrets if len(secret) >= SHORTEST_SECRET))
    for pattern in _PATTERNS:
        text = pattern.sub(_masked, text)
    return text


def mask_keys(text: str) -> str:
    """`text` with every issued key and what was remembered replaced by a mask: what may be stored of a stranger's text."""
    masked, start = list[str](), 0
    while start < len(text):
        # A piece ends where no key goes on, if there is such a place nearby.
        edge = _EDGE.search(text, start + PIECE, start + 2 * PIECE)
        end = edge.start() if edge else start + 2 * PIECE
        masked.append(_masked_keys(text[start:end], _known))
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
        return {name: mask_keys_in(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [mask_keys_in(each) for each in value]
    return value


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
