"""The LLM beside the template: how many steps each answered, how well, and at what cost, by project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from agents.models import Route, Source
from monitoring.models import RollupState, StepRollup
from monitoring.rollups.histogram import Buckets, add, percentile
from monitoring.rollups.summing import DAY, STEP_SUMS, Groups, Sums, step_rows
from monitoring.stats.figures import share
from monitoring.stats.ranges import Range, Sources, sources


@dataclass(frozen=True, slots=True)
class Side:
    """One route's steps. Percentages of its steps, except `share`: of all answered. Durations in ms, costs in USD a step."""

    steps: int
    share: float | None
    in_time: float | None
    p50: float | None
    p95: float | None
    cost: Decimal | None
    actions: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Both routes of one project; "" for steps whose caller named none, None for all projects."""

    project: str | None
    llm: Side
    template: Side


@dataclass(frozen=True, slots=True)
class Compared:
    """`total` first, then the projects with the most steps. `missing_before`: older steps are left out, since they are being summed."""

    total: Pair
    projects: list[Pair]
    missing_before: datetime | None


def compared(of: Range, now: datetime) -> Compared:
    """Validators' answered steps of a range."""
    state = RollupState.objects.filter(pk=RollupState.ONLY).first()
    # Whole days are read as such: there are few of them, and every project is in each.
    where = sources(replace(of, bin=max(of.bin, DAY)), state)
    by_project, total = _by_project(where), Groups()
    for (_, route), sums in by_project.items():
        total.add((None, route), sums.numbers, sums.durations)
    names = sorted({project for project, _ in by_project}, key=lambda name: (-_steps(by_project, name), name))
    return Compared(_pair(total, None), [_pair(by_project, name) for name in names], where.missing_before)


def _by_project(where: Sources) -> Groups:
    """Answered steps by project and route. The database adds up the numbers of roll-ups, which leaves the durations to be read."""
    found, durations = Groups(), dict[tuple[str, str], Buckets]()
    for interval in where.raw:
        for (source, route, _, project), numbers, buckets in step_rows(interval):
            if source == Source.VALIDATOR and route:
                found.add((project, route), numbers, buckets)
    rolled = StepRollup.objects.filter(where.rollups(is_total=False, source=Source.VALIDATOR)).exclude(route="").order_by()
    for project, route, buckets in rolled.values_list("project", "route", "durations"):
        add(durations.setdefault((project, route), {}), buckets)
    for project, route, *sums in rolled.values_list("project", "route").annotate(*(Sum(name) for name in STEP_SUMS)):
        found.add((project, route), sums, durations.get((project, route), {}))
    return found


def _steps(groups: Groups, project: str | None) -> int:
    return sum(groups[project, route].numbers[0] for route in Route if (project, route) in groups)


def _pair(groups: Groups, project: str | None) -> Pair:
    answered = _steps(groups, project)
    return Pair(project, *(_side(groups.get((project, route)), answered) for route in (Route.LLM, Route.TEMPLATE)))


def _side(sums: Sums | None, answered: int) -> Side:
    if sums is None:
        return Side(0, share(0, answered), None, None, None, None, None)
    count, in_time, _, actions, cost = sums.numbers
    p50, p95 = percentile(sums.durations, 0.5), percentile(sums.durations, 0.95)
    return Side(count, share(count, answered), share(in_time, count), p50, p95, cost / count, actions / count)
