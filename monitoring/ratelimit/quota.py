"""Each account's quotas and balance, read with its admin key, else from its last answer, with forecasts and warnings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, NamedTuple

from django.core.cache import cache

from agents.accounts.quota_readings import NOT_ADMIN, UNDER_WAY
from agents.configuration import accounts
from agents.configuration.keys import UnreadableKey, admin_key_of
from agents.models import Account, Gate, QuotaReading
from agents.policy import quota_forecast
from agents.policy.quota_forecast import HOUR, LONG_SPANS, NEARLY, Forecast, Limit, Outcome, Sample, Use
from agents.policy.reset_times import DAY, FOUR_HOURS

LOOKBACK = timedelta(days=1)
KEPT_SECONDS = 10  # readings come every five minutes, and each open Overview requests the warnings at each refresh
POINTS = 100  # the width of the line in pixels on a phone
DAILY = "daily quota"
READ, IN_ANSWER = "read with the admin key", "from the last answer"
NO_KEY = "Balance and caps are unknown: this account has no admin key, and the key that sends completions cannot read them."
NOT_YET = "Nothing has been read yet. The worker reads every five minutes."


class Meter(NamedTuple):
    """A limit. `newest`: its use, in USD or requests."""

    limit: Limit
    newest: Sample
    source: str
    forecast: Forecast

    @property
    def is_money(self) -> bool:
        return self.limit.name is not DAILY

    @property
    def runs_out_at(self) -> float | None:
        return self.forecast.at if self.forecast.outcome is Outcome.RUNS_OUT else None

    @property
    def share(self) -> float:
        return min(100.0, 100 * self.newest.value / self.limit.total) if self.limit.total else 100.0

    @property
    def tone(self) -> str:
        used, total = self.newest.value, self.limit.total
        return "red" if used >= total else "orange" if used >= NEARLY * total or self.runs_out_at else "green"


@dataclass(frozen=True)
class AccountQuota:
    """One account at `now`: its QuotaReadings, oldest first, and the quota in its last `answer`. Times are Unix seconds."""

    account: Account
    readings: Sequence[Any]
    answer: Mapping[str, float]
    now: float

    @cached_property
    def balances(self) -> list[Sample]:
        return self._samples("balance")

    @cached_property
    def uses(self) -> list[tuple[Use, str]]:
        return [use for use in (self._daily(), self._cap("four_hour"), self._cap("monthly")) if use]

    @cached_property
    def meters(self) -> list[Meter]:
        return [Meter(use.limit, use.samples[-1], source, quota_forecast.use(use, self.now)) for use, source in self.uses]

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        return quota_forecast.warnings([use for use, _ in self.uses], self.balances, self.now)

    @property
    def balance_sentence(self) -> str:
        return quota_forecast.balance(self.balances, self.now).sentence

    @property
    def read_at(self) -> float | None:
        return self.readings[-1].read_at.timestamp() if self.readings else None

    @property
    def plan(self) -> str:
        """How the account is paid, "" if unknown."""
        subscribed = self._newest(lambda reading: reading.is_subscribed is not None)
        if subscribed and subscribed.is_subscribed:
            return "Subscription"
        daily = self._newest(_has_daily)
        if daily and daily.is_unlimited:
            return "No daily quota"
        total = daily.daily_total if daily else self.answer.get("total")
        return "" if total is None else "Daily quota" if total else "Pay as you go"

    @cached_property
    def fault(self) -> str:
        try:
            if not admin_key_of(self.account):
                return NO_KEY
        except UnreadableKey as error:
            return str(error)
        return self.readings[-1].fault if self.readings else NOT_YET

    @property
    def needs_key(self) -> bool:
        return self.fault == NO_KEY or NOT_ADMIN.reason in self.fault.lower()

    @cached_property
    def course(self) -> list[Sample]:
        """The balance over the last day; [] if it did not change."""
        points = [*self.balances[:: len(self.balances) // POINTS + 1], *self.balances[-1:]]
        return points if len({point.value for point in points}) > 1 else []

    @property
    def line(self) -> str:
        """The course as SVG points in a field of 100 by 20."""
        values, first, last = [point.value for point in self.course], self.course[0].at, self.course[-1].at
        low, span = min(values), max(values) - min(values)
        return " ".join(
            f"{100 * (point.at - first) / (last - first):.1f},{19 - 18 * (point.value - low) / span:.1f}" for point in self.course
        )

    def _samples(self, name: str) -> list[Sample]:
        return [Sample(row.read_at.timestamp(), value) for row in self.readings if (value := getattr(row, name)) is not None]

    def _newest(self, is_known: Callable[[Any], bool]) -> Any:
        return next((row for row in reversed(self.readings) if is_known(row)), None)

    def _daily(self) -> tuple[Use, str] | None:
        """The day's requests. The last answer is used if there is no reading with the admin key within an hour."""
        began_at, answer, now = self.now // DAY * DAY, self.answer, self.now
        reading, samples, source = self._newest(_has_daily), self._samples("daily_used"), READ
        total = reading.daily_total if reading else None
        is_old = not samples or now - samples[-1].at > HOUR
        if is_old and answer and began_at <= answer["at"] <= now:
            total, samples, source = answer["total"], [Sample(answer["at"], answer["used"])], IN_ANSWER
        if not total or not samples:
            return None
        return Use(Limit(DAILY, total, began_at, began_at + DAY), samples), source

    def _cap(self, cap: str) -> tuple[Use, str] | None:
        """A subscription's cap, "four_hour" or "monthly", in USD. Without a known reset, four-hour windows begin at 00:00, 04:00 … UTC."""
        reading = self._newest(lambda row: getattr(row, f"{cap}_cap") is not None and getattr(row, f"{cap}_used") is not None)
        if reading is None:
            return None
        reset_at = getattr(reading, f"{cap}_reset_at")
        resets_at = reset_at.timestamp() if reset_at and reset_at.timestamp() > self.now else None
        if cap == "four_hour":
            resets_at = resets_at or (self.now // FOUR_HOURS + 1) * FOUR_HOURS
            limit = Limit("4-hour cap", reading.four_hour_cap or 0.0, resets_at - FOUR_HOURS, resets_at)
        else:
            limit = Limit("monthly cap", reading.monthly_cap or 0.0, None, resets_at, LONG_SPANS)
        return Use(limit, self._samples(f"{cap}_used")), READ


def _has_daily(reading: Any) -> bool:
    return reading.daily_total is not None or reading.is_unlimited


def quota(now: datetime) -> list[AccountQuota]:
    """All enabled accounts, in the order in which steps try them."""
    enabled, readings = [account for account in accounts() if account.enabled], dict[int, list[Any]]()
    # Filtered by accounts, to use the index by account and time: there may be months of readings.
    rows = QuotaReading.objects.filter(account__in=enabled, read_at__gt=now - LOOKBACK, read_at__lte=now).exclude(fault=UNDER_WAY)
    for reading in rows.order_by("read_at", "pk").values_list(named=True):
        readings.setdefault(reading.account_id, []).append(reading)
    answers = dict(Gate.objects.exclude(quota={}).values_list("account_id", "quota"))
    return [AccountQuota(account, readings.get(account.pk, []), answers.get(account.pk, {}), now.timestamp()) for account in enabled]


def quota_warnings(now: datetime) -> list[str]:
    """The warnings of all accounts, cached for `KEPT_SECONDS`; with the account's name if there are several."""
    return cache.get_or_set("quota_warnings", partial(_warnings, now), KEPT_SECONDS)  # type: ignore[return-value]


def _warnings(now: datetime) -> list[str]:
    quotas = quota(now)
    return [f"{row.account.name}: {text}" if len(quotas) > 1 else text for row in quotas for text in row.warnings]
