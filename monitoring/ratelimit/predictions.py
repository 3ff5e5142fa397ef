"""Predictions of when an account is back, and how accurate they were."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from statistics import fmean, median
from typing import NamedTuple

from django.core.cache import cache

from agents.accounts.status import AccountStatus
from agents.common.text import length
from agents.ledger import events
from agents.ledger.gate_rows import at as moment
from agents.models import RateLimitEvent
from agents.policy.reasons import PauseSource
from agents.policy.reset_times import Prediction

# A confidence's words, from the least that has them.
CONFIDENCES = (
    (0.9, "very high confidence"),
    (0.7, "high confidence"),
    (0.5, "medium confidence"),
    (0.3, "low confidence"),
    (0.01, "very low confidence"),
)
# Enough for a meaningful share; older ones are about another provider.
MOST_READ = 1_000
# A thousand rows take some 10 ms: too much for every second of every open page.
KEPT_SECONDS = 30


class Expectation(NamedTuple):
    """When an account is expected back. `at` None: unknown. `confidence` "": it has none. `is_overdue`: it should have been back by now."""

    at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    source: str
    confidence: str
    is_overdue: bool = False


class Predicted(NamedTuple):
    source: PauseSource
    at: datetime
    earliest: datetime | None
    latest: datetime | None
    recovered_at: datetime

    @property
    def is_inside(self) -> bool:
        return (self.earliest or self.at) <= self.recovered_at <= (self.latest or self.at)

    @property
    def error(self) -> float:
        return (self.recovered_at - self.at).total_seconds()

    @property
    def text(self) -> str:
        if self.is_inside:
            return "Inside the range"
        return f"{length(abs(self.error))} {'later' if self.error > 0 else 'earlier'} than predicted"


class Accuracy(NamedTuple):
    """`inside_share`: percent inside their range; `median_seconds`: the distance from the point."""

    source: str
    total: int
    inside_share: float
    median_seconds: float


def expectation(snapshot: AccountStatus, now: datetime) -> Expectation | None:
    """None where the account is not away, or nothing is known."""
    prediction = snapshot.expected(now.timestamp())
    return in_words(prediction, now, earlier_blocks(snapshot)) if prediction else None


def in_words(prediction: Prediction, now: datetime, blocks: int = 0) -> Expectation:
    """A prediction as pages show it. `blocks`: the earlier ones it is based on, where known."""
    at, earliest, latest = (None if each is None else moment(each) for each in (prediction.at, prediction.earliest, prediction.latest))
    source = prediction.source.sentence
    if prediction.source is PauseSource.HISTORY and blocks:
        source = f"how long {blocks} earlier blocks of this kind took"
    confidence = "" if prediction.source is PauseSource.OPERATOR else confidence_text(prediction.confidence)
    return Expectation(at, earliest, latest, source, confidence, bool(latest and now > latest))


def confidence_text(confidence: float) -> str:
    return next((text for least, text in CONFIDENCES if confidence >= least), "")


def earlier_blocks(snapshot: AccountStatus) -> int:
    """On how many the account's prediction is based; 0 where it has another source."""
    event = snapshot.event
    return events.longer_blocks(event) if event and event.prediction_source == PauseSource.HISTORY else 0


def outcome(event: RateLimitEvent) -> Predicted | None:
    """None while that is unknown, or where no time was predicted."""
    if event.predicted_at is None or event.recovered_at is None:
        return None
    return Predicted(PauseSource(event.prediction_source), event.predicted_at, event.predicted_from, event.predicted_to, event.recovered_at)


def recent_accuracy(now: datetime) -> tuple[Accuracy, ...]:
    """Of whole accounts, at most `KEPT_SECONDS` old."""
    return cache.get_or_set("prediction-accuracy", partial(_read_accuracy, now), KEPT_SECONDS)  # type: ignore[return-value]


def accuracy(predictions: Iterable[Predicted]) -> tuple[Accuracy, ...]:
    """By source, the most used one first."""
    by_source: defaultdict[PauseSource, list[Predicted]] = defaultdict(list)
    for each in predictions:
        by_source[each.source].append(each)
    found = [
        Accuracy(source.sentence, len(some), 100 * fmean(each.is_inside for each in some), median(abs(each.error) for each in some))
        for source, some in by_source.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.total, each.source)))


def _read_accuracy(now: datetime) -> tuple[Accuracy, ...]:
    """What an operator ended early says nothing about a prediction."""
    done = RateLimitEvent.objects.filter(model="", predicted_at__isnull=False, recovered_at__lte=now)
    done = done.exclude(ended_by=RateLimitEvent.Ended.OPERATOR).order_by("-started_at", "-id")
    columns = ("prediction_source", "predicted_at", "predicted_from", "predicted_to", "recovered_at")
    return accuracy(Predicted(PauseSource(source), *times) for source, *times in done.values_list(*columns)[:MOST_READ])
