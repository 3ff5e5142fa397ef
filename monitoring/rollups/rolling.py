"""Which five minutes, hours and longer spans are due: finished ones, those that facts came late for, and the past. One worker at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Max

from agents import spool
from agents.models import LLMAttempt, Step
from monitoring.models import RollupState, Span
from monitoring.rollups.fives import prune_groups, roll_fives
from monitoring.rollups.summing import FIVE, HOUR, LONGER, Interval, Longer, floor, pauses, prune, roll_hour, roll_longer

# How long after its end an hour is summed. A step lives three minutes at most and an attempt is given up for lost two minutes later;
# facts that wait for the database come within seconds of its return.
GRACE = timedelta(minutes=15)
# The same of five minutes, without a margin: they are summed once more with their hour.
FIVE_GRACE = timedelta(minutes=6)
EVERY = timedelta(minutes=1)
# A worker that died is followed by another after this. A chunk takes 30 s at most, and a day of many groups a few more.
LEASE = timedelta(minutes=2)
CHUNK_SECONDS = 30.0
# A break after each hour, half as long as it took: steps that are to be answered meanwhile want the database too.
RESTED = 0.5
KEPT_HOURS, KEPT_DAYS = timedelta(days=90), timedelta(days=730)
# The longest range that has a name, the one before it, and a little.
KEPT_FIVES = timedelta(days=62)
# Facts that come later than this leave the roll-ups as they are: the raw rows of that time may be gone.
LATEST = timedelta(days=2)

logger = logging.getLogger(__name__)


def roll_if_due(now: datetime) -> bool:
    """Sum what is due, for half a minute at most. False where nothing is, or another worker is at it."""
    if spool.is_waiting():
        return False
    state = state_at(now)
    is_due = not state.is_complete or state.looked_at <= now - EVERY
    if not is_due or not _claim(state, now):
        return False
    try:
        roll(state, now, until=time.monotonic() + CHUNK_SECONDS)
    finally:
        RollupState.objects.filter(pk=RollupState.ONLY, lease_until=now + LEASE).update(lease_until=now)
    return True


def roll(state: RollupState, now: datetime, *, until: float, is_alone: bool = False) -> None:
    """Sum what is finished, then hours that facts came late for, then the past from its newest hour on.

    `is_alone`: nobody else wants the database, so there are no breaks.
    """
    rest = 0.0 if is_alone else RESTED
    state.looked_at = now
    _forward(state, now, until)
    _fives_forward(state, now)
    _late(state, now)
    if not state.is_complete:
        _backward(state, now, until, rest)
    if state.is_complete:  # until then longer spans still need their hours, however old
        _fives_backward(state, now, until, rest)
        prune(Span.FIVE, state.fives_from)
        prune_groups(now)
        for span in (Span.HOUR, Span.SIX, Span.MONTH):
            prune(span, now - KEPT_HOURS)
        prune(Span.DAY, now - KEPT_DAYS)
    names = ("from_at", "until_at", "is_complete", "fives_from", "fives_until", "last_step", "last_attempt", "looked_at")
    state.save(update_fields=names)


def state_at(now: datetime) -> RollupState:
    """Where the roll-ups are. They begin at the newest finished hour, with nothing summed."""
    start = floor(now - GRACE, HOUR)
    times = {"from_at": start, "until_at": start, "fives_from": start, "fives_until": start, "looked_at": now, "lease_until": now}
    values = {**times, "last_step": _newest(Step), "last_attempt": _newest(LLMAttempt)}
    return RollupState.objects.get_or_create(pk=RollupState.ONLY, defaults=values)[0]


def _claim(state: RollupState, now: datetime) -> bool:
    """Whether nobody else is at it, nor has been since `state` was read."""
    free = RollupState.objects.filter(pk=state.pk, lease_until=state.lease_until, looked_at=state.looked_at, lease_until__lte=now)
    return free.update(lease_until=now + LEASE) == 1


def _forward(state: RollupState, now: datetime, until: float) -> None:
    finished = floor(now - GRACE, HOUR)
    while state.until_at < finished and time.monotonic() < until:
        roll_hour(state.until_at, now)
        roll_fives((state.until_at, state.until_at + HOUR), now)
        state.until_at += HOUR
        state.fives_until = max(state.fives_until, state.until_at)
        for longer in LONGER:
            if state.until_at == floor(state.until_at, longer.step):
                _roll_longer(longer, [state.until_at - longer.length], state)
        state.save(update_fields=["until_at", "fives_until"])


def _fives_forward(state: RollupState, now: datetime) -> None:
    """Of the hour that is not summed yet. Where there are more of those, their fives come with them."""
    finished = min(floor(now - FIVE_GRACE, FIVE), state.until_at + 2 * HOUR)
    if state.fives_until < finished:
        roll_fives((state.fives_until, finished), now)
        state.fives_until = finished


def _fives_backward(state: RollupState, now: datetime, until: float, rest: float) -> None:
    """As far back as pages read them: only where hours were summed when there were no fives, or these were lost."""
    oldest = max(state.from_at, floor(now - KEPT_FIVES, HOUR))
    state.fives_from = max(state.fives_from, floor(now - KEPT_FIVES, HOUR))
    while state.fives_from > oldest and time.monotonic() < until:
        began = time.monotonic()
        hour = max(_hour_before(state.fives_from, now) or oldest, oldest)
        roll_fives((hour, min(hour + HOUR, state.fives_from)), now)
        state.fives_from = hour
        state.save(update_fields=["fives_from"])
        time.sleep((time.monotonic() - began) * rest)


def _backward(state: RollupState, now: datetime, until: float, rest: float) -> None:
    """The past, newest hour first, since pages need that first; hours without any row are passed over."""
    while time.monotonic() < until:
        began = time.monotonic()
        hour = _hour_before(state.from_at, now)
        for longer in LONGER:
            starts = _starts_of(longer, state.from_at)
            _roll_longer(longer, [start for start in starts if hour is None or hour < start], state, is_summed=True)
        if hour is None:
            state.is_complete = True
            if state.last_step or state.last_attempt:
                logger.info("The roll-ups are complete: all steps and attempts on record are summed by hour and day.")
            return
        roll_hour(hour, now)
        state.from_at = hour
        state.save(update_fields=["from_at"])
        time.sleep((time.monotonic() - began) * rest)


def _hour_before(at: datetime, now: datetime) -> datetime | None:
    """The newest hour before `at` in which anything is on record, or a pause lasted."""
    newest = [_newest_before(Step, "received_at", at), _newest_before(LLMAttempt, "decided_at", at)]
    found = max((each for each in newest if each and each >= now - KEPT_DAYS), default=None)
    if found is None:
        return None
    hour = floor(found, HOUR)
    paused = [over for _, _, over in pauses([(hour + HOUR, at)], now)] if hour + HOUR < at else []
    return floor(max(paused) - timedelta(microseconds=1), HOUR) if paused else hour


def _late(state: RollupState, now: datetime) -> None:
    """Hours that are summed already and got rows since."""
    newest = _newest(Step), _newest(LLMAttempt)
    within = max(state.from_at, now - LATEST), max(state.until_at, state.fives_until)
    hours = _hours_since(Step, "received_at", state.last_step, within) | _hours_since(LLMAttempt, "decided_at", state.last_attempt, within)
    for hour in sorted(hours):
        if hour < state.until_at:
            roll_hour(hour, now)
        _fives_of(state, hour, now)
    for longer in LONGER:
        _roll_longer(longer, sorted({start for hour in hours for start in _starts_of(longer, hour)}), state)
    state.last_step, state.last_attempt = newest


def _roll_longer(longer: Longer, starts: Iterable[datetime], state: RollupState, *, is_summed: bool = False) -> None:
    """Those that are over. Where hours before them are still to come, they come with these, unless it `is_summed` all that they have."""
    for start in starts:
        if start + longer.length <= state.until_at and (is_summed or state.is_complete or start >= state.from_at):
            roll_longer(longer, start)


def _starts_of(longer: Longer, at: datetime) -> list[datetime]:
    """When those begin that a time lies in, newest first."""
    newest = floor(at, longer.step)
    return [newest - number * longer.step for number in range(longer.length // longer.step)]


def _fives_of(state: RollupState, hour: datetime, now: datetime) -> None:
    """Once more what is summed of an hour's."""
    within = max(hour, state.fives_from), min(hour + HOUR, state.fives_until)
    if within[0] < within[1]:
        roll_fives(within, now)


def _hours_since(model: type[Step | LLMAttempt], at: str, pk: int, span: Interval) -> set[datetime]:
    late = model.objects.filter(pk__gt=pk, **{f"{at}__gte": span[0], f"{at}__lt": span[1]})
    return {floor(each, HOUR) for each in late.values_list(at, flat=True)}


def _newest_before(model: type[Step | LLMAttempt], at: str, before: datetime) -> datetime | None:
    found: datetime | None = model.objects.filter(**{f"{at}__lt": before}).order_by(f"-{at}").values_list(at, flat=True).first()
    return found


def _newest(model: type[Step | LLMAttempt]) -> int:
    return model.objects.aggregate(newest=Max("pk"))["newest"] or 0
