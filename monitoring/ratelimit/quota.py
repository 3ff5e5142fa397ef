"""What each account has left, read with its admin key, else from its last answer: limits, balance, forecasts, warnings."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.core.cache import cache

from agents.accounts.quota_readings import NOT_ADMIN, UNDER_WAY
from agents.configuration import accounts
from agents.configuration.keys import UnreadableKey, admin_key_of
from agents.models import Account, Gate, QuotaReading
from agents.policy import quota_forecast
from agents.policy.quota_forecast import HOUR, LONG_SPANS, Limit, Outcome, Sample, Use
from agents.policy.reset_times import DAY, FOUR_HOURS
from monitoring.ratelimit.status_text import moment

LOOKED_BACK = timedelta(days=1)
# Readings come every five minutes; every open Overview needs the warnings all the time.
KEPT_SECONDS = 10
# As many points as the line is wide in pixels on a phone.
POINTS = 100
DAILY = "daily quota"
READ, IN_ANSWER = "read with the admin key", "from the last answer"
NO_KEY = "Balance and caps are unknown: this account has no admin key, and the key that sends completions cannot read them."
NOT_YET = "Nothing has been read yet. The worker reads every five minutes."


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit: `used` of `total`, in USD or requests. `resets_at` None: unknown."""

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
        return min(100.0, 100 * self.used / self.total) if self.total else 100.0

    @property
    def tone(self) -> str:
        if self.used >= self.total:
            return "red"
        return "orange" if self.used >= quota_forecast.NEARLY * self.total or self.outcome is Outcome.RUNS_OUT else "green"


class History(NamedTuple):
    """The balance over the last day: a line's points in a field of 100 by 20, and its ends in USD."""

    points: str
    first: float
    last: float
    began_at: datetime


class AccountQuota(NamedTuple):
    """One account. `plan`: how it is paid for, "" for unknown; `balance` in USD, None unknown; `fault`: what can't be read and why.

    `needs_key`: an admin key would solve that. `takes_environment`: it may be set there.
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
    """What is on record of one account: its readings, oldest first, and the quota in its last answer."""

    account: Account
    readings: Sequence[QuotaReading]
    answer: Mapping[str, float]

    @property
    def balances(self) -> list[Sample]:
        return _samples(self.readings, "balance")

    def uses(self, at: float) -> list[tuple[Use, str]]:
        return [each for each in (_daily(self, at), _cap(self, "four_hour", at), _cap(self, "monthly", at)) if each]


def quota(now: datetime) -> list[AccountQuota]:
    """Every enabled account, in the order in which steps try them."""
    return [_account(each, now.timestamp()) for each in _known(now)]


def quota_warnings(now: datetime) -> list[str]:
    """The warnings of all accounts, at most `KEPT_SECONDS` old; each names its account where there are several."""
    return cache.get_or_set("quota_warnings", partial(_warnings, now), KEPT_SECONDS)  # type: ignore[return-value]


def _warnings(now: datetime) -> list[str]:
    known, at = _known(now), now.timestamp()
    return [
        f"{each.account.name}: {text}" if len(known) > 1 else text
        for each in known
        for text in quota_forecast.warnings([use for use, _ in each.uses(at)], each.balances, at)
    ]


def _known(now: datetime) -> list[_Known]:
    enabled, readings = [each for each in accounts() if each.enabled], dict[int, list[QuotaReading]]()
    # By accounts, whose index has the readings by time: there may be months of them.
    found = QuotaReading.objects.filter(account__in=enabled, read_at__gt=now - LOOKED_BACK, read_at__lte=now).exclude(fault=UNDER_WAY)
    for reading in found.order_by("read_at", "pk"):
        readings.setdefault(reading.account_id, []).append(reading)
    answers = dict(Gate.objects.exclude(quota={}).values_list("account_id", "quota"))
    return [_Known(each, readings.get(each.pk, []), answers.get(each.pk, {})) for each in enabled]


def _account(known: _Known, at: float) -> AccountQuota:
    account, readings, balances, uses = known.account, known.readings, known.balances, known.uses(at)
    has_key, key_fault = _admin_key(account)
    fault = key_fault or (readings[-1].fault if readings else NOT_YET) if has_key else NO_KEY
    return AccountQuota(
        account=account.name,
        plan=_plan(known),
        meters=tuple(_meter(*each, at) for each in uses),
        balance=balances[-1].value if balances else None,
        balance_at=moment(balances[-1].at) if balances else None,
        balance_sentence=quota_forecast.balance(balances, at).sentence if balances else "",
        history=_history(balances),
        warnings=quota_forecast.warnings([each for each, _ in uses], balances, at),
        fault=fault,
        needs_key=not has_key or NOT_ADMIN.reason in fault.lower(),
        takes_environment=account.name == Account.DEFAULT,
        read_at=readings[-1].read_at if readings else None,
    )


def _admin_key(account: Account) -> tuple[bool, str]:
    try:
        return bool(admin_key_of(account)), ""
    except UnreadableKey as error:
        return True, str(error)


def _samples(readings: Iterable[QuotaReading], name: str) -> list[Sample]:
    return [Sample(each.read_at.timestamp(), value) for each in readings if (value := getattr(each, name)) is not None]


def _newest(readings: Sequence[QuotaReading], is_known: Callable[[QuotaReading], bool]) -> QuotaReading | None:
    return next((each for each in reversed(readings) if is_known(each)), None)


def _daily(known: _Known, now: float) -> tuple[Use, str] | None:
    """The day's requests. The last answer counts where the admin key has read nothing within an hour."""
    began_at, answer = now // DAY * DAY, known.answer
    reading, samples, source = _newest(known.readings, _has_daily), _samples(known.readings, "daily_used"), READ
    total = reading.daily_total if reading else None
    is_old = not samples or now - samples[-1].at > HOUR
    if is_old and answer and began_at <= answer["at"] <= now:
        total, samples, source = answer["total"], [Sample(answer["at"], answer["used"])], IN_ANSWER
    if not total or not samples:
        return None
    return Use(Limit(DAILY, total, began_at, began_at + DAY), samples), source


def _has_daily(reading: QuotaReading) -> bool:
    return reading.daily_total is not None or reading.is_unlimited


def _cap(known: _Known, cap: str, now: float) -> tuple[Use, str] | None:
    """A subscription's cap, "four_hour" or "monthly", in USD. Without a time read, four-hour windows begin at 00:00, 04:00 … UTC."""
    reading = _newest(known.readings, lambda each: getattr(each, f"{cap}_cap") is not None and getattr(each, f"{cap}_used") is not None)
    if reading is None:
        return None
    reset_at = getattr(reading, f"{cap}_reset_at")
    resets_at = reset_at.timestamp() if reset_at and reset_at.timestamp() > now else None
    if cap == "four_hour":
        resets_at = resets_at or (now // FOUR_HOURS + 1) * FOUR_HOURS
        limit = Limit("4-hour cap", reading.four_hour_cap or 0.0, resets_at - FOUR_HOURS, resets_at)
    else:
        limit = Limit("monthly cap", reading.monthly_cap or 0.0, None, resets_at, LONG_SPANS)
    return Use(limit, _samples(known.readings, f"{cap}_used")), READ


def _meter(use: Use, source: str, now: float) -> Meter:
    limit, known, foreseen = use.limit, use.samples[-1], quota_forecast.use(use, now)
    return Meter(
        label=limit.name,
        used=known.value,
        total=limit.total,
        is_money=limit.name is not DAILY,
        resets_at=moment(limit.resets_at) if limit.resets_at else None,
        runs_out_at=moment(foreseen.at) if foreseen.outcome is Outcome.RUNS_OUT and foreseen.at else None,
        outcome=foreseen.outcome,
        sentence=foreseen.sentence,
        source=source,
        read_at=moment(known.at),
    )


def _plan(known: _Known) -> str:
    subscribed = _newest(known.readings, lambda each: each.is_subscribed is not None)
    if subscribed and subscribed.is_subscribed:
        return "Subscription"
    daily = _newest(known.readings, _has_daily)
    if daily and daily.is_unlimited:
        return "No daily quota"
    total = daily.daily_total if daily else known.answer.get("total")
    return "" if total is None else "Daily quota" if total else "Pay as you go"


def _history(money: Sequence[Sample]) -> History | None:
    """High is much. A balance that stood still has no course to show."""
    some = [*money[:: len(money) // POINTS + 1], *money[-1:]]
    low, high = min((each.value for each in some), default=0.0), max((each.value for each in some), default=0.0)
    if low == high:
        return None
    first, span = some[0].at, some[-1].at - some[0].at

    def point(each: Sample) -> str:
        return f"{100 * (each.at - first) / span:.1f},{19 - 18 * (each.value - low) / (high - low):.1f}"

    return History(" ".join(map(point, some)), some[0].value, some[-1].value, moment(first))
