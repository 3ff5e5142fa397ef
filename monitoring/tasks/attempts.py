from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import In

from agents.common.redaction import redact
from agents.models import Account, LLMAttempt
from agents.policy.reasons import Purpose, Verdict
from agents.policy.refusals import RefusalClass
from monitoring.reporting.filter_query import Kind, Qualifier, Query
from monitoring.reporting.filters import NAMES_OFFERED, Hidden, distinct_values, in_values, narrowed
from monitoring.reporting.pagination import Order, Place, Slice, capped_count, cut
from monitoring.reporting.search import contains
from monitoring.tasks.steps import miners

PAGE_SIZE = 50
# Rows of an export that are in memory at once.
CHUNK = 500
# More than any provider's number of models.
MODELS_KNOWN = 1_000
ORDERS = {Order.NEWEST: "decided_at", Order.OLDEST: "decided_at", Order.LONGEST: "latency_ms", Order.COSTLIEST: "cost"}


COLUMNS = (
    *("id", "decided_at", "account", "model", "purpose", "verdict", "refusal", "status", "wait_ms", "latency_ms", "prompt_tokens"),
    *("completion_tokens", "cost", "detail", "step_id", "task_id"),
)
STORED = tuple(name for name in COLUMNS if name not in ("account", "task_id"))


def attempt_qualifiers() -> tuple[Qualifier, ...]:
    accounts = list(Account.objects.all()[:NAMES_OFFERED])
    models = dict.fromkeys(model for account in accounts for model in account.model_names)
    return (
        Qualifier("model", Kind.NAME, "Model, by its whole name", tuple(models)[:NAMES_OFFERED]),
        Qualifier("verdict", Kind.CHOICE, "Result", tuple(Verdict)),
        Qualifier("refusal", Kind.CHOICE, "Class of the refusal", tuple(RefusalClass)),
        Qualifier("status", Kind.STATUS, "HTTP status", ("429", "402", "503", "200")),
        Qualifier("account", Kind.NAME, "Account", tuple(account.name for account in accounts)),
        Qualifier("miner", Kind.NAME, "Miner that answered the step", miners()),
        Qualifier("purpose", Kind.CHOICE, "Purpose", tuple(Purpose)),
        Qualifier("since", Kind.TIME, "Decided at this time or later", ("1h", "24h", "7d")),
        Qualifier("until", Kind.TIME, "Decided before", ("1h", "24h", "7d")),
    )


def attempts(query: Query, place: Place, order: Order, now: datetime) -> Slice[LLMAttempt]:
    matching = matching_attempts(query, now, order)
    page = cut(_with_names(matching).defer("reply"), ORDERS[order], place, PAGE_SIZE, ascending=order is Order.OLDEST)
    return replace(page, count=capped_count(matching))


def exported_attempts(query: Query, now: datetime) -> Iterator[dict[str, Any]]:
    attempts = _with_names(matching_attempts(query, now)).order_by("-decided_at", "-id")
    for row in attempts.values(*STORED, "account_name", "task_id").iterator(chunk_size=CHUNK):
        yield {**row, "account": row["account_name"], "detail": redact(row["detail"])}


def _with_names(attempts: QuerySet[LLMAttempt]) -> QuerySet[Any]:
    return attempts.annotate(account_name=F("account__name"), task_id=F("step__task"))


def matching_attempts(query: Query, now: datetime, order: Order = Order.NEWEST) -> QuerySet[LLMAttempt]:
    matching = LLMAttempt.objects.filter(*narrowed(query, "decided_at", _with_text, now, account=_of_accounts, miner=_of_miners))
    return matching.filter(**{f"{ORDERS[order]}__isnull": False}) if order in (Order.LONGEST, Order.COSTLIEST) else matching


def _of_accounts(names: Sequence[str]) -> Q:
    return in_values(LLMAttempt, "account_id", list(Account.objects.filter(name__in=names).values_list("pk", flat=True)))


def _of_miners(names: list[str]) -> Q:
    return Q(In(Hidden("step__miner"), names))


def _with_text(text: str) -> Q:
    models = [name for name in distinct_values("agents_llmattempt", "model", MODELS_KNOWN) if text.lower() in name.lower()]
    return in_values(LLMAttempt, "model", models) | contains(LLMAttempt, text) if models else contains(LLMAttempt, text)
