"""What the management host states of an account: balance, daily quota, subscription caps. Any unknown form is a sentence."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agents.policy.reset_times import DAY, FOUR_HOURS, moment

ME, QUOTAS, USAGE, SUBSCRIPTION = "/users/me", "/users/me/quotas", "/users/me/quota_usage/*", "/users/me/subscription_usage"
PATHS = (ME, QUOTAS, USAGE, SUBSCRIPTION)
# The entry that holds for all models.
ALL_MODELS = "*"
UNLIMITED = "unlimited"
# A window's end that is further ahead than two of its lengths is not its end.
FURTHEST = {"four_hour": 2 * FOUR_HOURS, "monthly": 62 * DAY}
# What rounding leaves of a cap, in USD.
ROUNDING = 1e-6
LARGEST = 1e12
NAMES = {ME: "Balance", QUOTAS: "Daily quota", USAGE: "Daily quota", SUBSCRIPTION: "Subscription"}


@dataclass(frozen=True, slots=True)
class Failed:
    """One part that could not be read. `reason`: the end of a sentence; `is_common`: it holds for every part."""

    reason: str
    is_common: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """An account's balance, quota and caps; None is unknown, for the reasons in `faults`. A `daily_total` of 0 is pay as you go."""

    balance: float | None = None
    daily_total: float | None = None
    daily_used: float | None = None
    is_unlimited: bool = False
    is_subscribed: bool | None = None
    four_hour_cap: float | None = None
    four_hour_used: float | None = None
    four_hour_reset_at: float | None = None
    monthly_cap: float | None = None
    monthly_used: float | None = None
    monthly_reset_at: float | None = None
    faults: tuple[str, ...] = ()


# What one answer states, by a reading's fields, and a sentence for each part of it that is unknown.
Part = tuple[dict[str, Any], list[str]]


def reading(answers: Mapping[str, object], now: float) -> Reading:
    """The answers, by path, as read at `now`: JSON values or Failed. A path that was not requested is no fault."""
    fields, faults = dict[str, Any](), list[str]()
    for path, answer in sorted(answers.items(), key=lambda item: item[0] == QUOTAS):
        # The list of quotas states the day's total too, for where the usage does not.
        if path == QUOTAS and ("daily_total" in fields or fields.get("is_unlimited")):
            continue
        facts, unknown = _failed(path, answer) if isinstance(answer, Failed) else _READERS[path](answer, now)
        fields |= {name: value for name, value in facts.items() if value is not None}
        faults += unknown
    return Reading(**fields, faults=tuple(dict.fromkeys(faults)))


def cap_ends_at(read: Reading) -> float | None:
    """None where no window is used up, or a reset is unknown."""
    windows = (
        (read.four_hour_cap, read.four_hour_used, read.four_hour_reset_at),
        (read.monthly_cap, read.monthly_used, read.monthly_reset_at),
    )
    ends = [resets_at for cap, used, resets_at in windows if cap is not None and used is not None and used >= cap - ROUNDING]
    return max(end for end in ends if end) if ends and all(ends) else None


def _failed(path: str, failed: Failed) -> Part:
    return ({}, [f"{failed.reason[:1].upper()}{failed.reason[1:]}."]) if failed.is_common else _unknown(path, failed.reason)


def _unknown(path: str, why: str) -> Part:
    return {}, [f"{NAMES[path]} unknown: {why}."]


def _me(answer: object, _: float) -> Part:
    balance = _number(answer, "balance", least=-LARGEST)
    return _unknown(ME, "the answer has no number for it") if balance is None else ({"balance": balance}, [])


def _usage(answer: object, _: float) -> Part:
    is_unlimited = isinstance(answer, Mapping) and answer.get("quota") == UNLIMITED
    total, used = None if is_unlimited else _number(answer, "quota"), _number(answer, "used")
    missing = [] if is_unlimited or total is not None else ["how much it is"]
    missing += [] if used is not None else ["what is used"]
    faults = _unknown(USAGE, f"the usage does not state {' or '.join(missing)}")[1] if missing else []
    return {"daily_total": total, "daily_used": used, "is_unlimited": is_unlimited}, faults


def _quotas(answer: object, _: float) -> Part:
    """A list of entries, an object of defaults, or an empty one for an account without quotas of its own."""
    if isinstance(answer, list):
        entries = [entry for entry in answer if isinstance(entry, Mapping) and entry.get("chute_id") == ALL_MODELS]
        return {"daily_total": _number(entries[0], "quota") if entries else None}, []
    total = _number(answer, ALL_MODELS)
    return _unknown(QUOTAS, "the list is of an unknown form") if total is None and answer != {} else ({"daily_total": total}, [])


def _subscription(answer: object, now: float) -> Part:
    if not isinstance(answer, Mapping):
        return _unknown(SUBSCRIPTION, "the answer is of an unknown form")
    if answer.get("subscription") is False:
        return {"is_subscribed": False}, []
    if not isinstance(answer.get("four_hour"), Mapping) and not isinstance(answer.get("monthly"), Mapping):
        return _unknown(SUBSCRIPTION, "the answer has no window")
    facts, faults = dict[str, Any](is_subscribed=True), []
    for name in FURTHEST:
        window = answer.get(name)
        values = _window(window, name, now)
        facts |= {f"{name}_{field}": value for field, value in values.items()}
        is_uncapped = isinstance(window, Mapping) and window.get("uncapped") is True
        if not is_uncapped and (values["cap"] is None or values["used"] is None):
            window_name = name.replace("four_hour", "4-hour")
            faults.append(f"{NAMES[SUBSCRIPTION]} unknown in part: the {window_name} window does not state cap and usage.")
    return facts, faults


def _window(window: object, name: str, now: float) -> dict[str, float | None]:
    cap, used, remaining = (_number(window, field) for field in ("cap", "usage", "remaining"))
    if used is None and cap is not None and remaining is not None:
        used = max(0.0, cap - remaining)
    stated = window.get("reset_at") if isinstance(window, Mapping) else None
    resets_at = moment(str(stated)) if isinstance(stated, str | int | float) and not isinstance(stated, bool) else None
    is_ahead = resets_at is not None and now < resets_at <= now + FURTHEST[name]
    return {"cap": cap, "used": used, "reset_at": resets_at if is_ahead else None}


def _number(answer: object, name: str, least: float = 0.0) -> float | None:
    value: Any = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= LARGEST:
        return None
    return float(value) if math.isfinite(value) else None


_READERS: Mapping[str, Callable[[object, float], Part]] = {ME: _me, QUOTAS: _quotas, USAGE: _usage, SUBSCRIPTION: _subscription}
