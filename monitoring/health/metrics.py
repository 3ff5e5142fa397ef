"""The miner's numbers for Prometheus. Counters stay in the process, so that a scrape reads only the rows that are new."""

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Min, Q, QuerySet, Sum
from django_q.models import OrmQ
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric

from agents.configuration import accounts
from agents.hybrid import spool
from agents.jobs import LOST_AFTER
from agents.ledger import gate_rows
from agents.models import Heartbeat, LLMAttempt, RateLimitEvent, Step, SystemSchedule, UnknownCall
from agents.policy.reasons import Verdict
from monitoring.models import Component, HealthState

# Seconds: a template's answer takes milliseconds, an LLM's some seconds, a step 25.
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 25.0)
GATE_STATES = ("open", "paused", "probing", "stopped")
COMPONENT_VALUES = {HealthState.UP: 1.0, HealthState.DEGRADED: 0.5, HealthState.DOWN: 0.0}

disable_created_metrics()  # type: ignore[no-untyped-call]
_registry = CollectorRegistry(auto_describe=False)
_steps = Counter("miner_steps", "Steps by who answered and why.", ("route", "reason", "source"), registry=_registry)
_attempts = Counter("miner_llm_attempts", "LLM attempts by how they ended.", ("verdict", "refusal", "purpose"), registry=_registry)
_durations = Histogram(
    "miner_step_duration_seconds", "From a step's arrival to its answer.", ("route",), buckets=BUCKETS, registry=_registry
)
_latencies = Histogram("miner_llm_latency_seconds", "Of answered LLM attempts.", ("model",), registry=_registry, buckets=BUCKETS)
_gate_state = Gauge("miner_gate_state", "1 for the state that an account's gate is in.", ("account", "state"), registry=_registry)
_pause_left = Gauge("miner_gate_pause_left_seconds", "Seconds until the pause ends.", ("account",), registry=_registry)
_jobs = Gauge("miner_queue_jobs", "Jobs that wait or run.", registry=_registry)
_spooled = Gauge("miner_spool_steps", "Steps whose facts wait on this machine for the database.", registry=_registry)
_heartbeats = Gauge("miner_heartbeat_age_seconds", "Since the last sign of life.", ("name",), registry=_registry)
_components = Gauge("miner_component_up", "1 up, 0.5 degraded, 0 down; unknown ones are left out.", ("component",), registry=_registry)
_counting = threading.Lock()
_counted = {Step: 0, LLMAttempt: 0}  # the newest id of which all is counted


class _Totals:
    def collect(self) -> Iterator[Metric]:
        paused: dict[str, Any] = RateLimitEvent.objects.filter(model="").aggregate(seconds=Sum("pause_seconds"))
        yield CounterMetricFamily("miner_paused_seconds", "Seconds of pauses that refusals brought, planned.", paused["seconds"] or 0.0)
        calls = UnknownCall.objects.aggregate(calls=Sum("calls"))["calls"] or 0
        yield CounterMetricFamily("miner_unknown_calls", "Calls of paths that no known caller uses.", calls)
        yield CounterMetricFamily("miner_lost_steps", "Steps of this machine whose facts neither database nor disk took.", spool.lost())


_registry.register(_Totals())


def exposition(now: datetime) -> bytes:
    with _counting:
        _count(now)
        _read_gauges(now)
        return generate_latest(_registry)


def _count(now: datetime) -> None:
    # A step whose deadline is over for long is never answered: it counts as such.
    rows = _new(Step, Q(answered_at=None, deadline_at__gt=now - LOST_AFTER))
    for pk, route, reason, source, ms in rows.values_list("pk", "route", "reason", "source", "duration_ms").iterator(5_000):
        _counted[Step] = pk
        _steps.labels(route or "none", reason, source).inc()
        if ms is not None:
            _durations.labels(route).observe(ms / 1000)
    columns = ("pk", "verdict", "refusal", "purpose", "model", "latency_ms")
    for pk, verdict, refusal, purpose, model, ms in _new(LLMAttempt, Q(verdict=Verdict.OPEN)).values_list(*columns).iterator(5_000):
        _counted[LLMAttempt] = pk
        _attempts.labels(verdict, refusal, purpose).inc()
        if ms is not None and verdict == Verdict.OK:
            _latencies.labels(model).observe(ms / 1000)


def _new(model: type[Step] | type[LLMAttempt], is_open: Q) -> QuerySet[Any]:
    """The rows that are not counted yet, up to the first that is still open."""
    rows = model.objects.filter(pk__gt=_counted[model]).order_by("pk")
    first_open = rows.filter(is_open).aggregate(first=Min("pk"))["first"]
    return rows.filter(pk__lt=first_open) if first_open else rows


def _read_gauges(now: datetime) -> None:
    for metric in (_gate_state, _pause_left, _heartbeats, _components):
        metric.clear()
    for account in accounts():
        gate = gate_rows.of(account)
        current = "stopped" if gate.is_stopped else gate.state(now.timestamp()).value
        for state in GATE_STATES:
            _gate_state.labels(account.name, state).set(state == current)
        _pause_left.labels(account.name).set(max(0.0, gate.paused_until - now.timestamp()))
    _jobs.set(OrmQ.objects.count())
    _spooled.set(spool.waiting())
    beats = dict(Heartbeat.objects.filter(name__startswith="worker ").values_list("name", "beaten_at"))
    round_at = SystemSchedule.objects.filter(name="Health checks").values_list("last_run_at", flat=True).first()
    if round_at:
        beats["health round"] = round_at
    for name, at in beats.items():
        _heartbeats.labels(name).set(max(0.0, (now - at).total_seconds()))
    for row in Component.objects.exclude(state=HealthState.UNKNOWN):
        _components.labels(row.name).set(COMPONENT_VALUES[HealthState(row.state)])
