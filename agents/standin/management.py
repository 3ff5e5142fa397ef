"""The management host: what an admin key reads of its account, and the public utilization."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from agents.standin import billing
from agents.standin.behaviour import Behaviour, QuotasForm
from agents.standin.provider import World, cap_used, quota_used, reset_at

ME, QUOTAS, SUBSCRIPTION, UTILIZATION = "/users/me", "/users/me/quotas", "/users/me/subscription_usage", "/chutes/utilization"
QUOTA_USAGE = "/users/me/quota_usage/"
USER_ID = "feedface-feed-face-feed-facefeedface"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the management API tells about. `now`: s from the start, which was at the Unix time `began_at`; `billed`: USD."""

    behaviour: Behaviour
    world: World
    served: int
    billed: float
    now: float
    began_at: float

    def iso(self, at: float) -> str:
        """`at` s from the start as the API writes times."""
        return datetime.fromtimestamp(self.began_at + at, UTC).isoformat()

    def account(self) -> dict[str, Any]:
        """What is hidden from callers, for tests. Times are Unix seconds, None where no ban runs; `counted`: requests by balancer."""
        edge, hidden = self.world.edge, self.behaviour.hidden
        ban = edge.ban if edge.ban and edge.is_banned(self.now) else None
        return {
            "banned_until": self.began_at + ban.until if ban else None,
            "ban_would_end": self.began_at + ban.untouched_until if ban else None,
            "ban_hits": ban.hits if ban else 0,
            "last_ban_seconds": edge.last_seconds,
            "violations": sum(at > self.now - hidden.window for at in edge.violations),
            "counted": [sum(at > self.now - hidden.window for at in each.accepted) for each in edge.balancers],
            "excess": [each.excess for each in edge.balancers],
            "quota_used": quota_used(self.world, hidden.quota, self.now) if hidden.quota else None,
            "cap_used": cap_used(self.world, hidden.cap4h, self.now) if hidden.cap4h else None,
            "balance": None if self.behaviour.balance is None else billing.left(self.behaviour, self.billed),
        }

    @property
    def daily(self) -> tuple[int, int]:
        """The day's requests: (total, used)."""
        return billing.daily(self.behaviour, self.world, self.served, self.now)


def find(path: str) -> Callable[[Snapshot], Any] | None:
    """What answers `GET path`, None where nothing does."""
    return _quota_usage if unquote(path).startswith(QUOTA_USAGE) else PATHS.get(path)


def _me(known: Snapshot) -> dict[str, Any]:
    balance = billing.left(known.behaviour, known.billed)
    return {"username": "standin", "user_id": USER_ID, "balance": round(balance, 8), "created_at": known.iso(-30 * 86_400)}


def _quotas(known: Snapshot) -> Any:
    total, _ = known.daily
    match known.behaviour.quotas_form:
        case QuotasForm.EMPTY:
            return {}
        case QuotasForm.DEFAULTS:
            return {"*": total}
    return [{"chute_id": "*", "quota": total, "is_default": True, "effective_date": known.iso(-30 * 86_400), "payment_refresh_date": None}]


def _quota_usage(known: Snapshot) -> dict[str, Any]:
    total, used = known.daily
    return {"quota": "unlimited" if known.behaviour.pays_as_it_goes else total, "used": float(used)}


def _subscription(known: Snapshot) -> dict[str, Any]:
    cap = known.behaviour.hidden.cap4h
    if cap is None:
        return {"subscription": False}
    used = cap_used(known.world, cap, known.now)
    window = {"usage": round(used, 8), "cap": cap.cap, "remaining": round(max(0.0, cap.cap - used), 8)}
    four_hour = {**window, "reset_at": known.iso(reset_at(cap, known.now))}
    return {"subscription": True, "four_hour": four_hour, "monthly": _monthly(known, used)}


def _monthly(known: Snapshot, lately: float) -> dict[str, Any]:
    ends_at, used, cap = known.behaviour.monthly_reset_at, known.behaviour.monthly_used + lately, billing.MONTHLY_CAP
    if ends_at is None:
        return {"usage": round(used, 8), "uncapped": True}
    return {"usage": round(used, 8), "cap": cap, "remaining": round(max(0.0, cap - used), 8), "reset_at": known.iso(ends_at)}


def _utilization(known: Snapshot) -> list[dict[str, Any]]:
    return [_chute(name, model.full, known) for name, model in known.behaviour.models.items()]


def _chute(name: str, full: float, known: Snapshot) -> dict[str, Any]:
    ratios = {f"rate_limit_ratio_{window}": full for window in ("5m", "15m", "1h")}
    id_ = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    return {"chute_id": id_, "name": name, "timestamp": known.iso(known.now), **ratios, "utilization": max(0.4, full), "instances": 3}


PATHS: dict[str, Callable[[Snapshot], Any]] = {ME: _me, QUOTAS: _quotas, SUBSCRIPTION: _subscription, UTILIZATION: _utilization}
