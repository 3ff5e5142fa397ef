"""The LLM beside the template: how many steps each answered, how well, at what cost, and whether the actions worked.

By project, by the kind of task, and by the use of the LLM that was in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from agents.hybrid import Use
from agents.models import Route, Source
from monitoring.models import By, GroupRollup, RollupState
from monitoring.queries import Condition
from monitoring.rollups.fives import GROUPS_KEPT
from monitoring.rollups.histogram import percentile
from monitoring.rollups.joining import Joined, unjoined
from monitoring.rollups.summing import STEP_SUMS, Groups, Row, Sums, groups_of, step_rows
from monitoring.stats.figures import share
from monitoring.stats.ranges import Range, Sources, sources
from monitoring.stats.words import kind_words
from monitoring.wording import translated

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


def compared(of: Range, now: datetime) -> Compared:
    """Validators' answered steps of a range."""
    state = RollupState.objects.filter(pk=RollupState.ONLY).first()
    where = sources(of, state, is_drawn=False, fives_since=now - GROUPS_KEPT)
    groups: dict[By, Groups] = {by: Groups() for by in By}
    for (route, by, name), numbers, durations in _rows(where):
        groups[By(by)].add((name, route), numbers, durations)
    return Compared(
        total=_pair(_total(groups[By.LLM_USE]), None),
        projects=_pairs(groups[By.PROJECT], "project"),
        kinds=_worded(_pairs(groups[By.KIND], "kind"), kind_words),
        uses=_uses(_pairs(groups[By.LLM_USE])),
        missing_before=where.missing_before,
    )


def _rows(where: Sources) -> Iterator[Row]:
    """Of validators' answered steps: the group by route, By and name."""
    for interval in where.raw:
        for _, key, numbers, durations in step_rows(interval):
            yield from ((group[1:], numbers, durations) for group in groups_of(key) if group[0] == Source.VALIDATOR and group[1])
    rolled = GroupRollup.objects.filter(where.rollups(source=Source.VALIDATOR)).exclude(route="").order_by()
    summed = rolled.values_list("route", "by", "name").annotate(*map(Sum, STEP_SUMS), joined=Joined("durations"))
    for route, by, name, *sums, joined in summed:
        yield (route, by, name), tuple(sums), unjoined(joined)


def _total(groups: Groups) -> Groups:
    total = Groups()
    for (_, route), sums in groups.items():
        total.add((None, route), sums.numbers, sums.durations)
    return total


def _uses(pairs: list[Pair]) -> list[Pair]:
    """In words; none where no record says which was in force."""
    return _worded(pairs, lambda name: translated(USES.get(name, name))) if any(pair.name for pair in pairs) else []


def _worded(pairs: list[Pair], words: Callable[[str], str]) -> list[Pair]:
    return [replace(pair, name=words(pair.name or "")) for pair in pairs]


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
