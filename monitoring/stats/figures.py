"""Key figures of the last hour, day and week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.core.cache import cache
from django.db.models import Count, F, Min, Q, QuerySet, Window
from django.db.models.functions import CumeDist

from agents.models import LLMAttempt, Route, Source, Step

SPANS = {"Last hour": timedelta(hours=1), "Last 24 hours": timedelta(days=1), "Last 7 days": timedelta(days=7)}
Counts = dict[tuple[str, str], int]
# A week of 100,000 steps takes a third of a second to count.
KEPT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """One span's figures. Counts are of validators' steps, except `operator_steps` and `test_steps`. Durations in ms; None: no step."""

    span: str
    llm: int
    template: int
    late: int
    unanswered: int
    too_many: int
    p50_ms: float | None
    p95_ms: float | None
    operator_steps: int
    test_steps: int

    @property
    def answered(self) -> int:
        """Steps with an answer."""
        return self.llm + self.template

    @property
    def in_time(self) -> int:
        """Steps whose answer left before the deadline."""
        return self.answered - self.late

    @property
    def llm_share(self) -> float | None:
        """Percent of the answered steps that the LLM answered."""
        return 100 * self.llm / self.answered if self.answered else None

    @property
    def in_time_share(self) -> float | None:
        """Percent of the answered steps that were in time."""
        return 100 * self.in_time / self.answered if self.answered else None


def recent_figures(now: datetime) -> tuple[Figures, ...]:
    """The figures, at most `KEPT_SECONDS` old: every open Overview asks for them all the time."""
    return cache.get_or_set("figures", partial(figures, now), KEPT_SECONDS)  # type: ignore[return-value]


def figures(now: datetime) -> tuple[Figures, ...]:
    """The figures of every span up to `now`, shortest first."""
    starts = {name: now - span for name, span in SPANS.items()}
    by_route = _by_route(starts)
    late = _counted(_steps(now).filter(answered_at__gt=F("deadline_at")), "received_at", starts)
    refused = _counted(LLMAttempt.objects.filter(status=429, step__source=Source.VALIDATOR), "decided_at", starts)
    return tuple(
        _figures(name, by_route[name], late[name], refused[name], percentiles(_steps(now).filter(received_at__gte=start)))
        for name, start in starts.items()
    )


def percentiles(steps: QuerySet[Step]) -> tuple[float | None, float | None]:
    """Median and 95th percentile of the durations in ms: the smallest one that half, or 95 %, of the steps did not exceed."""
    ranked = steps.filter(duration_ms__isnull=False).values("duration_ms").annotate(rank=Window(CumeDist(), order_by="duration_ms"))
    found = ranked.aggregate(p50=Min("duration_ms", filter=Q(rank__gte=0.5)), p95=Min("duration_ms", filter=Q(rank__gte=0.95)))
    return found["p50"], found["p95"]


def _steps(now: datetime) -> QuerySet[Step]:
    return Step.objects.filter(source=Source.VALIDATOR, received_at__lte=now)


def _by_route(starts: dict[str, datetime]) -> dict[str, Counts]:
    """Steps by source and route, in one pass over the index for all spans."""
    rows = Step.objects.filter(source__in=Source.values, received_at__gte=min(starts.values())).values_list("source", "route").order_by()
    counted = rows.annotate(**{f"n{i}": Count("route", filter=Q(received_at__gte=start)) for i, start in enumerate(starts.values())})
    found = list(counted)
    return {name: {(row[0], row[1]): row[2 + i] for row in found} for i, name in enumerate(starts)}


def _counted(rows: QuerySet[Step] | QuerySet[LLMAttempt], at: str, starts: dict[str, datetime]) -> dict[str, int]:
    counts = {f"n{i}": Count(at, filter=Q(**{f"{at}__gte": start})) for i, start in enumerate(starts.values())}
    found = rows.filter(**{f"{at}__gte": min(starts.values())}).aggregate(**counts)
    return {name: found[f"n{i}"] for i, name in enumerate(starts)}


def _figures(span: str, counts: Counts, late: int, too_many: int, durations: tuple[float | None, float | None]) -> Figures:
    def total(source: Source) -> int:
        return sum(count for (of, _), count in counts.items() if of == source)

    return Figures(
        span=span,
        llm=counts.get((Source.VALIDATOR, Route.LLM), 0),
        template=counts.get((Source.VALIDATOR, Route.TEMPLATE), 0),
        late=late,
        unanswered=counts.get((Source.VALIDATOR, ""), 0),
        too_many=too_many,
        p50_ms=durations[0],
        p95_ms=durations[1],
        operator_steps=total(Source.OPERATOR),
        test_steps=total(Source.TEST),
    )
