"""LLM attempts as rows of a table: filtered, ordered, paged and exported."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.lookups import In

from agents.common.redaction import redact
from agents.models import Account, LLMAttempt
from agents.policy.reasons import Purpose, Verdict
from agents.policy.refusals import RefusalClass, sentence
from monitoring.reporting.filter_query import Kind, Qualifier, Query
from monitoring.reporting.filters import NAMES_OFFERED, Hidden, distinct_values, narrowed
from monitoring.reporting.pagination import Listing, Order, Place, capped_count, cut, is_few
from monitoring.reporting.search import contains

PAGE_SIZE = 50
# An export has so many rows in memory at once.
CHUNK = 500
# More models than any provider has.
MODELS_KNOWN = 1_000
ORDERS = {Order.NEWEST: "decided_at", Order.OLDEST: "decided_at", Order.LONGEST: "latency_ms", Order.COSTLIEST: "cost"}


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt in a table, and its columns in an export. Cost in USD. `detail` holds no secrets. `task_id` None: it has no step."""

    id: int
    decided_at: datetime
    account: str
    model: str
    purpose: Purpose
    verdict: Verdict
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
        """Why it was refused; "" where it was not."""
        return sentence(RefusalClass(self.refusal), status=self.status) if self.refusal else ""


COLUMNS = AttemptRow.__slots__
READ = tuple(name for name in COLUMNS if name not in ("account", "purpose", "verdict", "detail", "task_id"))


def attempt_qualifiers() -> tuple[Qualifier, ...]:
    accounts = list(Account.objects.all()[:NAMES_OFFERED])
    models = dict.fromkeys(model for account in accounts for model in account.model_names)
    return (
        Qualifier("model", Kind.NAME, "Model, by its whole name", tuple(models)[:NAMES_OFFERED]),
        Qualifier("verdict", Kind.CHOICE, "Result", tuple(Verdict)),
        Qualifier("refusal", Kind.CHOICE, "Class of the refusal", tuple(RefusalClass)),
        Qualifier("status", Kind.STATUS, "HTTP status", ("429", "402", "503", "200")),
        Qualifier("account", Kind.NAME, "Account", tuple(account.name for account in accounts)),
        Qualifier("purpose", Kind.CHOICE, "Purpose", tuple(Purpose)),
        Qualifier("since", Kind.TIME, "Decided at this time or later", ("1h", "24h", "7d")),
        Qualifier("until", Kind.TIME, "Decided before", ("1h", "24h", "7d")),
    )


def attempts(query: Query, place: Place, order: Order, now: datetime) -> Listing[AttemptRow]:
    matching = matching_attempts(query, now, order)
    page = cut(_with_account(matching), ORDERS[order], place, PAGE_SIZE, ascending=order is Order.OLDEST)
    return Listing(page, [_row(attempt) for attempt in page.rows], capped_count(matching))


def exported_attempts(query: Query, now: datetime) -> Iterator[dict[str, Any]]:
    found = _with_account(matching_attempts(query, now)).order_by("-decided_at", "-id")
    return (asdict(_row(attempt)) for attempt in found.iterator(chunk_size=CHUNK))


def matching_attempts(query: Query, now: datetime, order: Order = Order.NEWEST) -> QuerySet[LLMAttempt]:
    """The attempts that meet all conditions, and that have the column they are ordered by."""
    found = LLMAttempt.objects.filter(*narrowed(query, "decided_at", _with_text, now, account=_of_accounts))
    return found.filter(**{f"{ORDERS[order]}__isnull": False}) if order in (Order.LONGEST, Order.COSTLIEST) else found


def _of_accounts(names: Sequence[str]) -> Q:
    """The attempts of these accounts. Those of a busy one would all be sorted first by the index of accounts."""
    accounts = list(Account.objects.filter(name__in=names).values_list("pk", flat=True))
    has_few = is_few(LLMAttempt.objects.filter(account__in=accounts))
    return Q(account__in=accounts) if has_few else Q(In(Hidden("account_id"), accounts))


def _with_text(text: str) -> Q:
    """The attempts whose model's name or detail contains a text. Where a model has many, its index would lead to all of them first."""
    models = [name for name in distinct_values("agents_llmattempt", "model", MODELS_KNOWN) if text.lower() in name.lower()]
    if not models:
        return contains(LLMAttempt, text)
    has_few = is_few(LLMAttempt.objects.filter(model__in=models))
    return (Q(model__in=models) if has_few else Q(In(Hidden("model"), models))) | contains(LLMAttempt, text)


def _with_account(found: QuerySet[LLMAttempt]) -> QuerySet[LLMAttempt]:
    """With what a row needs; replies stay in the database."""
    return found.select_related("account", "step").only(*READ, "purpose", "verdict", "detail", "account__name", "step__task_id")


def _row(attempt: LLMAttempt) -> AttemptRow:
    return AttemptRow(
        **{name: getattr(attempt, name) for name in READ},
        account=attempt.account.name,
        purpose=Purpose(attempt.purpose),
        verdict=Verdict(attempt.verdict),
        detail=redact(attempt.detail),
        task_id=attempt.step.task_id if attempt.step else None,
    )
