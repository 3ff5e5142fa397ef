"""What runs tell beside each other: what changed, how long they took, how often the LLM answered, what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.cache import cache
from django.db.models import Count, OuterRef, Q, Subquery, Sum
from django.utils.translation import gettext as _

from agents.models import LLMAttempt, Route, Source
from agents.phrases import phrase
from agents.reasons import Purpose
from monitoring.models import Result, TestResult, TestRun
from monitoring.stats.runs import RunRow
from monitoring.suites.findings import WORST_FIRST
from monitoring.suites.report import title

COST_DAYS = 30
# The month's attempts take a while to count, and every open page asks all the time.
COST_KEPT_SECONDS = 60
LIVE_ANSWERS = ("task by", "step by")


@dataclass(frozen=True, slots=True)
class Changed:
    """A check that came out otherwise than the last time that it was looked at, in the run `before_pk`."""

    title: str
    is_better: bool
    old: Result
    new: Result
    before_pk: int

    @property
    def words(self) -> str:
        """The change in a word."""
        return _("Better") if self.is_better else _("Worse")


@dataclass(frozen=True, slots=True)
class Point:
    """A finished run in the trend. `height`: its duration in percent of the longest; `llm_share`: percent of its live answers, or None."""

    run: RunRow
    height: float
    llm_share: float | None

    @property
    def top(self) -> float:
        """Where the bar of the duration begins, from above."""
        return 100 - self.height

    @property
    def llm_top(self) -> float:
        """Where the bar of the share begins, from above."""
        return 100 - (self.llm_share or 0)


@dataclass(frozen=True, slots=True)
class Cost:
    """What tests of one kind asked of the LLM in the last days. `usd` None: no price is known."""

    words: str
    attempts: int
    tokens: int
    usd: Decimal | None


def last_done() -> int | None:
    """The run that was finished last."""
    return TestRun.objects.filter(state=TestRun.State.DONE).order_by("-asked_at", "-id").values_list("pk", flat=True).first()


def changed(run_pk: int) -> list[Changed]:
    """The run's checks whose verdict differs from that of the last run before it that looked at the same. Worse ones first."""
    earlier = TestResult.objects.filter(
        suite=OuterRef("suite"),
        check_name=OuterRef("check_name"),
        subject=OuterRef("subject"),
        run_id__lt=OuterRef("run_id"),
        run__state=TestRun.State.DONE,
    ).exclude(verdict=Result.SKIPPED)
    before = earlier.order_by("-run_id", "-number")
    results = TestResult.objects.filter(run=run_pk).exclude(verdict=Result.SKIPPED).order_by("number")
    told = results.annotate(old=Subquery(before.values("verdict")[:1]), before_pk=Subquery(before.values("run_id")[:1]))
    rows = told.values_list("check_name", "subject", "old", "verdict", "before_pk")
    found = [_changed(*row) for row in rows if row[2] and row[2] != row[3]]
    return sorted(found, key=lambda change: change.is_better)


def _changed(check: str, subject: str, old: str, new: str, before_pk: int) -> Changed:
    before, after = Result(old), Result(new)
    return Changed(title(check, subject), WORST_FIRST.index(after) > WORST_FIRST.index(before), before, after, before_pk)


def trend(strip: Sequence[RunRow]) -> list[Point]:
    """The strip's runs that came to an end, oldest first."""
    done = [row for row in strip if row.standing in Result.values and row.seconds is not None]
    longest = max((row.seconds or 0 for row in done), default=0) or 1
    shares = _shares([row.pk for row in done])
    return [Point(row, 100 * (row.seconds or 0) / longest, shares.get(row.pk)) for row in done]


def _shares(runs: Sequence[int]) -> dict[int, float]:
    """By run: the percent of its live test's answers that the LLM gave."""
    answered = TestResult.objects.filter(run__in=runs, suite="api", check_name__in=LIVE_ANSWERS)
    routes: dict[int, list[bool]] = {}
    for run, facts in answered.values_list("run_id", "facts"):
        if facts.get("route"):
            routes.setdefault(run, []).append(facts["route"] == Route.LLM)
    return {run: 100 * sum(of) / len(of) for run, of in routes.items()}


def costs(now: datetime) -> list[Cost]:
    """What tests cost in the last days, at most `COST_KEPT_SECONDS` old."""
    return cache.get_or_set("test-costs", partial(_costs, now), COST_KEPT_SECONDS)  # type: ignore[return-value]


def _costs(now: datetime) -> list[Cost]:
    """Attempts of the key tests, and those of the steps that live tests posted."""
    since = now - timedelta(days=COST_DAYS)
    # Each by the index that leads to it: both at once would read all attempts of those days.
    kinds = {
        phrase("Direct key tests"): Q(purpose=Purpose.TEST, decided_at__gte=since),
        phrase("Live tests' steps"): Q(step__source=Source.TEST, step__received_at__gte=since),
    }
    sums = {"number": Count("id"), "prompt": Sum("prompt_tokens"), "completion": Sum("completion_tokens"), "usd": Sum("cost")}
    found = {words: LLMAttempt.objects.filter(of, sent_at__isnull=False).aggregate(**sums) for words, of in kinds.items()}
    return [_cost(words, row) for words, row in found.items() if row["number"]]


def _cost(words: str, row: dict[str, Any]) -> Cost:
    return Cost(words, row["number"], (row["prompt"] or 0) + (row["completion"] or 0), row["usd"])
