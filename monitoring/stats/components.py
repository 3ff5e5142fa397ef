"""How each component is, and how it was: its strip of heartbeats and, of one, its last day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from monitoring.health.looks import CLOCK, DRIFT_EVERY
from monitoring.health.readiness import MISSED_ROUNDS, WorkerNow, is_stale, looked_every, worker_now
from monitoring.models import Component, HealthCheck, HealthState
from monitoring.stats.figures import share

BEATS = 60
# Rounds may be late or missed: so many times their span is searched for them.
SEARCHED = 2
DAY = timedelta(hours=24)
CHANGES_SHOWN = 100
LEAST_WIDTH = 0.4  # percent of the day: four pixels of a wide page
WORKER = "worker"
Start = tuple[datetime, str, str]


@dataclass(frozen=True, slots=True)
class Beat:
    """One look."""

    at: datetime
    state: HealthState
    message: str


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """One component. `state` is unknown where `is_stale`: nobody has looked for some rounds. `beats`: the last looks, oldest first."""

    pk: int
    name: str
    state: HealthState
    message: str
    since: datetime
    checked_at: datetime
    latency_ms: float | None
    is_flapping: bool
    is_stale: bool
    beats: tuple[Beat, ...]

    @property
    def up_share(self) -> float | None:
        """Percent of the shown looks that saw it up."""
        return share(sum(beat.state is HealthState.UP for beat in self.beats), len(self.beats))

    @property
    def beats_in_words(self) -> str:
        """The strip for who can't see it."""
        if not self.beats:
            return _("No look is on record.")
        counts = [(str(state.label).lower(), sum(beat.state is state for beat in self.beats)) for state in HealthState]
        told = ", ".join(f"{count} {words}" for words, count in counts if count)
        return _("The last {looks} looks: {told}. Newest: {newest}.").format(
            looks=len(self.beats), told=told, newest=self.beats[-1].state.label
        )


@dataclass(frozen=True, slots=True)
class Health:
    """All components, those that need somebody first, and whether anybody looks. `worker_silent_since` None: it never gave a sign."""

    rows: list[ComponentRow]
    is_worker_silent: bool
    worker_beaten_at: datetime | None

    @property
    def failing(self) -> list[ComponentRow]:
        """What is down or degraded."""
        return [row for row in self.rows if row.state in (HealthState.DOWN, HealthState.DEGRADED)]


@dataclass(frozen=True, slots=True)
class Segment:
    """A time in which the looks all saw the same. `state` "": nobody looked. `left` and `width` in percent of the day."""

    start: datetime
    end: datetime
    state: str
    message: str
    left: float
    width: float

    @property
    def words(self) -> str:
        """The state in words."""
        return str(HealthState(self.state).label) if self.state else _("Not looked at")

    @property
    def drawn(self) -> float:
        """The width as it is drawn: a minute of a day would not be seen."""
        return max(self.width, LEAST_WIDTH)

    @property
    def seconds(self) -> float:
        """How long."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Day:
    """One component's last 24 hours: `segments` oldest first, and `changes` newest first. Latencies in ms, None where nothing is timed."""

    row: ComponentRow
    segments: list[Segment]
    looks: int
    median_ms: float | None
    longest_ms: float | None

    @property
    def up_share(self) -> float | None:
        """Percent of the time in which somebody looked that it was up."""
        seen = [segment for segment in self.segments if segment.state]
        return share(sum(each.seconds for each in seen if each.state == HealthState.UP), sum(each.seconds for each in seen))

    @property
    def changes(self) -> list[Segment]:
        """What was seen when, newest first."""
        return self.segments[::-1][:CHANGES_SHOWN]


def health(now: datetime, *, number: int = BEATS) -> Health:
    """All components at `now`, each with so many of its last looks."""
    every, worker, components = looked_every(), worker_now(now), list(Component.objects.all())
    beats = _beats(components, every, number)
    rows = [_row(component, now, every, beats.get(component.pk, ()), worker) for component in components]
    return Health(sorted(rows, key=_urgency), worker.is_silent, worker.beaten_at)


def day(component: Component, now: datetime) -> Day:
    """One component's last 24 hours."""
    every, worker = looked_every(), worker_now(now)
    checks = list(component.checks.filter(at__gt=now - DAY, at__lte=now).order_by("at"))
    looks = [Beat(check.at, HealthState(check.state), check.message) for check in checks]
    timed = sorted(check.latency_ms for check in checks if check.latency_ms is not None)
    row = _row(component, now, every, tuple(looks[-BEATS:]), worker)
    patience = MISSED_ROUNDS * (DRIFT_EVERY if component.name == CLOCK else every)
    middle = timed[len(timed) // 2] if timed else None
    return Day(row, segments(looks, now, patience), len(looks), middle, timed[-1] if timed else None)


def segments(looks: Sequence[Beat], now: datetime, patience: timedelta) -> list[Segment]:
    """The looks of a day, oldest first, as times of one state each. After a look without another within `patience`, nobody looked."""
    starts = list(_starts(looks, now, patience))
    changed = [start for before, start in zip([None, *starts], starts, strict=False) if before is None or before[1] != start[1]]
    return [_segment(start, following[0], now) for start, following in pairwise([*changed, (now, "", "")])]


def _starts(looks: Sequence[Beat], now: datetime, patience: timedelta) -> Iterator[Start]:
    """When each state is seen, with "" where nobody looked. The first look tells of the time before it too, if it came soon."""
    begin = now - DAY
    is_soon = bool(looks) and looks[0].at - begin <= patience
    if not is_soon:
        yield begin, "", ""
    for look, following in pairwise([*looks, Beat(now, HealthState.UNKNOWN, "")]):
        yield begin if is_soon and look is looks[0] else look.at, look.state.value, look.message
        if following.at - look.at > patience:
            yield look.at + patience, "", ""


def _segment(start: Start, end: datetime, now: datetime) -> Segment:
    at, state, message = start
    left = 100 * ((at - (now - DAY)) / DAY)
    return Segment(at, end, state, message, left, 100 * ((end - at) / DAY))


def _urgency(row: ComponentRow) -> int:
    return [HealthState.DOWN, HealthState.DEGRADED, HealthState.UNKNOWN, HealthState.UP].index(row.state)


def _row(component: Component, now: datetime, every: timedelta, beats: tuple[Beat, ...], worker: WorkerNow) -> ComponentRow:
    stale, state, message, since = is_stale(component, now, every), HealthState(component.state), component.message, component.since
    if component.name == WORKER and worker.is_silent:
        stale, state, message, since = False, HealthState.DOWN, worker.message, worker.beaten_at or component.checked_at
    return ComponentRow(
        pk=component.pk,
        name=component.name,
        state=HealthState.UNKNOWN if stale else state,
        message=message,
        since=since,
        checked_at=component.checked_at,
        latency_ms=component.latency_ms,
        is_flapping=component.is_flapping and not stale,
        is_stale=stale,
        beats=beats,
    )


def _beats(components: list[Component], every: timedelta, number: int) -> dict[int, tuple[Beat, ...]]:
    """The last looks at each component, in two queries whatever their number: the clock is looked at seldom, and so apart."""
    if not components:
        return {}
    newest = max(component.checked_at for component in components)
    often = HealthCheck.objects.exclude(component__name=CLOCK).filter(at__gt=newest - SEARCHED * number * every)
    seldom = HealthCheck.objects.filter(component__name=CLOCK)
    return _newest(often.order_by("-at"), number) | _newest(seldom.order_by("-at")[:number], number)


def _newest(checks: QuerySet[HealthCheck], number: int) -> dict[int, tuple[Beat, ...]]:
    found: dict[int, list[Beat]] = {}
    for component, at, state, message in checks.values_list("component_id", "at", "state", "message"):
        beats = found.setdefault(component, [])
        if len(beats) < number:
            beats.append(Beat(at, HealthState(state), message))
    return {component: tuple(reversed(beats)) for component, beats in found.items()}
