"""Steps as rows of a table, filtered, ordered and paged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from agents.models import Step
from agents.phrases import phrase
from agents.redaction import redact
from monitoring.queries import TEXT, Query
from monitoring.stats.keyset import COUNT_CAP, LOOKED_UP_CAP, CappedCount, Place, Slice, cut
from monitoring.stats.step_filters import matching_steps
from monitoring.stats.steps import StepRow, rows

PAGE_SIZE = 50
# So many rows are in memory at once.
CHUNK = 500
# What is asked of a step's task and attempts, not of the step itself.
OF_OTHERS = ("project", "kind", "status", TEXT)
COLUMNS = (
    "id",
    "task_id",
    "received_at",
    "source",
    "endpoint",
    "index",
    "project",
    "prompt",
    "route",
    "reason",
    "deadline_at",
    "duration_ms",
    "late",
    "outcome",
)


class StepOrder(StrEnum):
    """How steps are ordered; each has its index."""

    NEWEST = phrase("newest")
    OLDEST = phrase("oldest")
    LONGEST = phrase("longest")

    @classmethod
    def parse(cls, text: str) -> StepOrder:
        """What a query string says; newest first where it says something else."""
        return next((order for order in cls if order == text), cls.NEWEST)

    @property
    def field(self) -> str:
        """The column."""
        return "duration_ms" if self is self.LONGEST else "received_at"

    @property
    def words(self) -> str:
        """For the list's head."""
        return {self.LONGEST: _("longest first"), self.OLDEST: _("oldest first")}.get(self, _("newest first"))


@dataclass(frozen=True, slots=True)
class StepList:
    """One page of steps, and how many match in all."""

    page: Slice[Any]
    rows: list[StepRow]
    count: CappedCount


def steps(query: Query, place: Place, order: StepOrder, now: datetime) -> StepList:
    """One page of the steps that match, and that have the column they are ordered by."""
    matching = matching_steps(query, now, longest_first=order is StepOrder.LONGEST)
    if order is StepOrder.LONGEST:
        matching = matching.filter(duration_ms__isnull=False)
    page: Slice[Any] = cut(matching.only("pk", order.field), order.field, place, PAGE_SIZE, ascending=order is StepOrder.OLDEST)
    shown = {row.id: row for row in rows(Step.objects.filter(pk__in=[step.pk for step in page.rows]), PAGE_SIZE)}
    is_looked_up = any(query.values(name) or query.values(name, negated=True) for name in OF_OTHERS)
    count = CappedCount.up_to(LOOKED_UP_CAP if is_looked_up else COUNT_CAP, matching)
    return StepList(page, [shown[step.pk] for step in page.rows], count)


def step_rows(query: Query, now: datetime) -> Iterator[dict[str, Any]]:
    """The steps that match as rows of a file, newest first, secrets masked."""
    each = matching_steps(query, now).order_by("-received_at", "-id").values_list("pk", flat=True).iterator(chunk_size=CHUNK)
    while some := list(islice(each, CHUNK)):
        shown = {row.id: row for row in rows(Step.objects.filter(pk__in=some), CHUNK)}
        for pk in some:
            if row := shown.get(pk):  # it may have been pruned meanwhile
                yield {**{column: getattr(row, column) for column in COLUMNS}, "prompt": redact(row.prompt)}
