"""Predictions: in words, and how good they have been."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agents.accounts.status import AccountStatus
from agents.configuration import default_account
from agents.policy.gate import Gate
from agents.policy.reasons import PauseSource
from agents.policy.reset_times import Prediction
from monitoring.ratelimit.events import Predicted, accuracy, outcome, recent_accuracy
from monitoring.ratelimit.status_text import confidence_text, earlier_blocks, in_words
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
    ("seconds", "words"),
    [
        (-11, "11 s earlier than predicted"),
        (-10, "Inside the range"),
        (60, "Inside the range"),
        (190, "3 min 10 s later than predicted"),
    ],
)
def test_an_error_is_told_only_outside_the_range(seconds: float, words: str) -> None:
    assert back(seconds).text == words


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
    ("confidence", "words"),
    [
        (0, ""),
        (0.2, "very low confidence"),
        (0.39, "low confidence"),
        (0.57, "medium confidence"),
        (0.8, "high confidence"),
        (0.95, "very high confidence"),
    ],
)
def test_a_confidence_has_its_words(confidence: float, words: str) -> None:
    assert confidence_text(confidence) == words


def test_a_prediction_that_nobody_can_make_stays_without_a_time() -> None:
    told = in_words(Prediction(PauseSource.CHECK, 0.0), NOW)
    assert (told.at, told.earliest, told.latest, told.confidence, told.is_overdue) == (None, None, None, "", False)


def test_a_prediction_is_overdue_after_its_range() -> None:
    told = Prediction(PauseSource.LADDER, 0.2, AT, AT, AT + 60)
    assert not in_words(told, NOW + timedelta(seconds=60)).is_overdue
    assert in_words(told, NOW + timedelta(seconds=61)).is_overdue


@pytest.mark.django_db
def test_a_history_says_on_how_many_blocks_it_rests() -> None:
    for number, took in enumerate((30, 100, 200, 300)):
        make_event(at=NOW - timedelta(hours=number + 1), took=took)
    make_event(at=NOW - timedelta(hours=9), took=500, refusal="daily_quota")
    event = make_event(block_started_at=NOW - timedelta(seconds=60), prediction_source="history", strike=2)
    snapshot = AccountStatus(default_account(), gate=Gate(strikes=2, paused_until=AT + 60, cause="edge"), event=event)
    assert earlier_blocks(snapshot) == 3
    told = in_words(Prediction(PauseSource.HISTORY, 0.39, AT + 90), NOW, earlier_blocks(snapshot))
    assert told.source == "how long 3 earlier blocks of this kind took"
    event.prediction_source = "ladder"
    assert earlier_blocks(snapshot) == 0


@pytest.mark.django_db
def test_only_what_came_to_its_own_end_counts() -> None:
    make_event(at=NOW - timedelta(hours=1), took=100)
    make_event(at=NOW - timedelta(hours=2), took=100, ended_by="operator")
    make_event(at=NOW - timedelta(hours=3), took=100, model="a/model")
    make_event(at=NOW - timedelta(hours=4), took=100, predicted_at=None, prediction_source="check")
    still_open = make_event()
    assert [(each.source, each.count, each.median_seconds) for each in recent_accuracy(NOW)] == [("our own backoff", 1, 40)]
    assert outcome(still_open) is None
