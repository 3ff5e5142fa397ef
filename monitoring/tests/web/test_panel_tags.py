"""The format of times, durations and shares on pages."""

import pytest

from agents.common.text import length, shorten
from agents.models import Route, Submission, Task
from agents.policy.reasons import Verdict
from monitoring.reporting.pagination import CappedCount
from monitoring.tasks.tasks import TaskState
from monitoring.templatetags.panel import TONES, capped, milliseconds, moment, percent
from monitoring.tests.records import NOW


def test_a_duration_has_at_most_two_units() -> None:
    rows: list[tuple[float, str]] = [
        (0, "0 s"),
        (-5, "0 s"),
        (59.6, "1 min"),
        (192, "3 min 12 s"),
        (3_600, "1 h"),
        (3_661, "1 h 1 min"),
        (90_000, "1 d 1 h"),
    ]
    assert [(value, length(value)) for value, _ in rows] == rows


def test_milliseconds_keep_two_or_three_digits() -> None:
    rows: list[tuple[float | None, str]] = [
        (None, "–"),
        (0.0, "0 ms"),
        (0.04, "0 ms"),
        (0.44, "0.4 ms"),
        (9.96, "10 ms"),
        (999.6, "1.00 s"),
        (9_996, "10.0 s"),
        (23_456, "23.5 s"),
        (123_456, "2 min 3 s"),
    ]
    assert [(value, milliseconds(value)) for value, _ in rows] == rows


def test_a_share_is_100_percent_only_when_it_is_all() -> None:
    rows: list[tuple[float | None, str]] = [(None, "–"), (0, "0 %"), (100, "100 %"), (99.97, "100.0 %"), (99.6, "99.6 %"), (54.2, "54 %")]
    assert [(value, percent(value)) for value, _ in rows] == rows


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert (shorten("Search", 6), shorten("Search for", 6)) == ("Search", "Searc…")


@pytest.mark.django_db
def test_a_count_stops_at_its_cap() -> None:
    Task.objects.bulk_create(Task(fingerprint=str(number), prompt="x", url="http://x/", created_at=NOW) for number in range(1_002))
    counts = [CappedCount.up_to(cap, Task.objects.all()) for cap in (1_001, 1_002, 2_000)]
    assert [capped(count) for count in counts] == ["1,001+", "1,002", "1,002"]
    assert counts == [1_001, 1_002, 1_002]


def test_a_time_carries_utc_for_the_browser_and_the_reader() -> None:
    assert moment(NOW) == (
        '<time datetime="2026-05-04T12:00:00.000Z" data-show="moment" title="4 May 2026 12:00:00 UTC">4 May 12:00:00 UTC</time>'
    )
    assert moment(None) == "–"


def test_every_state_has_its_colour() -> None:
    assert {*Route.values, *TaskState, *Submission.State.values, *Verdict} <= TONES.keys()
