"""Roll-ups: nothing is lost or counted twice, however often and by whomever they are made."""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta
from importlib import import_module
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as environment
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st

from agents.configuration import default_account
from agents.demo.records import Past
from agents.models import LLMAttempt, RateLimitEvent, Step
from agents.outcomes import Outcome
from monitoring.models import AttemptRollup, By, GroupRollup, PauseRollup, RollupState, Span, StepRollup
from monitoring.rollups import rolling
from monitoring.rollups.fives import GROUPS_KEPT, prune_groups
from monitoring.rollups.histogram import bucket, percentile
from monitoring.rollups.rolling import FIVE_GRACE, GRACE, KEPT_DAYS, KEPT_FIVES, KEPT_HOURS, roll, roll_if_due
from monitoring.rollups.summing import DAY, FIVE, HOUR, LONGER, MONTH, ROLLUPS, Longer, floor, paused_seconds, prune, roll_hour, roll_longer
from monitoring.stats.ranges import Range, sources
from monitoring.stats.within import Within
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_open_step, make_step, make_task

MINUTE = timedelta(minutes=1)


@pytest.fixture
def days(db: None) -> datetime:
    """Two and a half days of records up to NOW."""
    Past(default_account(), seed=7).write(150, NOW - timedelta(days=2.5), NOW, lambda _: None)
    return NOW


@pytest.fixture
def weeks(db: None) -> datetime:
    """Seventy days of records up to NOW, of which one came late; all is summed."""
    Past(default_account(), seed=7).write(200, NOW - 70 * DAY, NOW, lambda _: None)
    roll_all(NOW - HOUR)
    make_step(at=NOW - DAY - HOUR)
    roll_all(NOW)
    return NOW


def roll_all(now: datetime) -> RollupState:
    """Until nothing is due."""
    while roll_if_due(now):
        pass
    return RollupState.objects.get()


def steps(**which: Any) -> dict[str, Any]:
    return sums(StepRollup, **which)


def counted(model: type[StepRollup | GroupRollup], *which: Within, **also: Any) -> int:
    return model.objects.filter(*which, **also).aggregate(count=Sum("count"))["count"] or 0


def sums(model: type[StepRollup | GroupRollup], **which: Any) -> dict[str, Any]:
    names = ("count", "in_time", "late", "actions", "cost", "worked", "partly", "failed")
    return model.objects.filter(**which).aggregate(**{name: Sum(name) for name in names})


def contents() -> list[list[tuple[Any, ...]]]:
    """All roll-ups, without their ids."""
    found = []
    for model in ROLLUPS:
        names = [field.attname for field in model._meta.concrete_fields if field.attname != "id"]
        rows = ([round(value, 6) if isinstance(value, float) else value for value in row] for row in model.objects.values_list(*names))
        found.append(sorted(map(tuple, rows), key=str))
    return found


def test_the_hours_and_the_raw_rows_after_them_make_up_all_steps(days: datetime) -> None:
    state = roll_all(days)
    raw = Step.objects.filter(received_at__lt=state.until_at)
    told = steps(span=Span.HOUR)
    assert told["count"] == raw.count() > 100
    assert told["in_time"] + told["late"] == raw.filter(answered_at__isnull=False).count()
    assert told["actions"] == sum(len(each.actions) for each in raw)
    assert told["cost"] == LLMAttempt.objects.filter(step__in=raw).aggregate(cost=Sum("cost"))["cost"]
    assert all(told == sums(GroupRollup, span=Span.HOUR, by=by) for by in By)


def test_outcomes_are_summed_by_each_sort_of_group(days: datetime) -> None:
    state = roll_all(days)
    raw = Step.objects.filter(received_at__lt=state.until_at)
    told = steps(span=Span.HOUR)
    assert [told[name] for name in ("worked", "partly", "failed")] == [
        raw.filter(outcome=name).count() for name in Outcome if name != "unknown"
    ]
    assert min(told["worked"], told["partly"], told["failed"]) > 0
    assert sums(GroupRollup, by=By.KIND, span=Span.HOUR, name="search")["count"] == raw.filter(task__kind="search").count() > 0
    unsure = raw.filter(limits__llm_use="when_unsure")
    assert sums(GroupRollup, by=By.LLM_USE, span=Span.HOUR, name="when_unsure")["failed"] == unsure.filter(outcome="failed").count() > 0


def test_attempts_are_summed_with_their_tokens(days: datetime) -> None:
    state = roll_all(days)
    names = ("prompt_tokens", "completion_tokens", "cost")
    raw = LLMAttempt.objects.filter(decided_at__lt=state.until_at)
    told = AttemptRollup.objects.filter(span=Span.HOUR)
    assert told.aggregate(count=Sum("count"))["count"] == raw.count() > 100
    assert told.aggregate(**{name: Sum(name) for name in names}) == raw.aggregate(**{name: Sum(name) for name in names})


@pytest.mark.parametrize("longer", LONGER, ids=lambda longer: longer.span.value)
def test_a_longer_span_is_the_sum_of_its_hours(days: datetime, longer: Longer) -> None:
    start = floor(roll_all(days).until_at, longer.step) - longer.length
    assert steps(span=longer.span, starts_at=start) == steps(span=Span.HOUR, starts_at__gte=start, starts_at__lt=start + longer.length)
    assert not StepRollup.objects.filter(span=longer.span, starts_at__gt=start).exists(), "it is not over"
    durations = [row.durations for row in StepRollup.objects.filter(span=longer.span, starts_at=start)]
    raw = Step.objects.filter(received_at__gte=start, received_at__lt=start + longer.length)
    assert sum(sum(each.values()) for each in durations) == raw.count() > 0


def test_whatever_spans_a_range_is_read_from_it_has_each_step_once(weeks: datetime) -> None:
    state, spans = RollupState.objects.get(), {True: set[Span](), False: set[Span]()}
    lengths, agos = (5 * HOUR, DAY, 7 * DAY, 30 * DAY, 37 * DAY), (timedelta(), 3 * DAY + HOUR, 29 * DAY)
    for length, ago, is_drawn in product(lengths, agos, (True, False)):
        of = Range.between(weeks - ago - length, weeks - ago, weeks)
        where = sources(of, state, is_drawn=is_drawn)
        there = Step.objects.filter(received_at__gte=of.start, received_at__lt=of.end).count()
        raw = Step.objects.filter(where.raw_rows("received_at")).count()
        assert counted(StepRollup, where.rollups()) + raw == there
        fives = counted(StepRollup, where.rollups(), span=Span.FIVE)
        assert all(counted(GroupRollup, where.rollups(by=by), span__in=set(Span) - {Span.FIVE}) + fives + raw == there for by in By)
        spans[is_drawn] |= {span for span, _ in where.rolled}
    assert spans == {True: set(Span) - {Span.MONTH}, False: set(Span)}


def test_the_same_again_gives_the_same(days: datetime) -> None:
    until_at = roll_all(days).until_at
    before = contents()
    hours = sorted(set(StepRollup.objects.filter(span=Span.HOUR).values_list("starts_at", flat=True)))
    for hour in hours:
        roll_hour(hour, days)
    for longer in LONGER:
        roll_longer(longer, floor(until_at, longer.step) - longer.length)
    assert contents() == before


def test_an_upgrade_sums_the_new_spans_of_those_on_record(days: datetime) -> None:
    roll_all(days)
    before = contents()
    for model in ROLLUPS:
        model.objects.filter(span__in=[Span.SIX, Span.MONTH]).delete()
    import_module("monitoring.migrations.0014_longer_spans").sum_longer(apps, None)
    assert contents() == before


def test_an_hour_is_summed_a_quarter_of_an_hour_after_its_end(db: None) -> None:
    hour = floor(NOW, HOUR)
    roll_all(hour + MINUTE)
    make_step(at=hour + 30 * MINUTE)
    roll_all(hour + HOUR + GRACE - MINUTE)
    assert not StepRollup.objects.filter(span=Span.HOUR).exists()
    roll_all(hour + HOUR + GRACE)
    assert steps(span=Span.HOUR, starts_at=hour)["count"] == 1


def test_five_minutes_are_summed_six_minutes_after_their_end_and_once_more_with_their_hour(db: None) -> None:
    hour = floor(NOW, HOUR)
    roll_all(hour + MINUTE)
    late = make_open_step(at=hour + MINUTE)
    roll_all(hour + FIVE + FIVE_GRACE - MINUTE)
    assert not StepRollup.objects.exists()
    roll_all(hour + FIVE + FIVE_GRACE)
    assert (steps(span=Span.FIVE)["count"], steps(span=Span.FIVE)["in_time"]) == (1, 0)
    Step.objects.filter(pk=late.pk).update(route="template", answered_at=late.received_at, duration_ms=4)
    roll_all(hour + HOUR + GRACE)
    assert (steps(span=Span.FIVE)["count"], steps(span=Span.FIVE)["in_time"]) == (1, 1)


def test_five_minutes_make_up_their_hours(days: datetime) -> None:
    state = roll_all(days)
    hours = {"span": Span.HOUR, "starts_at__gte": state.fives_from}
    fives = {"span": Span.FIVE, "starts_at__lt": state.until_at}
    assert state.fives_from <= Step.objects.earliest("received_at").received_at
    assert steps(**fives) == steps(**hours)
    names = ("count", "prompt_tokens", "completion_tokens", "cost")
    for model, summed in ((AttemptRollup, names), (PauseRollup, ("seconds",))):
        told = [model.objects.filter(**which).aggregate(**{name: Sum(name) for name in summed}) for which in (fives, hours)]
        assert {name: float(value) for name, value in told[0].items()} == pytest.approx({n: float(v) for n, v in told[1].items()})
    roll_all(days + FIVE)
    last = Step.objects.filter(received_at__gte=state.until_at, received_at__lt=floor(days + FIVE - FIVE_GRACE, FIVE))
    assert steps(span=Span.FIVE, starts_at__gte=state.until_at)["count"] == (last.count() or None)


def test_five_minutes_that_were_never_summed_are_made_up_for(days: datetime) -> None:
    state = roll_all(days)
    fives = StepRollup.objects.filter(span=Span.FIVE, starts_at__lt=state.until_at)
    before = sorted(fives.values_list("starts_at", "source", "route", "count", "in_time"))
    assert len(before) > 50
    fives.delete()
    RollupState.objects.update(fives_from=state.until_at)
    roll_all(days + MINUTE)
    assert sorted(fives.values_list("starts_at", "source", "route", "count", "in_time")) == before


def test_groups_of_five_minutes_are_kept_for_two_days(days: datetime) -> None:
    roll_all(days)
    told = GroupRollup.objects.filter(span=Span.FIVE)
    first, until = NOW - GROUPS_KEPT, RollupState.objects.get().fives_until
    raw = Step.objects.filter(received_at__gte=first, received_at__lt=until).count()
    assert [told.filter(by=by).aggregate(count=Sum("count"))["count"] for by in By] == [raw] * 3
    prune_groups(NOW + GROUPS_KEPT)
    assert not told.exists()


def test_a_fact_that_comes_late_is_counted_in_its_five_minutes(db: None) -> None:
    hour = floor(NOW, HOUR)
    roll_all(hour + 40 * MINUTE)
    make_step(at=hour + 10 * MINUTE)
    roll_all(hour + 41 * MINUTE)
    assert steps(span=Span.FIVE, starts_at=hour + 10 * MINUTE)["count"] == 1


def test_five_minutes_are_forgotten_sooner_than_hours(db: None) -> None:
    for ago in (KEPT_FIVES + DAY, 2 * DAY):
        make_step(at=NOW - ago)
    state = roll_all(NOW)
    assert steps(span=Span.FIVE)["count"] == 1
    assert steps(span=Span.HOUR)["count"] == 2
    assert state.fives_from == floor(NOW - KEPT_FIVES, HOUR)


def test_a_fact_that_comes_late_is_counted_in_all_spans_it_lies_in(db: None) -> None:
    make_step(at=NOW - DAY)
    roll_all(NOW)
    make_step(at=NOW - DAY + MINUTE)
    roll_all(NOW + 2 * MINUTE)
    assert [steps(span=span)["count"] for span in (Span.HOUR, Span.SIX, Span.DAY)] == [2, 2, 2]
    assert steps(span=Span.MONTH, starts_at=floor(NOW, DAY) - MONTH)["count"] == 2


def test_hours_that_a_stopped_worker_missed_are_made_up_for(db: None) -> None:
    roll_all(NOW)
    for number in range(30):
        make_step(at=NOW + number * HOUR)
    roll_all(NOW + 40 * HOUR)
    assert steps(span=Span.HOUR)["count"] == 30
    assert StepRollup.objects.filter(span=Span.DAY).count() == 2
    assert steps(span=Span.SIX)["count"] == 30


def test_the_past_is_summed_in_pieces_newest_first(days: datetime) -> None:
    roll_if_due(days)
    StepRollup.objects.all().delete()
    RollupState.objects.update(from_at=floor(NOW - GRACE, HOUR), is_complete=False)
    state = RollupState.objects.get()
    roll(state, days, until=time.monotonic())
    assert not StepRollup.objects.exists(), "no time, nothing done"
    rolled = []
    while not state.is_complete:
        rolling._backward(state, days, time.monotonic() + 0.001, 0.0)
        rolled.append(state.from_at)
    assert rolled == sorted(rolled, reverse=True)
    for longer in LONGER:
        end = floor(state.until_at, longer.step)
        of_hours = steps(span=Span.HOUR, starts_at__gte=end - longer.length, starts_at__lt=end)
        assert steps(span=longer.span, starts_at=end - longer.length) == of_hours
    assert steps(span=Span.HOUR)["count"] == Step.objects.filter(received_at__lt=state.until_at).count()


def test_of_two_workers_one_sums(db: None) -> None:
    make_step(at=NOW - DAY)
    state, other = rolling.state_at(NOW), rolling.state_at(NOW)
    assert rolling._claim(state, NOW)
    assert not rolling._claim(other, NOW)
    assert not roll_if_due(NOW), "the other one has it"
    assert roll_if_due(NOW + rolling.LEASE), "unless it died"


def test_nothing_is_due_again_within_a_minute(db: None) -> None:
    assert roll_if_due(NOW)
    assert not roll_if_due(NOW + timedelta(seconds=59))
    assert roll_if_due(NOW + MINUTE)


def test_while_facts_wait_in_the_spool_nothing_is_summed(db: None, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "DATA_DIR", tmp_path)
    (tmp_path / "spool").mkdir()
    waiting = tmp_path / "spool" / "1.json"
    waiting.write_text("{}")
    assert not roll_if_due(NOW)
    waiting.unlink()
    assert roll_if_due(NOW)


def test_old_roll_ups_are_forgotten_and_days_kept_longer(db: None) -> None:
    for ago in (KEPT_HOURS + DAY, 2 * DAY, KEPT_DAYS + 2 * DAY):
        make_step(at=NOW - ago)
    roll_all(NOW)
    roll_all(NOW + MINUTE)
    assert StepRollup.objects.filter(span=Span.HOUR).count() == 1
    assert StepRollup.objects.filter(span=Span.DAY).count() == 2
    prune(Span.DAY, NOW - DAY)
    assert not StepRollup.objects.filter(span=Span.DAY).exists()


def make_event(at: datetime, seconds: float, ended_at: datetime | None = None) -> None:
    """A pause by the edge."""
    RateLimitEvent.objects.create(
        account=default_account(),
        refusal="edge",
        strike=1,
        pause_seconds=seconds,
        pause_source="ladder",
        prediction_source="ladder",
        started_at=at,
        block_started_at=at,
        ended_at=ended_at,
        ended_by="timer" if ended_at else "",
    )


def test_a_pause_over_the_hour_is_shared_by_both_hours(db: None) -> None:
    hour = floor(NOW, HOUR)
    make_event(hour - MINUTE, 180, hour + 5 * MINUTE)
    account = default_account().pk
    assert paused_seconds((hour - HOUR, hour), NOW + DAY) == {account: 60}
    assert paused_seconds((hour, hour + HOUR), NOW + DAY) == {account: 120}
    assert paused_seconds((hour + HOUR, hour + 2 * HOUR), NOW + DAY) == {}


def test_a_pause_through_hours_in_which_nothing_came_is_summed_when_the_past_is(db: None) -> None:
    make_step(at=NOW - 30 * HOUR)
    make_event(NOW - 30 * HOUR, 10 * HOUR.total_seconds(), NOW - 20 * HOUR)
    make_step(at=NOW - 2 * HOUR)
    roll_all(NOW)
    for span in (Span.FIVE, Span.HOUR, Span.SIX):
        assert PauseRollup.objects.filter(span=span).aggregate(seconds=Sum("seconds"))["seconds"] == pytest.approx(10 * 3600)


def test_a_pause_ends_early_where_somebody_ended_it_and_runs_until_now_at_most(db: None) -> None:
    make_event(NOW - HOUR, 600, NOW - HOUR + MINUTE)
    make_event(NOW - MINUTE, 600)
    assert paused_seconds((NOW - 2 * HOUR, NOW + HOUR), NOW) == {default_account().pk: 120}


def test_a_step_without_an_answer_is_neither_in_time_nor_late(db: None) -> None:
    hour = floor(NOW, HOUR)
    make_step(at=hour, route="", reason="", answered_at=None, duration_ms=0)
    make_step(make_task(), at=hour, duration_ms=23_501)
    make_attempt(make_llm_step(at=hour), cost="0.25")
    roll_hour(hour, NOW)
    told = steps()
    assert (told["count"], told["in_time"], told["late"], float(told["cost"])) == (3, 1, 1, 0.25)


@given(st.lists(st.floats(min_value=0.01, max_value=300_000), min_size=1), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_at_most_five_percent_from_the_exact_one(durations: list[float], share: float) -> None:
    buckets: dict[str, int] = {}
    for ms in durations:
        buckets[bucket(ms)] = buckets.get(bucket(ms), 0) + 1
    exact = sorted(durations)[math.ceil(share * len(durations)) - 1]
    told = percentile(buckets, share)
    assert told is not None
    assert told == pytest.approx(exact, rel=0.05)


def test_without_a_duration_there_is_no_percentile() -> None:
    assert percentile({}, 0.5) is None
    assert bucket(0) == bucket(0.01) == "0"
