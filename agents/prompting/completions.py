"""The chat request that carries a prompt, and the completion in a provider's answer."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.common.text import storable

MAX_TOKENS = 2048  # a plan of 30 actions takes about 1,500 tokens
MAX_REPLY_BYTES = 2_000_000  # longer than any plan: a longer reply is a fault of the provider
RATE_LIMIT_HEADER = "x-chutes-rl-user"
JSON_MODE: Mapping[str, Any] = {"response_format": {"type": "json_object"}}


class NoCompletion(ValueError):
    """The status is 200, but the body is not a chat completion."""


@dataclass(frozen=True, slots=True)
class Completion:
    """None: not reported. `published`: requests a minute; `quota`: the day's requests as {"total", "used", "remaining"}."""

    text: str
    prompt_tokens: int | None
    completion_tokens: int | None
    published: float | None = None
    quota: dict[str, float] | None = None


def request_body(
    model: str, messages: Sequence[Mapping[str, str]], options: Mapping[str, Any] = JSON_MODE, max_tokens: int = MAX_TOKENS
) -> dict[str, Any]:
    return {"temperature": 0, **options, "model": model, "messages": list(messages), "max_tokens": max_tokens}


def completion(body: str, headers: Mapping[str, str]) -> Completion:
    """`headers`: names in lower case. Raises NoCompletion."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        raise NoCompletion("The reply is not JSON.") from None
    try:
        text = reply["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        raise NoCompletion("The reply has no message.") from None
    if not isinstance(text, str) or not text.strip():
        raise NoCompletion("The reply is empty.")
    usage = reply.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    limits = {name: number(headers.get(f"x-chutes-quota-{name}"), -math.inf) for name in ("total", "used", "remaining")}
    quota = {name: value for name, value in limits.items() if value is not None}
    tokens = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    published = number(headers.get(RATE_LIMIT_HEADER)) or None  # 0: no limit
    return Completion(storable(text), *tokens, published, quota if len(quota) == len(limits) else None)


def number(value: Any, least: float = 0.0) -> float | None:
    try:
        parsed = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return parsed if least <= parsed and math.isfinite(parsed) else None


def header_value(text: str) -> str:
    return "".join(character if " " <= character <= "~" else "?" for character in text.strip())


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
