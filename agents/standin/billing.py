"""Who pays for an answer: the daily quota, the subscription, or the balance, which is billed without a word.

Pure: `now` is seconds from the start, money is USD.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from math import inf

from agents.standin import catalogue
from agents.standin.behaviour import Behaviour
from agents.standin.completions import ChatRequest, Reply, usage
from agents.standin.hidden import Hidden
from agents.standin.provider import World, cap_used, quota_used

# The daily requests of a middle-sized subscription: told where a scenario sets no quota, and never enforced.
TOLD_TOTAL = 5000
# USD; what matters is whether it is used up, and when it ends.
MONTHLY_CAP = 100.0


def left(behaviour: Behaviour, billed: float) -> float:
    """What is left of the balance after `billed`."""
    return max(0.0, (behaviour.balance or 0.0) - billed)


def is_broke(behaviour: Behaviour, billed: float) -> bool:
    """Whether nothing is left to pay with."""
    return behaviour.pays_as_it_goes and not left(behaviour, billed)


def enforced(behaviour: Behaviour, billed: float) -> Hidden:
    """The account as it counts for the next request: while there is a balance neither quota nor cap refuses anything."""
    hidden = replace(behaviour.hidden, models=behaviour.models)
    if not left(behaviour, billed):
        return hidden
    quota = hidden.quota and replace(hidden.quota, total=sys.maxsize)
    return replace(hidden, quota=quota, cap4h=hidden.cap4h and replace(hidden.cap4h, cap=inf))


def is_billed(behaviour: Behaviour, world: World, now: float) -> bool:
    """Whether the balance pays for an answer at `now`."""
    hidden = behaviour.hidden
    over_quota = hidden.quota is not None and quota_used(world, hidden.quota, now) >= hidden.quota.total
    over_cap = hidden.cap4h is not None and cap_used(world, hidden.cap4h, now) >= hidden.cap4h.cap
    return behaviour.balance is not None and (behaviour.pays_as_it_goes or over_quota or over_cap)


def is_month_used_up(behaviour: Behaviour, billed: float, world: World, now: float) -> bool:
    """Whether the subscription's month has nothing left, and no balance stands in for it."""
    ends_at, cap = behaviour.monthly_reset_at, behaviour.hidden.cap4h
    if ends_at is None or now >= ends_at or cap is None or left(behaviour, billed):
        return False
    return behaviour.monthly_used + cap_used(world, cap, now) >= MONTHLY_CAP


def price(model: str, chat: ChatRequest, reply: Reply) -> float:
    """What an answer costs."""
    listed, tokens = catalogue.model(model), usage(chat, reply)
    return (tokens["prompt_tokens"] * listed.input_usd + tokens["completion_tokens"] * listed.output_usd) / 1e6


def daily(behaviour: Behaviour, world: World, served: int, now: float) -> tuple[int, int]:
    """The day's requests as successes tell them: (total, used); total 0 is pay as you go."""
    quota = behaviour.hidden.quota
    if quota:
        return quota.total, quota_used(world, quota, now)
    return (0, 0) if behaviour.pays_as_it_goes else (TOLD_TOTAL, served)
