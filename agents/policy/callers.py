"""Who a caller is, which callers an admin allowed or blocked, and whose slot a step may take over.

Allowed callers are served first. Among themselves they share max–min fairly: a step takes over a slot of the caller that used the most
slots of the last minute, if that caller still has no fewer than the step's own caller afterwards. All callers that are not allowed count
as one, which gets what is left; among them the same rule holds for each address.
"""

import ipaddress
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agents.policy.costs import Caps
from agents.policy.modes import CallerState
from agents.policy.packing import packed, unpacked

# A customer of an IPv6 provider gets a network of this size at least, so that single addresses are free to change.
ONE_CUSTOMER = 64
# Shares are compared over this long, in seconds: the longest horizon of the pace, so what is kept of each account stays bounded.
SHARED_SECONDS = 60.0
# A slot that opens sooner than this, in seconds, stays with its holder. A commit takes less; where it takes longer, the slot is lost for
# both, since the step that took it over does not use it then.
SETTLED_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a step: without a name the miner itself. `name`: for its slots; `address`: for its daily caps, "" where it is unknown."""

    name: str = ""
    address: str = ""
    is_allowed: bool = True
    caps: Caps = field(default_factory=Caps)


def sender(address: str | None, state: CallerState, caps: Caps) -> Sender:
    """`address` None: unknown. IPv6 addresses of one network are one caller for the gate."""
    is_allowed = state is CallerState.ALLOWED
    if address is None:
        return Sender("unknown", is_allowed=is_allowed)
    return Sender(customer(address), address, is_allowed, caps)


def customer(address: str) -> str:
    """The address itself, or its network for IPv6, where one machine may have all addresses of a network."""
    if ":" not in address:
        return address
    parsed = ipaddress.IPv6Address(address.partition("%")[0])
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, ONE_CUSTOMER), strict=False))


def state_of(address: str | None, allowed: Iterable[str], blocked: Iterable[str]) -> CallerState:
    """The smallest network that contains the address decides. `address` None: unknown."""
    best_allowed, best_blocked = _smallest(address, allowed), _smallest(address, blocked)
    if best_allowed == best_blocked:
        return CallerState.OTHER
    return CallerState.ALLOWED if best_allowed > best_blocked else CallerState.BLOCKED


def _smallest(address: str | None, networks: Iterable[str]) -> int:
    """Its prefix length, -1 for none. An unknown address is in 0.0.0.0/0 alone."""
    parsed = [ipaddress.ip_network(network) for network in networks]
    if address is None:
        return max((network.prefixlen for network in parsed if not network.prefixlen), default=-1)
    caller = ipaddress.ip_address(address)
    return max((network.prefixlen for network in parsed if caller in network), default=-1)


class Claim(NamedTuple):
    """An attempt and the slot that it needs, holds or used. It may be sent from `slot` until `leeway` and the grace are over.

    `caller`: "" is the miner itself, which loses no slot to others. `latest`: the last time at which its step can use a slot. `is_taken`:
    the slot was another attempt's before. `may_lose`: whether another step may take it over.
    """

    attempt: str
    caller: str = ""
    is_allowed: bool = True
    slot: float = 0.0
    latest: float = 0.0
    leeway: float = 0.0
    is_taken: bool = False
    may_lose: bool = True

    @property
    def booked(self) -> float:
        return self.slot + self.leeway


_TIMES = ("slot", "latest", "leeway")


def as_json(claims: tuple[Claim, ...]) -> dict[str, Any]:
    """Column by column, with times as `_TIMES`."""
    columns = dict(zip(Claim._fields, zip(*claims, strict=True), strict=False))
    return columns | {name: packed(columns[name]) for name in _TIMES if claims}


def from_json(value: Any) -> tuple[Claim, ...]:
    """Claims of another version are left out: they concern a minute."""
    if not isinstance(value, dict) or value.keys() != set(Claim._fields):
        return ()
    columns = (unpacked(value[name]) if name in _TIMES else value[name] for name in Claim._fields)
    return tuple(map(Claim._make, zip(*columns, strict=True)))


def recent(claims: tuple[Claim, ...], now: float) -> tuple[Claim, ...]:
    """Slots to come and those of the last minute."""
    return tuple(claim for claim in claims if claim.slot > now - SHARED_SECONDS)


def to_take_over(claims: tuple[Claim, ...], claimant: Claim, now: float, fresh: float, latest: float) -> Claim | None:
    """Whose slot the claimant takes over; None: no one's. `fresh`: the next free slot; `latest`: the last time at which it can use one."""
    last_minute = recent(claims, now)
    takeable = [claim for claim in last_minute if claim.may_lose and now + SETTLED_SECONDS < claim.slot <= latest]
    others = [claim for claim in takeable if claimant.is_allowed and not claim.is_allowed and claim.slot < fresh]
    if others:
        return min(others, key=lambda claim: claim.slot)
    if fresh <= latest:
        return None
    used = Counter(claim.caller for claim in last_minute if claim.is_allowed == claimant.is_allowed)
    richer = [claim for claim in takeable if claim.is_allowed == claimant.is_allowed and used[claim.caller] > used[claimant.caller] + 1]
    # The first slot: a caller with one step at a time gets its share only if it does not wait long for it.
    return max(richer, key=lambda claim: (used[claim.caller], -claim.slot), default=None)
