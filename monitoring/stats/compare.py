"""The LLM beside the template: how many steps each answered, how well, at what cost, and whether the actions worked.

By project, by the kind of task, and by the use of the LLM that was in force.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from agents.hybrid import Use
from agents.models import Route, Source
from monitoring.models import KindRollup, RollupState, StepRollup
from monitoring.queries import Condition
from monitoring.rollups.histogram import percentile
from monitoring.rollups.summing import DAY, KIND_KEY, STEP_KEY, STEP_SUMS, Groups, Row, Sums, kind_key, rolled_rows, step_key, step_rows
from monitoring.stats.figures import share
from monitoring.stats.ranges import Range, Sources, sources

SUMS = (*STEP_SUMS, "durations")
USES = {use.value: use.sentence for use in Use}


@dataclass(frozen=True, slots=True)
class Side:
    """One route's steps. Percentages of its steps, except `share`: of all answered, and `worked`: of those whose outcome is known.

    Durations in ms, costs in USD a step. `known`: steps whose outcome the next step told; of the others, `unknown`, nobody did.
    """

    steps: int
    share: float | None
    in_time: float | None = None
    p50: float | None = None
    p95: float | None = None
    cost: Decimal | None = None
    actions: float | None = None
    worked: float | None = None
    known: int = 0

    @property
    def unknown(self) -> int:
        """Steps whose outcome nobody told."""
        return self.steps - self.known


@dataclass(frozen=True, slots=True)
class Pair:
    """Both routes of one group, such as a project; "" for steps that are in none by their record, None for all steps.

    `tasks`: what the Tasks page is asked for to list the group's; "" where it can't be.
    """

    name: str | None
    llm: Side
    template: Side
    tasks: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """`total` first, then the groups of each sort with the most steps first. `uses`: of the LLM, none where no step's record has it.

    `missing_before`: older steps are left out, since they are being summed.
    """

    total: Pair
    projects: list[Pair]
    kinds: list[Pair]
    uses: list[Pair]
    missing_before: datetime | None


@dataclass(slots=True)
class _Tables:
    """The sums of each group by its name and route."""

    total: Groups
    projects: Groups
    kinds: Groups
    uses: Groups

    def add_step(self, row: Row) -> None:
        (_, route, _, project), numbers, durations = row
        self.total.add((None, route), numbers, durations)
        self.projects.add((project, route), numbers, durations)

    def add_kind(self, row: Row) -> None:
        (_, route, kind, llm_use), numbers, durations = row
        self.kinds.add((kind, route), numbers, durations)
        self.uses.add((llm_use, route), numbers, durations)


def compared(of: Range, now: datetime) -> Compared:
    """Validators' answered steps of a range."""
    state = RollupState.objects.filter(pk=RollupState.ONLY).first()
    # Whole days are read as such: there are few of them, and every project is in each.
    where = sources(replace(of, bin=max(of.bin, DAY)), state)
    told = _Tables(Groups(), Groups(), Groups(), Groups())
    for key, numbers, durations in _raw(where):
        told.add_step((step_key(key), numbers, durations))
        told.add_kind((kind_key(key), numbers, durations))
    for row in _answered(rolled_rows(StepRollup.objects.filter(where.rollups(is_total=False, source=Source.VALIDATOR)), STEP_KEY, SUMS)):
        told.add_step(row)
    for row in _answered(rolled_rows(KindRollup.objects.filter(where.rollups(source=Source.VALIDATOR)), KIND_KEY, SUMS)):
        told.add_kind(row)
    return Compared(
        total=_pair(told.total, None),
        projects=_pairs(told.projects, "project"),
        kinds=_pairs(told.kinds, "kind"),
        uses=_uses(_pairs(told.uses)),
        missing_before=where.missing_before,
    )


def _raw(where: Sources) -> Iterator[Row]:
    for interval in where.raw:
        yield from (row for row in _answered(step_rows(interval)) if row[0][0] == Source.VALIDATOR)


def _answered(rows: Iterator[Row]) -> Iterator[Row]:
    return (row for row in rows if row[0][1])


def _uses(pairs: list[Pair]) -> list[Pair]:
    """In words; none where no record says which was in force."""
    return [replace(pair, name=USES.get(pair.name or "", pair.name)) for pair in pairs] if any(pair.name for pair in pairs) else []


def _pairs(groups: Groups, qualifier: str = "") -> list[Pair]:
    """The groups, those with the most steps first. `qualifier`: the filter bar's for their names."""
    names = sorted({name for name, _ in groups}, key=lambda name: (-_steps(groups, name), name))
    pairs = [_pair(groups, name) for name in names]
    return [replace(pair, tasks=str(Condition(qualifier, pair.name)) if qualifier and pair.name else "") for pair in pairs]


def _steps(groups: Groups, name: str | None) -> int:
    return sum(groups[name, route].numbers[0] for route in Route if (name, route) in groups)


def _pair(groups: Groups, name: str | None) -> Pair:
    answered = _steps(groups, name)
    llm, template = (_side(groups.get((name, route)), answered) for route in (Route.LLM, Route.TEMPLATE))
    return Pair(name, llm, template)


def _side(sums: Sums | None, answered: int) -> Side:
    if sums is None:
        return Side(0, share(0, answered))
    count, in_time, _, actions, cost, worked, partly, failed = sums.numbers
    known = worked + partly + failed
    return Side(
        steps=count,
        share=share(count, answered),
        in_time=share(in_time, count),
        p50=percentile(sums.durations, 0.5),
        p95=percentile(sums.durations, 0.95),
        cost=cost / count,
        actions=actions / count,
        worked=share(worked, known),
        known=known,
    )
