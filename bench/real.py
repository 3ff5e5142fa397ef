"""Whether the simulation tells the truth: the same load and account once on the virtual clock, once for real: `make bench-real`.

For real means: a web process and a worker on SQLite, the stand-in with the scenario's hidden account, and callers that post over HTTP,
at real speed. `python -m bench.real [--scenario FILE] [--seconds 600] [--pacings learned fixed] [--seed 0]`. A real miner stretches its
pauses by dice of its own, so the simulation is run with many; exit status 1 where a count lies more than 5 % outside of what they give.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from agents.simulation.measures import Answered, Record, means
from agents.simulation.run import NEXT_STEP, Run, load_dice
from agents.simulation.settings import Miner as Settings
from agents.simulation.settings import with_settings
from agents.standin.process import StandIn
from agents.standin.scenario import Scenario, load_file
from bench.miner import web
from minerpanel.tests.processes import step_body

SCENARIO = Path(__file__).parent / "real.json"
TOLERANCE = 0.05
COMPARED = ("steps", "in_time", "llm", "edge_429")
SECONDS = ("p50", "p95")
# Dice for the stretch of pauses: enough to see how far they move the counts.
LUCKS = 20
# Of a validator's own patience; a step's deadline is shorter.
CLIENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Played:
    """The counts of one run, the seconds of its answers, and why the LLM did not give the others, where that is on record."""

    steps: float
    in_time: float
    llm: float
    edge_429: float
    p50: float
    p95: float
    reasons: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, record: Record) -> Played:
        """What a run's record comes to."""
        measures = means([record])
        return cls(**{name: getattr(measures, name) for name in (*COMPARED, *SECONDS)})


def main() -> int:
    """Prints both lines and their ratio for each pacing."""
    parser = argparse.ArgumentParser(prog="bench.real", description=__doc__.partition("\n")[0])
    parser.add_argument("--scenario", type=Path, default=SCENARIO)
    parser.add_argument("--seconds", type=float, default=600.0, help="how much of the scenario is played (%(default)s)")
    parser.add_argument("--pacings", nargs="+", choices=("learned", "fixed"), default=["learned", "fixed"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    scenario = load_file(options.scenario)
    scenario = replace(scenario, horizon=min(scenario.horizon, options.seconds))
    print(f"{options.scenario.stem}, {scenario.horizon:.0f} s, seed {options.seed}")
    faults = []
    for pacing in options.pacings:
        settings = [f"pacing={pacing}"]
        simulated = simulate(scenario, settings, options.seed, range(LUCKS))
        real = play(options.scenario, scenario, settings, options.seed)
        show(pacing, simulated, real)
        faults += [f"{pacing}: {fault}" for fault in differences(simulated, real, TOLERANCE)]
    print("\n" + ("\n".join(f"DIFFERS  {fault}" for fault in faults) or "The simulation and reality agree."))
    return int(bool(faults))


def simulate(scenario: Scenario, settings: Iterable[str], seed: int, lucks: Iterable[int]) -> list[Played]:
    """The scenario on the virtual clock, once with each of the dice for the stretch of pauses."""
    miner = with_settings(Settings(), settings)
    return [Played.of(Run(scenario, miner, seed, luck).result()) for luck in lucks]


def play(file: Path, scenario: Scenario, settings: Sequence[str], seed: int) -> Played:
    """The scenario in `file`, as far as `scenario` goes, with real processes at real speed."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))) / "miner"
        standin = stack.enter_context(StandIn.started("--scenario", str(file), "--seed", str(seed)))
        url, miner = web(stack, standin, data, ",".join(scenario.account.models), *settings)
        miner.workers([{}])
        standin.reset()  # the account's time starts with the load's
        record = Record(answers=asyncio.run(posted(url, scenario, seed)))
        llm = miner.rows("SELECT count(*) FROM agents_step WHERE route = 'llm'")[0][0]
        refused = miner.rows("SELECT count(*) FROM agents_llmattempt WHERE refusal = 'edge'")[0][0]
        reasons = miner.rows("SELECT reason, count(*) FROM agents_step WHERE route <> 'llm' GROUP BY reason ORDER BY reason")
        return replace(Played.of(record), llm=llm, edge_429=refused, reasons=tuple(reasons))


async def posted(url: str, scenario: Scenario, seed: int) -> list[Answered]:
    """What the callers of the scenario's load got, each task posting its next step some time after the answer to the one before."""
    started_at = time.monotonic()
    over = started_at + scenario.horizon
    async with httpx.AsyncClient(
        base_url=url, timeout=CLIENT_SECONDS, trust_env=False, limits=httpx.Limits(max_connections=None)
    ) as client:
        arrivals = scenario.load.arrivals(scenario.horizon, load_dice(seed))
        tasks = [task(client, number, started_at + at, scenario.load.steps, over) for number, at in enumerate(arrivals)]
        return [answer for answers in await asyncio.gather(*tasks) for answer in answers]


async def task(client: httpx.AsyncClient, number: int, at: float, steps: int, over: float) -> list[Answered]:
    """One task from its first step at `at` on."""
    answers: list[Answered] = []
    while len(answers) < steps and at < over:
        await asyncio.sleep(at - time.monotonic())
        posted_at = time.monotonic()
        response = await client.post("/step", json=step_body(number, step_index=len(answers)))
        response.raise_for_status()
        answered_at = time.monotonic()
        answers.append(Answered(posted_at, answered_at, answered_at - posted_at <= Settings().deadline, by_llm=False))
        at = answered_at + NEXT_STEP
    return answers


def show(pacing: str, simulated: Sequence[Played], real: Played) -> None:
    """What the simulation gave at least and at most, what came for real, its ratio to that, and why the template agent answered."""
    names = (*COMPARED, *SECONDS)
    ranges = {name: spread(simulated, name) for name in names}
    print(f"\n{pacing:12}" + "".join(f"{name:>10}" for name in names))
    for title, place in (("simulated", 0), ("  up to", 1)):
        print(f"{title:12}" + "".join(f"{ranges[name][place]:10.6g}" for name in names))
    print(f"{'real':12}" + "".join(f"{getattr(real, name):10.6g}" for name in names))
    print(f"{'ratio':12}" + "".join(ratio(nearest(simulated, real, name), getattr(real, name)) for name in names))
    print("template    " + ", ".join(f"{reason} {count}" for reason, count in real.reasons), flush=True)


def ratio(expected: float, real: float) -> str:
    """One column of the ratios."""
    return f"{real / expected:10.3f}" if expected else f"{'–':>10}"


def spread(simulated: Sequence[Played], name: str) -> tuple[float, float]:
    """The least and the most that the simulation gave."""
    values = [getattr(played, name) for played in simulated]
    return min(values), max(values)


def nearest(simulated: Sequence[Played], real: Played, name: str) -> float:
    """What lies nearest to reality of all that the simulation may give."""
    least, most = spread(simulated, name)
    return float(min(max(getattr(real, name), least), most))


def differences(simulated: Sequence[Played], real: Played, tolerance: float) -> Iterator[str]:
    """The counts that differ by more than `tolerance`. By one they may always differ: there is nothing between a refusal and none."""
    for name in COMPARED:
        expected, got = nearest(simulated, real, name), getattr(real, name)
        if abs(got - expected) > max(1.0, tolerance * expected):
            yield f"{name}: {got:g} for real, {expected:g} simulated"


if __name__ == "__main__":
    raise SystemExit(main())
