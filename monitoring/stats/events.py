"""Rate-limit events as rows of a table, filtered and paged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from agents.models import RateLimitEvent
from agents.phrases import phrase
from agents.reasons import PauseSource
from agents.refusals import RefusalClass, sentence
from agents.standing import predicted_by
from monitoring.stats.keyset import CappedCount, Place, Slice, capped_count, cut
from monitoring.stats.predictions import Expectation, Predicted, in_words, outcome
from monitoring.stats.standing import CAUSES
from monitoring.wording import translated

PAGE_SIZE = 50
OPEN = "open"


class EventScope(StrEnum):
    """Whom an event concerns."""

    ACCOUNT = "account"
    MODEL = "model"

    @property
    def sentence(self) -> str:
        """The scope in an operator's words."""
        return phrase("The whole account") if self is EventScope.ACCOUNT else phrase("One model")


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What to list. Empty: no condition. `ended`: how an event ended, or `open`."""

    account: str = ""
    refusal: str = ""
    scope: str = ""
    ended: str = ""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event in a table. `outcome`: how the prediction came out, None while nobody knows. `step`: the ids of its task and step."""

    event: RateLimitEvent
    cause: str
    sentence: str
    pause_source: str
    predicted: Expectation
    outcome: Predicted | None
    ended: str
    step: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class EventList:
    """One page of events, and how many match in all."""

    page: Slice[RateLimitEvent]
    rows: list[EventRow]
    count: CappedCount


def events(query: EventQuery, place: Place, now: datetime) -> EventList:
    """The events that match, newest first."""
    matching = _matching(query)
    page = cut(_with_step(matching), "started_at", place, PAGE_SIZE)
    return EventList(page, [row(event, now) for event in page.rows], capped_count(matching))


def newest(count: int, now: datetime) -> list[EventRow]:
    """The newest events of all accounts."""
    return [row(event, now) for event in _with_step(RateLimitEvent.objects.order_by("-started_at", "-id"))[:count]]


def row(event: RateLimitEvent, now: datetime) -> EventRow:
    """One event, in words."""
    kind = RefusalClass(event.refusal)
    step = event.attempt.step if event.attempt else None
    return EventRow(
        event=event,
        cause=translated(CAUSES[kind]),
        sentence=translated(sentence(kind, status=event.status)),
        pause_source=translated(PauseSource(event.pause_source).sentence),
        predicted=in_words(predicted_by(event), event.recovered_at or now),
        outcome=outcome(event),
        ended=str(RateLimitEvent.Ended(event.ended_by).label) if event.ended_by else _("Still open"),
        step=(step.task_id, step.pk) if step else None,
    )


def _matching(query: EventQuery) -> QuerySet[RateLimitEvent]:
    conditions: list[tuple[str, Q]] = [
        (query.account, Q(account__name=query.account)),
        (query.refusal, Q(refusal=query.refusal)),
        (query.scope, Q(model="") if query.scope == EventScope.ACCOUNT else ~Q(model="")),
        (query.ended, Q(ended_by="" if query.ended == OPEN else query.ended)),
    ]
    found = RateLimitEvent.objects.all()
    for value, condition in conditions:
        if value:
            found = found.filter(condition)
    return found


def _with_step(found: QuerySet[RateLimitEvent]) -> QuerySet[RateLimitEvent]:
    """With what a row shows of its account, attempt and step; replies, pages and actions stay in the database."""
    wanted: tuple[Any, ...] = (
        *(field.name for field in RateLimitEvent._meta.concrete_fields),  # noqa: SLF001 -- Django's documented way to a model's fields
        "account__name",
        *(f"attempt__{name}" for name in ("id", "step", "number", "model", "purpose")),
        *(f"attempt__step__{name}" for name in ("id", "task")),
    )
    return found.select_related("account", "attempt__step").only(*wanted)
