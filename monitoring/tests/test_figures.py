"""Key figures."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.models import Source, Step
from monitoring.stats.figures import Figures, figures, percentiles
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db


def hour() -> Figures:
    return figures(NOW)[0]


def test_without_a_step_nothing_is_claimed() -> None:
    figure = hour()
    assert (figure.answered, figure.llm_share, figure.in_time_share, figure.p50_ms, figure.p95_ms) == (0, None, None, None, None)


def test_steps_are_counted_by_route() -> None:
    make_llm_step()
    make_step()
    make_step()
    make_open_step()
    assert (hour().llm, hour().template, hour().answered, hour().unanswered) == (1, 2, 3, 1)


def test_a_step_is_in_time_until_its_deadline() -> None:
    make_step(duration_ms=23_500)
    make_step(duration_ms=23_501)
    assert (hour().in_time, hour().late, hour().in_time_share) == (1, 1, 50)


def test_operators_and_tests_are_counted_apart() -> None:
    make_step(make_task(source=Source.OPERATOR), duration_ms=9_000)
    make_step(make_task(source=Source.TEST))
    make_step()
    figure = hour()
    assert (figure.answered, figure.operator_steps, figure.test_steps, figure.p95_ms) == (1, 1, 1, 10)


def test_429s_of_validators_steps_are_counted() -> None:
    make_attempt(make_step(), status=429)
    make_attempt(make_step(), status=500)
    make_attempt(make_step(make_task(source=Source.TEST)), status=429)
    assert hour().too_many == 1


def test_each_span_counts_its_own_time() -> None:
    for ago in (timedelta(minutes=59), timedelta(hours=23), timedelta(days=6), timedelta(days=8)):
        make_step(at=NOW - ago)
    assert [figure.answered for figure in figures(NOW)] == [1, 2, 3]


def test_percentiles_are_durations_that_a_step_had() -> None:
    for milliseconds in range(1, 101):
        make_step(duration_ms=milliseconds)
    assert percentiles(Step.objects.all()) == (50, 95)


def test_percentiles_of_few_and_equal_durations() -> None:
    make_step(duration_ms=7)
    assert percentiles(Step.objects.all()) == (7, 7)
    make_step(duration_ms=7)
    make_step(duration_ms=90)
    assert percentiles(Step.objects.all()) == (7, 90)
