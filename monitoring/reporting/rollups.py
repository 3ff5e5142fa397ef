"""Roll-ups: steps, attempts and pauses summed by five minutes, hours and days, and read together with raw rows.

`Row` holds a raw record or a sum. A period is always summed completely, and replaces its earlier sums, so that a
killed worker's part is just summed again.
"""

import math
import struct
import time
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, chain
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, Max, Min, OuterRef, Q, Subquery, Sum, Value
from django.db.models.fields.json import KT, KeyTextTransform
from django.db.models.functions import Least

from agents.contract.action_history import Outcome
from agents.hybrid import spool
from agents.models import Account, LLMAttempt, RateLimitEvent, Source, Step
from monitoring.models import Of, Rollup, RollupState, Span

FIVE, HOUR, SIX, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6), timedelta(days=1)
LENGTHS = {Span.FIVE: FIVE, Span.HOUR: HOUR, Span.SIX: SIX, Span.DAY: DAY}
# The fields that steps are grouped by. Not summed by five minutes, which have almost as many groups as steps.
GROUPS: dict[Of, str | KeyTextTransform] = {Of.PROJECT: "task__project", Of.KIND: "task__kind", Of.LLM_USE: KT("limits__llm_use")}
UNGROUPED = (Of.STEPS, Of.ATTEMPTS, Of.PAUSES)
TOO_MANY = 429
# Start, included, and end, excluded.
Interval = tuple[datetime, datetime]
# Durations are counted in buckets. Each ends 10 % above its start, so its middle differs by at most 5 % from any duration in it.
# All buckets are one integer with BITS bits for each, so that thousands of rows are added up in a millisecond.
BITS = 32
_LOG_RATIO = math.log(1.1)
# Below the template agent's fastest answers.
FIRST_MS = 0.01
# An hour is summed this long after its end. A step is open for three minutes at most, an attempt is marked lost two minutes later,
# and spooled facts are written within seconds after the database is available again.
GRACE = timedelta(minutes=15)
# The same for five minutes, without a margin, as they are summed again with their hour.
FIVE_GRACE = timedelta(minutes=6)
# Of a job, which may take two minutes.
CHUNK_SECONDS = 30.0
# Five minutes: twice the longest named range, and a margin.
KEPT = {Span.FIVE: timedelta(days=62), Span.HOUR: timedelta(days=90), Span.SIX: timedelta(days=90), Span.DAY: timedelta(days=730)}
# Rows written later than this don't change roll-ups, as other raw rows of their hour may be deleted.
LATEST = timedelta(days=2)


def counted(ms: float) -> int:
    """A duration in ms, as a count of one in its bucket."""
    return 1 << BITS * math.floor(math.log(max(ms, FIRST_MS) / FIRST_MS) / _LOG_RATIO)


def packed(durations: int) -> bytes:
    return durations.to_bytes(-(-durations.bit_length() // BITS) * BITS // 8, "little")


def percentile(durations: int, share: float) -> float | None:
    """The smallest duration in ms that `share` (0 to 1) of them did not exceed, accurate to 5 %. None if there are none."""
    if not durations:
        return None
    running_counts = list(accumulate(count for (count,) in struct.iter_unpack("<I", packed(durations))))
    return FIRST_MS * math.exp((bisect_left(running_counts, share * running_counts[-1]) + 0.5) * _LOG_RATIO)  # the geometric middle


@dataclass(slots=True)
class Row:
    """A raw record or the sums of many, with the columns of `Rollup`."""

    starts_at: datetime
    of: str
    account_id: int | None = None
    name: str = ""
    route: str = ""
    verdict: str = ""
    refusal: str = ""
    count: int = 0
    in_time: int = 0
    actions: int = 0
    worked: int = 0
    partly: int = 0
    failed: int = 0
    too_many: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal = Decimal(0)
    seconds: float = 0.0
    durations: int = 0

    def add(self, other: "Row") -> None:
        for name in SUMS:
            if more := getattr(other, name):
                setattr(self, name, getattr(self, name) + more)


COLUMNS = tuple(field.name for field in fields(Row))
SUMS = COLUMNS[COLUMNS.index("count") :]


def floor(at: datetime, length: timedelta) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // length.total_seconds() * length.total_seconds(), UTC)


def ceil(at: datetime, length: timedelta) -> datetime:
    below = floor(at, length)
    return below if below == at else below + length


def within(at: str, intervals: Iterable[Interval], **same: Any) -> Q:
    """Rows in any of the intervals. `same`: further conditions, repeated for each interval so that SQLite uses an index with both;
    outside, it would read all rows that meet them."""
    condition = Q(pk__in=[])
    for start, end in intervals:
        condition |= Q(**{f"{at}__gte": start, f"{at}__lt": end}, **same)
    return condition


def raw_rows(intervals: Collection[Interval], of: Iterable[Of], now: datetime) -> Iterator[Row]:
    kinds = set(of)
    if kinds & {Of.STEPS, *GROUPS}:
        yield from _steps(intervals, kinds)
    if Of.ATTEMPTS in kinds:
        yield from _attempts(intervals)
    if Of.PAUSES in kinds:
        yield from _pauses(intervals, now)


def rolled_rows(which: Q, of: Iterable[Of]) -> Iterator[Row]:
    for *values, durations in Rollup.objects.filter(which, of__in=of).values_list(*COLUMNS).iterator(5_000):
        yield Row(*[*values, int.from_bytes(durations, "little")])


def pauses(intervals: Collection[Interval], now: datetime) -> list[tuple[int, datetime, datetime]]:
    """Pauses by refusals, cut to the intervals, oldest first: account id, start, end. Those of an account don't overlap."""
    events = RateLimitEvent.objects.filter(model="")
    # Also each account's last event before each interval, which a later event has ended. Read by a separate query, as with a subquery
    # SQLite would read all events.
    own = events.filter(account=OuterRef("pk")).order_by("-started_at")
    last = [Subquery(own.filter(started_at__lt=start).values("pk")[:1]) for start, _ in intervals]
    before = set(chain.from_iterable(Account.objects.order_by().values_list(*last))) if last else set()
    events_within = RateLimitEvent.objects.filter(within("started_at", intervals, model="") | Q(pk__in=before - {None}))
    cut = []
    for account, began, seconds, ended_at in events_within.values_list("account_id", "started_at", "pause_seconds", "ended_at"):
        over = min(began + timedelta(seconds=seconds), ended_at or now, now)
        cut += [(account, max(began, start), min(over, end)) for start, end in intervals]
    return sorted(((account, began, over) for account, began, over in cut if over > began), key=lambda pause: (pause[1], pause[0]))


def _pauses(intervals: Collection[Interval], now: datetime) -> Iterator[Row]:
    for account, start, end in pauses(intervals, now):
        at = start
        while at < end:
            over = min(end, floor(at, FIVE) + FIVE)
            yield Row(at, Of.PAUSES, account, seconds=(over - at).total_seconds())
            at = over


def _steps(intervals: Collection[Interval], kinds: Collection[Of]) -> Iterator[Row]:
    """Validators' steps, each once for its miner and once for each of GROUPS in `kinds`. Unanswered ones are not `in_time`."""
    attempts = LLMAttempt.objects.filter(within("step__received_at", intervals), cost__isnull=False).order_by()
    costs = dict(attempts.values_list("step").annotate(total=Sum("cost")))
    columns = ("id", "received_at", "deadline_at", "answered_at", "duration_ms", "route", "outcome", "actions", "miner")
    groups = {of: name for of, name in GROUPS.items() if of in kinds}
    steps = (
        Step.objects.filter(within("received_at", intervals, source=Source.VALIDATOR)).order_by().values_list(*columns, *groups.values())
    )
    for pk, at, deadline_at, answered_at, ms, route, outcome, actions, miner, *names in steps.iterator(5_000):
        sums: dict[str, Any] = {
            "route": route,
            "count": 1,
            "in_time": int(bool(route) and answered_at <= deadline_at),
            "actions": len(actions),
            "worked": int(outcome == Outcome.WORKED),
            "partly": int(outcome == Outcome.PARTLY),
            "failed": int(outcome == Outcome.FAILED),
            "cost": costs.get(pk, Decimal(0)),
            "durations": 0 if ms is None else counted(ms),
        }
        if Of.STEPS in kinds:
            yield Row(at, Of.STEPS, name=miner, **sums)
        for of, name in zip(groups, names, strict=True):
            yield Row(at, of, name=name or "", **sums)


def _attempts(intervals: Collection[Interval]) -> Iterator[Row]:
    columns = ("decided_at", "account_id", "verdict", "refusal", "status", "prompt_tokens", "completion_tokens", "cost", "step__miner")
    attempts = LLMAttempt.objects.filter(within("decided_at", intervals)).order_by().values_list(*columns)
    for at, account, verdict, refusal, status, prompt, completion, cost, miner in attempts.iterator(5_000):
        yield Row(
            at,
            Of.ATTEMPTS,
            account,
            name=miner or "",
            verdict=verdict,
            refusal=refusal,
            count=1,
            too_many=int(status == TOO_MANY),
            prompt_tokens=prompt or 0,
            completion_tokens=completion or 0,
            cost=cost or Decimal(0),
        )


def sum_up(now: datetime) -> None:
    """Sum finished periods, for half a minute at most; none while facts are spooled."""
    if not spool.is_waiting():
        sum_finished(state_at(now), now, until=time.monotonic() + CHUNK_SECONDS)


def sum_finished(state: RollupState, now: datetime, *, until: float) -> None:
    """Sum late rows, past hours, and the five minutes after these, until the monotonic clock is at `until`.

    At least one hour is summed, as otherwise late rows that take all of the time would stop the sums for good.
    """
    state.checked_at = now
    _sum_late(state, now)
    finished = floor(now - GRACE, HOUR)
    while state.hours_until < finished:
        sum_hour(state.hours_until, state.hours_until + HOUR, now)
        state.hours_until += HOUR
        state.fives_until = max(state.fives_until, state.hours_until)
        state.save(update_fields=["hours_until", "fives_until"])
        if time.monotonic() >= until:
            break
    if state.hours_until >= finished:
        state.fives_until = max(state.fives_until, floor(now - FIVE_GRACE, FIVE))
        _sum_fives((state.hours_until, state.fives_until), now)
    state.save(update_fields=["fives_until", "last_step", "last_attempt", "checked_at"])
    for span, kept in KEPT.items():  # but not the hours of a day that is not summed yet
        Rollup.objects.filter(span=span, starts_at__lt=min(now - kept, floor(state.hours_until, DAY))).delete()


def sum_hour(start: datetime, until: datetime, now: datetime) -> None:
    """Sum an hour with its five minutes, and its six hours and day if their hours are summed up to `until`."""
    hour = (start, start + HOUR)
    _replace(Span.HOUR, hour, raw_rows([hour], Of, now))
    _sum_fives(hour, now)
    for span, part in ((Span.SIX, Span.HOUR), (Span.DAY, Span.SIX)):
        first, last = floor(start, LENGTHS[span]), floor(start, LENGTHS[span]) + LENGTHS[span]
        if last <= until:
            _replace(span, (first, last), rolled_rows(Q(span=part, starts_at__gte=first, starts_at__lt=last), Of))


def sum_again(since: datetime) -> None:
    """Reset the roll-ups to a time, after many rows were written into the past."""
    start = floor(since, HOUR)
    RollupState.objects.update(since=Least("since", Value(since, DateTimeField())))
    RollupState.objects.filter(hours_until__gt=start).update(hours_until=start, fives_until=start)


def state_at(now: datetime) -> RollupState:
    """The state; at first it begins with the oldest record, with nothing summed."""
    state = RollupState.objects.filter(pk=RollupState.ONLY).first()
    if state:
        return state
    oldest = [Step.objects.aggregate(at=Min("received_at"))["at"], LLMAttempt.objects.aggregate(at=Min("decided_at"))["at"]]
    since = min(at for at in (*oldest, now) if at)
    start = floor(since, HOUR)
    newest = {"last_step": _newest(Step), "last_attempt": _newest(LLMAttempt)}
    values = {"since": since, "hours_until": start, "fives_until": start, "checked_at": now, **newest}
    return RollupState.objects.get_or_create(pk=RollupState.ONLY, defaults=values)[0]


def _sum_late(state: RollupState, now: datetime) -> None:
    """Sum the hours again that got rows after they were summed. Later periods are summed again anyway."""
    newest = _newest(Step), _newest(LLMAttempt)
    times = {"gte": max(floor(state.since, HOUR), now - LATEST), "lt": state.hours_until}
    hours = set()
    for model, at, seen in ((Step, "received_at", state.last_step), (LLMAttempt, "decided_at", state.last_attempt)):
        late = model.objects.filter(pk__gt=seen, **{f"{at}__{side}": moment for side, moment in times.items()})
        hours |= {floor(time, HOUR) for time in late.values_list(at, flat=True)}
    for hour in sorted(hours):
        sum_hour(hour, state.hours_until, now)
    state.last_step, state.last_attempt = newest


def _sum_fives(within: Interval, now: datetime) -> None:
    if within[0] < within[1] and within[1] > now - KEPT[Span.FIVE]:
        _replace(Span.FIVE, within, raw_rows([within], UNGROUPED, now))


def _replace(span: Span, within: Interval, rows: Iterable[Row]) -> None:
    """Replace a span's roll-ups within an interval by the sums of the rows, which are read before the database is locked."""
    start, end = within
    sums: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        group = (floor(row.starts_at, LENGTHS[span]), row.of, row.account_id, row.name, row.route, row.verdict, row.refusal)
        sums.setdefault(group, Row(*group)).add(row)
    new = [
        Rollup(span=span, **{name: getattr(row, name) for name in COLUMNS} | {"durations": packed(row.durations)}) for row in sums.values()
    ]
    with transaction.atomic():
        Rollup.objects.filter(span=span, starts_at__gte=start, starts_at__lt=end).delete()
        Rollup.objects.bulk_create(new)


def _newest(model: type[Step | LLMAttempt]) -> int:
    return model.objects.aggregate(newest=Max("pk"))["newest"] or 0
