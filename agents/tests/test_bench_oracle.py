"""Oracles and drawn accounts: what a pace is measured by is itself right."""

from dataclasses import replace
from typing import Any

import pytest

from agents.policy.gate import Limits
from agents.policy.modes import Pacing
from agents.simulation.run import Miner, Record, Run
from agents.simulation.scenario import Change, Scenario, parse
from bench.drawn import DRAWN, HELD_OUT, LAWS, drawn
from bench.oracle import Oracle, Patient

ROUNDS = {"every": [300, 360], "tasks": 20}
FIXED = Miner(Limits(pacing=Pacing.FIXED))
pytestmark = pytest.mark.long

HARSH = {"strikes": 1, "base": 3600}


def scenario(load: dict[str, Any] | None = None, horizon: float = 1200, **account: Any) -> Scenario:
    return parse({"horizon": horizon, "load": load or ROUNDS, "account": account})


def best(some: Scenario, *, prompt: bool = False) -> Record:
    return max((Oracle(some, 0, prompt=prompt, even=even).result() for even in (False, True)), key=llm)


def llm(record: Record) -> int:
    return sum(each.by_llm for each in record.answers)


@pytest.mark.parametrize("prompt", [False, True])
@pytest.mark.parametrize("even", [False, True])
def test_an_oracle_is_never_refused(*, prompt: bool, even: bool) -> None:
    accounts: list[dict[str, Any]] = [{}, {"counter": "leaky", "burst": 1}, {"balancers": 2}, {"window": 25.3}]
    for account in (*accounts, {"quota": {"total": 40, "reset_at": 900}}):
        run = Oracle(scenario(**{"limit": 11, "ban": HARSH, **account}), 0, prompt=prompt, even=even)
        record = run.result()
        assert (record.edge_429, record.wasted, run.account.world.edge.ban) == (0, 0, None)
        assert sum(each.in_time for each in record.answers) == len(record.answers) > llm(record) > 0


def test_an_oracle_gets_all_that_a_plain_limit_allows() -> None:
    """Two crowds of steps that wait for 23.5 s: ten at once, and no more in that time."""
    crowd = {"every": [300, 300], "tasks": 40, "steps": 1}
    assert llm(best(scenario(crowd, horizon=600, limit=10))) == 20
    # A step each second: those of the tenth minute still wait when the eleventh begins.
    assert llm(best(scenario({"every": [1, 1], "tasks": 1, "steps": 1}, horizon=600, limit=10))) == 110
    # The bucket takes its burst and one more at once, then one each six seconds.
    assert llm(best(scenario(crowd, horizon=300, limit=10, counter="leaky", burst=5))) in (9, 10)


def test_a_step_that_cannot_be_in_time_is_answered_at_once_by_the_prompt_oracle_alone() -> None:
    crowd = scenario({"every": [300, 300], "tasks": 40, "steps": 1}, horizon=300, limit=10)
    slowest = [max(each.answered_at - each.posted_at for each in best(crowd, prompt=prompt).answers) for prompt in (False, True)]
    assert slowest[0] == pytest.approx(23.5)
    assert slowest[1] <= 6


@pytest.mark.parametrize("seed", [0, 7, pytest.param(3, marks=pytest.mark.slow)])
def test_no_pace_gets_more_than_the_plain_oracle_but_by_chance(seed: int) -> None:
    for law in ("none", "harsh"):
        some = drawn(seed, law)
        most = llm(best(some))
        assert all(llm(Run(some, Miner(Limits(pacing=pacing)), 0).result()) <= 1.02 * most + 2 for pacing in Pacing)


def test_patience_waits_for_the_end_of_a_ban_and_makes_none_longer() -> None:
    some = scenario({"every": [60, 60], "tasks": 10}, horizon=5000, limit=5, ban=LAWS["escalate"])
    hasty, patient = Run(some, FIXED, 0).result(), Patient(some, FIXED, 0).result()
    assert patient.longest_ban == 1 < hasty.longest_ban
    assert llm(patient) > llm(hasty)
    from_outside = replace(some, timeline=(Change(100, ban=600),))
    assert Patient(from_outside, FIXED, 0).result().longest_ban == 1, "the first request into a ban from outside is not our own doing"


def test_what_is_drawn_is_the_same_each_time_and_differs_by_seed() -> None:
    assert set(DRAWN).isdisjoint(HELD_OUT)
    assert drawn(1) == drawn(1)
    assert len({repr(drawn(seed)) for seed in (*DRAWN, *HELD_OUT)}) == len(DRAWN) + len(HELD_OUT)
    bans = [drawn(2, law).account.ban for law in LAWS]
    assert len(set(bans)) == len(LAWS)


def test_a_task_is_over_three_minutes_after_its_start() -> None:
    """Steps that wait for a banned account until they are cut off: a new one every 25.5 s."""
    some = parse({"horizon": 600, "load": {"every": [600, 600]}, "timeline": [{"at": 0, "ban": 600}]})
    assert len(Oracle(some, 0, prompt=False, even=False).result().answers) == 8
    assert len(Oracle(some, 0, prompt=True, even=False).result().answers) == 12
