"""Keeps the stored bytes within their budgets: the oldest details are deleted first, then the oldest rows, in batches with breaks."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Exists, Func, IntegerField, Max, Min, Model, OuterRef, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Coalesce, Least

from agents.hybrid import disk, page_archive, spool
from agents.hybrid.disk import MEGABYTE, Space
from agents.models import LLMAttempt, Settings, Step, Task
from agents.policy.reasons import Verdict
from monitoring.models import LogEntry, StoredBytes
from monitoring.reporting.search import INDEXED_CHARS
from monitoring.retention.pruning import EVERY, delete, in_batches, tasks_left_behind

MEASURE_SECONDS, KEEP_SECONDS = 2.0, 20.0  # limits of measuring and deleting within a job that starts every few seconds
EXCEEDED = 1.25  # of the budget; beyond it deleting, range by range every few seconds, is too slow for new records
# Bytes of a row without its texts and with its index entries, as measured on SQLite with 100,000 made-up steps.
STEP_BYTES, TASK_BYTES, ATTEMPT_BYTES, LOG_BYTES = 1_300, 900, 900, 400
INDEX_FACTOR = 4  # bytes in the text index per byte of text: two to three for trigrams of words, five for random letters
# Columns that are cleared first; a step's decision, answer and times stay.
STEP_DETAILS, ATTEMPT_DETAILS = ("page_excerpt", "fault"), ("reply",)
STEP_DOCUMENTS = ("actions", "limits", "declined", "worked", "words", "seen", "notes", "asked")


class Octets(Func):
    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """LENGTH returns the characters of a text, and the bytes of a blob."""
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)


@dataclass(frozen=True, slots=True)
class Table:
    """A table, measured in ranges of `ids` ids: few ranges, each summed in milliseconds. `measure`: bytes of details and facts."""

    name: str
    model: type[Model]
    ids: int
    measure: Callable[[int, int], tuple[int, int]]

    def ranges(self) -> QuerySet[StoredBytes]:
        return StoredBytes.objects.filter(table=self.name).order_by("from_id")

    def used(self) -> int:
        return int(self.ranges().aggregate(all=Coalesce(Sum("details") + Sum("facts"), 0))["all"])

    def measure_range(self, from_id: int) -> int:
        details, facts = self.measure(from_id, from_id + self.ids)
        StoredBytes.objects.update_or_create(table=self.name, from_id=from_id, defaults={"details": details, "facts": facts})
        return details + facts

    def measure_all(self, until: float) -> bool:
        """Measure the ranges that are new or may have changed. False if some are left."""
        ends = self.model._default_manager.aggregate(first=Min("pk"), last=Max("pk"))  # noqa: SLF001 -- Django's documented manager
        if ends["first"] is None:
            self.ranges().delete()
            return True
        first, last = ends["first"] // self.ids * self.ids, ends["last"] // self.ids * self.ids
        self.ranges().filter(from_id__lt=first).delete()
        newest = self.ranges().aggregate(newest=Max("from_id"))["newest"]
        # The formerly newest range may have more rows now, and the one before had open steps.
        start = first if newest is None else max(first, newest - self.ids)
        for from_id in range(start, last + 1, self.ids):
            self.measure_range(from_id)
            is_new = newest is None or from_id > newest  # otherwise a slow round would measure the same ranges each time
            if is_new and time.monotonic() > until:
                return bool(from_id == last)
        return True


def _measure_steps(start: int, end: int) -> tuple[int, int]:
    """Of steps with their attempts, and of the tasks whose first step is among them."""
    steps = Step.objects.filter(pk__gte=start, pk__lt=end)
    attempts = LLMAttempt.objects.filter(step__gte=start, step__lt=end)
    tasks = Task.objects.filter(~Exists(Step.objects.filter(task=OuterRef("pk"), pk__lt=start)), pk__in=steps.values("task"))
    details = _sum(steps, STEP_DETAILS) + _sum(attempts, ATTEMPT_DETAILS)
    faults = _sum(attempts, ("detail",))
    texts = _sum(steps, ("url", "caller_error", "confidence_why", "effect"), STEP_DOCUMENTS)
    texts += faults + _sum(tasks, ("prompt", "url", "key"))
    indexed = faults + _sum_indexed(tasks, "prompt")
    rows = STEP_BYTES * steps.count() + ATTEMPT_BYTES * attempts.count() + TASK_BYTES * tasks.count()
    return details, texts + INDEX_FACTOR * indexed + rows


def _measure_logs(start: int, end: int) -> tuple[int, int]:
    rows = LogEntry.objects.filter(pk__gte=start, pk__lt=end)
    return 0, _sum(rows, ("message",), ("facts",)) + INDEX_FACTOR * _sum_indexed(rows, "message") + LOG_BYTES * rows.count()


def _sum(rows: QuerySet[Any], texts: tuple[str, ...], documents: tuple[str, ...] = ()) -> int:
    sums = {f"{name}_bytes": Coalesce(Sum(Octets(name)), 0) for name in texts}
    sums |= {f"{name}_bytes": Coalesce(Sum(Octets(Cast(name, TextField()))), 0) for name in documents}
    return sum(rows.aggregate(**sums).values())


def _sum_indexed(rows: QuerySet[Any], column: str) -> int:
    return int(rows.aggregate(bytes=Coalesce(Sum(Least(Octets(column), INDEXED_CHARS), output_field=IntegerField()), 0))["bytes"])


STEPS = Table("steps", Step, 200, _measure_steps)
LOGS = Table("logs", LogEntry, 2_000, _measure_logs)


def measure(until: float) -> bool:
    """Measure both tables. False if ranges are left."""
    return all([STEPS.measure_all(until), LOGS.measure_all(until)])


def keep(now: float) -> dict[str, int]:
    """Measure new ranges, and delete what exceeds the budgets. `now`: of the monotonic clock. Returns counts of rows by kind.

    `details`: steps and attempts whose texts were cleared.
    """
    settings = Settings.current()
    measure(now + MEASURE_SECONDS)
    until = now + MEASURE_SECONDS + KEEP_SECONDS
    records, logs = settings.records_mb * MEGABYTE, settings.logs_mb * MEGABYTE
    return {
        "details": sum(_drop_details(start, end, until) for start, end in _beyond(STEPS, records, until, Q(details__gt=0))),
        "steps": sum(_drop_steps(start, end, until) for start, end in _beyond(STEPS, records, until)),
        "logs": sum(delete(LogEntry.objects.filter(pk__gte=start, pk__lt=end), until) for start, end in _beyond(LOGS, logs, until)),
        "pages": page_archive.keep_to(settings.pages_mb * MEGABYTE),
    }


def _beyond(table: Table, most: int, until: float, which: Q = EVERY) -> Iterator[tuple[int, int]]:
    """The oldest ranges of ids, one by one, until the table is within its budget. Each is measured again after its rows are changed."""
    newest = table.ranges().last()  # its steps may still be open
    for stored in table.ranges().filter(which):
        if time.monotonic() > until or table.used() <= most or stored == newest:
            return
        yield stored.from_id, stored.from_id + table.ids
        if not table.measure_range(stored.from_id):
            stored.delete()


def _drop_details(start: int, end: int, until: float) -> int:
    steps = Step.objects.filter(~Q(page_excerpt="") | ~Q(fault=""), pk__gte=start, pk__lt=end).exclude(route="")
    attempts = LLMAttempt.objects.filter(~Q(reply=""), step__gte=start, step__lt=end).exclude(verdict=Verdict.OPEN)
    cleared = in_batches(steps, until, lambda batch: batch.update(**dict.fromkeys(STEP_DETAILS, "")))
    return cleared + in_batches(attempts, until, lambda batch: batch.update(**dict.fromkeys(ATTEMPT_DETAILS, "")))


def _drop_steps(start: int, end: int, until: float) -> int:
    steps = Step.objects.filter(pk__gte=start, pk__lt=end).exclude(route="")
    tasks = set(steps.values_list("task", flat=True))
    deleted = delete(steps, until)
    delete(tasks_left_behind().filter(pk__in=tasks), until)
    return deleted


class Use(NamedTuple):
    """`setting`: the budget's name, "" if it is no setting. `is_exceeded`: deleting is too slow."""

    setting: str
    label: str
    used_mb: int
    budget_mb: int
    percent: int
    is_exceeded: bool


def _use(setting: str, label: str, used: int, budget: int) -> Use:
    return Use(setting, label, round(used / MEGABYTE), round(budget / MEGABYTE), round(100 * used / budget), used > budget * EXCEEDED)


def uses() -> list[Use]:
    settings = Settings.current()
    return [
        _use("records_mb", "Records", STEPS.used(), settings.records_mb * MEGABYTE),
        _use("pages_mb", "Page archive", page_archive.used(), settings.pages_mb * MEGABYTE),
        _use("logs_mb", "Log records", LOGS.used(), settings.logs_mb * MEGABYTE),
    ]


def spool_use() -> Use:
    return _use("", "Spool", spool.used(), spool.MAX_BYTES)


def space_now() -> Space:
    return disk.space(Settings.current().free_disk_mb)
