"""Roll-ups: steps, attempts and pauses summed by five minutes, hour and day, and read with what is not summed yet.

Rows of one shape hold raw records and sums alike. Whatever is summed is summed whole and put in the place of what was there, so that a
killed worker's part is simply done again.
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
# By what a step's groups are named. There are as many in five minutes as steps: those are read from raw rows.
GROUPS: dict[Of, str | KeyTextTransform] = {Of.PROJECT: "task__project", Of.KIND: "task__kind", Of.LLM_USE: KT("limits__llm_use")}
UNGROUPED = (Of.STEPS, Of.ATTEMPTS, Of.PAUSES)
TOO_MANY = 429
# From a time up to, without, another.
Interval = tuple[datetime, datetime]
# Durations are counted in buckets. One ends 10 % above its start, so its middle is at most 5 % away from whatever fell into it.
# All buckets are one number, with so many bits for each: thousands of rows are added up in a millisecond.
BITS = 32
_LOG_RATIO = math.log(1.1)
# The template's fastest answers take tenths of a millisecond.
FIRST_MS = 0.01
# How long after its end an hour is summed. A step lives three minutes at most and an attempt is given up for lost two minutes later;
# facts that wait for the database come within seconds of its return.
GRACE = timedelta(minutes=15)
# The same of five minutes, without a margin: they are summed once more with their hour.
FIVE_GRACE = timedelta(minutes=6)
# A job may take two minutes.
CHUNK_SECONDS = 30.0
# Five minutes: the longest range that has a name, the one before it, and a little.
KEPT = {Span.FIVE: timedelta(days=62), Span.HOUR: timedelta(days=90), Span.SIX: timedelta(days=90), Span.DAY: timedelta(days=730)}
# Rows that are written later than this leave the roll-ups as they are: the raw rows of that time may be gone.
LATEST = timedelta(days=2)


def counted(ms: float) -> int:
    """One duration in ms, in its bucket."""
    return 1 << BITS * math.floor(math.log(max(ms, FIRST_MS) / FIRST_MS) / _LOG_RATIO)


def packed(durations: int) -> bytes:
    return durations.to_bytes(-(-durations.bit_length() // BITS) * BITS // 8, "little")


def percentile(durations: int, share: float) -> float | None:
    """The smallest duration in ms that `share` (0 to 1) of them did not exceed, within 5 %. None: there are none."""
    if not durations:
        return None
    seen = list(accumulate(count for (count,) in struct.iter_unpack("<I", packed(durations))))
    return FIRST_MS * math.exp((bisect_left(seen, share * seen[-1]) + 0.5) * _LOG_RATIO)  # the geometric middle


@dataclass(slots=True)
class Row:
    """One raw record or the sums of many, with the columns of `Rollup`."""

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


COLUMNS = tuple(each.name for each in fields(Row))
SUMS = COLUMNS[COLUMNS.index("count") :]


def floor(at: datetime, length: timedelta) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // length.total_seconds() * length.total_seconds(), UTC)


def ceil(at: datetime, length: timedelta) -> datetime:
    below = floor(at, length)
    return below if below == at else below + length


def within(at: str, intervals: Iterable[Interval], **same: Any) -> Q:
    """`same`: what else each row has. Beside the times of each interval, so that SQLite finds each in an index of both; outside, it would
    read all rows that have it."""
    found = Q(pk__in=[])
    for start, end in intervals:
        found |= Q(**{f"{at}__gte": start, f"{at}__lt": end}, **same)
    return found


def raw_rows(intervals: Collection[Interval], of: Iterable[Of], now: datetime) -> Iterator[Row]:
    wanted = set(of)
    if wanted & {Of.STEPS, *GROUPS}:
        yield from _steps(intervals, wanted)
    if Of.ATTEMPTS in wanted:
        yield from _attempts(intervals)
    if Of.PAUSES in wanted:
        yield from _pauses(intervals, now)


def rolled_rows(which: Q, of: Iterable[Of]) -> Iterator[Row]:
    for *values, durations in Rollup.objects.filter(which, of__in=of).values_list(*COLUMNS).iterator(5_000):
        yield Row(*[*values, int.from_bytes(durations, "little")])


def pauses(intervals: Collection[Interval], now: datetime) -> list[tuple[int, datetime, datetime]]:
    """The accounts' pauses by refusals within some times, cut to them, oldest first: account id, from, to. One account's don't overlap."""
    events = RateLimitEvent.objects.filter(model="")
    # Each account's last one before each time: a new event ends the one before it. In a query of its own: as a subquery SQLite would
    # read all events.
    own = events.filter(account=OuterRef("pk")).order_by("-started_at")
    last = [Subquery(own.filter(started_at__lt=start).values("pk")[:1]) for start, _ in intervals]
    before = set(chain.from_iterable(Account.objects.order_by().values_list(*last))) if last else set()
    found = RateLimitEvent.objects.filter(within("started_at", intervals, model="") | Q(pk__in=before - {None}))
    cut = []
    for account, began, seconds, ended_at in found.values_list("account_id", "started_at", "pause_seconds", "ended_at"):
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


def _steps(intervals: Collection[Interval], wanted: Collection[Of]) -> Iterator[Row]:
    """Each step of a validator once for its miner and once for each of GROUPS, if wanted. The time of an unanswered one is not judged."""
    attempts = LLMAttempt.objects.filter(within("step__received_at", intervals), cost__isnull=False).order_by()
    costs = dict(attempts.values_list("step").annotate(total=Sum("cost")))
    columns = ("id", "received_at", "deadline_at", "answered_at", "duration_ms", "route", "outcome", "actions", "miner")
    groups = {of: name for of, name in GROUPS.items() if of in wanted}
    found = (
        Step.objects.filter(within("received_at", intervals, source=Source.VALIDATOR)).order_by().values_list(*columns, *groups.values())
    )
    for pk, at, deadline_at, answered_at, ms, route, outcome, actions, miner, *names in found.iterator(5_000):
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
        if Of.STEPS in wanted:
            yield Row(at, Of.STEPS, name=miner, **sums)
        for of, name in zip(groups, names, strict=True):
            yield Row(at, of, name=name or "", **sums)


def _attempts(intervals: Collection[Interval]) -> Iterator[Row]:
    columns = ("decided_at", "account_id", "verdict", "refusal", "status", "prompt_tokens", "completion_tokens", "cost", "step__miner")
    found = LLMAttempt.objects.filter(within("decided_at", intervals)).order_by().values_list(*columns)
    for at, account, verdict, refusal, status, prompt, completion, cost, miner in found.iterator(5_000):
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
    """Sum what is finished, for half a minute at most; while facts wait for the database nothing is."""
    if not spool.is_waiting():
        sum_finished(state_at(now), now, until=time.monotonic() + CHUNK_SECONDS)


def sum_finished(state: RollupState, now: datetime, *, until: float) -> None:
    """Sum late rows, the hours that are over, and the five minutes after them; what is left at `until` is for the next time.

    One hour is summed in any case: late rows that took all of the time would otherwise stop the sums for good.
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
    for span, kept in KEPT.items():  # the hours of a day that is not summed yet stay, however old
        Rollup.objects.filter(span=span, starts_at__lt=min(now - kept, floor(state.hours_until, DAY))).delete()


def sum_hour(start: datetime, until: datetime, now: datetime) -> None:
    """An hour with its five minutes and, where all hours of those are summed up to `until`, its six hours and its day."""
    hour = (start, start + HOUR)
    _replace(Span.HOUR, hour, raw_rows([hour], Of, now))
    _sum_fives(hour, now)
    for span, part in ((Span.SIX, Span.HOUR), (Span.DAY, Span.SIX)):
        first, last = floor(start, LENGTHS[span]), floor(start, LENGTHS[span]) + LENGTHS[span]
        if last <= until:
            _replace(span, (first, last), rolled_rows(Q(span=part, starts_at__gte=first, starts_at__lt=last), Of))


def sum_again(since: datetime) -> None:
    """Have all that is on record since a time summed again: many rows were written into the past."""
    start = floor(since, HOUR)
    RollupState.objects.update(since=Least("since", Value(since, DateTimeField())))
    RollupState.objects.filter(hours_until__gt=start).update(hours_until=start, fives_until=start)


def state_at(now: datetime) -> RollupState:
    """They begin with the oldest record, with nothing summed."""
    found = RollupState.objects.filter(pk=RollupState.ONLY).first()
    if found:
        return found
    oldest = [Step.objects.aggregate(at=Min("received_at"))["at"], LLMAttempt.objects.aggregate(at=Min("decided_at"))["at"]]
    since = min(at for at in (*oldest, now) if at)
    start = floor(since, HOUR)
    newest = {"last_step": _newest(Step), "last_attempt": _newest(LLMAttempt)}
    values = {"since": since, "hours_until": start, "fives_until": start, "checked_at": now, **newest}
    return RollupState.objects.get_or_create(pk=RollupState.ONLY, defaults=values)[0]


def _sum_late(state: RollupState, now: datetime) -> None:
    """Hours that are summed already and got rows since. What is after them is summed again anyway."""
    newest = _newest(Step), _newest(LLMAttempt)
    times = {"gte": max(floor(state.since, HOUR), now - LATEST), "lt": state.hours_until}
    hours = set()
    for model, at, seen in ((Step, "received_at", state.last_step), (LLMAttempt, "decided_at", state.last_attempt)):
        late = model.objects.filter(pk__gt=seen, **{f"{at}__{side}": time for side, time in times.items()})
        hours |= {floor(each, HOUR) for each in late.values_list(at, flat=True)}
    for hour in sorted(hours):
        sum_hour(hour, state.hours_until, now)
    state.last_step, state.last_attempt = newest


def _sum_fives(within: Interval, now: datetime) -> None:
    if within[0] < within[1] and within[1] > now - KEPT[Span.FIVE]:
        _replace(Span.FIVE, within, raw_rows([within], UNGROUPED, now))


def _replace(span: Span, within: Interval, rows: Iterable[Row]) -> None:
    """Put the sums of the rows in the place of a span's roll-ups within a time. They are read before the database is locked."""
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
