"""Test runs: the strip of verdicts, the list, changes between runs, durations and cost."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models import Count, OuterRef, Q, Subquery, Sum, TextField, prefetch_related_objects
from django.db.models.functions import Cast, Coalesce

from agents.models import LLMAttempt, Route, Source
from agents.policy.reasons import Purpose
from monitoring.models import Result, TestResult, TestRun
from monitoring.reporting.pagination import Place, Slice, capped_count, cut
from monitoring.testruns.suites.findings import WORST_FIRST
from monitoring.testruns.suites.report import NOT_WORKING, report, title

PAGE_SIZE, STRIP_SIZE = 25, 50
COST_DAYS = 30
# Counting a month's attempts is slow, and each open page requests it at each refresh.
COST_KEPT_SECONDS = 60
LIVE_ANSWERS = ("task by", "step by")
State = TestRun.State
# `verdict`: a verdict or, of a run that has none, its state.
FILTERS: dict[str, Callable[[Any], Q]] = {
    "suite": lambda name: Q(listed__contains=f'"{name}"'),
    "verdict": lambda verdict: Q(verdict=verdict) if verdict in Result.values else Q(state=verdict),
    "trigger": lambda trigger: Q(trigger=trigger),
    "since": lambda at: Q(requested_at__gte=at),
}


@dataclass(frozen=True, slots=True)
class RunList(Slice[Any]):
    """Runs, each with its `conclusion`. `strip`: the newest ones, oldest first; `counts`: of the strip, by status."""

    strip: Sequence[TestRun] = ()
    counts: Sequence[tuple[str, str, int]] = ()


class Changed(NamedTuple):
    """A check whose verdict differs from that of its previous run, `before_pk`."""

    title: str
    is_better: bool
    old: Result
    new: Result
    before_pk: int


class Point(NamedTuple):
    """A finished run in the trend. `height`: its duration, in percent of the longest; `llm_share`: in percent of its live answers."""

    run: TestRun
    height: float
    llm_share: float | None

    @property
    def top(self) -> float:
        return 100 - self.height

    @property
    def llm_top(self) -> float:
        return 100 - (self.llm_share or 0)


class Cost(NamedTuple):
    """LLM attempts of a kind of test in the last days. `usd` None: without a known price."""

    label: str
    attempts: int
    tokens: int
    usd: Decimal | None


def runs(conditions: dict[str, Any], place: Place) -> RunList:
    # Cast to text, as SQLite can't filter by the items of a JSON list.
    listed = TestRun.objects.annotate(listed=Cast("suites", TextField()))
    matching = listed.filter(*(FILTERS[name](value) for name, value in conditions.items()))
    page: Slice[Any] = cut(matching, "requested_at", place, PAGE_SIZE)
    prefetch_related_objects(page.rows, "results")
    for run in page.rows:
        run.conclusion = report(run).conclusion if run.state == State.SUCCEEDED else ""
    strip = list(matching.order_by("-requested_at", "-id")[:STRIP_SIZE])[::-1]
    counts = [(*key, number) for key, number in Counter((run.status, run.status_text) for run in strip).most_common()]
    return RunList(page.rows, page.older, page.newer, capped_count(matching), strip, counts)


def newest(number: int) -> list[TestRun]:
    return list(TestRun.objects.filter(state=State.SUCCEEDED).order_by("-requested_at", "-id")[:number])


def changed(run_pk: int) -> list[Changed]:
    """The run's checks whose verdict differs from that of their previous run. Worse ones first."""
    same = {name: OuterRef(name) for name in ("suite", "check_name", "subject")}
    earlier = TestResult.objects.filter(**same, run_id__lt=OuterRef("run_id"), run__state=State.SUCCEEDED)
    before = earlier.exclude(verdict=Result.SKIPPED).order_by("-run_id", "-number")
    results = TestResult.objects.filter(run=run_pk).exclude(verdict=Result.SKIPPED).order_by("number")
    both = results.annotate(old=Subquery(before.values("verdict")[:1]), before_pk=Subquery(before.values("run_id")[:1]))
    changes = []
    for check, subject, old, new, before_pk in both.values_list("check_name", "subject", "old", "verdict", "before_pk"):
        if old and old != new:
            is_better = WORST_FIRST.index(Result(new)) > WORST_FIRST.index(Result(old))
            changes.append(Changed(title(check, subject), is_better, Result(old), Result(new), before_pk))
    return sorted(changes, key=lambda change: change.is_better)


class Failing(NamedTuple):
    """A check that fails in the newest run. `since`: the request of the first run after the last one in which it passed."""

    title: str
    verdict: Result
    since: datetime
    since_run: int
    meaning: str
    next_step: str


def failing() -> list[Failing]:
    """Of the newest finished run. Failed checks first."""
    run = next(iter(newest(1)), None)
    same = {name: OuterRef(name) for name in ("suite", "check_name", "subject")}
    made = TestResult.objects.filter(**same, run__state=State.SUCCEEDED)
    good = made.filter(verdict=Result.OK, run_id__lt=OuterRef("run_id")).order_by("-run_id").values("run_id")[:1]
    bad = TestResult.objects.filter(run=run, verdict__in=NOT_WORKING).annotate(last_good=Coalesce(Subquery(good), 0))
    first = made.filter(verdict__in=NOT_WORKING, run_id__gt=OuterRef("last_good")).order_by("run_id")
    columns = {"since": Subquery(first.values("run__requested_at")[:1]), "since_run": Subquery(first.values("run_id")[:1])}
    names = ("check_name", "subject", "verdict", "since", "since_run", "meaning", "next_step")
    rows = bad.annotate(**columns).order_by("number").values_list(*names)
    checks = [Failing(title(check, subject), Result(verdict), *rest) for check, subject, verdict, *rest in rows]
    return sorted(checks, key=lambda check: check.verdict != Result.FAIL)


def trend(strip: Sequence[TestRun]) -> list[Point]:
    done = [run for run in strip if run.verdict and run.seconds is not None]
    longest = max((run.seconds or 0 for run in done), default=0) or 1
    by_llm: dict[int, list[bool]] = {}
    answers = TestResult.objects.filter(run__in=done, suite="api", check_name__in=LIVE_ANSWERS)
    for pk, facts in answers.values_list("run_id", "facts"):
        if facts.get("route"):
            by_llm.setdefault(pk, []).append(facts["route"] == Route.LLM)
    shares = {pk: 100 * sum(answers) / len(answers) for pk, answers in by_llm.items()}
    return [Point(run, 100 * (run.seconds or 0) / longest, shares.get(run.pk)) for run in done]


def costs(now: datetime) -> list[Cost]:
    """The cost of tests in the last days, cached for `COST_KEPT_SECONDS`."""
    return cache.get_or_set("test-costs", lambda: _costs(now - timedelta(days=COST_DAYS)), COST_KEPT_SECONDS) or []


def _costs(since: datetime) -> list[Cost]:
    # With a query each, by its own index: a common query would read all attempts of those days.
    kinds = {
        "Direct key tests": Q(purpose=Purpose.TEST, decided_at__gte=since),
        "Live tests' steps": Q(step__source=Source.TEST, step__received_at__gte=since),
    }
    sums = {"number": Count("id"), "prompt": Sum("prompt_tokens"), "completion": Sum("completion_tokens"), "usd": Sum("cost")}
    sums_by_label = {label: LLMAttempt.objects.filter(of, sent_at__isnull=False).aggregate(**sums) for label, of in kinds.items()}
    return [
        Cost(label, row["number"], (row["prompt"] or 0) + (row["completion"] or 0), row["usd"])
        for label, row in sums_by_label.items()
        if row["number"]
    ]
