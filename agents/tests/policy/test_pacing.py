"""What the pace learns from sends, refusals and the published limit."""

import json
from dataclasses import replace
from itertools import pairwise
from math import ceil, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.pacing import BURST_GAP, MINUTE, Pace, accepted, reserved, slot, violated
from agents.policy.reasons import PaceSource

NOW, SPACING = 1_800_000_000.0, 5.0


def sent(pace: Pace, times: list[float]) -> Pace:
    for at in times:
        pace = reserved(pace, SPACING, at, at, at)
    return pace


def told(published: float, pace: Pace | None = None) -> Pace:
    return accepted(sent(pace or Pace(), [NOW]), SPACING, NOW, NOW + 3, published)


def used_up(pace: Pace, now: float) -> tuple[Pace, list[float]]:
    """All that may leave within the next 17 s."""
    slots: list[float] = []
    while (at := slot(pace, SPACING, now, now + 17)) <= now + 17:
        pace = reserved(pace, SPACING, at, now, now + 17)
        slots.append(at)
    return pace, slots


def crowded(pace: Pace, *, seconds: float) -> Pace:
    """The pace after a crowd, over by now, whose pressed steps asked for so long."""
    return replace(pace, crowd=(NOW + 20, NOW + 20 + seconds))


def test_a_published_limit_is_believed_to_three_quarters_at_first() -> None:
    pace = told(60)
    assert (pace.level, pace.source) == (45.0, PaceSource.PUBLISHED)


def test_no_limit_at_all_starts_as_the_usual_one() -> None:
    assert told(inf).level == 45.0


def test_the_even_pace_is_taken_where_it_is_in_time_and_a_burst_where_it_is_not() -> None:
    _, slots = used_up(crowded(told(60), seconds=0), NOW + 100)
    assert len(slots) == 45
    gaps = [later - earlier for earlier, later in pairwise(slots[:12])]
    assert gaps == pytest.approx([MINUTE / 45] * 11)
    ordered = sorted(slots)
    assert min(later - earlier for earlier, later in pairwise(ordered)) >= BURST_GAP - 1e-6


def test_no_burst_is_made_for_tasks_that_go_on_since_they_would_find_the_minute_used_up() -> None:
    for pace in (told(60), crowded(told(60), seconds=10)):
        _, slots = used_up(pace, NOW + 100)
        assert min(later - earlier for earlier, later in pairwise(slots)) == pytest.approx(MINUTE / 45)


def test_a_crowd_that_a_refusal_cut_short_shows_nothing_of_how_crowds_come() -> None:
    pace, _ = used_up(told(60), NOW + 100)
    pace = violated(pace, SPACING, pace.sends[9], pace.sends[9] + 0.1, 1)
    _, slots = used_up(pace, NOW + 300)
    assert min(later - earlier for earlier, later in pairwise(slots)) >= MINUTE / 45 - 1e-6


def test_a_level_that_is_used_up_without_a_refusal_rises_up_to_what_is_published() -> None:
    pace, now = crowded(told(60), seconds=0), NOW + 100
    for _ in range(4):
        pace, slots = used_up(pace, now)
        for at in sorted(slots):
            pace = accepted(pace, SPACING, at, at + 3, 60)
        now += 300
    assert (pace.level, pace.source) == (60.0, PaceSource.ACCEPTED)


def test_a_level_that_is_hardly_used_stays() -> None:
    pace = sent(told(60), [NOW + 300])
    assert accepted(pace, SPACING, NOW + 300, NOW + 303, 60).level == 45.0


@pytest.mark.parametrize("published", [None, 0.0])
def test_where_nothing_is_published_a_part_of_the_usual_limit_is_tried_and_said_to_be_just_that(published: float | None) -> None:
    pace = accepted(sent(Pace(), [NOW]), SPACING, NOW, NOW + 3, published)
    assert (pace.level, pace.source) == (45.0, PaceSource.USUAL)
    assert (told(12, pace).level, told(12, pace).source) == (9.0, PaceSource.PUBLISHED)


def test_what_is_published_above_the_usual_limit_is_not_believed_at_once() -> None:
    assert told(240).level == 45.0


@pytest.mark.parametrize(("patience", "grows"), [(60.0, False), (1.0, True)])
def test_beyond_what_is_known_the_level_rises_only_where_steps_are_turned_away(patience: float, *, grows: bool) -> None:
    pace = told(inf)
    for n in range(45):
        at = NOW + 100 + n * MINUTE / 45
        pace = reserved(pace, SPACING, at, at - 0.5, at - 0.5 + patience)
    last = pace.sends[-1]
    assert (accepted(pace, SPACING, last, last + 3, inf).level > 45) is grows


def test_a_refusal_of_what_was_always_accepted_slows_down_but_is_no_limit_found() -> None:
    pace = sent(told(60), [NOW + 100 + 2 * n for n in range(31)])
    pace = accepted(pace, SPACING, NOW + 160, NOW + 163, 60)
    pace = sent(pace, [NOW + 400 + 4 * n for n in range(11)])
    pace = violated(pace, SPACING, NOW + 440, NOW + 440.1, 1)
    assert (pace.level, pace.ceiling) == (MINUTE / SPACING, 0.0)


def test_the_further_below_the_published_limit_the_sooner_the_next_look() -> None:
    def hold(count: int) -> float:
        pace = sent(told(60), [NOW + 100 + 50 * n / count for n in range(count + 1)])
        return violated(pace, SPACING, pace.sends[-1], pace.sends[-1], 1).hold_until - pace.sends[-1]

    assert hold(5) < hold(20) < hold(40)


def test_a_limit_that_was_passed_is_forgotten() -> None:
    pace = replace(told(60), level=9.0, ceiling=6.0, repeats=2, hold_until=NOW)
    pace = sent(pace, [NOW + 100 + 7 * n for n in range(9)])
    assert accepted(pace, SPACING, NOW + 156, NOW + 159, 60).ceiling == 0.0


def test_a_violation_at_an_even_pace_lowers_the_level_below_what_was_accepted() -> None:
    pace = sent(told(60), [NOW + 100 + 2 * n for n in range(21)])
    pace = violated(pace, SPACING, NOW + 140, NOW + 140.1, 1)
    assert (pace.level, pace.ceiling, pace.source, pace.short) == (16.0, 20.0, PaceSource.REFUSED, (0.0, 0.0))


def test_a_violation_in_a_burst_bounds_bursts_and_leaves_the_level() -> None:
    pace = sent(replace(told(60), comes_at_once=True, crowd=(NOW + 100, NOW + 100)), [NOW + 100 + BURST_GAP * n for n in range(7)])
    pace = violated(pace, SPACING, NOW + 100 + BURST_GAP * 6, NOW + 101.6, 1)
    assert (pace.level, pace.short) == (45.0, (4.5, 0.0))
    _, slots = used_up(pace, NOW + 200)
    ordered = sorted(slots)
    assert all(later - earlier >= 2.0 for earlier, later in zip(ordered, ordered[4:], strict=False))


def test_a_refusal_after_a_silent_minute_says_nothing_about_the_limit() -> None:
    pace = sent(told(60), [NOW + 500])
    assert violated(pace, SPACING, NOW + 500, NOW + 500.1, 1).level == 45.0


def test_each_violation_at_the_same_place_makes_the_next_look_rarer() -> None:
    pace, now, holds = told(60), NOW + 100, []
    for _ in range(4):
        pace = sent(pace, [now + 5.9 * n for n in range(11)])
        pace = violated(pace, SPACING, now + 59, now + 59.1, 1)
        holds.append(pace.hold_until - now - 59.1)
        now += 1000
    assert holds == sorted(holds)
    assert len(set(holds)) == 4
    assert pace.level == pytest.approx(8.0)


def test_a_violation_after_a_costly_block_makes_the_next_look_rarer_still() -> None:
    pace = sent(told(60), [NOW + 100 + 3 * n for n in range(11)])
    cheap, dear = (violated(pace, SPACING, NOW + 130, NOW + 130, strikes).hold_until for strikes in (1, 2))
    assert dear > cheap


def test_a_published_limit_that_falls_is_followed_at_once() -> None:
    assert told(6, told(60)).level == 6.0


@given(st.lists(st.floats(0, 20), min_size=1, max_size=80), st.sampled_from([6.0, 12.0, 60.0, 240.0]), st.floats(0, 30))
def test_no_minute_ever_holds_more_sends_than_the_level(gaps: list[float], published: float, patience: float) -> None:
    pace, now, slots = told(published), NOW, [NOW]
    for gap in gaps:
        now += gap
        at = slot(pace, SPACING, now, now + patience)
        if at <= now + patience:
            pace = reserved(pace, SPACING, at, now, now + patience)
            slots.append(at)
    for at in slots:
        assert sum(at - MINUTE < other <= at for other in slots) <= ceil(pace.level)


def test_a_pace_survives_the_way_through_json() -> None:
    pace = violated(sent(told(60), [NOW + 100 + 2 * n for n in range(21)]), SPACING, NOW + 140, NOW + 140.1, 1)
    assert Pace.from_json(json.loads(json.dumps(pace.as_json()))) == pace
    assert Pace.from_json({}) == Pace()


def test_a_refusal_after_two_requests_is_no_limit_of_two_a_minute() -> None:
    pace = Pace()
    for at in (1000.0, 1006.0):
        pace = accepted(reserved(pace, 5.0, at, at, at + 20.0), 5.0, at, at + 3.0, 60.0)
    fallen = violated(reserved(pace, 5.0, 1012.0, 1012.0, 1032.0), 5.0, 1012.0, 1012.1, 1)
    assert fallen.level >= 12.0, "the admins' spacing"
    assert not fallen.ceiling
