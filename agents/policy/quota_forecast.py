"""When what an account has left is used up, at the pace of the last hours; unknown with too few readings or old ones. And warnings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from statistics import median

from agents.common.text import length
from agents.policy.reset_times import DAY

HOUR = 3600.0
# An account is read every five minutes: older readings do not show this hour's use.
STALE = HOUR
# The spans of the pace, beside the time since the window began. The median counts: one hour's burst must not stand for the day.
SPANS = (HOUR, 3 * HOUR)
# What lasts for days is measured over a day too, since nights are quiet.
LONG_SPANS = (3 * HOUR, DAY)
# A span counts with at least so many readings that cover this part of it; a window only once it has run for so long.
COVERED, FEWEST, BEGUN = 0.5, 3, HOUR / 2
# From this part on a limit is nearly used up; below so many days a balance is warned of.
NEARLY, LOW_DAYS = 0.9, 7.0
# Beyond this, in seconds, a limit lasts.
FURTHEST = 365 * DAY
# What rounding may take of a balance, in USD.
ROUNDING = 1e-6


Outcome = StrEnum("Outcome", "UNKNOWN LASTS RUNS_OUT USED_UP")


@dataclass(frozen=True, slots=True)
class Sample:
    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Limit:
    """`total` is there from `began_at` to `resets_at`, None: unknown. `name`: as it stands after “the” in a sentence."""

    name: str
    total: float
    began_at: float | None = None
    resets_at: float | None = None
    spans: tuple[float, ...] = SPANS


@dataclass(frozen=True, slots=True)
class Use:
    """A limit with the readings of what was used of it, oldest first."""

    limit: Limit
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class Forecast:
    """`at`: when it is used up, never in the past; None where it lasts or that is unknown. `pace`: per hour, None: unknown."""

    outcome: Outcome
    sentence: str
    at: float | None = None
    pace: float | None = None


def use(what: Use, now: float) -> Forecast:
    limit, samples = what.limit, _in_window(what, now)
    unclear = _unclear(limit.name, samples, now)
    if unclear:
        return unclear
    left = limit.total - samples[-1].value
    if left <= 0:
        return Forecast(Outcome.USED_UP, f"The {limit.name} is used up. {_resets(limit, now)}", at=now)
    pace = _pace(samples, now, limit.spans, limit.began_at)
    if pace is None:
        return Forecast(Outcome.UNKNOWN, f"Too few readings yet to estimate how long the {limit.name} lasts.")
    at = _used_up_at(samples[-1].at, left, pace, now)
    if at is None or (limit.resets_at is not None and now < limit.resets_at <= at):
        return Forecast(Outcome.LASTS, f"At this pace the {limit.name} lasts until it resets.", pace=pace)
    sentence = f"At this pace the {limit.name} is used up at {_when(at, now)}"
    if limit.resets_at is None or limit.resets_at <= now:
        return Forecast(Outcome.RUNS_OUT, f"{sentence}. When it resets is unknown.", at, pace)
    before = f"{_length(limit.resets_at - at)} before it resets at {_when(limit.resets_at, now)}"
    return Forecast(Outcome.RUNS_OUT, f"{sentence}, {before}.", at, pace)


def balance(samples: Sequence[Sample], now: float) -> Forecast:
    samples = _between(samples, now - max(LONG_SPANS), now)
    unclear = _unclear("balance", samples, now)
    if unclear:
        return unclear
    left = samples[-1].value
    if left <= 0:
        return Forecast(Outcome.USED_UP, "There is no balance: what goes beyond quota and caps is refused.", at=now)
    pace = _pace([Sample(sample.at, -sample.value) for sample in samples], now, LONG_SPANS, None)
    if pace is None:
        return Forecast(Outcome.UNKNOWN, "Too few readings yet to estimate how long the balance lasts.")
    at = _used_up_at(samples[-1].at, left, pace, now)
    if at is None:
        return Forecast(Outcome.LASTS, "At this pace the balance lasts for more than a year.", pace=pace)
    return Forecast(Outcome.RUNS_OUT, f"At this pace the balance is used up in about {_length(at - now)}.", at, pace)


def warnings(uses: Sequence[Use], money: Sequence[Sample], now: float) -> tuple[str, ...]:
    sentences = [_warning(limit_use, money, now) for limit_use in uses]
    forecast = balance(money, now)
    if forecast.outcome is Outcome.RUNS_OUT and forecast.at is not None and forecast.at - now < LOW_DAYS * DAY:
        left = f"{money[-1].value:.2f} USD left, about {_length(forecast.at - now)} at this pace"
        sentences.append(f"The balance is falling: {left}. Top up the account.")
    return tuple(filter(None, sentences))


def _warning(what: Use, money: Sequence[Sample], now: float) -> str:
    limit, samples = what.limit, _in_window(what, now)
    if not samples or _unclear(limit.name, samples, now):
        return ""
    over_at = next((sample.at for sample in samples if sample.value >= limit.total), None)
    if samples[-1].value >= limit.total and over_at is not None:
        if not money and samples[-1].value > limit.total:
            return f"The {limit.name} is used up and requests are still accepted: the balance pays for them. {_resets(limit, now)}"
        # What the balance fell by since then, from the last reading before.
        before = [sample for sample in money if sample.at <= over_at][-1:]
        billed = _risen([Sample(sample.at, -sample.value) for sample in (*before, *_between(money, over_at, now))])
        since = f"{billed:.2f} USD since {_when(over_at, now)}"
        return f"The {limit.name} is used up and the balance is being billed: {since}. {_resets(limit, now)}" if billed > ROUNDING else ""
    part = samples[-1].value / limit.total
    return f"{100 * part:.0f} % of the {limit.name} is used. {_resets(limit, now)}" if part >= NEARLY else ""


def _in_window(what: Use, now: float) -> list[Sample]:
    limit = what.limit
    return _between(what.samples, limit.began_at if limit.began_at is not None else now - max(limit.spans), now)


def _between(samples: Sequence[Sample], since: float, now: float) -> list[Sample]:
    """Without readings from the future, which were made before the clock was set back."""
    return sorted((sample for sample in samples if since <= sample.at <= now), key=lambda sample: sample.at)


def _unclear(name: str, samples: Sequence[Sample], now: float) -> Forecast | None:
    if not samples:
        return Forecast(Outcome.UNKNOWN, f"The {name} was not read recently.")
    age = now - samples[-1].at
    return Forecast(Outcome.UNKNOWN, f"The {name} was last read {_length(age)} ago.") if age > STALE else None


def _pace(samples: Sequence[Sample], now: float, spans: Sequence[float], began_at: float | None) -> float | None:
    """What is used an hour: the median over the spans that the readings cover, and since the window began, when nothing was used."""
    paces = []
    for span in spans:
        some = _between(samples, now - span, now)
        if len(some) >= FEWEST and some[-1].at - some[0].at >= COVERED * span:
            paces.append(_risen(some) / (some[-1].at - some[0].at))
    if began_at is not None and samples[-1].at - began_at >= BEGUN:
        paces.append((samples[0].value + _risen(samples)) / (samples[-1].at - began_at))
    return median(paces) * HOUR if paces else None


def _risen(samples: Sequence[Sample]) -> float:
    """The sum of all rises: a fall is a reset or a top-up."""
    return sum(max(0.0, later.value - earlier.value) for earlier, later in pairwise(samples))


def _used_up_at(read_at: float, left: float, pace: float, now: float) -> float | None:
    return None if left * HOUR >= pace * FURTHEST else max(now, read_at + left / pace * HOUR)


def _resets(limit: Limit, now: float) -> str:
    if limit.resets_at is None or limit.resets_at <= now:
        return "When it resets is unknown."
    return f"It resets at {_when(limit.resets_at, now)}, in {_length(limit.resets_at - now)}."


def _length(seconds: float) -> str:
    # To the minute: no forecast is more exact.
    return length(max(60.0, round(seconds / 60) * 60.0))


def _when(at: float, now: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC" if abs(at - now) < DAY else "%-d %b, %H:%M UTC")
