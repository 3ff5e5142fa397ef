"""Test runs as a strip of verdicts and as rows of a table, filtered and paged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from monitoring.models import Result, TestResult, TestRun
from monitoring.stats.keyset import CappedCount, Place, Slice, capped_count, cut
from monitoring.suites.registry import TITLES
from monitoring.suites.report import NOT_WORKING, conclusion, title
from monitoring.suites.running import UNDER_WAY
from monitoring.wording import translated

PAGE_SIZE, STRIP_SIZE = 25, 50
State = TestRun.State


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs. Empty: no condition. `verdict`: a verdict or, of a run that has none, its state."""

    suite: str = ""
    verdict: str = ""
    trigger: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. `standing`: its verdict, else its state; `words` say it. `seconds` None: not over, or never begun."""

    pk: int
    standing: str
    words: str
    asked_at: datetime
    suites: str
    trigger: str
    asked_by: str
    seconds: float | None
    said: str

    @property
    def is_bad(self) -> bool:
        """Whether it found what does not work."""
        return self.standing in NOT_WORKING

    @property
    def who(self) -> str:
        """What started it, and who."""
        return f"{self.trigger}, {self.asked_by}" if self.asked_by else self.trigger


@dataclass(frozen=True, slots=True)
class RunList:
    """One page of runs, the strip above it (oldest first) with how many came out how, and how many runs match in all."""

    page: Slice[Any]
    rows: list[RunRow]
    strip: list[RunRow]
    tally: list[tuple[str, str, int]]
    count: CappedCount


def runs(query: RunQuery, place: Place) -> RunList:
    """The runs that match, newest first."""
    matching = _matching(query)
    page: Slice[Any] = cut(matching, "asked_at", place, PAGE_SIZE)
    said = _said(page.rows)
    strip = [row_of(run) for run in matching.order_by("-asked_at", "-id")[:STRIP_SIZE]][::-1]
    tally = Counter((row.standing, row.words) for row in strip)
    told = [(standing, words, number) for (standing, words), number in tally.most_common()]
    return RunList(page, [row_of(run, said.get(run.pk, "")) for run in page.rows], strip, told, capped_count(matching))


def under_way() -> TestRun | None:
    """The run that is under way."""
    return TestRun.objects.filter(state__in=UNDER_WAY).first()


def newest(number: int) -> list[RunRow]:
    """The runs that ended last, newest first."""
    return [row_of(run) for run in TestRun.objects.filter(state=State.DONE).order_by("-asked_at", "-id")[:number]]


def row_of(run: TestRun, said: str = "") -> RunRow:
    """A run as a row."""
    return RunRow(
        pk=run.pk,
        standing=run.verdict or run.state,
        words=str((Result(run.verdict) if run.verdict else State(run.state)).label),
        asked_at=run.asked_at,
        suites=_suites(run),
        trigger=str(TestRun.Trigger(run.trigger).label),
        asked_by=run.asked_by,
        seconds=(run.ended_at - run.started_at).total_seconds() if run.ended_at and run.started_at else None,
        said=said,
    )


def _suites(run: TestRun) -> str:
    named = ", ".join(translated(TITLES[name]) for name in run.suites)
    account = run.options.get("account")
    return _("{tests} of account {account}").format(tests=named, account=account) if account else named


def _matching(query: RunQuery) -> QuerySet[TestRun]:
    found = TestRun.objects.all()
    if query.suite:
        # The list is JSON in both databases, and SQLite can't look into it.
        found = found.annotate(listed=Cast("suites", TextField())).filter(listed__contains=f'"{query.suite}"')
    if query.verdict in Result.values:
        found = found.filter(verdict=query.verdict)
    elif query.verdict:
        found = found.filter(state=query.verdict)
    if query.trigger:
        found = found.filter(trigger=query.trigger)
    return found.filter(asked_at__gte=query.since) if query.since else found


def _said(found: Sequence[TestRun]) -> dict[int, str]:
    """Each finished run in a sentence."""
    done = [run.pk for run in found if run.state == State.DONE]
    results = TestResult.objects.filter(run__in=done).exclude(verdict=Result.SKIPPED).order_by("run_id", "number")
    by_run: dict[int, list[TestResult]] = {pk: [] for pk in done}
    for result in results.only("run_id", "verdict", "check_name", "subject", "meaning", "came_back"):
        by_run[result.run_id].append(result)
    return {pk: _concluded(rows) for pk, rows in by_run.items()}


def _concluded(results: Iterable[TestResult]) -> str:
    rows = list(results)
    bad = sorted((row for row in rows if row.verdict in NOT_WORKING), key=lambda row: row.verdict != Result.FAIL)
    if not bad:
        return conclusion("", "", 0, works=bool(rows))
    first = bad[0]
    return conclusion(title(first.check_name, first.subject), first.meaning or first.came_back, len(bad), works=True)
