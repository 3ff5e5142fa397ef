"""The pause timeline of a day: when an account was paused, and each refusal."""

from datetime import timedelta

import pytest

from agents.configuration import default_account
from agents.ledger.actions import pause
from agents.models import Account, AuditEntry
from monitoring.ratelimit.plots import OPERATOR, Pause, merged, operator_pauses, pause_timelines
from monitoring.reporting.rollups import sum_up
from monitoring.tests.records import NOW, make_attempt, make_event, make_step

START = NOW - timedelta(hours=24)


def span(first: float, last: float, cause: str = "x") -> Pause:
    return Pause(START + timedelta(minutes=first), START + timedelta(minutes=last), cause)


def word(minute: float, action: str, seconds: int = 0) -> AuditEntry:
    return AuditEntry(at=START + timedelta(minutes=minute), action=action, seconds=seconds or None)


def test_pauses_that_touch_are_one_and_the_day_cuts_them() -> None:
    result = merged([span(50, 60), span(-5, 10), span(60, 70, "y"), span(8, 12), span(1_500, 1_600), span(1_430, 1_500)], START, NOW)
    assert result == [span(0, 12), span(50, 70), span(1_430, 1_440)]


def test_an_operators_pause_lasts_as_entered_or_until_the_next_action() -> None:
    entries = [
        word(0, "pause", 300),
        word(10, "pause", 3_600),
        word(20, "resume"),
        word(30, "pause", 600),
        word(32, "pause", 60),
        word(99, "clear"),
    ]
    pauses = operator_pauses(entries, NOW)
    assert pauses == [span(0, 5, OPERATOR), span(10, 20, OPERATOR), span(30, 40, OPERATOR), span(32, 33, OPERATOR)]
    assert operator_pauses([word(1_439, "pause", 3_600)], NOW) == [span(1_439, 1_440, OPERATOR)]


@pytest.mark.django_db
def test_a_timeline_is_read_from_events_attempts_and_operators_actions() -> None:
    account = default_account()
    make_event(at=NOW - timedelta(hours=3), took=120)
    make_event(at=NOW - timedelta(minutes=2))
    make_event(at=NOW - timedelta(hours=5), took=120, model="a/model")
    pause(account, 600, by="ada", now=(NOW - timedelta(hours=1)).timestamp())
    for ago in (timedelta(hours=3), timedelta(hours=25)):
        make_attempt(make_step(at=NOW - ago), verdict="refused", status=429, refusal="edge")
    make_attempt(make_step(at=NOW), verdict="refused", status=429, refusal="capacity")
    make_attempt(make_step(at=NOW))
    (timeline,) = pause_timelines(NOW + timedelta(seconds=59))
    assert [(pause.seconds, pause.cause) for pause in timeline.pauses] == [
        (120, "rate limit"),
        (600, OPERATOR),
        (179, "rate limit"),
    ]
    assert (timeline.paused_seconds, timeline.longest_seconds) == (899, 600)
    assert (timeline.refused, timeline.accepted, len(timeline.refusals)) == (2, 1, 1)
    assert timeline.ticks == [874]
    assert list(timeline.bars[0]) == pytest.approx([1000 * (1_260 - 59 / 60) / 1_440, 1000 / 720])


@pytest.mark.django_db
def test_pauses_less_than_a_pixel_apart_are_drawn_as_one_and_listed_separately() -> None:
    for ago in (121, 120, 60):
        make_event(at=NOW - timedelta(minutes=ago), took=50)
    (timeline,) = pause_timelines(NOW)
    assert [pause.seconds for pause in timeline.pauses] == [50, 50, 50]
    assert [round(left) for left, _ in timeline.bars] == [916, 958]
    assert timeline.paused_path == "M915.97 0h1.27v10h-1.27zM958.33 0h1.00v10h-1.00z"
    assert timeline.refused_path == ""


@pytest.mark.django_db
@pytest.mark.parametrize("is_rolled", [False, True])
def test_attempts_are_counted_over_the_whole_day(is_rolled: bool) -> None:
    account = default_account()
    for ago in (1_441, 1_439, 700, 12, 1):
        make_attempt(make_step(at=NOW - timedelta(minutes=ago)), number=1, verdict="refused", refusal="capacity")
    if is_rolled:
        sum_up(NOW)
    (timeline,) = pause_timelines(NOW)
    assert (timeline.account, timeline.refused) == (account.name, 4)


@pytest.mark.django_db
def test_the_timeline_of_a_new_panel_starts_with_its_first_record() -> None:
    default_account()
    make_attempt(make_step(at=NOW - timedelta(minutes=12)))
    sum_up(NOW)
    (timeline,) = pause_timelines(NOW)
    assert (NOW - timedelta(minutes=20) < timeline.start < NOW - timedelta(minutes=10), timeline.end) == (True, NOW)


@pytest.mark.django_db
def test_an_account_without_records_is_unknown() -> None:
    default_account()
    Account.objects.create(name="second", position=2)
    first, second = pause_timelines(NOW)
    assert (first.account, first.is_unknown, second.account, second.is_unknown) == ("default", True, "second", True)
    make_attempt(make_step(at=NOW - timedelta(hours=2)))
    assert [timeline.is_unknown for timeline in pause_timelines(NOW)] == [False, True]
