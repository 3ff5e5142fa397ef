"""LLM attempts as rows of a table, filtered, ordered and paged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.lookups import In
from django.utils.translation import gettext as _

from agents.models import Account, LLMAttempt
from agents.phrases import phrase
from agents.reasons import Purpose, Verdict
from agents.redaction import redact
from agents.refusals import RefusalClass, sentence
from monitoring.queries import Kind, Qualifier, Query
from monitoring.search.finding import says
from monitoring.stats.filters import Hidden, narrowed
from monitoring.stats.keyset import CappedCount, Place, Slice, capped_count, cut, is_few
from monitoring.stats.task_filters import NAMES_OFFERED, names
from monitoring.wording import translated

PAGE_SIZE = 50
# More models than any provider has.
MODELS_KNOWN = 1_000


class AttemptOrder(StrEnum):
    """How attempts are ordered; each has its index."""

    NEWEST = phrase("newest")
    OLDEST = phrase("oldest")
    LONGEST = phrase("longest")
    DEAREST = phrase("dearest")

    @classmethod
    def parse(cls, text: str) -> AttemptOrder:
        """What a query string says; newest first where it says something else."""
        return next((order for order in cls if order == text), cls.NEWEST)

    @property
    def field(self) -> str:
        """The column."""
        return {self.LONGEST: "latency_ms", self.DEAREST: "cost"}.get(self, "decided_at")

    @property
    def words(self) -> str:
        """For the list's head."""
        return {self.LONGEST: _("longest first"), self.DEAREST: _("dearest first"), self.OLDEST: _("oldest first")}.get(
            self, _("newest first")
        )


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt. Wait and latency in ms, cost in USD. `detail` holds no secrets. `task_id` None: it belongs to no step."""

    id: int
    decided_at: datetime
    account: str
    model: str
    purpose: str
    verdict: str
    refusal: str
    status: int | None
    wait_ms: float | None
    latency_ms: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: Decimal | None
    detail: str
    step_id: int | None
    task_id: int | None

    @property
    def refusal_sentence(self) -> str:
        """Why it was turned down; "" where it was not."""
        return translated(sentence(RefusalClass(self.refusal), status=self.status)) if self.refusal else ""


@dataclass(frozen=True, slots=True)
class AttemptList:
    """One page of attempts, and how many match in all."""

    page: Slice[Any]
    rows: list[AttemptRow]
    count: CappedCount


def attempt_qualifiers() -> tuple[Qualifier, ...]:
    """The qualifiers of the page, with the accounts on record and their models."""
    accounts = list(Account.objects.all()[:NAMES_OFFERED])
    models = dict.fromkeys(model for account in accounts for model in account.model_names)
    return (
        Qualifier("model", Kind.NAME, _("The model's whole name"), tuple(models)[:NAMES_OFFERED]),
        Qualifier("verdict", Kind.CHOICE, _("How it ended"), tuple(Verdict)),
        Qualifier("refusal", Kind.CHOICE, _("Why it was turned down"), tuple(RefusalClass)),
        Qualifier("status", Kind.STATUS, _("What the provider answered"), ("429", "402", "503", "200")),
        Qualifier("account", Kind.NAME, _("Whose key it used"), tuple(account.name for account in accounts)),
        Qualifier("purpose", Kind.CHOICE, _("What it was for"), tuple(Purpose)),
        Qualifier("since", Kind.TIME, _("Decided from then on"), ("1h", "24h", "7d")),
        Qualifier("until", Kind.TIME, _("Decided before"), ("1h", "24h", "7d")),
    )


def matching_attempts(query: Query, now: datetime, order: AttemptOrder = AttemptOrder.NEWEST) -> QuerySet[LLMAttempt]:
    """The attempts that meet all conditions, and that have the column they are ordered by."""
    any_of = {
        "model": lambda values: Q(model__in=values),
        "verdict": lambda values: Q(verdict__in=values),
        "refusal": lambda values: Q(refusal__in=values),
        "status": lambda values: Q(status__in=map(int, values)),
        "account": _of_accounts,
        "purpose": lambda values: Q(purpose__in=values),
    }
    found = LLMAttempt.objects.filter(*narrowed(query, "decided_at", any_of, _say, now))
    return found if order.field == "decided_at" else found.filter(**{f"{order.field}__isnull": False})


def _of_accounts(names_: Sequence[str]) -> Q:
    """The attempts of these accounts. Of a busy one's the index of accounts would have all put into order first."""
    accounts = list(Account.objects.filter(name__in=names_).values_list("pk", flat=True))
    has_few = is_few(LLMAttempt.objects.filter(account__in=accounts))
    return Q(account__in=accounts) if has_few else Q(In(Hidden("account_id"), accounts))


def _say(text: str) -> Q:
    """The attempts whose model's name or detail holds a text. Where a model had many, its index would lead to all of them first."""
    models = [name for name in names("agents_llmattempt", "model", MODELS_KNOWN) if text.lower() in name.lower()]
    if not models:
        return says(LLMAttempt, text)
    has_few = is_few(LLMAttempt.objects.filter(model__in=models))
    return (Q(model__in=models) if has_few else Q(In(Hidden("model"), models))) | says(LLMAttempt, text)


def attempts(query: Query, place: Place, order: AttemptOrder, now: datetime) -> AttemptList:
    """One page of the attempts that match."""
    matching = matching_attempts(query, now, order)
    page = cut(with_account(matching), order.field, place, PAGE_SIZE, ascending=order is AttemptOrder.OLDEST)
    return AttemptList(page, told(page.rows), capped_count(matching))


def with_account(found: QuerySet[LLMAttempt]) -> QuerySet[LLMAttempt]:
    """With what a row needs; replies stay in the database."""
    return found.select_related("account", "step").only(
        *(name for name in AttemptRow.__slots__ if name not in ("account", "task_id", "step_id")), "account__name", "step__task_id"
    )


def told(found: Sequence[LLMAttempt]) -> list[AttemptRow]:
    """Attempts of `with_account` as rows."""
    return [_row(attempt) for attempt in found]


def _row(attempt: LLMAttempt) -> AttemptRow:
    own = {"account", "detail", "task_id"}
    values = {name: getattr(attempt, name) for name in AttemptRow.__slots__ if name not in own}
    task_id = attempt.step.task_id if attempt.step else None
    return AttemptRow(**values, account=attempt.account.name, detail=redact(attempt.detail), task_id=task_id)
