"""Rate-limit events as rows of a table, filtered and paged."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from agents.accounts.status import predicted_by
from agents.models import RateLimitEvent
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass, sentence
from monitoring.ratelimit.predictions import in_words, outcome
from monitoring.reporting.filter_form import ANY, FilterForm
from monitoring.reporting.pagination import Listing, Place, capped_count, cut

PAGE_SIZE = 50
OPEN = "open"
SCOPES = (("account", "Whole account"), ("model", "One model"))
FILTERS: dict[str, Callable[[str], Q]] = {
    "account": lambda name: Q(account__name=name),
    "refusal": lambda kind: Q(refusal=kind),
    "scope": lambda scope: Q(model="") if scope == "account" else ~Q(model=""),
    "ended": lambda how: Q(ended_by="" if how == OPEN else how),
}


class EventFilter(FilterForm):
    account = forms.ChoiceField(label="Account", required=False)
    refusal = forms.ChoiceField(required=False, choices=[ANY, *((kind.value, kind.about.label) for kind in RefusalClass)], label="Class")
    scope = forms.ChoiceField(label="Scope", required=False, choices=[ANY, *SCOPES])
    ended = forms.ChoiceField(required=False, choices=[ANY, (OPEN, "Still open"), *RateLimitEvent.Ended.choices], label="How it ended")

    def __init__(self, data: Any, accounts: list[str]) -> None:
        super().__init__(data)
        self.fields["account"].choices = [ANY, *((name, name) for name in accounts)]  # type: ignore[attr-defined]


def events(conditions: Mapping[str, str], place: Place, now: datetime) -> Listing[dict[str, Any]]:
    """The events that meet the conditions of an EventFilter, newest first."""
    matching = RateLimitEvent.objects.filter(*(FILTERS[name](value) for name, value in conditions.items()))
    page = cut(_with_step(matching), "started_at", place, PAGE_SIZE)
    return Listing(page, [_row(event, now) for event in page.rows], capped_count(matching))


def newest(count: int, now: datetime) -> list[dict[str, Any]]:
    return [_row(event, now) for event in _with_step(RateLimitEvent.objects.order_by("-started_at", "-id"))[:count]]


def _row(event: RateLimitEvent, now: datetime) -> dict[str, Any]:
    kind = RefusalClass(event.refusal)
    return {
        "event": event,
        "cause": kind.about.label,
        "sentence": sentence(kind, status=event.status),
        "pause_source": PauseSource(event.pause_source).sentence,
        "predicted": in_words(predicted_by(event), event.recovered_at or now),
        "outcome": outcome(event),
    }


def _with_step(found: QuerySet[RateLimitEvent]) -> QuerySet[RateLimitEvent]:
    """With what a row shows of its account, attempt and step; replies, pages and actions stay in the database."""
    wanted: tuple[Any, ...] = (
        *(field.name for field in RateLimitEvent._meta.concrete_fields),  # noqa: SLF001 -- Django's documented way to a model's fields
        "account__name",
        *(f"attempt__{name}" for name in ("id", "step", "number", "model", "purpose")),
        *(f"attempt__step__{name}" for name in ("id", "task")),
    )
    return found.select_related("account", "attempt__step").only(*wanted)
