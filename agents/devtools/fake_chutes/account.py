"""The hidden account of fake Chutes: its usage, what an answer costs it, and what the management API shows of it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from agents.devtools.fake_chutes.behaviour import NAMED, Course, Refused, merged
from agents.simulation import provider
from agents.simulation.provider import World

# Daily requests of a medium subscription: published where a scenario sets no quota, and never enforced.
UNSET_TOTAL = 5000
# USD. Only whether it is used up, and when it ends, matters.
MONTHLY_CAP = 100.0
MONTH_AGO = -30 * 86_400


class Account:
    """`now`: seconds from the start at `began_at` (Unix time); `served`: answers; `billed`: USD. Not thread-safe."""

    def __init__(self, course: Course, seed: int, began_at: float) -> None:
        self.behaviour, self._pending = course.start, course.timeline
        self.began_at, self.now = began_at, 0.0
        self.world, self.rng = World(), provider.account_dice(seed)
        self.served, self.billed = 0, 0.0

    def advance(self, now: float) -> None:
        self.now = now
        while self._pending and self._pending[0].at <= now:
            change, self._pending = self._pending[0], self._pending[1:]
            self.change(change.changes or {})
            if change.ban is not None:
                self.ban(change.ban, change.at)

    def ban(self, seconds: float, at: float) -> None:
        self.world = provider.banned_now(self.world, at, seconds)

    def change(self, changes: object) -> None:
        """Merges settings. Raises BadSetting, and changes nothing then."""
        self.behaviour = merged(self.behaviour, changes)
        assert isinstance(changes, Mapping)
        if "used" in (changes.get("quota") or {}):
            self.world = replace(self.world, quota_used=None, quota_round=0)
        if "used" in (changes.get("cap4h") or {}):
            self.world = replace(self.world, cap_used=None, cap_round=0)
        if "balance" in changes:
            self.billed = 0.0

    def serve(self, models: tuple[str, ...]) -> provider.Reply:
        """The provider's reply. While there is a balance, neither quota nor cap refuses. Without models only edge and caps decide."""
        hidden = replace(self.behaviour.hidden, models=self.behaviour.models)
        if self.balance:
            quota = hidden.quota and replace(hidden.quota, total=sys.maxsize)
            hidden = replace(hidden, quota=quota, cap4h=hidden.cap4h and replace(hidden.cap4h, cap=sys.float_info.max))
        self.world, reply = provider.answer_request(self.world, hidden, models, self.now, self.rng)
        return reply

    def pay(self, usd: float) -> None:
        """Pay for an answer: from the balance where quota and subscription do not cover it."""
        self.served += 1
        quota, cap = self.behaviour.hidden.quota, self.behaviour.hidden.cap4h
        is_over = (quota is not None and self.quota_used >= quota.total) or (cap is not None and self.cap_used >= cap.cap)
        if self.behaviour.balance is not None and (self.behaviour.pays_as_it_goes or is_over):
            self.billed += usd

    @property
    def quota_used(self) -> int:
        quota = self.behaviour.hidden.quota
        return provider.quota_used(self.world, quota, self.now) if quota else 0

    @property
    def cap_used(self) -> float:
        cap = self.behaviour.hidden.cap4h
        return provider.cap_used(self.world, cap, self.now) if cap else 0.0

    @property
    def balance(self) -> float:
        return max(0.0, (self.behaviour.balance or 0.0) - self.billed)

    @property
    def refusing(self) -> Refused | None:
        """The refusal of every request that passes the edge."""
        behaviour = self.behaviour
        if behaviour.refuse or self.balance:
            return behaviour.refuse
        ends_at, used = behaviour.monthly_reset_at, behaviour.monthly_used + self.cap_used
        if ends_at is not None and self.now < ends_at and behaviour.hidden.cap4h and used >= MONTHLY_CAP:
            return NAMED["subscription_cap"]
        return NAMED["payment"] if behaviour.pays_as_it_goes else None

    @property
    def daily(self) -> tuple[int, int]:
        """The day's requests as successes publish them: (total, used); total 0 is pay as you go."""
        quota = self.behaviour.hidden.quota
        if quota:
            return quota.total, self.quota_used
        return (0, 0) if self.behaviour.pays_as_it_goes else (UNSET_TOTAL, self.served)

    def iso(self, at: float) -> str:
        return datetime.fromtimestamp(self.began_at + at, UTC).isoformat()

    def hidden_json(self) -> dict[str, Any]:
        """State that callers never see, for tests. Times are Unix seconds, None without a ban; `counted`: requests by balancer."""
        edge, hidden = self.world.edge, self.behaviour.hidden
        ban = edge.ban if edge.ban and edge.is_banned(self.now) else None
        return {
            "banned_until": self.began_at + ban.until if ban else None,
            "ban_would_end": self.began_at + ban.untouched_until if ban else None,
            "ban_hits": ban.hits if ban else 0,
            "last_ban_seconds": edge.last_seconds,
            "counted": [sum(at > self.now - hidden.window for at in balancer.accepted) for balancer in edge.balancers],
            "balance": None if self.behaviour.balance is None else self.balance,
        }


def management(path: str) -> Callable[[Account], Any] | None:
    return _quota_usage if unquote(path).startswith("/users/me/quota_usage/") else PATHS.get(path)


def _me(account: Account) -> dict[str, Any]:
    user_id = "feedface-feed-face-feed-facefeedface"
    return {"username": "fake", "user_id": user_id, "balance": round(account.balance, 8), "created_at": account.iso(MONTH_AGO)}


def _quotas(account: Account) -> list[dict[str, Any]]:
    entry = {"chute_id": "*", "quota": account.daily[0], "is_default": True, "payment_refresh_date": None}
    return [{**entry, "effective_date": account.iso(MONTH_AGO)}]


def _quota_usage(account: Account) -> dict[str, Any]:
    total, used = account.daily
    return {"quota": "unlimited" if account.behaviour.pays_as_it_goes else total, "used": float(used)}


def _subscription(account: Account) -> dict[str, Any]:
    cap, ends_at = account.behaviour.hidden.cap4h, account.behaviour.monthly_reset_at
    if cap is None:
        return {"subscription": False}

    def window(used: float, cap: float, reset_at: float) -> dict[str, Any]:
        return {"usage": round(used, 8), "cap": cap, "remaining": round(max(0.0, cap - used), 8), "reset_at": account.iso(reset_at)}

    used = account.behaviour.monthly_used + account.cap_used
    monthly = {"usage": round(used, 8), "uncapped": True} if ends_at is None else window(used, MONTHLY_CAP, ends_at)
    four_hour = window(account.cap_used, cap.cap, provider.reset_at(cap, account.now))
    return {"subscription": True, "four_hour": four_hour, "monthly": monthly}


PATHS: dict[str, Callable[[Account], Any]] = {
    "/users/me": _me,
    "/users/me/quotas": _quotas,
    "/users/me/subscription_usage": _subscription,
}
