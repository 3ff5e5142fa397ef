"""The day as a band: when an account was paused, and each refusal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.configuration import default_account
from agents.ledger.actions import pause
from agents.models import Account, AuditEntry
from monitoring.rollups.rolling import roll_if_due
from monitoring.stats.band import OPERATOR, Span, bands, merged, operator_spans
from monitoring.tests.records import NOW, make_attempt, make_event, make_step

START = NOW - timedelta(hours=24)


def span(first: float, last: float, cause: str = "x") -> Span:
    return Span(START + timedelta(minutes=first), START + timedelta(minutes=last), cause)


def word(minute: float, action: str, seconds: int = 0) -> AuditEntry:
    return AuditEntry(
        at=START + timedelta(minutes=minute), action=action, detail=f"For {seconds} s. No pause was running." if seconds else ""
    )


def test_pauses_that_touch_are_one_and_the_day_cuts_them() -> None:
    found = merged([span(50, 60), span(-5, 10), span(60, 70, "y"), span(8, 12), span(1_500, 1_600), span(1_430, 1_500)], START, NOW)
    assert found == [span(0, 12), span(50, 70), span(1_430, 1_440)]


def test_an_operators_pause_lasts_as_said_or_until_the_next_word() -> None:
    entries = [
        word(0, "pause", 300),
        word(10, "pause", 3_600),
        word(20, "resume"),
        word(30, "pause", 600),
        word(32, "pause", 60),
        word(99, "clear"),
    ]
    found = operator_spans(entries, NOW)
    assert found == [span(0, 5, OPERATOR), span(10, 20, OPERATOR), span(30, 40, OPERATOR), span(32, 33, OPERATOR)]
    assert operator_spans([word(1_439, "pause", 3_600)], NOW) == [span(1_439, 1_440, OPERATOR)]


@pytest.mark.django_db
def test_a_band_is_read_from_events_attempts_and_operators_words() -> None:
    account = default_account()
    make_event(at=NOW - timedelta(hours=3), took=120)
    make_event(at=NOW - timedelta(minutes=2))
    make_event(at=NOW - timedelta(hours=5), took=120, model="a/model")
    pause(account, 600, by="ada", now=(NOW - timedelta(hours=1)).timestamp())
    for ago in (timedelta(hours=3), timedelta(hours=25)):
        make_attempt(make_step(at=NOW - ago), verdict="refused", status=429, refusal="edge")
    make_attempt(make_step(at=NOW), verdict="refused", status=429, refusal="capacity")
    make_attempt(make_step(at=NOW))
    (band,) = bands(NOW + timedelta(seconds=59))
    assert [(each.seconds, each.cause) for each in band.pauses] == [
        (120, "account rate limit"),
        (600, OPERATOR),
        (120, "account rate limit"),
    ]
    assert (band.paused_seconds, band.longest_seconds) == (840, 600)
    assert (band.refused, band.accepted, len(band.refusals)) == (2, 1, 1)
    assert band.ticks == [875]
    assert list(band.bars[0]) == pytest.approx([875, 1000 / 720])


@pytest.mark.django_db
def test_pauses_that_no_eye_tells_apart_are_drawn_as_one_and_listed_apart() -> None:
    for ago in (121, 120, 60):
        make_event(at=NOW - timedelta(minutes=ago), took=50)
    (band,) = bands(NOW)
    assert [each.seconds for each in band.pauses] == [50, 50, 50]
    assert [round(left) for left, _ in band.bars] == [916, 958]
    assert band.paused_path == "M915.97 0h1.27v10h-1.27zM958.33 0h1.00v10h-1.00z"
    assert band.refused_path == ""


@pytest.mark.django_db
@pytest.mark.parametrize("is_rolled", [False, True])
def test_attempts_are_counted_over_the_whole_day(is_rolled: bool) -> None:
    account = default_account()
    for ago in (1_441, 1_439, 700, 12, 1):
        make_attempt(make_step(at=NOW - timedelta(minutes=ago)), number=1, verdict="refused", refusal="capacity")
    if is_rolled:
        assert roll_if_due(NOW)
    (band,) = bands(NOW)
    assert (band.account, band.refused) == (account.name, 4)


@pytest.mark.django_db
def test_what_an_account_did_is_unknown_where_nothing_tells() -> None:
    default_account()
    Account.objects.create(name="second", position=2)
    first, second = bands(NOW)
    assert (first.account, first.is_unknown, second.account, second.is_unknown) == ("default", True, "second", True)
    make_attempt(make_step(at=NOW - timedelta(hours=2)))
    assert [band.is_unknown for band in bands(NOW)] == [False, True]
