"""The whole hidden account behind its edge: key, limits, quota, cap, models' capacity, faults and latency of one request.

Pure: `now` is seconds from the scenario's start, dice come in as an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

from agents.standin.edge import Edge, EdgeVerdict, banned, pass_edge
from agents.standin.faults import Fault
from agents.standin.hidden import Cap, Hidden, Latency, Model, Quota

SLOW_SECONDS = (30.0, 90.0)


class Said(StrEnum):
    """What one request comes to. `ANSWERED` may still carry a fault."""

    ANSWERED = "answered"
    EDGE = "edge"
    AUTH = "auth"
    DAILY_QUOTA = "daily_quota"
    SUBSCRIPTION_CAP = "subscription_cap"
    CAPACITY = "capacity"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Reply:
    """`seconds` until the reply is there (infinite for a hang). `model`: which one answered. `reset_at` as a 402 tells it."""

    said: Said
    seconds: float
    model: str = ""
    fault: Fault | None = None
    in_ban: bool = False
    reset_at: float | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What the provider remembers: the edge, and what is used of the daily quota and of the 4-hour cap since their last reset."""

    edge: Edge = field(default_factory=Edge)
    quota_used: int | None = None
    quota_round: int = 0
    cap_used: float | None = None
    cap_round: int = 0


def account_dice(seed: int) -> Random:
    """What one account's latencies, faults and the like are drawn with: the same in the simulation and over HTTP."""
    return Random(f"account {seed}")


def ask(world: World, hidden: Hidden, models: Sequence[str], now: float, rng: Random) -> tuple[World, Reply]:
    """One request for the first of `models` that can take it, at `now`."""
    if not hidden.valid:
        return world, Reply(Said.AUTH, hidden.latency.refusal)
    edge, verdict = pass_edge(world.edge, hidden, now, rng)
    world = replace(world, edge=edge)
    if verdict is not EdgeVerdict.ACCEPTED:
        return world, Reply(Said.EDGE, hidden.latency.refusal, in_ban=verdict is EdgeVerdict.BANNED)
    refusal = _unpaid(world, hidden, now)
    if refusal:
        return world, refusal
    return _first_free(world, hidden, models, now, rng)


def banned_now(world: World, now: float, seconds: float) -> World:
    """The world with the account banned from outside."""
    return replace(world, edge=banned(world.edge, now, seconds))


def quota_used(world: World, quota: Quota, now: float) -> int:
    """Requests of the daily quota that are gone at `now`."""
    rounds = _rounds(quota, now)
    if world.quota_used is None or rounds != world.quota_round:
        return 0 if rounds else quota.used
    return world.quota_used


def cap_used(world: World, cap: Cap, now: float) -> float:
    """USD of the 4-hour cap that are gone at `now`."""
    rounds = _rounds(cap, now)
    if world.cap_used is None or rounds != world.cap_round:
        return 0.0 if rounds else cap.used
    return world.cap_used


def reset_at(limit: Quota | Cap, now: float) -> float:
    """When the quota or the cap starts anew, seen at `now`."""
    return limit.reset_at + _rounds(limit, now) * limit.period


def drawn_latency(latency: Latency, rng: Random) -> float:
    """Seconds of one answer."""
    return min(max(latency.median * rng.lognormvariate(0.0, latency.sigma), latency.low), latency.high)


def _rounds(limit: Quota | Cap, now: float) -> int:
    return 0 if now < limit.reset_at else 1 + int((now - limit.reset_at) // limit.period)


def _unpaid(world: World, hidden: Hidden, now: float) -> Reply | None:
    seconds = hidden.latency.refusal
    if hidden.quota and quota_used(world, hidden.quota, now) >= hidden.quota.total:
        return Reply(Said.DAILY_QUOTA, seconds, reset_at=reset_at(hidden.quota, now))
    if hidden.cap4h and cap_used(world, hidden.cap4h, now) >= hidden.cap4h.cap:
        return Reply(Said.SUBSCRIPTION_CAP, seconds)
    return None


def _first_free(world: World, hidden: Hidden, models: Sequence[str], now: float, rng: Random) -> tuple[World, Reply]:
    reply = Reply(Said.MODEL, hidden.latency.refusal)
    for model in models:
        if model not in hidden.models:
            continue
        if _is_full(hidden.models[model], rng):
            reply = Reply(Said.CAPACITY, hidden.latency.refusal, model=model)
            continue
        reply = _answer(hidden, model, rng)
        if reply.fault is not Fault.HTTP503:
            return _spent(world, hidden, now), reply
    return world, reply


def _is_full(model: Model, rng: Random) -> bool:
    return rng.random() < model.full


def _answer(hidden: Hidden, model: str, rng: Random) -> Reply:
    fault, seconds = _drawn_fault(hidden, rng), drawn_latency(hidden.latency, rng)
    if fault is Fault.SLOW:
        seconds = rng.uniform(*SLOW_SECONDS)
    return Reply(Said.ANSWERED, float("inf") if fault is Fault.HANG else seconds, model, fault)


def _drawn_fault(hidden: Hidden, rng: Random) -> Fault | None:
    roll = rng.random()
    for fault, chance in hidden.faults.items():
        if roll < chance:
            return fault
        roll -= chance
    return None


def _spent(world: World, hidden: Hidden, now: float) -> World:
    if hidden.quota:
        world = replace(world, quota_used=quota_used(world, hidden.quota, now) + 1, quota_round=_rounds(hidden.quota, now))
    if hidden.cap4h:
        spent = cap_used(world, hidden.cap4h, now) + hidden.cap4h.cost
        world = replace(world, cap_used=spent, cap_round=_rounds(hidden.cap4h, now))
    return world
