"""Predictions: their texts and their errors."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agents.accounts.status import AccountStatus
from agents.configuration import default_account
from agents.policy.gate import Gate
from agents.policy.reasons import PauseSource
from agents.policy.reset_times import Prediction
from monitoring.ratelimit.events import Predicted, accuracy, outcome, recent_accuracy
from monitoring.ratelimit.status_text import confidence_text, earlier_blocks, expectation_from
from monitoring.tests.records import NOW, make_event

AT = NOW.timestamp()
ONE = Predicted(
    PauseSource.LADDER,
    at=NOW,
    earliest=NOW - timedelta(seconds=10),
    latest=NOW + timedelta(seconds=60),
    recovered_at=NOW + timedelta(seconds=60),
)


def back(seconds: float, source: PauseSource = PauseSource.LADDER) -> Predicted:
    return replace(ONE, source=source, recovered_at=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-11, "11 s earlier than predicted"),
        (-10, "Inside the range"),
        (60, "Inside the range"),
        (190, "3 min 10 s later than predicted"),
    ],
)
def test_an_error_is_shown_only_outside_the_range(seconds: float, text: str) -> None:
    assert back(seconds).text == text


def test_without_a_range_only_the_point_is_right() -> None:
    point = replace(ONE, earliest=None, latest=None)
    assert replace(point, recovered_at=NOW).is_inside
    assert point.text == "1 min later than predicted"


def test_each_source_has_its_share_inside_and_its_median_error() -> None:
    predictions = [back(5, PauseSource.HISTORY), *(back(seconds) for seconds in (0, 60, 90, 400))]
    first, second = accuracy(predictions)
    assert (first.source, first.count, first.inside_share, first.median_seconds) == ("our own backoff", 4, 50, 75)
    assert (second.source, second.count, second.inside_share, second.median_seconds) == (PauseSource.HISTORY.sentence, 1, 100, 5)
    assert accuracy([]) == ()


@pytest.mark.parametrize(
    ("confidence", "text"),
    [
        (0, ""),
        (0.2, "very low confidence"),
        (0.39, "low confidence"),
        (0.57, "medium confidence"),
        (0.8, "high confidence"),
        (0.95, "very high confidence"),
    ],
)
def test_a_confidence_has_a_label(confidence: float, text: str) -> None:
    assert confidence_text(confidence) == text


def test_an_impossible_prediction_has_no_time() -> None:
    result = expectation_from(Prediction(PauseSource.CHECK, 0.0), NOW)
    assert (result.at, result.earliest, result.latest, result.confidence, result.is_overdue) == (None, None, None, "", False)


def test_a_prediction_is_overdue_after_its_range() -> None:
    result = Prediction(PauseSource.LADDER, 0.2, AT, AT, AT + 60)
    assert not expectation_from(result, NOW + timedelta(seconds=60)).is_overdue
    assert expectation_from(result, NOW + timedelta(seconds=61)).is_overdue


@pytest.mark.django_db
def test_a_prediction_from_history_shows_its_number_of_blocks() -> None:
    for number, took in enumerate((30, 100, 200, 300)):
        make_event(at=NOW - timedelta(hours=number + 1), took=took)
    make_event(at=NOW - timedelta(hours=9), took=500, refusal="daily_quota")
    event = make_event(block_started_at=NOW - timedelta(seconds=60), prediction_source="history", strike=2)
    snapshot = AccountStatus(default_account(), gate=Gate(strikes=2, paused_until=AT + 60, cause="edge"), event=event)
    assert earlier_blocks(snapshot) == 3
    result = expectation_from(Prediction(PauseSource.HISTORY, 0.39, AT + 90), NOW, earlier_blocks(snapshot))
    assert result.source == "how long 3 earlier blocks of this kind took"
    event.prediction_source = "ladder"
    assert earlier_blocks(snapshot) == 0


@pytest.mark.django_db
def test_only_blocks_that_ended_by_themselves_count() -> None:
    make_event(at=NOW - timedelta(hours=1), took=100)
    make_event(at=NOW - timedelta(hours=2), took=100, ended_by="operator")
    make_event(at=NOW - timedelta(hours=3), took=100, model="a/model")
    make_event(at=NOW - timedelta(hours=4), took=100, predicted_at=None, prediction_source="check")
    still_open = make_event()
    assert [(accuracy.source, accuracy.count, accuracy.median_seconds) for accuracy in recent_accuracy(NOW)] == [("our own backoff", 1, 40)]
    assert outcome(still_open) is None
