"""When requests may be sent: by the spacing at first, then by what answers have shown."""

import json
from bisect import bisect_right
from dataclasses import replace
from itertools import pairwise
from math import ceil, inf
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.policy.belief import MINUTE, MOST, USUAL, Belief
from agents.policy.blocks import Block, Blocks
from agents.policy.modes import Risk
from agents.policy.pacing import BURST_GAP, GRACE, Pace, accepted, gap, probed, rebased, reserved, slot, violated
from agents.policy.reasons import PaceSource
from agents.tests.rows import rows

NOW, SPACING, BLOCK = 1_800_000_000.0, 5.0, 90.0
RISK = Risk.BALANCED.weight


def sent(pace: Pace, times: list[float]) -> Pace:
    for at in times:
        pace = reserved(pace, SPACING, RISK, at, at, inf)
    return pace


def answered(pace: Pace, times: list[float], published: float | None = None) -> Pace:
    """The pace after these requests, each accepted at once."""
    for at in times:
        pace = accepted(reserved(pace, SPACING, RISK, at, at, inf), RISK, at, at, published)
    return pace


def even(count: int, start: float = NOW) -> list[float]:
    return [start + number * MINUTE / count for number in range(count)]


def used_up(pace: Pace, now: float) -> tuple[Pace, list[float]]:
    """All that may leave within the next 17 s."""
    slots: list[float] = []
    while (at := slot(pace, SPACING, RISK, now, now + 17)) <= now + 17:
        pace = reserved(pace, SPACING, RISK, at, now, now + 17)
        slots.append(at)
    return pace, slots


def gaps(times: list[float]) -> list[float]:
    ordered = sorted(times)
    return [later - earlier for earlier, later in pairwise(ordered)]


def test_without_evidence_the_spacing_holds_exactly() -> None:
    assert Pace().level(NOW, RISK) == 0.0
    _, slots = used_up(Pace(), NOW)
    assert gaps(slots) == pytest.approx([SPACING + GRACE] * 3)


@rows(
    ("published", "source"), [(None, PaceSource.USUAL), (0.0, PaceSource.USUAL), (30.0, PaceSource.PUBLISHED), (inf, PaceSource.PUBLISHED)]
)
def test_the_first_success_shows_where_the_level_comes_from(published: float | None, source: PaceSource) -> None:
    pace = answered(Pace(), [NOW], published)
    assert pace.source is source
    assert 0 < pace.level(NOW, RISK) <= min(published or USUAL, USUAL)


def test_an_answer_confirms_the_level_only_where_most_of_it_was_used() -> None:
    pace = violated(sent(answered(Pace(), even(40), 60.0), [NOW + 60]), NOW + 60, NOW + 60, NOW)
    lightly_used, fully_used = answered(pace, even(4, NOW + 600)), answered(pace, even(40, NOW + 600))
    assert lightly_used.confirmed_at == pace.confirmed_at < fully_used.confirmed_at


def test_a_refusal_lowers_the_level_and_use_raises_it_again() -> None:
    pace = answered(Pace(), even(40), 60.0)
    before, last = pace.level(NOW + 60, RISK), NOW + 60
    pace = violated(sent(pace, [last]), last, last, NOW)
    after = pace.level(last, RISK)
    assert (after < before, pace.source, pace.used) == (True, PaceSource.REFUSED, 0.0)
    for minute in range(20):
        pace = answered(pace, even(ceil(after), last + 600 + MINUTE * minute), 60.0)
    assert pace.level(last + 1_800, RISK) > after


def test_a_refusal_after_a_silent_minute_shows_nothing_about_the_limit() -> None:
    pace = sent(answered(Pace(), even(10), 60.0), [NOW + 8_000])
    refused = violated(pace, NOW + 8_000, NOW + 8_000, NOW)
    assert (refused.source, refused.used) == (PaceSource.PUBLISHED, None)
    assert refused.belief.limits(NOW + 8_000) == pytest.approx(pace.belief.limits(NOW + 8_000), abs=1e-3)


def test_a_pace_of_one_a_minute_is_left_again_though_each_answer_is_expected() -> None:
    pace = answered(Pace(), even(4))
    for at in (NOW + 600, NOW + 1_200):
        pace = violated(sent(pace, [at - 20, at]), at, at, at - 20)
    assert pace.level(NOW + 1_200, RISK) == 1.0
    now = NOW + 1_200
    while now < NOW + 1_200 + 30 * MINUTE:
        now = slot(pace, SPACING, RISK, now, inf)
        pace = answered(pace, [now])
    assert pace.level(now, RISK) >= 8.0


def test_a_refusal_of_an_accepted_pace_is_a_block_from_outside_and_one_above_it_is_ours() -> None:
    pace, fast = answered(Pace(), [at for minute in range(10) for at in even(20, NOW + 60 * minute)]), even(50, NOW + 600)
    usual = sent(pace, [NOW + 600])
    assert not violated(usual, NOW + 600, NOW + 600, NOW + 597).is_ours
    assert violated(sent(pace, fast), fast[-1], fast[-1], NOW + 600).is_ours
    assert not violated(sent(Pace(), [NOW]), NOW, NOW, 0.0).is_ours, "it never worked"


def test_ends_of_own_blocks_do_not_show_how_long_those_from_outside_last() -> None:
    ours, outside = (replace(Pace(), is_ours=is_ours) for is_ours in (True, False))
    ours, outside = (probed(pace, Block(NOW, NOW, 0), NOW + 3_600, is_over=False) for pace in (ours, outside))
    assert (ours.blocks, outside.own_blocks) == (Pace().blocks, Pace().own_blocks)
    assert ours.own_blocks.cost > Pace().own_blocks.cost < Pace().blocks.cost < outside.blocks.cost


def test_a_refusal_takes_back_what_was_planned() -> None:
    pace, _ = used_up(answered(Pace(), [NOW]), NOW + 100)
    assert max(violated(pace, NOW + 101, NOW + 102, NOW).sends) <= NOW + 102


def is_in_bursts(pace: Pace, *, seconds: float) -> Pace:
    """After a crowd, over by now, that came within so long."""
    return replace(pace, crowd=(NOW + 20, NOW + 20 + seconds))


def test_a_crowd_that_comes_at_once_and_goes_gets_a_burst() -> None:
    pace = is_in_bursts(answered(Pace(), [NOW]), seconds=0)
    _, slots = used_up(pace, NOW + 100)
    level = pace.level(NOW + 100, RISK)
    assert len(slots) > 17 * level / MINUTE + 2
    assert min(gaps(slots)) >= BURST_GAP - 1e-6


def test_a_crowd_that_is_planned_already_may_go_above_the_usual_limit() -> None:
    pace = answered(Pace(), even(60), 60.0)
    planned = replace(pace, sends=tuple(even(60, NOW + 600)))
    assert planned.level(NOW + 599, RISK) > USUAL == pace.level(NOW + 599, RISK)


@rows("seconds", [None, 10.0])
def test_no_burst_is_made_for_tasks_that_go_on_since_they_would_find_the_minute_used_up(seconds: float | None) -> None:
    pace = answered(Pace(), [NOW])
    pace = pace if seconds is None else is_in_bursts(pace, seconds=seconds)
    _, slots = used_up(pace, NOW + 100)
    assert min(gaps(slots)) == pytest.approx(MINUTE / pace.level(NOW + 100, RISK))


def test_a_crowd_that_a_refusal_cut_short_shows_nothing_of_how_crowds_come() -> None:
    pace, _ = used_up(answered(Pace(), [NOW]), NOW + 100)
    assert pace.crowd[1]
    assert violated(pace, pace.sends[9], pace.sends[9], NOW).crowd == (0.0, 0.0)


happenings = st.lists(st.tuples(st.floats(0, 20), st.sampled_from(["asks", "asks", "ok", "429"])), min_size=1, max_size=50)


@settings(max_examples=60)
@given(happenings, st.sampled_from([None, 6.0, 60.0, 240.0, inf]), st.sampled_from(list(Risk)), st.floats(0, 30))
def test_whatever_happens_the_level_is_bounded_and_falls_with_risk_and_no_minute_holds_more(
    steps: list[tuple[float, str]], published: float | None, risk: Risk, patience: float
) -> None:
    pace, now, slots, most = answered(Pace(), [NOW], published), NOW, [NOW], 1.0
    for seconds, what in steps:
        now += seconds
        levels = [pace.level(now, each.weight) for each in sorted(Risk, key=lambda risk: risk.weight)]
        assert levels == sorted(levels, reverse=True), "more caution, no higher level"
        sends = bisect_right(pace.sends, now) - bisect_right(pace.sends, now - MINUTE)
        assert max(levels) <= max(min(published or USUAL, USUAL), 2 * (sends + 1))
        at = slot(pace, SPACING, risk.weight, now, now + patience)
        if at > now + patience:
            continue
        assert all(abs(at - other) >= BURST_GAP - 1e-6 for other in pace.sends)
        most = max(most, pace.level(now, risk.weight))
        pace = reserved(pace, SPACING, risk.weight, at, now, now + patience)
        slots.append(at)
        if what == "429":
            before = pace.level(at, risk.weight)
            pace, now = violated(pace, at, at, NOW), at
            assert pace.level(at, risk.weight) <= before or at - pace.belief.filled_at > MINUTE
        elif what == "ok":
            pace = accepted(pace, risk.weight, at, at, published)
    for at in slots:
        assert sum(at - MINUTE < other <= at for other in slots) <= ceil(most)


def after_hours(limit: float, burst: float, minutes: float) -> tuple[float, int, int]:
    """Of an account that takes so many requests a minute, asked whenever its pace allows: its usual level in the last quarter, answers and refusals.

    `burst`: of a leaky bucket as nginx keeps it; of a window inf. A refusal blocks it for BLOCK.
    """
    pace, now, taken, excess, refusals = answered(Pace(), [NOW]), NOW, [NOW], 0.0, 0
    levels = list[float]()
    while now < NOW + minutes * MINUTE:
        at = slot(pace, SPACING, RISK, now, now)
        pace = reserved(pace, SPACING, RISK, at, at, inf)
        held = max(0.0, excess - (at - taken[-1]) * limit / MINUTE + 1)
        if held <= burst if burst < inf else len(taken) < limit or taken[-int(limit)] <= at - MINUTE:
            taken, excess, now = [*taken[-int(limit) :], at], held, at
            pace = accepted(pace, RISK, at, at, None)
            levels += [pace.level(now, RISK)] if now > NOW + 0.75 * minutes * MINUTE else []
        else:
            pace, now, refusals = violated(pace, at, at, NOW), at + BLOCK, refusals + 1
            pace = probed(pace, Block(at, at, 0), now, is_over=True)
    return median(levels), len(taken), refusals


@pytest.mark.parametrize("burst", [inf, 1.0, 4.0, 12.0])
@pytest.mark.parametrize("limit", [6, pytest.param(20, marks=pytest.mark.long)])
def test_the_pace_settles_at_a_hidden_limit_of_either_kind_with_few_refusals(limit: int, burst: float) -> None:
    level, _, refusals = after_hours(limit, burst, 120)
    assert 0.75 * limit <= level <= 1.5 * limit
    assert refusals <= 12


def test_a_pace_survives_the_way_through_json() -> None:
    pace = violated(sent(answered(Pace(), even(20), 60.0), [NOW + 60]), NOW + 60, NOW + 60, NOW)
    pace = probed(pace, Block(NOW + 60, NOW + 60, 0), NOW + 120, is_over=True)
    assert Pace.from_json(json.loads(json.dumps(pace.as_json()))) == pace
    assert Pace.from_json({}) == Pace()
    unpacked = {"sends": [NOW], "belief": {"weights": list(pace.belief.weights)}}
    assert Pace.from_json(unpacked) == Pace(sends=(NOW,), belief=Belief(weights=pace.belief.weights)), "as older versions store it"


@pytest.mark.parametrize("other", [{"weights": [0.5, 0.5]}, {"excess": [0.0]}, {"others": {"rate": 3.0}}])
def test_what_another_version_believed_is_learned_anew_and_stops_nothing(other: dict[str, Any]) -> None:
    pace = Pace(belief=Belief(stated=40.0, changes=9.0), blocks=Blocks(measured=3))
    stored = pace.as_json()
    stored |= {"belief": {**stored["belief"], **other}, "blocks": {"weights": [1.0], "measured": 3}, "tried": 7}
    assert Pace.from_json(json.loads(json.dumps(stored))) == Pace(belief=Belief(stated=40.0), blocks=Blocks(measured=3))


@pytest.mark.long
def test_what_is_kept_stays_bounded_after_twenty_thousand_requests() -> None:
    pace = probed(answered(Pace(), even(20), 60.0), Block(NOW, NOW, 0), NOW + 60, is_over=True)
    sizes = set[int]()
    for number in range(20_000):
        at = NOW + 100 + number * MINUTE / MOST
        pace = reserved(pace, 0.0, RISK, at, at, at)
        if number % 1_000 == 999:
            sizes.add(len(json.dumps(replace(pace, sends=()).as_json())))
            assert len(pace.sends) <= 1.5 * MOST + 5
    assert max(sizes) <= 6_000


def test_nothing_stays_planned_far_ahead_of_a_clock_that_was_set_back() -> None:
    pace = answered(Pace(), even(20), 60.0)
    back = rebased(pace, NOW - 86_400)
    assert (back.sends, back.crowd) == ((), (0.0, 0.0))
    assert back.belief.at == NOW - 86_400
    assert rebased(pace, NOW + 60) is pace


def test_the_gap_is_the_even_one_of_the_level_else_the_spacing() -> None:
    assert (gap(30.0, 5.0), gap(0.0, 5.0), gap(0.0, 0.0)) == (2.0, 5.0 + GRACE, 0.0)


def test_a_request_that_leaves_a_little_after_its_slot_shows_what_one_that_leaves_on_time_does() -> None:
    for late in (0.01, GRACE):
        on_time, delayed = sent(Pace(), even(6)), sent(Pace(), even(6))
        for at in even(6)[:5]:
            on_time, delayed = accepted(on_time, RISK, at, at + 3, None), accepted(delayed, RISK, at + late, at + 3, None)
        last = even(6)[5]
        assert violated(on_time, last, last + 1, NOW) == violated(delayed, last + late, last + 1, NOW)
    alone = sent(Pace(), [NOW])
    assert violated(alone, NOW + GRACE, NOW + 1, NOW).source is PaceSource.SPACING, "nothing had been sent before: it shows no limit"
