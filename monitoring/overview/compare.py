"""The comparison of LLM and template: steps, quality and cost; by project, kind of task, use of the LLM and miner."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agents.models import Route
from agents.policy.modes import Use
from monitoring.models import Of, RollupState, Span
from monitoring.reporting.filter_query import Condition
from monitoring.reporting.formats import share
from monitoring.reporting.ranges import Range, sources
from monitoring.reporting.rollups import GROUPS, Row, percentile
from monitoring.tasks.steps import kind_label

USES = {use.value: use.sentence for use in Use}


@dataclass(frozen=True, slots=True)
class Side:
    """One route's steps. Percentages of its steps, except `share`, of all answered, and `executed`, of those `reported`.

    Durations in ms, costs in USD a step. `reported`: steps with a reported outcome; `executed`: those with all actions executed.
    """

    steps: int
    share: float | None
    in_time: float | None = None
    p50: float | None = None
    p95: float | None = None
    cost: Decimal | None = None
    actions: float | None = None
    executed: float | None = None
    reported: int = 0

    @property
    def unreported(self) -> int:
        return self.steps - self.reported


@dataclass(frozen=True, slots=True)
class Pair:
    """Both routes of a group, such as a project, with its `name` or "". `tasks`: the Tasks page's filter for the group, or ""."""

    name: str
    llm: Side
    template: Side
    tasks: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """`total`, and the groups of each kind, those with the most steps first. `uses`: of the LLM, empty if no step has it on record.

    `miners`: empty if there is only one.
    """

    total: Pair
    projects: list[Pair]
    kinds: list[Pair]
    uses: list[Pair]
    miners: list[Pair]


# Sums by group and route.
Groups = dict[tuple[str, str], Row]


def compared(of: Range, now: datetime) -> Compared:
    state = RollupState.objects.filter(pk=RollupState.ONLY).first()
    groups: dict[Of, Groups] = {kind: {} for kind in (*GROUPS, Of.STEPS)}
    total: Groups = {}
    for row in sources(of, state, (Span.HOUR, Span.SIX, Span.DAY)).rows(groups, now):
        if row.route:
            groups[Of(row.of)].setdefault((row.name, row.route), Row(row.starts_at, row.of)).add(row)
            if row.of == Of.STEPS:
                total.setdefault(("", row.route), Row(row.starts_at, row.of)).add(row)
    return Compared(
        total=_pair(total, ""),
        projects=_pairs(groups[Of.PROJECT], str, "project"),
        kinds=_pairs(groups[Of.KIND], kind_label, "kind"),
        uses=_pairs(groups[Of.LLM_USE], lambda name: USES.get(name, name)) if any(name for name, _ in groups[Of.LLM_USE]) else [],
        miners=_pairs(groups[Of.STEPS], str, "miner") if len({name for name, _ in groups[Of.STEPS]}) > 1 else [],
    )


def _pairs(groups: Groups, label: Callable[[str], str], qualifier: str = "") -> list[Pair]:
    """The groups, those with the most steps first. `qualifier`: of the filter line, for their names."""
    names = sorted({name for name, _ in groups}, key=lambda name: (-_steps(groups, name), name))
    return [_pair(groups, name, label(name), str(Condition(qualifier, name)) if qualifier and name else "") for name in names]


def _steps(groups: Groups, name: str) -> int:
    return sum(groups[name, route].count for route in Route if (name, route) in groups)


def _pair(groups: Groups, name: str, label: str = "", tasks: str = "") -> Pair:
    answered = _steps(groups, name)
    llm, template = (_side(groups.get((name, route)), answered) for route in (Route.LLM, Route.TEMPLATE))
    return Pair(label, llm, template, tasks)


def _side(sums: Row | None, answered: int) -> Side:
    if sums is None:
        return Side(0, share(0, answered))
    reported = sums.worked + sums.partly + sums.failed
    return Side(
        steps=sums.count,
        share=share(sums.count, answered),
        in_time=share(sums.in_time, sums.count),
        p50=percentile(sums.durations, 0.5),
        p95=percentile(sums.durations, 0.95),
        cost=sums.cost / sums.count,
        actions=sums.actions / sums.count,
        executed=share(sums.worked, reported),
        reported=reported,
    )
