"""The miner beside the libraries that people use, in one run, against stand-ins for Chutes that hide the same account: `make bench-peers`.

Each peer is a process of its own with a fresh stand-in. All get the same tasks at the same moments: 12 steps, the next one 2 s after the
answer, and after 25 s the caller hangs up. Nobody is told the account's numbers. What each does with a step:

    this miner        gate, LLM, template agent, web process and worker as `make run` starts them: with the fixed and with the learned pace
    openai            the SDK's own retries: two more tries after 0.5 to 8 s
    tenacity          random waits that double up to 60 s, six tries, around httpx: the form that OpenAI's cookbook gives
    pyrate-limiter    waits for its own bucket of 12 or 60 a minute, then one try by httpx
    LiteLLM           `Router` over the account's three models, as its quick start sets it up, with its own retries and cooldowns

A call that fails is a step without an answer: none of the libraries has another. A call that is still under way when the caller hangs
up goes on, since its library does not know of the deadline. Replies count as LLM answers where they hold actions and come in time; p50
and p95 are those of the answers that came in time, whoever gave them. The 429s are counted where they are given, by the stand-in.

The default is 07_ban_escalates from its 288th second on, 12 s before the ban of two minutes. Four minutes of it tell both what is sent
into a ban, which makes it longer from the fourth request on, and who comes out of it. 05_seed_ban is banned for an hour, whoever asks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from agents.page import read
from agents.prompt import question
from agents.protocol import parse
from agents.standin import scenario as scenarios
from agents.standin.process import StandIn
from bench import miner
from bench.peers.cut import cut
from bench.peers.load import Load, Target
from bench.peers.outcome import Outcome, edge, table
from minerpanel.tests.processes import ROOT, Miner, step_body

SCENARIO, START = ROOT / "bench" / "scenarios" / "07_ban_escalates.json", 288.0
DEADLINE, PAUSE = 25.0, 2.0
# A run on one machine may be read a moment after its end.
AFTERWARDS = 1.0
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


@dataclass(frozen=True, slots=True)
class Peer:
    """How one line of the table is made: `options` of its module, or `settings` of a miner."""

    name: str
    module: str
    distribution: str = ""
    options: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


PEERS = (
    Peer("this miner, fixed", "this_miner", settings=("pacing=fixed",)),
    Peer("this miner, learned", "this_miner", settings=("pacing=learned",)),
    Peer("openai", "openai_sdk", "openai"),
    Peer("tenacity", "tenacity_httpx", "tenacity"),
    Peer("pyrate-limiter, 12/min", "pyrate", "pyrate-limiter", options=("12",)),
    Peer("pyrate-limiter, 60/min", "pyrate", "pyrate-limiter", options=("60",)),
    Peer("LiteLLM Router", "litellm_router", "litellm"),
)


class Running:
    """One peer with its stand-in, ready to start."""

    def __init__(self, peer: Peer, standin: StandIn, panel: Miner | None, process: subprocess.Popen[str]) -> None:
        self.peer, self.standin, self.panel, self.process = peer, standin, panel, process
        self.version = ""

    def tell(self, line: str) -> None:
        """A line to the process."""
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)

    def hear(self) -> str:
        """The process's next line. Raises RuntimeError where it has ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.peer.name} has ended with status {self.process.wait()}; its error is above.")
        return line.strip()

    def outcome(self, until: float) -> Outcome:
        """What came of it, when all steps are over."""
        taken: list[float | None] = json.loads(self.hear())
        refused, in_ban = edge(self.standin.state()["arrivals"], until)
        llm = sum(seconds is not None for seconds in taken)
        if self.panel is not None:
            llm = int(self.panel.rows("SELECT count(*) FROM agents_step WHERE route = 'llm'")[0][0])
        return Outcome(self.peer.name, self.version, taken, llm, refused, in_ban)


def main() -> None:
    """Starts everything, plays the load, prints the table."""
    parser = argparse.ArgumentParser(prog="bench.peers", description=__doc__.partition("\n")[0])
    parser.add_argument("--scenario", type=Path, default=SCENARIO)
    parser.add_argument("--from", type=float, dest="start", default=START, help="the second of the scenario to begin at (%(default)s)")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0, help="of the tasks' times (%(default)s)")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the peers")
    options = parser.parse_args()
    part = cut(json.loads(options.scenario.read_text("utf-8")), options.start, options.minutes * 60)
    load = loaded(part, options.seed)
    tasks = f"{len(load.arrivals)} tasks of {load.steps} steps"
    print(f"{options.scenario.stem} from {options.start:g} s for {options.minutes:g} minutes, {tasks}", flush=True)
    for line in table(measured(part, load, options.python)):
        print(line)


def loaded(part: dict[str, Any], seed: int) -> Load:
    """The scenario's load with dice."""
    scenario = scenarios.parse(part)
    arrivals = tuple(scenario.load.arrivals(scenario.horizon, Random(seed)))
    return Load(arrivals, scenario.load.steps, scenario.horizon, DEADLINE, PAUSE)


def measured(part: dict[str, Any], load: Load, python: str) -> Sequence[Outcome]:
    """All peers at the same time."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-peers-", dir=ROOT / "data")))
        (folder / "scenario.json").write_text(json.dumps(part), "utf-8")
        running = list(started(stack, folder, load, python))
        for each in running:
            each.version = each.hear() or VERSION
        for each in running:
            each.standin.reset()
            each.tell("go")
        until = time.time() + load.seconds + load.deadline + AFTERWARDS
        return [each.outcome(until) for each in running]


def started(stack: ExitStack, folder: Path, load: Load, python: str) -> Iterator[Running]:
    """Every peer, told its load and its target."""
    for number, peer in enumerate(PEERS):
        standin = stack.enter_context(StandIn.started("--scenario", str(folder / "scenario.json"), "--seed", "0"))
        models = tuple(standin.state()["settings"]["models"])
        url, panel = standin.base_url, None
        if not peer.distribution:
            url, panel = miner.web(stack, standin, folder / str(number), ",".join(models), *peer.settings)
            panel.worker()
        command = [python if peer.distribution else sys.executable, "-m", "bench.peers.client", peer.module, *peer.options]
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(process.kill)
        each = Running(peer, standin, panel, process)
        each.tell(json.dumps({"distribution": peer.distribution, "load": asdict(load), "target": asdict(target(url, standin.key, models))}))
        yield each


def target(url: str, key: str, models: tuple[str, ...]) -> Target:
    """The same page for all; the libraries get it as the miner's own prompt puts it."""
    page = step_body()
    step = parse("/step", json.dumps(page).encode())
    return Target(url, key, models, question(step, read(step.page, step.url)).messages, page)


if __name__ == "__main__":
    main()
