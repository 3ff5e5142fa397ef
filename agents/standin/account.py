"""The hidden account as a pure model: what the edge remembers of it, and whether it lets one more request through.

Times are seconds on any one clock that the caller passes in.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from enum import StrEnum


class Verdict(StrEnum):
    """What the edge says to one request of the account."""

    ACCEPTED = "accepted"
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True)
class Account:
    """`accepted`: when the requests still inside the window came, earliest first; `served`: how many were let through in all."""

    accepted: tuple[float, ...] = ()
    served: int = 0


def arrive(account: Account, limit: int, window: float, now: float) -> tuple[Account, Verdict]:
    """One request at `now` under `limit` accepted requests per `window` seconds (a sliding log; a refused one leaves no trace)."""
    inside = account.accepted[bisect_right(account.accepted, now - window) :]
    if len(inside) >= limit:
        return replace(account, accepted=inside), Verdict.OVER_LIMIT
    place = bisect_right(inside, now)  # requests that came together may be asked about out of order
    return Account(accepted=(*inside[:place], now, *inside[place:]), served=account.served + 1), Verdict.ACCEPTED
