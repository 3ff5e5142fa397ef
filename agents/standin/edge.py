"""What the edge remembers of an account, and what it says to one more request: limits on each balancer, violations, bans.

Pure: times are seconds on any one clock, dice come in as an argument.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from agents.standin.hidden import BanLaw, Counter, Hidden, Law, OnHit


class EdgeVerdict(StrEnum):
    """What the edge says. The two refusals look alike from outside."""

    ACCEPTED = "accepted"
    OVER_LIMIT = "over_limit"
    BANNED = "banned"


@dataclass(frozen=True, slots=True)
class Balancer:
    """`accepted`: times inside the window, earliest first. `excess`, `seen_at`: the leaky bucket as nginx keeps it."""

    accepted: tuple[float, ...] = ()
    excess: float = 0.0
    seen_at: float | None = None


@dataclass(frozen=True, slots=True)
class Ban:
    """A ban that began at `began_at`. `untouched_until`: when it would have ended had nobody sent anything."""

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
        """Whether a ban is running at `now`."""
        return self.ban is not None and now < self.ban.until


def pass_edge(edge: Edge, hidden: Hidden, now: float, rng: Random) -> tuple[Edge, EdgeVerdict]:
    """One request at `now`, on a balancer picked by the dice."""
    if edge.is_banned(now):
        return _hit(edge, hidden.ban, now), EdgeVerdict.BANNED
    place = rng.randrange(hidden.balancers)
    balancers = (*edge.balancers, *[Balancer()] * (place + 1 - len(edge.balancers)))
    balancer, is_accepted = _count(balancers[place], hidden, now)
    moved = replace(edge, balancers=(*balancers[:place], balancer, *balancers[place + 1 :]))
    return (moved, EdgeVerdict.ACCEPTED) if is_accepted else (_violate(moved, hidden, now), EdgeVerdict.OVER_LIMIT)


def banned(edge: Edge, now: float, seconds: float) -> Edge:
    """A ban from outside, of `seconds` from `now`. The law's own series of bans is not touched."""
    return replace(edge, ban=Ban(now, seconds, now + seconds, now + seconds), violations=())


def _count(balancer: Balancer, hidden: Hidden, now: float) -> tuple[Balancer, bool]:
    return _leak(balancer, hidden, now) if hidden.counter is Counter.LEAKY else _log(balancer, hidden, now)


def _log(balancer: Balancer, hidden: Hidden, now: float) -> tuple[Balancer, bool]:
    inside = list(balancer.accepted[bisect_right(balancer.accepted, now - hidden.window) :])
    is_accepted = len(inside) < hidden.limit
    if is_accepted:
        insort(inside, now)  # requests that came together may be asked about out of order
    return replace(balancer, accepted=tuple(inside)), is_accepted


def _leak(balancer: Balancer, hidden: Hidden, now: float) -> tuple[Balancer, bool]:
    """As nginx: the excess falls at the rate and grows by one a request; a refused request leaves it as it was."""
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
    seconds = _next_length(edge, law, now)
    return replace(banned(edge, now, seconds), last_seconds=seconds)


def _next_length(edge: Edge, law: BanLaw, now: float) -> float:
    is_remembered = edge.last_seconds and edge.ban is not None and now < edge.ban.until + law.forget
    if law.law is Law.CONSTANT or not is_remembered:
        return law.base
    return min(2 * edge.last_seconds, law.cap)


def _hit(edge: Edge, law: BanLaw, now: float) -> Edge:
    assert edge.ban is not None
    ban = replace(edge.ban, hits=edge.ban.hits + 1)
    if law.on_hit is OnHit.NONE or ban.hits <= law.hit_grace:
        return replace(edge, ban=ban)
    seconds = min(2 * ban.seconds, max(law.cap, ban.seconds)) if law.on_hit is OnHit.ESCALATE else ban.seconds
    last = seconds if edge.last_seconds else 0.0
    return replace(edge, ban=replace(ban, seconds=seconds, until=now + seconds), last_seconds=last)
