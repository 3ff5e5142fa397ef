"""The bench that plays a scenario for real: a cut of half a minute agrees with its simulation, and a difference is reported."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agents.simulation.run import Measures
from agents.simulation.scenario import load_file
from bench.real import differences, play, simulate

# Rounds of four single steps every five seconds. The account is shut from before the third round until after the fourth: its steps wait. Between
# what happens and what would count otherwise lie more than 1.5 s everywhere, so that a slow machine counts the same.
CUT = {
    "horizon": 26,
    "load": {"every": 5, "tasks": 4, "steps": 1},
    "account": {"latency": 0.5},
    "timeline": [{"at": 8.5, "ban": 9.5}],
}
SETTINGS = ["pacing=fixed", "spacing_seconds=0.5", "backoff_seconds=3,8", "probe_after_pause=false"]


@pytest.mark.slow
def test_the_simulation_agrees_with_a_miner_of_real_processes(tmp_path: Path) -> None:
    file = tmp_path / "cut.json"
    file.write_text(json.dumps(CUT))
    scenario = load_file(file)
    simulated = simulate(scenario, SETTINGS, range(5))
    assert {(result.steps, result.in_time, result.llm, result.edge_429) for result in simulated} == {(20, 20, 18, 2)}
    real, _ = play(file, scenario, SETTINGS)
    assert list(differences(simulated, real, 0.25)) == []


def test_a_difference_beyond_the_tolerance_is_reported_but_never_one_of_1() -> None:
    played = Measures(steps=100, in_time=100, llm=60, edge_429=3, in_ban=0, wasted=0, resume_minutes=None, p50=3.5, p95=9)
    simulated = [played, replace(played, llm=70)]
    for llm in (57, 65, 73):
        assert list(differences(simulated, replace(played, steps=105, llm=llm, edge_429=4, p95=12), 0.05)) == []
    listed = list(differences(simulated, replace(played, steps=106, llm=56, edge_429=5), 0.05))
    assert listed == ["steps: 106 for real, 100 simulated", "llm: 56 for real, 60 simulated", "edge_429: 5 for real, 3 simulated"]
