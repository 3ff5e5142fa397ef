"""Predictions of when an account is back: in words, and how good they have been."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import TypeVar

from django.core.cache import cache
from django.utils.translation import gettext as _

from agents.ledger import events
from agents.models import RateLimitEvent
from agents.phrases import phrase
from agents.reasons import PauseSource
from agents.recovery import Prediction
from agents.standing import Look
from agents.text import length
from monitoring.stats.milliseconds import Milliseconds
from monitoring.stats.standing import moment
from monitoring.wording import translated

Ended = RateLimitEvent.Ended
# Of one prediction all are times, or all are milliseconds.
At = TypeVar("At", datetime, int)
# How sure is said in words from these confidences on.
SURENESS = (
    (0.9, phrase("nearly certain")),
    (0.7, phrase("quite sure")),
    (0.5, phrase("fairly sure")),
    (0.3, phrase("not very sure")),
    (0.01, phrase("hardly more than a guess")),
)
# Enough for a share that means something; older ones tell of another provider.
LOOKED_AT = 1_000
# A thousand rows take some 3 ms: too much for every second of every open page.
KEPT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Expectation:
    """When an account is expected back. `at` None: nobody can know. `sureness`: the confidence in words, "" where it says nothing.

    `is_overdue`: it should have been back by now.
    """

    at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    source: str
    sureness: str
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class Predicted:
    """One prediction that came to its end."""

    source: PauseSource
    at: datetime
    earliest: datetime | None
    latest: datetime | None
    recovered_at: datetime

    @property
    def is_inside(self) -> bool:
        """Whether the recovery came inside the range."""
        return _is_inside(self.at, self.earliest, self.latest, self.recovered_at)

    @property
    def error(self) -> timedelta:
        """How much later than predicted the account was back."""
        return self.recovered_at - self.at

    @property
    def words(self) -> str:
        """How far off it was."""
        if self.is_inside:
            return _("Inside the range")
        seconds = self.error.total_seconds()
        return (_("{length} later than predicted") if seconds > 0 else _("{length} earlier than predicted")).format(
            length=length(abs(seconds))
        )


@dataclass(frozen=True, slots=True)
class Quality:
    """How good one source's predictions were: how many, percent inside their range, the median distance from the point in seconds."""

    source: str
    count: int
    inside_share: float
    median_seconds: float


def expectation(look: Look, now: datetime) -> Expectation | None:
    """When the account is expected back; None where it is not away, or nothing is known."""
    told = look.expected(now.timestamp())
    return in_words(told, now, earlier_blocks(look)) if told else None


def in_words(told: Prediction, now: datetime, blocks: int = 0) -> Expectation:
    """A prediction as pages tell it. `blocks`: the earlier ones it rests on, where known."""
    at, earliest, latest = (None if each is None else moment(each) for each in (told.at, told.earliest, told.latest))
    source = translated(told.source.sentence)
    if told.source is PauseSource.HISTORY and blocks:
        source = _("how long {blocks} earlier blocks of this kind took").format(blocks=blocks)
    sure = "" if told.source is PauseSource.OPERATOR else sureness(told.confidence)
    return Expectation(at, earliest, latest, source, sure, bool(latest and now > latest))


def sureness(confidence: float) -> str:
    """A confidence from 0 to 1 in words; "" for none at all."""
    return translated(next((words for least, words in SURENESS if confidence >= least), ""))


def earlier_blocks(look: Look) -> int:
    """On how many earlier blocks the account's prediction rests; 0 where it rests on something else."""
    event = look.event
    if event is None or event.prediction_source != PauseSource.HISTORY:
        return 0
    return events.longer_blocks(event)


def outcome(event: RateLimitEvent) -> Predicted | None:
    """How an event's prediction came out; None while nobody knows, or where no time was predicted."""
    if event.predicted_at is None or event.recovered_at is None:
        return None
    return Predicted(PauseSource(event.prediction_source), event.predicted_at, event.predicted_from, event.predicted_to, event.recovered_at)


def recent_quality(now: datetime) -> tuple[Quality, ...]:
    """How good the predictions of whole accounts were, at most `KEPT_SECONDS` old."""
    return cache.get_or_set("prediction-quality", partial(_read_quality, now), KEPT_SECONDS)  # type: ignore[return-value]


def quality(known: Iterable[tuple[PauseSource, bool, float]]) -> tuple[Quality, ...]:
    """How good each source's predictions were, the most used source first: of each its source, whether it came inside, seconds off."""
    by_source: defaultdict[PauseSource, list[tuple[bool, float]]] = defaultdict(list)
    for source, is_inside, seconds in known:
        by_source[source].append((is_inside, seconds))
    told = (_quality(source, some) for source, some in by_source.items())
    return tuple(sorted(told, key=lambda each: (-each.count, each.source)))


def _quality(source: PauseSource, some: Sequence[tuple[bool, float]]) -> Quality:
    inside = sum(is_inside for is_inside, _ in some)
    return Quality(source.sentence, len(some), 100 * inside / len(some), median(abs(seconds) for _, seconds in some))


def _is_inside(at: At, earliest: At | None, latest: At | None, recovered: At) -> bool:
    return (earliest or at) <= recovered <= (latest or at)


def _read_quality(now: datetime) -> tuple[Quality, ...]:
    """What an operator cut short says nothing about a prediction."""
    done = RateLimitEvent.objects.filter(model="", predicted_at__isnull=False, recovered_at__lte=now).exclude(ended_by=Ended.OPERATOR)
    times = (Milliseconds(name) for name in ("predicted_at", "predicted_from", "predicted_to", "recovered_at"))
    rows = done.order_by("-started_at", "-id").values_list("prediction_source", *times)[:LOOKED_AT]
    return quality(
        (PauseSource(source), _is_inside(at, earliest, latest, recovered), (recovered - at) / 1_000)
        for source, at, earliest, latest, recovered in rows
    )
