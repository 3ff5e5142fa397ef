"""What LLM calls cost, in USD: at most before they are made, and so far; and the daily caps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from agents.policy.reasons import Verdict
from agents.policy.reset_times import DAY

# USD per million prompt and completion tokens.
Price = tuple[float, float]
# Where a model's price is unknown: more than Chutes lists for most models, so that a cap still holds.
ASSUMED: Price = (1.0, 3.0)
# A task lasts at most 180 s. The same task later than this is a new one.
TASK_SECONDS = 600.0
# More than a task of twelve steps can take; a caller that repeats one task for ever must not make its steps slow.
MOST_CALLS = 200


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made, or is under way. Tokens and `cost` None: the provider did not state them, or the price is unknown."""

    model: str
    verdict: str
    status: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: Decimal | None
    refusal: str = ""


def of_tokens(price: Price | None, prompt: int, completion: int) -> float:
    per_prompt, per_completion = price or ASSUMED
    return (prompt * per_prompt + completion * per_completion) / 1e6


def spent(calls: Iterable[Call], most_usd: Mapping[str, float]) -> float:
    """An upper estimate. `most_usd`: what one call of a model costs at most."""
    return sum(_cost(call, most_usd) for call in calls)


def _cost(call: Call, most_usd: Mapping[str, float]) -> float:
    if call.cost is not None:
        return float(call.cost)
    if call.prompt_tokens is not None and call.completion_tokens is not None:
        return of_tokens(None, call.prompt_tokens, call.completion_tokens)
    # The provider may have done the work of a call under way, cut off, or whose reply was broken. A refusal costs nothing.
    is_cut_off = call.verdict == Verdict.FAILED and call.status is None
    may_be_billed = is_cut_off or call.verdict in {Verdict.OPEN, Verdict.LOST, Verdict.INVALID}
    return most_usd.get(call.model, 0.0) if may_be_billed else 0.0


@dataclass(frozen=True, slots=True)
class Caps:
    """The most of one UTC day; 0: no cap."""

    attempts: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Used:
    attempts: int = 0
    usd: float = 0.0


def allows(caps: Caps, used: Used, most_usd: float) -> bool:
    return (not caps.attempts or used.attempts < caps.attempts) and (not caps.usd or used.usd + most_usd <= caps.usd)


def day_of(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def next_day(now: float) -> float:
    return (now // DAY + 1) * DAY
