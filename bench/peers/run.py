"""The miner beside the libraries that people use, in one run, against fake Chutes that hide the same account.

Each peer is a process of its own with fresh fake Chutes. All get the same tasks at the same moments: 12 steps, the next one 2 s after the
answer, and after 25 s the caller hangs up. No peer has the account's numbers. What each does with a step:

    this miner        gate, LLM, template agent, web process and worker as `make run` starts them: with the fixed and with automatic pacing
    openai            the SDK's own retries: two more tries after 0.5 to 8 s
    tenacity          random waits that double up to 60 s, six tries, around httpx: the form that OpenAI's cookbook gives
    pyrate-limiter    waits for its own bucket of 12 or 60 a minute, then one try by httpx
    LiteLLM           `Router` over the account's three models, as its quick start sets it up, with its own retries and cooldowns

A call that fails is a step without an answer: none of the libraries has another. A call that is still under way when the caller hangs
up goes on, since its library does not know of the deadline. Replies count as LLM answers where they hold actions and come in time; p50
and p95 are those of the answers that came in time, whoever gave them. The 429s are counted where they are given, by fake Chutes.

It is 07_ban_escalates from its 288th second on, 12 s before the ban of two minutes. Four minutes of it show both what is sent into a ban,
which makes it longer from the fourth request on, and who comes out of it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from agents.contract.protocol import parse
from agents.devtools.fake_chutes.process import FakeChutes
from agents.page import read
from agents.prompting.prompt import question
from agents.simulation import scenario as scenarios
from agents.simulation.run import NEXT_STEP, TASK_SECONDS
from bench.measure import line, percentile, ratio
from bench.miner import running
from bench.peers.client import Load, Target
from minerpanel.tests.processes import ROOT, Miner, step_body

SCENARIO, START = ROOT / "bench" / "scenarios" / "07_ban_escalates.json", 288.0
DEADLINE = 25.0
# A run on one machine may be read a moment after its end.
AFTERWARDS = 1.0
TITLES = ("version", "steps", "in time", "LLM", "429", "in ban", "p50", "p95", "LLM ×", "429 ×")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


@dataclass(frozen=True, slots=True)
class Peer:
    """How one line of the table is made: `client` of bench.peers.client with its `options`, or `settings` of a miner."""

    name: str
    client: str
    distribution: str = ""
    options: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


PEERS = (
    Peer("this miner, fixed", "this_miner", settings=("pacing=fixed",)),
    Peer("this miner, auto", "this_miner", settings=("pacing=auto",)),
    Peer("openai", "openai_sdk", "openai"),
    Peer("tenacity", "tenacity_httpx", "tenacity"),
    Peer("pyrate-limiter, 12/min", "pyrate", "pyrate-limiter", options=("12",)),
    Peer("pyrate-limiter, 60/min", "pyrate", "pyrate-limiter", options=("60",)),
    Peer("LiteLLM Router", "litellm_router", "litellm"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One peer. `taken`: seconds until each step's answer, None: none in time. `refused`: 429s of the edge; `in_ban`: sent into a ban."""

    name: str
    version: str
    taken: Sequence[float | None]
    llm: int
    refused: int
    in_ban: int


@dataclass(slots=True)
class Running:
    """One peer with its fake Chutes, ready to start. `panel`: where the peer is this miner."""

    peer: Peer
    fake_chutes: FakeChutes
    panel: Miner | None
    process: subprocess.Popen[str]
    version: str = ""

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)

    def read(self) -> str:
        """Raises RuntimeError where the process has ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.peer.name} has ended with status {self.process.wait()}; its error is above.")
        return line.strip()

    def outcome(self, until: float) -> Outcome:
        taken: list[float | None] = json.loads(self.read())
        llm = sum(seconds is not None for seconds in taken)
        if self.panel is not None:
            llm = int(self.panel.rows("SELECT count(*) FROM agents_step WHERE route = 'llm'")[0][0])
        return Outcome(self.peer.name, self.version, taken, llm, *edge(self.fake_chutes.state()["arrivals"], until))


def main(options: argparse.Namespace) -> int:
    python = installed()
    part = cut(json.loads(SCENARIO.read_text("utf-8")), START, options.minutes * 60)
    load = loaded(part, 0)
    tasks = f"{len(load.arrivals)} tasks of {load.steps} steps"
    print(f"{SCENARIO.stem} from {START:g} s for {options.minutes:g} minutes, {tasks}", flush=True)
    for row in table(measured(part, load, python)):
        print(row)
    return 0


def installed() -> str:
    place, required = ROOT / ".venv-peers", ROOT / "bench" / "requirements-peers.txt"
    python, mark = place / "bin" / "python", place / "installed.txt"
    if not mark.exists() or mark.read_text() != required.read_text():
        print(f"Installing the peers into {place}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-r", required], check=True)
        mark.write_text(required.read_text())
    return str(python)


def loaded(part: dict[str, Any], seed: int) -> Load:
    scenario = scenarios.parse(part)
    arrivals = tuple(scenario.load.arrivals(scenario.horizon, Random(seed)))
    return Load(arrivals, scenario.load.steps, scenario.horizon, DEADLINE, NEXT_STEP, TASK_SECONDS)


def measured(part: dict[str, Any], load: Load, python: str) -> Sequence[Outcome]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-peers-", dir=ROOT / "data")))
        (folder / "scenario.json").write_text(json.dumps(part), "utf-8")
        peers = list(started(stack, folder, load, python))
        for each in peers:
            each.version = each.read() or VERSION
        for each in peers:
            each.fake_chutes.reset()
            each.write("go")
        until = time.time() + load.seconds + load.deadline + AFTERWARDS
        return [each.outcome(until) for each in peers]


def started(stack: ExitStack, folder: Path, load: Load, python: str) -> Iterator[Running]:
    for number, peer in enumerate(PEERS):
        fake_chutes = stack.enter_context(FakeChutes.started("--scenario", str(folder / "scenario.json"), "--seed", "0"))
        models = tuple(fake_chutes.state()["settings"]["models"])
        url, panel = fake_chutes.base_url, None
        if not peer.distribution:
            place = folder / str(number)
            panel = stack.enter_context(running(place, fake_chutes, *peer.settings, CHUTES_MODELS=",".join(models)))
            url = panel.web()
            panel.worker()
        command = [python if peer.distribution else sys.executable, "-m", "bench.peers.client", peer.client, *peer.options]
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(process.kill)
        each = Running(peer, fake_chutes, panel, process)
        given = {"load": asdict(load), "target": asdict(target(url, fake_chutes.key, models))}
        each.write(json.dumps({"distribution": peer.distribution, **given}))
        yield each


def target(url: str, key: str, models: tuple[str, ...]) -> Target:
    page = step_body()
    step = parse("/step", json.dumps(page).encode())
    return Target(url, key, models, question(step, read(step.page, step.url)).messages, page)


def cut(scenario: Mapping[str, Any], start: float, seconds: float) -> dict[str, Any]:
    """`scenario` (a file's JSON object) from `start` on for `seconds`. What was changed before is so from the beginning."""
    timeline = []
    for event in sorted(scenario.get("timeline", []), key=lambda event: float(event["at"])):
        ban = event.get("ban", 0.0) - max(0.0, start - event["at"])
        others = {name: value for name, value in event.items() if name != "ban"}
        moved = {**others, "at": max(0.0, event["at"] - start), **({"ban": ban} if ban > 0 else {})}
        if len(moved) > 1:
            timeline.append(moved)
    return {**scenario, "horizon": seconds, "timeline": timeline}


def edge(arrivals: Sequence[Mapping[str, Any]], until: float) -> tuple[int, int]:
    """The 429s and the requests into a ban among what reached fake Chutes by `until`, a Unix time."""
    seen = [arrival for arrival in arrivals if arrival["at"] <= until]
    return sum(arrival["status"] == 429 for arrival in seen), sum(arrival["in_ban"] for arrival in seen)


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield line("", TITLES, 9, 24)
    for each in outcomes:
        in_time = [seconds for seconds in each.taken if seconds is not None]
        times = [f"{percentile(in_time, percent):.2f} s" if len(in_time) > 1 else "–" for percent in (50, 95)]
        ratios = ratio(each.llm, outcomes[0].llm), ratio(each.refused, outcomes[0].refused)
        counts = (each.version, len(each.taken), len(in_time), each.llm, each.refused, each.in_ban)
        yield line(each.name, (*counts, *times, *ratios), 9, 24)
