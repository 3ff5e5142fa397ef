"""The miner's numbers for Prometheus.

Counters go over all time. What has been counted stays in the process, so that a scrape reads only the rows that are new.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Min, Q, Sum
from django_q.models import OrmQ
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from agents import gates, governor
from agents.configuration import accounts
from agents.jobs import LOST_AFTER
from agents.models import Heartbeat, LLMAttempt, RateLimitEvent, Step
from agents.reasons import Verdict
from monitoring.models import Component, HealthState

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# Seconds: a template's answer takes milliseconds, an LLM's some seconds, a step 25.
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 25.0)
GATE_STATES = ("open", "paused", "probing", "stopped")


@dataclass(slots=True)
class Histogram:
    """Counts by upper bound, and the sum, in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        place = next((place for place, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
        self.counts[place] += 1
        self.total += seconds

    def buckets(self) -> Sequence[tuple[str, float]]:
        """Cumulative, as Prometheus wants them."""
        bounds = [*(f"{bound:g}" for bound in BUCKETS), "+Inf"]
        return [(bound, float(sum(self.counts[: place + 1]))) for place, bound in enumerate(bounds)]


@dataclass(slots=True)
class Counted:
    """What was read up to the steps and attempts of these ids."""

    step: int = 0
    attempt: int = 0
    steps: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    attempts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    durations: dict[str, Histogram] = field(default_factory=dict)
    latencies: dict[str, Histogram] = field(default_factory=dict)


_counted = Counted()
_counting = threading.Lock()


def exposition(now: datetime) -> bytes:
    """All numbers in Prometheus' text form."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(now))
    return generate_latest(registry)


def forget() -> None:
    """Count anew, as after rows were taken away."""
    global _counted  # noqa: PLW0603 -- one count a process, whoever scrapes
    with _counting:
        _counted = Counted()


class _Collector:
    """What Prometheus' library asks for the numbers."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        """One family after the other."""
        with _counting:
            _read_steps(_counted, self.now)
            _read_attempts(_counted)
            yield _steps(_counted)
            yield _attempts(_counted)
            yield _histogram("miner_step_duration_seconds", "From a step's arrival to its answer.", "route", _counted.durations)
            yield _histogram("miner_llm_latency_seconds", "Of answered LLM attempts.", "model", _counted.latencies)
        yield from _gates(self.now)
        yield _paused_seconds()
        yield GaugeMetricFamily("miner_queue_jobs", "Jobs that wait or run.", OrmQ.objects.count())
        yield _heartbeats(self.now)
        yield _components()


def _read_steps(counted: Counted, now: datetime) -> None:
    """The steps up to the first that may still be answered. One whose process died is never answered: it counts as such."""
    rows = Step.objects.filter(pk__gt=counted.step)
    first_open = rows.filter(answered_at=None, deadline_at__gt=now - LOST_AFTER).aggregate(first=Min("pk"))["first"]
    rows = rows.filter(pk__lt=first_open) if first_open else rows
    for pk, route, reason, source, ms in rows.order_by("pk").values_list("pk", "route", "reason", "source", "duration_ms").iterator(5_000):
        counted.step = pk
        counted.steps[route or "none", reason, source] += 1
        if ms is not None:
            counted.durations.setdefault(route, Histogram()).add(ms / 1000)


def _read_attempts(counted: Counted) -> None:
    rows = LLMAttempt.objects.filter(pk__gt=counted.attempt)
    first_open = rows.filter(verdict=Verdict.OPEN).aggregate(first=Min("pk"))["first"]
    rows = rows.filter(pk__lt=first_open) if first_open else rows
    columns = ("pk", "verdict", "refusal", "purpose", "model", "latency_ms")
    for pk, verdict, refusal, purpose, model, ms in rows.order_by("pk").values_list(*columns).iterator(5_000):
        counted.attempt = pk
        counted.attempts[verdict, refusal, purpose] += 1
        if ms is not None and verdict == Verdict.OK:
            counted.latencies.setdefault(model, Histogram()).add(ms / 1000)


def _steps(counted: Counted) -> Metric:
    family = CounterMetricFamily("miner_steps", "Steps by who answered and why.", labels=("route", "reason", "source"))
    for labels, number in counted.steps.items():
        family.add_metric(labels, number)
    return family


def _attempts(counted: Counted) -> Metric:
    family = CounterMetricFamily("miner_llm_attempts", "LLM attempts by how they ended.", labels=("verdict", "refusal", "purpose"))
    for labels, number in counted.attempts.items():
        family.add_metric(labels, number)
    return family


def _histogram(name: str, words: str, label: str, told: dict[str, Histogram]) -> Metric:
    family = HistogramMetricFamily(name, words, labels=(label,))
    for value, histogram in told.items():
        family.add_metric((value,), buckets=histogram.buckets(), sum_value=histogram.total)
    return family


def _gates(now: datetime) -> Iterator[Metric]:
    states = GaugeMetricFamily("miner_gate_state", "1 for the state that an account's gate is in.", labels=("account", "state"))
    left = GaugeMetricFamily("miner_gate_pause_left_seconds", "Seconds until the pause ends.", labels=("account",))
    for account in accounts():
        gate = gates.of(account)
        current = "stopped" if gate.is_stopped else gate.state(now.timestamp()).value
        for state in GATE_STATES:
            states.add_metric((account.name, state), float(state == current))
        left.add_metric((account.name,), _left(gate, now))
    yield states
    yield left


def _left(gate: governor.Gate, now: datetime) -> float:
    return max(0.0, gate.paused_until - now.timestamp())


def _paused_seconds() -> Metric:
    total: dict[str, Any] = RateLimitEvent.objects.filter(model="").aggregate(seconds=Sum("pause_seconds"))
    return CounterMetricFamily("miner_paused_seconds", "Seconds of pauses that refusals brought, planned.", total["seconds"] or 0.0)


def _heartbeats(now: datetime) -> Metric:
    family = GaugeMetricFamily("miner_heartbeat_age_seconds", "Since the last sign of life.", labels=("name",))
    for beat in Heartbeat.objects.filter(Q(name__startswith="worker ") | Q(name="health round")):
        family.add_metric((beat.name,), max(0.0, (now - beat.beaten_at).total_seconds()))
    return family


def _components() -> Metric:
    family = GaugeMetricFamily("miner_component_up", "1 up, 0.5 degraded, 0 down; unknown ones are left out.", labels=("component",))
    value = {HealthState.UP: 1.0, HealthState.DEGRADED: 0.5, HealthState.DOWN: 0.0}
    for row in Component.objects.all():
        if HealthState(row.state) in value:
            family.add_metric((row.name,), value[HealthState(row.state)])
    return family
