"""Whether the simulation is right: the same load and account once on the virtual clock, once with real processes at real speed."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import django

from agents.devtools.fake_chutes.process import FakeChutes
from agents.simulation.run import NEXT_STEP, TASK_SECONDS, Answered, Measures, Miner, Record, Run, load_dice, means
from agents.simulation.scenario import Scenario, load_file
from bench.measure import line, ratio
from bench.miner import OWN, running
from bench.peers import client
from minerpanel.tests.processes import step_body

SCENARIO = Path(__file__).parent / "real.json"
TOLERANCE = 0.05  # a count that lies further outside of what the seeds give differs
SEED = 0
COMPARED = ("steps", "in_time", "llm", "edge_429")
SHOWN = (*COMPARED, "p50", "p95")
# A real miner stretches its pauses at random: enough seeds to see how far that moves the counts.
SEEDS = 20
# Of a validator; a step's deadline is shorter.
CLIENT_SECONDS = 60.0


def main(options: argparse.Namespace) -> int:
    os.environ.update(OWN)
    django.setup()
    scenario = load_file(SCENARIO)
    scenario = replace(scenario, horizon=min(scenario.horizon, options.seconds))
    print(f"{SCENARIO.stem}, {scenario.horizon:.0f} s a pacing")
    faults = []
    for pacing in ("auto", "fixed"):
        settings = [f"pacing={pacing}"]
        simulated = simulate(scenario, settings, range(SEEDS))
        real, reasons = play(SCENARIO, scenario, settings)
        show(pacing, simulated, real)
        print("template    " + ", ".join(f"{reason} {count}" for reason, count in reasons), flush=True)
        faults += [f"{pacing}: {fault}" for fault in differences(simulated, real, TOLERANCE)]
    print("\n" + ("\n".join(f"DIFFERS  {fault}" for fault in faults) or "The simulation and reality agree."))
    return int(bool(faults))


def simulate(scenario: Scenario, settings: Iterable[str], pause_seeds: Iterable[int]) -> list[Measures]:
    from agents.simulation.settings import miner_with  # noqa: PLC0415 -- needs Django set up

    miner = miner_with(settings)
    return [means([Run(scenario, miner, SEED, each).result()]) for each in pause_seeds]


def play(file: Path, scenario: Scenario, settings: Sequence[str]) -> tuple[Measures, list[tuple[Any, ...]]]:
    """The scenario in `file`, as far as `scenario` goes, for real: what came, and why the template answered, with the counts."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))) / "miner"
        fake_chutes = stack.enter_context(FakeChutes.started("--scenario", str(file), "--seed", str(SEED)))
        miner = stack.enter_context(running(data, fake_chutes, *settings, CHUTES_MODELS=",".join(scenario.account.models)))
        url = miner.web()
        miner.workers([{}])
        arrivals = tuple(scenario.load.arrivals(scenario.horizon, load_dice(SEED)))
        load = client.Load(arrivals, scenario.load.steps, scenario.horizon, CLIENT_SECONDS, NEXT_STEP, TASK_SECONDS)
        fake_chutes.reset()  # the account's time starts with the load's
        taken = asyncio.run(client.play(load, client.this_miner(client.Target(url, "", (), [], step_body()))))
        seconds = [CLIENT_SECONDS if each is None else each for each in taken]
        answers = [Answered(0.0, each, in_time=each <= Miner().deadline, by_llm=False) for each in seconds]
        llm = miner.rows("SELECT count(*) FROM agents_step WHERE route = 'llm'")[0][0]
        refused = miner.rows("SELECT count(*) FROM agents_llmattempt WHERE refusal = 'edge'")[0][0]
        reasons = miner.rows("SELECT reason, count(*) FROM agents_step WHERE route <> 'llm' GROUP BY reason ORDER BY reason")
        return replace(means([Record(answers)]), llm=llm, edge_429=refused), reasons


def show(pacing: str, simulated: Sequence[Measures], real: Measures) -> None:
    """The simulation's range, what came for real, and its ratio to that."""
    print("\n" + line(pacing, SHOWN, name_width=12))
    ranges = [[getattr(each, name) for each in simulated] for name in SHOWN]
    rows = {"simulated": map(min, ranges), "  up to": map(max, ranges), "real": (getattr(real, name) for name in SHOWN)}
    for title, values in rows.items():
        print(line(title, (f"{each:.6g}" for each in values), name_width=12))
    print(line("ratio", (ratio(getattr(real, name), nearest(simulated, real, name)) for name in SHOWN), name_width=12))


def nearest(simulated: Sequence[Measures], real: Measures, name: str) -> float:
    """What lies nearest to reality within the simulation's range."""
    values = [getattr(each, name) for each in simulated]
    return float(min(max(getattr(real, name), min(values)), max(values)))


def differences(simulated: Sequence[Measures], real: Measures, tolerance: float) -> Iterator[str]:
    """The counts that differ by more than `tolerance`. By one they may always differ: there is nothing between a refusal and none."""
    for name in COMPARED:
        expected, got = nearest(simulated, real, name), getattr(real, name)
        if abs(got - expected) > max(1.0, tolerance * expected):
            yield f"{name}: {got:g} for real, {expected:g} simulated"
