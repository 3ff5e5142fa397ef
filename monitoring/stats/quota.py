"""What each account has left, by its admin key, else by what its last answer told: limits, balance, forecasts, warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from agents import forecast
from agents.configuration import accounts
from agents.forecast import HOUR, LONG_SPANS, Limit, Outcome, Sample, Use
from agents.keys import UnreadableKey, admin_key_of
from agents.management_api import NOT_ADMIN
from agents.models import Account, Gate, QuotaReading
from agents.phrases import phrase
from agents.readings import UNDER_WAY
from agents.resets import DAY, FOUR_HOURS
from monitoring.stats.milliseconds import Milliseconds

LOOKED_BACK = timedelta(days=1)
# Readings come every five minutes; every open Overview asks for the warnings all the time.
KEPT_SECONDS = 10
# As many points as the line is wide in pixels on a phone.
POINTS = 100
DAILY = phrase("daily quota")
READ, TOLD = phrase("read with the admin key"), phrase("told by the last answer")
NO_KEY = phrase("Balance and caps are unknown: this account has no admin key, and the key that sends completions cannot read them.")
NOT_YET = phrase("Nothing was read yet. The worker reads every five minutes.")
FIELDS = (
    "account_id",
    "balance",
    "daily_total",
    "daily_used",
    "is_unlimited",
    "is_subscribed",
    "four_hour_cap",
    "four_hour_used",
    "monthly_cap",
    "monthly_used",
    "fault",
)
# Times come as numbers: an account has three hundred readings a day.
TIMES = {name: Milliseconds(f"{name}_at") for name in ("read", "four_hour_reset", "monthly_reset")}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit: `used` of `total`, in USD or requests. `resets_at` None: unknown. `source`: how it is known, as of `read_at`."""

    label: str
    used: float
    total: float
    is_money: bool
    resets_at: datetime | None
    runs_out_at: datetime | None
    outcome: Outcome
    sentence: str
    source: str
    read_at: datetime

    @property
    def share(self) -> float:
        """Percent that is used."""
        return min(100.0, 100 * self.used / self.total) if self.total else 100.0

    @property
    def tone(self) -> str:
        """The colour's name; the words say the same."""
        if self.used >= self.total:
            return "red"
        return "orange" if self.used >= forecast.NEARLY * self.total or self.outcome is Outcome.RUNS_OUT else "green"


@dataclass(frozen=True, slots=True)
class History:
    """The balance over the last day: a line's points in a field of 100 by 20, and its ends in USD."""

    points: str
    first: float
    last: float
    began_at: datetime


@dataclass(frozen=True, slots=True)
class AccountQuota:
    """One account. `plan`: how it is paid for, "" for unknown; `balance` in USD, None unknown; `fault`: what can't be read and why.

    `needs_key`: an admin key would mend that. `takes_environment`: it may come from there.
    """

    account: str
    plan: str
    meters: tuple[Meter, ...]
    balance: float | None
    balance_at: datetime | None
    balance_sentence: str
    history: History | None
    warnings: tuple[str, ...]
    fault: str
    needs_key: bool
    takes_environment: bool
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What is on record of one account: its readings, oldest first, and what its last answer told."""

    account: Account
    rows: Sequence[Row]
    told: Mapping[str, float]

    @property
    def money(self) -> list[Sample]:
        """The balance as it was read."""
        return _samples(self.rows, "balance")

    def uses(self, at: float) -> list[tuple[Use, str]]:
        """What is used of each limit, and how that is known."""
        return [each for each in (_daily(self.rows, self.told, at), _four_hour(self.rows, at), _monthly(self.rows, at)) if each]


def quota(now: datetime) -> list[AccountQuota]:
    """Every enabled account, in the order in which steps try them."""
    return [_account(each, _seconds_of(now)) for each in _known(now)]


def quota_warnings(now: datetime) -> list[str]:
    """The warnings of all accounts, at most `KEPT_SECONDS` old; each names its account where there are several."""
    return cache.get_or_set("quota_warnings", partial(_warnings, now), KEPT_SECONDS)  # type: ignore[return-value]


def _warnings(now: datetime) -> list[str]:
    known, at = _known(now), _seconds_of(now)
    return [
        phrase("{account}: {words}", account=each.account.name, words=words) if len(known) > 1 else words
        for each in known
        for words in forecast.warnings([use for use, _ in each.uses(at)], each.money, at)
    ]


def _seconds_of(now: datetime) -> float:
    """Since 1970, up to the next millisecond: a reading of this very moment is rounded to one, and is none of the future."""
    return ceil(now.timestamp() * 1_000) / 1_000


def _known(now: datetime) -> list[_Known]:
    enabled, rows = [each for each in accounts() if each.enabled], dict[int, list[Row]]()
    # By accounts, whose index has the readings by time: there may be months of them.
    found = QuotaReading.objects.filter(account__in=enabled, read_at__gt=now - LOOKED_BACK, read_at__lte=now).exclude(fault=UNDER_WAY)
    for row in found.order_by("read_at", "pk").values(*FIELDS, **TIMES):
        rows.setdefault(row["account_id"], []).append(row)
    told = dict(Gate.objects.exclude(quota={}).values_list("account_id", "quota"))
    return [_Known(each, rows.get(each.pk, []), told.get(each.pk, {})) for each in enabled]


def _account(known: _Known, at: float) -> AccountQuota:
    account, rows, money, uses = known.account, known.rows, known.money, known.uses(at)
    has_key, key_fault = _admin_key(account)
    fault = key_fault or (rows[-1]["fault"] if rows else NOT_YET) if has_key else NO_KEY
    return AccountQuota(
        account=account.name,
        plan=_plan(rows, known.told),
        meters=tuple(_meter(*each, at) for each in uses),
        balance=money[-1].value if money else None,
        balance_at=_at(money[-1].at) if money else None,
        balance_sentence=forecast.balance(money, at).sentence if money else "",
        history=_history(money),
        warnings=forecast.warnings([each for each, _ in uses], money, at),
        fault=fault,
        needs_key=not has_key or NOT_ADMIN.reason in fault.lower(),
        takes_environment=account.name == Account.DEFAULT,
        read_at=_at(_seconds(rows[-1], "read")) if rows else None,
    )


def _admin_key(account: Account) -> tuple[bool, str]:
    try:
        return bool(admin_key_of(account)), ""
    except UnreadableKey as error:
        return True, str(error)


def _samples(rows: Iterable[Row], name: str) -> list[Sample]:
    return [Sample(_seconds(row, "read"), row[name]) for row in rows if row[name] is not None]


def _seconds(row: Row, time: str) -> float:
    """One of TIMES, in seconds since 1970; 0 where it is unknown."""
    return (row[time] or 0) / 1_000


def _newest(rows: Sequence[Row], is_known: Callable[[Row], bool]) -> Row | None:
    return next((row for row in reversed(rows) if is_known(row)), None)


def _daily(rows: Sequence[Row], told: Mapping[str, float], now: float) -> tuple[Use, str] | None:
    """The day's requests. What the last answer told counts where the admin key tells nothing of this hour."""
    began_at = now // DAY * DAY
    row, samples, source = _newest(rows, _has_daily), _samples(rows, "daily_used"), READ
    total = row["daily_total"] if row else None
    is_old = not samples or now - samples[-1].at > HOUR
    if is_old and told and began_at <= told["at"] <= now:
        total, samples, source = told["total"], [Sample(told["at"], told["used"])], TOLD
    if not total or not samples:
        return None
    return Use(Limit(DAILY, total, began_at, began_at + DAY), samples), source


def _has_daily(row: Row) -> bool:
    return row["daily_total"] is not None or row["is_unlimited"]


def _four_hour(rows: Sequence[Row], now: float) -> tuple[Use, str] | None:
    """The windows begin at 00:00, 04:00 … UTC: the calendar says when the next one does where the reading's own time is over."""
    row = _newest(rows, lambda each: each["four_hour_cap"] is not None and each["four_hour_used"] is not None)
    if row is None:
        return None
    resets_at = _seconds(row, "four_hour_reset")
    if resets_at <= now:
        resets_at = (now // FOUR_HOURS + 1) * FOUR_HOURS
    limit = Limit(phrase("4-hour cap"), row["four_hour_cap"], resets_at - FOUR_HOURS, resets_at)
    return Use(limit, _samples(rows, "four_hour_used")), READ


def _monthly(rows: Sequence[Row], now: float) -> tuple[Use, str] | None:
    row = _newest(rows, lambda each: each["monthly_cap"] is not None and each["monthly_used"] is not None)
    if row is None:
        return None
    resets_at = _seconds(row, "monthly_reset")
    limit = Limit(phrase("monthly cap"), row["monthly_cap"], None, resets_at if resets_at > now else None, LONG_SPANS)
    return Use(limit, _samples(rows, "monthly_used")), READ


def _meter(use: Use, source: str, now: float) -> Meter:
    limit, known, foreseen = use.limit, use.samples[-1], forecast.use(use, now)
    runs_out_at = _at(foreseen.at) if foreseen.outcome is Outcome.RUNS_OUT and foreseen.at else None
    return Meter(
        label=limit.name,
        used=known.value,
        total=limit.total,
        is_money=limit.name is not DAILY,
        resets_at=_at(limit.resets_at) if limit.resets_at else None,
        runs_out_at=runs_out_at,
        outcome=foreseen.outcome,
        sentence=foreseen.sentence,
        source=source,
        read_at=_at(known.at),
    )


def _plan(rows: Sequence[Row], told: Mapping[str, float]) -> str:
    """How the account is paid for, as far as anybody says."""
    subscribed = _newest(rows, lambda row: row["is_subscribed"] is not None)
    if subscribed and subscribed["is_subscribed"]:
        return _("Subscription")
    daily = _newest(rows, _has_daily)
    if daily and daily["is_unlimited"]:
        return _("No daily quota")
    total = daily["daily_total"] if daily else told.get("total")
    return "" if total is None else _("Daily quota") if total else _("Pay as you go")


def _history(money: Sequence[Sample]) -> History | None:
    """High is much. A balance that stood still has no course to show."""
    some = [*money[:: len(money) // POINTS + 1], *money[-1:]]
    low, high = min((each.value for each in some), default=0.0), max((each.value for each in some), default=0.0)
    if low == high:
        return None
    first, span = some[0].at, some[-1].at - some[0].at

    def point(each: Sample) -> str:
        return f"{100 * (each.at - first) / span:.1f},{19 - 18 * (each.value - low) / (high - low):.1f}"

    return History(" ".join(map(point, some)), some[0].value, some[-1].value, _at(first))


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
