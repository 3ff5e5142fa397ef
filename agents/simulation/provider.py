"""A hidden account behind its edge, and its reply to one request. Times are seconds from the scenario's start."""

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

from agents.simulation.scenario import BanLaw, Cap, Counter, Fault, Hidden, Latency, Law, OnHit, Quota

# The two refusals cannot be distinguished from outside.
EdgeVerdict = StrEnum("EdgeVerdict", "ACCEPTED OVER_LIMIT BANNED")


@dataclass(frozen=True, slots=True)
class Balancer:
    """`accepted`: times inside the window, earliest first. `excess`, `seen_at`: the leaky bucket as nginx keeps it."""

    accepted: tuple[float, ...] = ()
    excess: float = 0.0
    seen_at: float | None = None


@dataclass(frozen=True, slots=True)
class Ban:
    """`untouched_until`: when it would have ended without any request."""

    began_at: float
    seconds: float
    until: float
    untouched_until: float
    hits: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """`violations`: times, earliest first. `last_seconds`: how long the law's last ban was, 0 before the first."""

    balancers: tuple[Balancer, ...] = ()
    violations: tuple[float, ...] = ()
    ban: Ban | None = None
    last_seconds: float = 0.0

    def is_banned(self, now: float) -> bool:
        return self.ban is not None and now < self.ban.until


def pass_edge(edge: Edge, hidden: Hidden, now: float, rng: Random) -> tuple[Edge, EdgeVerdict]:
    if edge.is_banned(now):
        return _hit(edge, hidden.ban, now), EdgeVerdict.BANNED
    moved, is_accepted = _balanced(edge, hidden, now, rng)
    return (moved, EdgeVerdict.ACCEPTED) if is_accepted else (_violate(moved, hidden, now), EdgeVerdict.OVER_LIMIT)


def _balanced(edge: Edge, hidden: Hidden, now: float, rng: Random) -> tuple[Edge, bool]:
    place = rng.randrange(hidden.balancers)
    balancers = (*edge.balancers, *[Balancer()] * (place + 1 - len(edge.balancers)))
    balancer, is_accepted = counted(balancers[place], hidden, now)
    return replace(edge, balancers=(*balancers[:place], balancer, *balancers[place + 1 :])), is_accepted


def banned(edge: Edge, now: float, seconds: float) -> Edge:
    """A ban from outside: the law's own series of bans is not touched."""
    return replace(edge, ban=Ban(now, seconds, now + seconds, now + seconds), violations=())


def counted(balancer: Balancer, hidden: Hidden, now: float) -> tuple[Balancer, bool]:
    """The balancer after one more request, and whether that was accepted."""
    if hidden.counter is Counter.WINDOW:
        inside = list(balancer.accepted[bisect_right(balancer.accepted, now - hidden.window) :])
        is_accepted = len(inside) < hidden.limit
        if is_accepted:
            insort(inside, now)  # requests that came together may be counted out of order
        return replace(balancer, accepted=tuple(inside)), is_accepted
    # As nginx: the excess falls at the rate and grows by one a request; a refused request leaves it as it was.
    if not hidden.limit:
        return balancer, False
    if balancer.seen_at is None:
        return replace(balancer, seen_at=now), True
    excess = max(0.0, balancer.excess - max(0.0, now - balancer.seen_at) * hidden.limit / hidden.window + 1)
    if excess > hidden.burst:
        return balancer, False
    return replace(balancer, excess=excess, seen_at=max(now, balancer.seen_at)), True


def _violate(edge: Edge, hidden: Hidden, now: float) -> Edge:
    law = hidden.ban
    violations = (*(at for at in edge.violations if at > now - hidden.window), now)
    if not law.strikes or len(violations) < law.strikes:
        return replace(edge, violations=violations)
    seconds = law.base
    if law.law is Law.DOUBLE and edge.last_seconds and edge.ban is not None and now < edge.ban.until + law.forget:
        seconds = min(2 * edge.last_seconds, law.cap)
    return replace(banned(edge, now, seconds), last_seconds=seconds)


def _hit(edge: Edge, law: BanLaw, now: float) -> Edge:
    assert edge.ban is not None
    ban = replace(edge.ban, hits=edge.ban.hits + 1)
    if law.on_hit is OnHit.NONE or ban.hits <= law.hit_grace:
        return replace(edge, ban=ban)
    seconds = min(2 * ban.seconds, max(law.cap, ban.seconds)) if law.on_hit is OnHit.ESCALATE else ban.seconds
    last = seconds if edge.last_seconds else 0.0
    return replace(edge, ban=replace(ban, seconds=seconds, until=now + seconds), last_seconds=last)


SLOW_SECONDS = (30.0, 90.0)
# ANSWERED may still have a fault.
ReplyKind = StrEnum("ReplyKind", "ANSWERED EDGE AUTH DAILY_QUOTA SUBSCRIPTION_CAP CAPACITY MODEL")


@dataclass(frozen=True, slots=True)
class Reply:
    """`seconds`: infinite for a hang. `reset_at`: as a 402 states it; `cap_reset_at`: as the management API does; `used`: of the quota."""

    kind: ReplyKind
    seconds: float
    model: str = ""
    fault: Fault | None = None
    in_ban: bool = False
    reset_at: float | None = None
    cap_reset_at: float | None = None
    used: int | None = None


@dataclass(frozen=True, slots=True)
class World:
    """The edge, and what is used of the daily quota and of the 4-hour cap since their last reset. `others_at`: when others send next."""

    edge: Edge = field(default_factory=Edge)
    quota_used: int | None = None
    quota_round: int = 0
    cap_used: float | None = None
    cap_round: int = 0
    others_at: float | None = None


def account_dice(seed: int) -> Random:
    """The same in the simulation and over HTTP."""
    return Random(f"account {seed}")


def answer_request(world: World, hidden: Hidden, models: Sequence[str], now: float, rng: Random) -> tuple[World, Reply]:
    """One request for the first of `models` that can take it, at `now`."""
    refusal_seconds = hidden.latency.refusal
    if not hidden.valid:
        return world, Reply(ReplyKind.AUTH, refusal_seconds)
    world = _with_others(world, hidden, now, rng)
    edge, verdict = pass_edge(world.edge, hidden, now, rng)
    world = replace(world, edge=edge)
    if verdict is not EdgeVerdict.ACCEPTED:
        return world, Reply(ReplyKind.EDGE, refusal_seconds, in_ban=verdict is EdgeVerdict.BANNED)
    if hidden.quota and quota_used(world, hidden.quota, now) >= hidden.quota.total:
        return world, Reply(ReplyKind.DAILY_QUOTA, refusal_seconds, reset_at=reset_at(hidden.quota, now))
    if hidden.cap4h and cap_used(world, hidden.cap4h, now) >= hidden.cap4h.cap:
        return world, Reply(ReplyKind.SUBSCRIPTION_CAP, refusal_seconds, cap_reset_at=reset_at(hidden.cap4h, now))
    reply = Reply(ReplyKind.MODEL, refusal_seconds)
    for model in models:
        if model in hidden.models:
            reply = _answer(hidden, model, rng)
            if reply.kind is ReplyKind.ANSWERED and reply.fault is not Fault.HTTP503:
                world = _spent(world, hidden, now)
                return world, replace(reply, used=world.quota_used)
    return world, reply


def _with_others(world: World, hidden: Hidden, now: float, rng: Random) -> World:
    """After what others sent by `now`. A request of theirs that is refused violates nothing."""
    if not hidden.others:
        return replace(world, others_at=None)
    at = world.others_at or now + rng.expovariate(hidden.others / 60)
    while at <= now:
        if not world.edge.is_banned(at):
            edge, is_accepted = _balanced(world.edge, hidden, at, rng)
            world = replace(world, edge=edge)
            world = _spent(world, hidden, at) if is_accepted else world
        at += rng.expovariate(hidden.others / 60)
    return replace(world, others_at=at)


def _answer(hidden: Hidden, model: str, rng: Random) -> Reply:
    own = hidden.models[model]
    if rng.random() < own.full:
        return Reply(ReplyKind.CAPACITY, hidden.latency.refusal, model)
    roll, fault = rng.random(), None
    for drawn, chance in (hidden.faults if own.faults is None else own.faults).items():
        if roll < chance:
            fault = drawn
            break
        roll -= chance
    seconds = drawn_latency(own.latency or hidden.latency, rng)
    if fault is Fault.SLOW:
        seconds = rng.uniform(*SLOW_SECONDS)
    return Reply(ReplyKind.ANSWERED, float("inf") if fault is Fault.HANG else seconds, model, fault)


def _spent(world: World, hidden: Hidden, now: float) -> World:
    if hidden.quota:
        world = replace(world, quota_used=quota_used(world, hidden.quota, now) + 1, quota_round=_rounds(hidden.quota, now))
    if hidden.cap4h:
        spent = cap_used(world, hidden.cap4h, now) + hidden.cap4h.cost
        world = replace(world, cap_used=spent, cap_round=_rounds(hidden.cap4h, now))
    return world


def banned_now(world: World, now: float, seconds: float) -> World:
    return replace(world, edge=banned(world.edge, now, seconds))


def quota_used(world: World, quota: Quota, now: float) -> int:
    rounds = _rounds(quota, now)
    if world.quota_used is None or rounds != world.quota_round:
        return 0 if rounds else quota.used
    return world.quota_used


def cap_used(world: World, cap: Cap, now: float) -> float:
    rounds = _rounds(cap, now)
    if world.cap_used is None or rounds != world.cap_round:
        return 0.0 if rounds else cap.used
    return world.cap_used


def reset_at(limit: Quota | Cap, now: float) -> float:
    return limit.reset_at + _rounds(limit, now) * limit.period


def drawn_latency(latency: Latency, rng: Random) -> float:
    return min(max(latency.median * rng.lognormvariate(0.0, latency.sigma), latency.low), latency.high)


def _rounds(limit: Quota | Cap, now: float) -> int:
    return 0 if now < limit.reset_at else 1 + int((now - limit.reset_at) // limit.period)
