"""Requests of others with the same account: what the day's count in the answers shows of them."""

import json
from dataclasses import replace
from random import Random

import pytest

from agents.policy.belief import LIMITS
from agents.policy.gate import Gate, Limits, failed, succeeded
from agents.policy.modes import Pacing
from agents.policy.others import APART, Others
from agents.policy.pacing import Pace, accepted, counted, rebased, reserved
from agents.simulation.run import Run
from agents.simulation.scenario import parse
from agents.simulation.settings import miner_with

DAY = 86_400.0
NOW = 1_798_416_000.0 + DAY / 2  # noon
USED = 1000.0


def seen(answers: list[tuple[float, float]], known: Others | None = None) -> Others:
    """After answers, each with its time and the day's count that it states."""
    known = known or Others()
    for at, used in answers:
        known = known.counted(used, at)
    return known


def shared(others: float, minutes: int, *, ours: int = 12, start: float = NOW, used: float = USED) -> list[tuple[float, float]]:
    """Our answers, evenly, while the count also rises by `others` a minute."""
    gap = 60.0 / ours
    return [(start + n * gap, used + n + int(others * n * gap / 60)) for n in range(minutes * ours + 1)]


def test_without_others_the_rate_of_others_is_zero() -> None:
    assert seen(shared(0, 30)).rate == 0.0


@pytest.mark.parametrize("others", [3, 20, 200])
def test_what_others_send_is_measured_after_a_minute_and_followed(others: int) -> None:
    assert seen(shared(others, 1)).rate == pytest.approx(others, abs=1)
    known = seen(shared(others, 20))
    assert known.rate == pytest.approx(others, rel=0.05)
    at, used = shared(others, 20)[-1]
    assert seen(shared(0, 30, start=at + 5, used=used + 1), known).rate < 0.1 * others


def test_nothing_is_claimed_before_a_minute_or_without_a_count() -> None:
    assert seen([(NOW, USED), (NOW + APART - 1, USED + 500)]).rate == 0.0
    known = Others()
    for n in range(100):
        known = known.counted(None, NOW + 10 * n)
    assert known.rate == 0.0


def test_answers_out_of_order_make_no_others_up_and_nothing_negative() -> None:
    dice, known = Random(1), Others()
    answers = sorted((NOW + n + dice.uniform(2, 6), USED + n) for n in range(1800))
    for at, used in answers:
        known = known.counted(used, at)
        assert 0.0 <= known.rate <= 4.0
    assert known.rate == 0.0


def test_the_count_starts_again_at_midnight_and_may_be_corrected() -> None:
    midnight = NOW + DAY / 2
    known = seen(shared(20, 10, start=midnight - 605))
    assert seen(shared(20, 10, start=midnight, used=0), known).rate == pytest.approx(20, abs=1)
    assert seen(shared(20, 10, start=midnight + 5, used=40_000), known).rate == pytest.approx(20, abs=1), "another day, whatever the count"
    known = seen(shared(0, 10))
    assert seen(shared(0, 10, start=NOW + 700, used=5), known).rate == 0.0, "lower within the day"


def test_requests_that_failed_may_have_been_counted_and_are_ours() -> None:
    gate, limits = Gate(), Limits(pacing=Pacing.AUTO)
    for n in range(100):
        at, used = NOW + 10 * n, USED + n
        gate = failed(gate, None, at) if n % 2 else succeeded(gate, limits, at - 3, at, 60, used)
    assert gate.pace.others == 0.0


def test_an_answer_from_before_a_pause_is_counted_too() -> None:
    gate = replace(succeeded(Gate(), Limits(), NOW, NOW, 60, USED), paused_at=NOW + 5, paused_until=NOW + 90)
    late = succeeded(gate, Limits(), NOW + 4, NOW + 8, 60, USED + 1)
    assert late.pace.others_seen.own == 1


@pytest.mark.parametrize("others", [10.0, 55.0, 500.0])
def test_what_is_published_is_believed_less_what_they_take_and_the_pace_is_never_nothing(others: float) -> None:
    pace = accepted(reserved(Pace(), 5.0, 1.0, NOW, NOW, NOW + 20), 1.0, NOW, NOW + 3, 60)
    beside = counted(replace(pace, others_seen=Others(USED, NOW, 0, others, 1.0)), None, NOW + 4)
    # At least twice what is sent now, which is one request.
    assert LIMITS[0] <= beside.level(NOW + DAY, 1.0) <= max(2.0, pace.level(NOW + DAY, 1.0) - others)


def test_it_survives_the_way_through_json_and_a_clock_that_is_set_back() -> None:
    pace = counted(counted(Pace(), USED, NOW), USED + 50, NOW + 70)
    assert pace.others > 30
    assert Pace.from_json(json.loads(json.dumps(pace.as_json()))) == pace
    assert Pace.from_json({}).others_seen == Others()
    assert rebased(pace, NOW - DAY).others_seen == Others()


@pytest.mark.long
def test_beside_a_second_user_few_requests_are_refused_and_their_number_is_about_right() -> None:
    account = {"limit": 60, "others": 20, "quota": {"total": 100_000}}
    scenario = parse({"horizon": 2700, "load": {"every": [60, 60], "tasks": 8, "steps": 6}, "account": account})
    miner = miner_with(["pacing=auto"])
    runs = [Run(scenario, miner, seed) for seed in range(2)]
    assert sum(run.result().edge_429 for run in runs) <= 12
    for run in runs:
        assert run.gate.pace.others == pytest.approx(20, abs=6)
