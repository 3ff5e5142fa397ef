"""The miner's metrics for Prometheus. Counters start with the process, so a scrape reads only new rows."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

from django.conf import settings as environment
from django.db.models import Max, Min, Q, QuerySet, Sum
from django.utils import timezone
from django_q.models import OrmQ
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric

from agents.configuration import accounts, base_url_of, provider_name
from agents.hybrid import spool
from agents.jobs import LOST_AFTER
from agents.ledger import gate_rows
from agents.models import (
    Account,
    DailyUse,
    Heartbeat,
    LLMAttempt,
    QuotaReading,
    RateLimitEvent,
    Settings,
    Source,
    Step,
    SystemSchedule,
    UnknownCall,
)
from agents.policy.reasons import Verdict
from monitoring.models import Component, HealthState
from monitoring.notifications import maintenance

Counted: TypeAlias = type[Step | LLMAttempt | RateLimitEvent]
# Seconds: the template agent answers in milliseconds, an LLM in some seconds, and a step's deadline is 25 s.
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 25.0)
# OpenTelemetry's boundaries for LLM calls.
LLM_SECONDS = tuple(0.01 * 2**power for power in range(14))
LLM_TOKENS = tuple(4**power for power in range(11))
MOST_MODELS = 30  # with their own labels, over all providers; later ones are "other"
GATE_STATES = ("open", "paused", "probing", "stopped")
COMPONENT_VALUES = {HealthState.UP: 1.0, HealthState.DEGRADED: 0.5, HealthState.DOWN: 0.0}
ARRIVED = {Step: "received_at", LLMAttempt: "decided_at", RateLimitEvent: "started_at"}
# Labels of an LLM call, as in OpenTelemetry's semantic conventions for generative AI.
CALL = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")

disable_created_metrics()  # type: ignore[no-untyped-call]
_registry = CollectorRegistry(auto_describe=False)
_steps = Counter("miner_steps", "Steps by who answered and why.", ("route", "reason", "source", "miner"), registry=_registry)
_late = Counter("miner_late_steps", "Steps answered after their deadline, or never.", ("source", "miner"), registry=_registry)
_attempts = Counter("miner_llm_attempts", "LLM attempts by how they ended.", ("verdict", "refusal", "purpose"), registry=_registry)
_durations = Histogram(
    "miner_step_duration_seconds", "From a step's arrival to its answer.", ("route", "miner"), buckets=BUCKETS, registry=_registry
)
_calls = Histogram(
    "gen_ai_client_operation_duration_seconds",
    "LLM calls from being sent to their end. Outcome: ok, invalid, failed, or the class of the refusal.",
    (*CALL, "outcome"),
    buckets=LLM_SECONDS,
    registry=_registry,
)
_tokens = Histogram(
    "gen_ai_client_token_usage", "Tokens of an LLM call.", (*CALL, "gen_ai_token_type"), buckets=LLM_TOKENS, registry=_registry
)
_cost = Counter("miner_llm_cost_usd", "LLM calls' cost, where the price is known.", ("account", "gen_ai_request_model"), registry=_registry)
_paused = Counter("miner_paused_seconds", "Seconds of pauses that refusals brought, planned.", registry=_registry)
_gate_state = Gauge("miner_gate_state", "1 for the state that an account's gate is in.", ("account", "state"), registry=_registry)
_pause_left = Gauge("miner_gate_pause_left_seconds", "Seconds until the pause ends.", ("account",), registry=_registry)
_day_attempts = Gauge("miner_account_day_attempts", "LLM attempts of the current UTC day.", ("account",), registry=_registry)
_day_cost = Gauge("miner_account_day_cost_usd", "Cost of this UTC day, open attempts at their highest.", ("account",), registry=_registry)
_attempts_cap = Gauge("miner_cap_day_attempts", "LLM attempts that an account may make in a UTC day; 0: no cap.", registry=_registry)
_cost_cap = Gauge("miner_cap_day_cost_usd", "What an account may cost in a UTC day; 0: no cap.", registry=_registry)
_balance = Gauge("miner_account_balance_usd", "The account's balance as last read.", ("account",), registry=_registry)
_jobs = Gauge("miner_queue_jobs", "Jobs that wait or run.", registry=_registry)
_spooled = Gauge("miner_spool_steps", "Steps whose facts wait on this machine for the database.", registry=_registry)
_heartbeats = Gauge("miner_heartbeat_age_seconds", "Since the last heartbeat.", ("name",), registry=_registry)
_components = Gauge("miner_component_up", "1 up, 0.5 degraded, 0 down; unknown ones are left out.", ("component",), registry=_registry)
_maintenance = Gauge("miner_maintenance_active", "1 within a maintenance window.", registry=_registry)
_counting = threading.Lock()
_began = timezone.now()
_counted = dict[Counted, int]()  # all rows up to this id are counted
_models = set[tuple[str, str]]()
for _source in Source:  # exported as 0 from the start, so that the first late step is an increase
    _late.labels(_source.value, environment.MINER_NAME)


class _Totals:
    def collect(self) -> Iterator[Metric]:
        calls = UnknownCall.objects.aggregate(calls=Sum("calls"))["calls"] or 0
        yield CounterMetricFamily("miner_unknown_calls", "Calls of paths that no known caller uses.", calls)
        yield CounterMetricFamily("miner_lost_steps", "Steps of this machine whose facts neither database nor disk took.", spool.lost())


_registry.register(_Totals())


def exposition(now: datetime) -> bytes:
    with _counting:
        all_accounts = accounts()
        _count_steps(now)
        _count_attempts(all_accounts)
        _count_pauses()
        _read_accounts(all_accounts, now)
        _read_health(now)
        return generate_latest(_registry)


def _count_steps(now: datetime) -> None:
    # A step whose deadline is long over is counted as unanswered.
    rows = _new(Step, Q(answered_at=None, deadline_at__gt=now - LOST_AFTER))
    columns = ("pk", "route", "reason", "source", "duration_ms", "answered_at", "deadline_at", "miner")
    for pk, route, reason, source, ms, answered_at, deadline_at, miner in rows.values_list(*columns).iterator(5_000):
        _counted[Step] = pk
        _steps.labels(route or "none", reason, source, miner).inc()
        if answered_at is None or answered_at > deadline_at:
            _late.labels(source, miner).inc()
        if ms is not None:
            _durations.labels(route, miner).observe(ms / 1000)


def _count_attempts(all_accounts: list[Account]) -> None:
    names = {account.pk: (account.name, provider_name(base_url_of(account))) for account in all_accounts}
    for row in _new(LLMAttempt, Q(verdict=Verdict.OPEN)).defer("reply", "detail").iterator(5_000):
        _counted[LLMAttempt] = row.pk
        _attempts.labels(row.verdict, row.refusal, row.purpose).inc()
        account, provider = names.get(row.account_id, ("", ""))
        call = ("chat", *_bounded(provider, row.model))
        if row.latency_ms is not None:
            _calls.labels(*call, row.refusal or row.verdict).observe(row.latency_ms / 1000)
        for kind, count in (("input", row.prompt_tokens), ("output", row.completion_tokens)):
            if count is not None:
                _tokens.labels(*call, kind).observe(count)
        if row.cost is not None:
            _cost.labels(account, call[-1]).inc(float(row.cost))


def _bounded(provider: str, model: str) -> tuple[str, str]:
    if (provider, model) not in _models:
        if len(_models) >= MOST_MODELS:
            return "other", "other"
        _models.add((provider, model))
    return provider, model


def _count_pauses() -> None:
    for pk, model, seconds in _new(RateLimitEvent, Q(pk=None)).values_list("pk", "model", "pause_seconds"):
        _counted[RateLimitEvent] = pk
        _paused.inc(0 if model else seconds)


def _new(model: Counted, is_open: Q) -> QuerySet[Any]:
    """The rows since the start of the process that are not counted yet, up to the first one that is still open."""
    if model not in _counted:
        newest = model._default_manager.aggregate(newest=Max("pk"))["newest"] or 0  # noqa: SLF001 -- Django's documented manager
        since = model._default_manager.filter(**{f"{ARRIVED[model]}__gte": _began})  # noqa: SLF001 -- as above
        first = since.aggregate(first=Min("pk"))["first"]
        _counted[model] = newest if first is None else first - 1
    rows = model._default_manager.filter(pk__gt=_counted[model]).order_by("pk")  # noqa: SLF001 -- as above
    first_open = rows.filter(is_open).aggregate(first=Min("pk"))["first"]
    return rows.filter(pk__lt=first_open) if first_open else rows


def _read_accounts(all_accounts: list[Account], now: datetime) -> None:
    for metric in (_gate_state, _pause_left, _day_attempts, _day_cost, _balance):
        metric.clear()
    used = {row.account_id: row for row in DailyUse.objects.filter(day=now.astimezone(UTC).date(), account__isnull=False)}
    settings = Settings.current()
    _attempts_cap.set(settings.daily_attempts)
    _cost_cap.set(settings.daily_usd)
    for account in all_accounts:
        gate = gate_rows.of(account)
        current = "stopped" if gate.is_stopped else gate.state(now.timestamp()).value
        for state in GATE_STATES:
            _gate_state.labels(account.name, state).set(state == current)
        _pause_left.labels(account.name).set(max(0.0, gate.paused_until - now.timestamp()))
        day = used.get(account.pk)
        _day_attempts.labels(account.name).set(day.attempts if day else 0)
        _day_cost.labels(account.name).set(day.usd if day else 0.0)
        reading = QuotaReading.objects.filter(account=account).order_by("-read_at").first()
        if reading and reading.balance is not None:
            _balance.labels(account.name).set(reading.balance)


def _read_health(now: datetime) -> None:
    for metric in (_heartbeats, _components):
        metric.clear()
    _jobs.set(OrmQ.objects.count())
    _maintenance.set(maintenance.active(now) is not None)
    _spooled.set(spool.waiting())
    beats = dict(Heartbeat.objects.filter(name__startswith="worker ").values_list("name", "beaten_at"))
    round_at = SystemSchedule.objects.filter(name="Health checks").values_list("last_run_at", flat=True).first()
    if round_at:
        beats["health round"] = round_at
    for name, at in beats.items():
        _heartbeats.labels(name).set(max(0.0, (now - at).total_seconds()))
    for row in Component.objects.exclude(state=HealthState.UNKNOWN):
        _components.labels(row.name).set(COMPONENT_VALUES[HealthState(row.state)])
