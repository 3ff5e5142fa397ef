"""When what an account has left is used up, at the pace of the last hours; and what there is to be warned of.

Pure: readings and the clock come in. Times are Unix seconds. A forecast claims nothing that the readings don't bear out: with too few of
them, or with old ones, it is unknown and says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from statistics import median

from agents.phrases import phrase
from agents.resets import DAY
from agents.text import length

HOUR = 3600.0
# An account is read every five minutes: what is older than this tells of another hour.
STALE = HOUR
# How far the pace looks back, beside the window's beginning. The median of these paces: one hour's burst must not speak for the day.
SPANS = (HOUR, 3 * HOUR)
# What lasts for days is measured over a day too, since nights are quiet.
LONG_SPANS = (3 * HOUR, DAY)
# Readings that cover less than this part of a span, or are fewer, say nothing of it.
COVERED, FEWEST = 0.5, 3
# A window that has only begun says nothing either.
BEGUN = HOUR / 2
# From this part on a limit is nearly used up; below so many days a balance is worth a word.
NEARLY, LOW_DAYS = 0.9, 7.0
# Beyond this nobody plans, in seconds.
FURTHEST = 365 * DAY
# What rounding may take of a balance, in USD.
ROUNDING = 1e-6


class Outcome(StrEnum):
    """What a forecast says."""

    UNKNOWN = "unknown"
    LASTS = "lasts"
    RUNS_OUT = "runs_out"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of one number."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that is used up and then begins anew: `total` from `began_at` to `resets_at`; None: unknown.

    `name`: as it stands after “the” in a sentence.
    """

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
    """`at`: when it is used up, never in the past; None where it lasts or nobody knows. `pace`: per hour, None: unknown."""

    outcome: Outcome
    sentence: str
    at: float | None = None
    pace: float | None = None


def use(what: Use, now: float) -> Forecast:
    """When the limit is used up."""
    limit, known = what.limit, _in_window(what, now)
    unclear = _unclear(limit.name, known, now)
    if unclear:
        return unclear
    left = limit.total - known[-1].value
    if left <= 0:
        return Forecast(Outcome.USED_UP, phrase("The {name} is used up. {reset}", name=limit.name, reset=_resets(limit, now)), at=now)
    pace = _pace(known, now, limit.spans, limit.began_at)
    if pace is None:
        return Forecast(Outcome.UNKNOWN, phrase("Too few readings yet to say how long the {name} lasts.", name=limit.name))
    at = _used_up_at(known[-1].at, left, pace, now)
    if at is None or (limit.resets_at is not None and now < limit.resets_at <= at):
        return Forecast(Outcome.LASTS, phrase("At this pace the {name} lasts until it resets.", name=limit.name), pace=pace)
    return Forecast(Outcome.RUNS_OUT, _runs_out(limit, at, now), at, pace)


def balance(samples: Sequence[Sample], now: float) -> Forecast:
    """When the balance is used up, from readings of what was left. A top-up is no spending."""
    known = _between(samples, now - max(LONG_SPANS), now)
    unclear = _unclear(phrase("balance"), known, now)
    if unclear:
        return unclear
    left = known[-1].value
    if left <= 0:
        return Forecast(Outcome.USED_UP, phrase("There is no balance: what goes beyond quota and caps is refused."), at=now)
    pace = _pace([Sample(each.at, -each.value) for each in known], now, LONG_SPANS, None)
    if pace is None:
        return Forecast(Outcome.UNKNOWN, phrase("Too few readings yet to say how long the balance lasts."))
    at = _used_up_at(known[-1].at, left, pace, now)
    if at is None:
        return Forecast(Outcome.LASTS, phrase("At this pace the balance lasts for more than a year."), pace=pace)
    return Forecast(Outcome.RUNS_OUT, phrase("At this pace the balance is used up in about {length}.", length=_length(at - now)), at, pace)


def warnings(uses: Sequence[Use], money: Sequence[Sample], now: float) -> tuple[str, ...]:
    """What an operator should know now. `money`: readings of the balance, oldest first."""
    found = [_worry(each, money, now) for each in uses]
    foreseen = balance(money, now)
    if foreseen.outcome is Outcome.RUNS_OUT and foreseen.at is not None and foreseen.at - now < LOW_DAYS * DAY:
        left = phrase("{value:.2f} USD left, about {length} at this pace", value=money[-1].value, length=_length(foreseen.at - now))
        found.append(phrase("The balance is falling: {left}. Top up the account.", left=left))
    return tuple(each for each in found if each)


def _worry(what: Use, money: Sequence[Sample], now: float) -> str:
    limit, known = what.limit, _in_window(what, now)
    if not known or _unclear(limit.name, known, now):
        return ""
    over_at = next((each.at for each in known if each.value >= limit.total), None)
    if known[-1].value >= limit.total and over_at is not None:
        if not money and known[-1].value > limit.total:
            return phrase(
                "The {name} is used up and requests are still accepted: the balance pays for them. {reset}",
                name=limit.name,
                reset=_resets(limit, now),
            )
        billed = _billed(money, over_at, now)
        since = phrase("{billed:.2f} USD since {over_at}", billed=billed, over_at=_when(over_at, now))
        return (
            phrase(
                "The {name} is used up and the balance is being billed: {since}. {reset}",
                name=limit.name,
                since=since,
                reset=_resets(limit, now),
            )
            if billed > ROUNDING
            else ""
        )
    part = known[-1].value / limit.total
    return (
        phrase("{value:.0f} % of the {name} is used. {reset}", value=100 * part, name=limit.name, reset=_resets(limit, now))
        if part >= NEARLY
        else ""
    )


def _billed(money: Sequence[Sample], since: float, now: float) -> float:
    """What the balance fell by since then, seen from the last reading before."""
    before = [each for each in money if each.at <= since][-1:]
    return _risen([Sample(each.at, -each.value) for each in (*before, *_between(money, since, now))])


def _in_window(what: Use, now: float) -> list[Sample]:
    limit = what.limit
    return _between(what.samples, limit.began_at if limit.began_at is not None else now - max(limit.spans), now)


def _between(samples: Sequence[Sample], since: float, now: float) -> list[Sample]:
    """A reading from the future was made before the clock was set back: nobody knows when."""
    return sorted((each for each in samples if since <= each.at <= now), key=lambda each: each.at)


def _unclear(name: str, known: Sequence[Sample], now: float) -> Forecast | None:
    if not known:
        return Forecast(Outcome.UNKNOWN, phrase("The {name} was not read lately.", name=name))
    age = now - known[-1].at
    return Forecast(Outcome.UNKNOWN, phrase("The {name} was last read {age} ago.", name=name, age=_length(age))) if age > STALE else None


def _pace(known: Sequence[Sample], now: float, spans: Sequence[float], began_at: float | None) -> float | None:
    """What is used an hour: the median over the spans that the readings cover, and since the window began, when nothing was used."""
    windows = [(span, _between(known, now - span, now)) for span in spans]
    paces = [
        _risen(some) / (some[-1].at - some[0].at)
        for span, some in windows
        if len(some) >= FEWEST and some[-1].at - some[0].at >= COVERED * span
    ]
    if began_at is not None and known[-1].at - began_at >= BEGUN:
        paces.append((known[0].value + _risen(known)) / (known[-1].at - began_at))
    return median(paces) * HOUR if paces else None


def _risen(known: Sequence[Sample]) -> float:
    """The sum of all rises: a fall is a reset or a top-up."""
    return sum(max(0.0, later.value - earlier.value) for earlier, later in pairwise(known))


def _used_up_at(read_at: float, left: float, pace: float, now: float) -> float | None:
    """None: not in any time that counts."""
    if left * HOUR >= pace * FURTHEST:
        return None
    return max(now, read_at + left / pace * HOUR)


def _runs_out(limit: Limit, at: float, now: float) -> str:
    told = phrase("At this pace the {name} is used up at {at}", name=limit.name, at=_when(at, now))
    if limit.resets_at is None or limit.resets_at <= now:
        return phrase("{told}. When it resets is unknown.", told=told)
    return phrase(
        "{told}, {length} before it resets at {resets_at}.",
        told=told,
        length=_length(limit.resets_at - at),
        resets_at=_when(limit.resets_at, now),
    )


def _resets(limit: Limit, now: float) -> str:
    if limit.resets_at is None or limit.resets_at <= now:
        return phrase("When it resets is unknown.")
    return phrase("It resets at {resets_at}, in {length}.", resets_at=_when(limit.resets_at, now), length=_length(limit.resets_at - now))


def _length(seconds: float) -> str:
    """To the minute: no forecast is better than that, and its words stay the same for a while."""
    return length(max(60.0, round(seconds / 60) * 60.0))


def _when(at: float, now: float) -> str:
    """A time in UTC, with its day where that is not clear."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC" if abs(at - now) < DAY else "%-d %b, %H:%M UTC")
