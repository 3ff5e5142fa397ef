"""Roll-ups: no row is lost or counted twice, however often and by whichever process they are made."""

import math
import time
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.conf import settings as environment
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as st

from agents.configuration import default_account
from agents.contract.action_history import Outcome
from agents.devtools.demo_traffic.records import Past
from agents.models import LLMAttempt, RateLimitEvent, Source, Step
from agents.tests.rows import rows
from monitoring.models import Of, Rollup, RollupState, Span
from monitoring.reporting import rollups
from monitoring.reporting.ranges import Range, sources
from monitoring.reporting.rollups import (
    COLUMNS,
    DAY,
    FIVE,
    FIVE_GRACE,
    GRACE,
    GROUPS,
    HOUR,
    KEPT,
    counted,
    floor,
    pauses,
    percentile,
    raw_rows,
    sum_again,
    sum_finished,
    sum_hour,
    sum_up,
)
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_open_step, make_step, make_task

MINUTE = timedelta(minutes=1)
VALIDATORS = {"source": Source.VALIDATOR}


@pytest.fixture
def days(db: None) -> datetime:
    """Two and a half days of records up to NOW."""
    Past(default_account(), seed=8).write(150, NOW - timedelta(days=2.5), NOW, lambda _: None)
    return NOW


@pytest.fixture
def weeks(db: None, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """25 days of records up to NOW, one of them late; all are summed, and the five-minute sums of the first days are deleted."""
    monkeypatch.setitem(KEPT, Span.FIVE, 22 * DAY)
    Past(default_account(), seed=7).write(200, NOW - 25 * DAY, NOW, lambda _: None)
    sum_all(NOW - HOUR)
    make_step(at=NOW - DAY - HOUR)
    sum_all(NOW)
    return NOW


def sum_all(now: datetime) -> RollupState:
    """Sums until nothing is due."""
    sum_finished(rollups.state_at(now), now, until=math.inf)
    return RollupState.objects.get()


def sums(**which: Any) -> dict[str, Any]:
    names = (
        "count",
        "in_time",
        "actions",
        "worked",
        "partly",
        "failed",
        "too_many",
        "prompt_tokens",
        "completion_tokens",
        "cost",
        "seconds",
    )
    result = Rollup.objects.filter(**which).aggregate(**{name: Sum(name) for name in names})
    return {name: round(float(value), 8) for name, value in result.items() if value is not None}


def steps(**which: Any) -> int:
    return int(sums(of=Of.STEPS, **which).get("count", 0))


def contents() -> list[tuple[Any, ...]]:
    """All roll-ups, without their ids."""
    rows = Rollup.objects.values_list("span", *COLUMNS)
    return sorted((tuple(round(value, 6) if isinstance(value, float) else value for value in row) for row in rows), key=str)


def test_the_hours_and_the_raw_rows_after_them_make_up_all_steps(days: datetime) -> None:
    raw = Step.objects.filter(received_at__lt=sum_all(days).hours_until, **VALIDATORS)
    result = sums(span=Span.HOUR, of=Of.STEPS)
    assert result["count"] == raw.count() > 100
    assert result["in_time"] == sum(step.answered_at <= step.deadline_at for step in raw if step.answered_at)
    assert result["actions"] == sum(len(row.actions) for row in raw)
    assert result["cost"] == float(LLMAttempt.objects.filter(step__in=raw).aggregate(cost=Sum("cost"))["cost"])
    assert all(result == sums(span=Span.HOUR, of=of) for of in GROUPS)


def test_outcomes_are_summed_by_each_sort_of_group(days: datetime) -> None:
    raw = Step.objects.filter(received_at__lt=sum_all(days).hours_until, **VALIDATORS)
    result = sums(span=Span.HOUR, of=Of.STEPS)
    assert [result[name] for name in ("worked", "partly", "failed")] == [
        raw.filter(outcome=name).count() for name in Outcome if name != "unknown"
    ]
    assert min(result["worked"], result["partly"], result["failed"]) > 0
    assert sums(of=Of.KIND, span=Span.HOUR, name="search")["count"] == raw.filter(task__kind="search").count() > 0
    unsure = raw.filter(limits__llm_use="when_unsure")
    assert sums(of=Of.LLM_USE, span=Span.HOUR, name="when_unsure")["failed"] == unsure.filter(outcome="failed").count() > 0


def test_attempts_are_summed_with_their_tokens(days: datetime) -> None:
    raw = LLMAttempt.objects.filter(decided_at__lt=sum_all(days).hours_until)
    result = sums(span=Span.HOUR, of=Of.ATTEMPTS)
    assert result["count"] == raw.count() > 100
    assert result["too_many"] == raw.filter(status=429).count() > 0
    names = ("prompt_tokens", "completion_tokens", "cost")
    assert {name: result[name] for name in names} == {
        name: float(value) for name, value in raw.aggregate(**{name: Sum(name) for name in names}).items()
    }


@rows("of", Of)
def test_a_day_and_six_hours_are_the_sums_of_their_hours_and_an_hour_of_its_five_minutes(days: datetime, of: Of) -> None:
    state = sum_all(days)
    start = floor(state.hours_until, DAY) - DAY
    day = {"of": of, "starts_at__gte": start, "starts_at__lt": start + DAY}
    assert sums(span=Span.DAY, **day) == sums(span=Span.SIX, **day) == sums(span=Span.HOUR, **day)
    assert not Rollup.objects.filter(span=Span.DAY, starts_at__gt=start).exists(), "it is not over"
    hours = {"of": of, "starts_at__lt": state.hours_until}
    assert sums(span=Span.FIVE, **hours) == ({} if of in GROUPS else sums(span=Span.HOUR, **hours))


def test_durations_of_a_day_are_those_of_its_steps(days: datetime) -> None:
    start = floor(sum_all(days).hours_until, DAY) - DAY
    durations = Rollup.objects.filter(span=Span.DAY, of=Of.STEPS, starts_at=start).values_list("durations", flat=True)
    raw = Step.objects.filter(received_at__gte=start, received_at__lt=start + DAY, **VALIDATORS)
    assert sum(int.from_bytes(packed, "little") for packed in durations) == sum(counted(step.duration_ms or 0) for step in raw) > 0


@pytest.mark.slow
def test_a_range_has_each_step_once_whichever_spans_it_is_read_from(weeks: datetime) -> None:
    state, read = RollupState.objects.get(), set[Span]()
    lengths, agos = (5 * HOUR, DAY, 7 * DAY, 15 * DAY, 18 * DAY), (timedelta(), 3 * DAY + HOUR, 6 * DAY)
    for length, ago, spans in product(lengths, agos, (tuple(Span), (Span.HOUR, Span.SIX, Span.DAY))):
        of = Range.between(weeks - ago - length, weeks - ago, weeks)
        there = Step.objects.filter(received_at__gte=of.start, received_at__lt=of.end, **VALIDATORS).count()
        where = sources(of, state, spans)
        for kind in (Of.STEPS,) if Span.FIVE in spans else (Of.STEPS, *GROUPS):
            assert sum(row.count for row in where.rows([kind], weeks)) == there
        read |= {span for span, _ in where.rolled}
    assert read == set(Span)


def test_the_same_again_gives_the_same(days: datetime) -> None:
    state = sum_all(days)
    before = contents()
    for hour in sorted(set(Rollup.objects.filter(span=Span.HOUR).values_list("starts_at", flat=True))):
        sum_hour(hour, state.hours_until, days)
    assert contents() == before
    sum_again(days - DAY)
    sum_all(days)
    assert contents() == before


@pytest.mark.slow
def test_after_a_worker_is_killed_at_any_hour_no_row_is_missing(days: datetime) -> None:
    whole = sum_all(days)
    before = contents()
    Rollup.objects.all().delete()
    RollupState.objects.all().delete()
    killed_at = []
    while (state := rollups.state_at(days)).hours_until < whole.hours_until:
        sum_hour(state.hours_until, state.hours_until + HOUR, days)  # and is killed before it is noted
        sum_finished(state, days, until=0.0)  # one hour at a time
        killed_at.append(state.hours_until)
    sum_all(days)
    assert len(killed_at) > 2
    assert contents() == before


def test_an_hour_is_summed_a_quarter_of_an_hour_after_its_end(db: None) -> None:
    hour = floor(NOW, HOUR)
    sum_all(hour + MINUTE)
    make_step(at=hour + 30 * MINUTE)
    sum_all(hour + HOUR + GRACE - MINUTE)
    assert steps(span=Span.HOUR) == 0
    sum_all(hour + HOUR + GRACE)
    assert steps(span=Span.HOUR, starts_at=hour) == 1


def test_five_minutes_are_summed_six_minutes_after_their_end_and_again_until_their_hour_is(db: None) -> None:
    hour = floor(NOW, HOUR)
    sum_all(hour + MINUTE)
    late = make_open_step(at=hour + MINUTE)
    sum_all(hour + FIVE + FIVE_GRACE - MINUTE)
    assert not Rollup.objects.exists()
    sum_all(hour + FIVE + FIVE_GRACE)
    assert (steps(span=Span.FIVE), sums(span=Span.FIVE)["in_time"]) == (1, 0)
    Step.objects.filter(pk=late.pk).update(route="template", answered_at=late.received_at, duration_ms=4)
    sum_all(hour + HOUR + GRACE)
    assert (steps(span=Span.FIVE), sums(span=Span.FIVE)["in_time"]) == (1, 1)


def test_a_fact_that_comes_late_is_counted_in_all_spans_it_lies_in(db: None) -> None:
    make_step(at=NOW - DAY)
    sum_all(NOW)
    make_step(at=NOW - DAY + MINUTE)
    sum_all(NOW + 2 * MINUTE)
    assert [steps(span=span) for span in Span] == [2, 2, 2, 2]


def test_the_first_fact_of_a_day_is_counted_though_it_comes_late(db: None) -> None:
    make_step(at=NOW - 3 * DAY)
    sum_all(NOW)
    make_step(at=NOW - DAY)
    sum_all(NOW + 2 * MINUTE)
    assert [steps(span=span) for span in Span] == [2, 2, 2, 2]


def test_hours_that_a_stopped_worker_missed_are_made_up_for(db: None) -> None:
    sum_all(NOW)
    for number in range(30):
        make_step(at=NOW + number * HOUR)
    sum_all(NOW + 40 * HOUR)
    assert (steps(span=Span.HOUR), steps(span=Span.FIVE)) == (30, 30)
    assert Rollup.objects.filter(span=Span.DAY, of=Of.STEPS).count() == 2


def test_a_backlog_is_split_over_several_jobs(days: datetime) -> None:
    state = rollups.state_at(days)
    sum_finished(state, days, until=time.monotonic())
    assert state.hours_until == floor(Step.objects.earliest("received_at").received_at, HOUR) + HOUR, "one hour, whatever the time"


def test_while_facts_wait_in_the_spool_nothing_is_summed(db: None, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "DATA_DIR", tmp_path)
    (tmp_path / "spool").mkdir()
    waiting = tmp_path / "spool" / "1.json"
    waiting.write_text("{}")
    sum_up(NOW)
    assert not RollupState.objects.exists()
    waiting.unlink()
    sum_up(NOW)
    assert RollupState.objects.exists()


@pytest.mark.long
def test_the_shorter_a_span_the_sooner_it_is_forgotten(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for span, days in zip(Span, (3, 6, 9, 12), strict=True):  # in months there are thousands of hours to sum
        monkeypatch.setitem(KEPT, span, days * DAY)
    for ago in (2 * DAY, *(kept + 2 * DAY for kept in KEPT.values())):
        make_step(at=NOW - ago)
    sum_all(NOW)
    assert [steps(span=span) for span in Span] == [1, 2, 3, 4]


def test_roll_ups_stay_when_their_raw_rows_are_deleted(days: datetime) -> None:
    sum_all(days)
    before = contents()
    Step.objects.filter(received_at__lt=days - DAY).delete()
    sum_all(days + MINUTE)
    assert contents() == before


def make_event(at: datetime, seconds: float, ended_at: datetime | None = None) -> None:
    """A pause by the edge's refusal."""
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


def paused_seconds(start: datetime, end: datetime, now: datetime) -> float:
    assert all(began >= start and over <= end for _, began, over in pauses([(start, end)], now))
    return sum(row.seconds for row in raw_rows([(start, end)], [Of.PAUSES], now))


def test_a_pause_over_the_hour_is_shared_by_both_hours(db: None) -> None:
    hour = floor(NOW, HOUR)
    make_event(hour - MINUTE, 180, hour + 5 * MINUTE)
    assert paused_seconds(hour - HOUR, hour, NOW + DAY) == 60
    assert paused_seconds(hour, hour + HOUR, NOW + DAY) == 120
    assert paused_seconds(hour + HOUR, hour + 2 * HOUR, NOW + DAY) == 0


def test_a_pause_over_hours_without_steps_is_summed(db: None) -> None:
    make_step(at=NOW - 30 * HOUR)
    make_event(NOW - 30 * HOUR, 10 * HOUR.total_seconds(), NOW - 20 * HOUR)
    make_step(at=NOW - 2 * HOUR)
    sum_all(NOW)
    for span in (Span.FIVE, Span.HOUR):
        assert sums(span=span, of=Of.PAUSES)["seconds"] == 10 * 3600
        assert max(Rollup.objects.filter(span=span).values_list("seconds", flat=True)) <= {Span.FIVE: 300, Span.HOUR: 3600}[span]


def test_a_pause_ends_early_by_an_action_and_at_the_latest_now(db: None) -> None:
    make_event(NOW - HOUR, 600, NOW - HOUR + MINUTE)
    make_event(NOW - MINUTE, 600)
    assert paused_seconds(NOW - 2 * HOUR, NOW + HOUR, NOW) == 120


def test_a_step_without_an_answer_is_not_in_time(db: None) -> None:
    hour = floor(NOW, HOUR)
    make_step(at=hour, route="", reason="", answered_at=None, duration_ms=0)
    make_step(make_task(), at=hour, duration_ms=23_501)
    make_attempt(make_llm_step(at=hour), cost="0.25")
    sum_hour(hour, hour + HOUR, NOW)
    result = sums(span=Span.HOUR, of=Of.STEPS)
    assert (result["count"], result["in_time"], result["cost"]) == (3, 1, 0.25)


@given(st.lists(st.floats(min_value=0.01, max_value=300_000), min_size=1), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_at_most_five_percent_from_the_exact_one(durations: list[float], share: float) -> None:
    exact = sorted(durations)[math.ceil(share * len(durations)) - 1]
    result = percentile(sum(map(counted, durations)), share)
    assert result is not None
    assert result == pytest.approx(exact, rel=0.05)


def test_without_a_duration_there_is_no_percentile() -> None:
    assert percentile(0, 0.5) is None
    assert counted(0) == counted(0.01) == 1
