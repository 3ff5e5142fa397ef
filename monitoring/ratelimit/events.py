"""Rate-limit events: a filtered, paged list, and the accuracy of their predictions."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from statistics import fmean, median
from typing import Any

from django import forms
from django.core.cache import cache
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from agents.accounts.status import predicted_by
from agents.common.text import length
from agents.models import Account, RateLimitEvent
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass, sentence
from monitoring.ratelimit.status_text import expectation_from
from monitoring.reporting.filter_form import ANY, FilterForm
from monitoring.reporting.pagination import Place, Slice, capped_count, cut

PAGE_SIZE = 50
MOST_READ = 300  # enough for a meaningful share; older ones may not apply any more
KEPT_SECONDS = 30  # a thousand rows take some 10 ms, too long for each refresh of each open page
OPEN = "open"
SCOPES = (("account", "Whole account"), ("model", "One model"))
# Written like the condition of the index `event_newest_of_a_model`, as SQLite doesn't match a parameter with it.
OF_A_MODEL = RawSQL("agents_ratelimitevent.model > ''", (), BooleanField())
FILTERS: dict[str, Callable[[Any], Q]] = {
    "account": lambda account: Q(account=account),
    "refusal": lambda kind: Q(refusal=kind),
    "scope": lambda scope: Q(model="") if scope == "account" else Q(OF_A_MODEL),
    "ended": lambda how: Q(ended_by="" if how == OPEN else how),
}


@dataclass(frozen=True, slots=True)
class Predicted:
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


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`inside_share`: percent of recoveries within the predicted range; `median_seconds`: of the errors."""

    source: str
    count: int
    inside_share: float
    median_seconds: float


class EventFilter(FilterForm):
    account = forms.ModelChoiceField(Account.objects.all(), required=False, to_field_name="name", empty_label=ANY[1])
    refusal = forms.ChoiceField(required=False, choices=[ANY, *((kind.value, kind.about.label) for kind in RefusalClass)], label="Class")
    scope = forms.ChoiceField(required=False, choices=[ANY, *SCOPES])
    ended = forms.ChoiceField(required=False, choices=[ANY, (OPEN, "Still open"), *RateLimitEvent.Ended.choices], label="How it ended")


def events(conditions: Mapping[str, Any], place: Place, now: datetime) -> Slice[Any]:
    matching = RateLimitEvent.objects.filter(*(FILTERS[name](value) for name, value in conditions.items()))
    page: Slice[Any] = cut(_with_step(matching), "started_at", place, PAGE_SIZE)
    return replace(page, rows=[_row(event, now) for event in page.rows], count=capped_count(matching))


def newest(count: int, now: datetime) -> list[dict[str, Any]]:
    return [_row(event, now) for event in _with_step(RateLimitEvent.objects.order_by("-started_at", "-id"))[:count]]


def _row(event: RateLimitEvent, now: datetime) -> dict[str, Any]:
    kind = RefusalClass(event.refusal)
    return {
        "event": event,
        "cause": kind.about.label,
        "sentence": sentence(kind, status=event.status),
        "pause_source": PauseSource(event.pause_source).sentence,
        "predicted": expectation_from(predicted_by(event), event.recovered_at or now),
        "outcome": outcome(event),
    }


def _with_step(events: QuerySet[RateLimitEvent]) -> QuerySet[RateLimitEvent]:
    """With their attempts and steps, but without replies, pages and actions."""
    own: list[Any] = [field.name for field in RateLimitEvent._meta.concrete_fields]  # noqa: SLF001 -- Django's documented list of fields
    attempt = (f"attempt__{name}" for name in ("id", "step", "number", "model", "purpose", "step__id", "step__task"))
    return events.select_related("account", "attempt__step").only(*own, "account__name", *attempt)


def outcome(event: RateLimitEvent) -> Predicted | None:
    if event.predicted_at is None or event.recovered_at is None:
        return None
    return Predicted(PauseSource(event.prediction_source), event.predicted_at, event.predicted_from, event.predicted_to, event.recovered_at)


def recent_accuracy(now: datetime) -> tuple[Accuracy, ...]:
    return cache.get_or_set("prediction-accuracy", partial(_read_accuracy, now), KEPT_SECONDS)  # type: ignore[return-value]


def accuracy(predictions: Iterable[Predicted]) -> tuple[Accuracy, ...]:
    """By source, the most used one first."""
    by_source: defaultdict[PauseSource, list[Predicted]] = defaultdict(list)
    for row in predictions:
        by_source[row.source].append(row)
    accuracies = [
        Accuracy(source.sentence, len(made), 100 * fmean(row.is_inside for row in made), median(abs(row.error) for row in made))
        for source, made in by_source.items()
    ]
    return tuple(sorted(accuracies, key=lambda row: (-row.count, row.source)))


def _read_accuracy(now: datetime) -> tuple[Accuracy, ...]:
    # Without events that an operator ended, which show nothing of a prediction.
    done = RateLimitEvent.objects.filter(model="", predicted_at__isnull=False, recovered_at__lte=now)
    done = done.exclude(ended_by=RateLimitEvent.Ended.OPERATOR).order_by("-started_at", "-id")
    columns = ("prediction_source", "predicted_at", "predicted_from", "predicted_to", "recovered_at")
    return accuracy(Predicted(PauseSource(source), *times) for source, *times in done.values_list(*columns)[:MOST_READ])
