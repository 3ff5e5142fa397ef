"""How the gate does with hidden accounts on a virtual clock, beside oracles that know them: shown scenarios, drawn ones, four laws of bans.

Ratios are of LLM answers: to the prompt oracle, which like the miner answers at once by the template agent what can't come in time, as a
mean; and to the plain oracle, which lets each step wait, at worst. Of an oracle that spreads its requests and one that does not, the
better counts. `--rows` shows each scenario, with what others reached (peers.json). Their simple gate is described nowhere, so it is not
played here; of the pacings `fixed` comes nearest to it.
"""

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agents.policy.gate import Limits
from agents.policy.modes import Pacing
from agents.simulation.run import Measures, Miner, Run, means
from agents.simulation.scenario import Scenario, load_file
from bench.drawn import DRAWN, HARD, HELD_OUT, KINDS, LAWS, drawn, hard
from bench.oracle import Oracle, Patient

# Of automatic pacing, over the shown scenarios together; the other groups are only reported.
LEAST_IN_TIME = 0.999
MOST = {"edge_429": 30.0, "resume_minutes": 2.5, "p95": 12.0}
# Of automatic pacing, by scenario. The simple gate's share of LLM answers: the seeds of a load move it by that much.
SIMPLE_GATE = 0.97
BAN_HITS, BAN_BACK = 15, 6.0

HERE = Path(__file__).parent
SEEDS = {"shown": range(3)}
COUNTS = ("steps", "llm", "in_time", "edge_429", "in_ban", "wasted")
COLUMNS = (*COUNTS, "resume_minutes", "p95")
TITLES = ("steps", "LLM", "in time", "429", "in ban", "wasted", "resume", "p95", "LLM %")


@dataclass(frozen=True, slots=True)
class Job:
    """`player`: a pacing, "patient" and a pacing, or the kind of an oracle."""

    group: str
    name: str
    player: str
    scenario: Scenario


@dataclass(frozen=True, slots=True)
class Row:
    group: str
    name: str
    player: str
    measures: Measures
    longest_ban: float


@dataclass(frozen=True, slots=True)
class Summary:
    """A pacing over a group. `worst`: the scenario of `to_plain`. `to_patient` None: not asked in this group."""

    to_prompt: float
    to_plain: float
    worst: str
    to_patient: float | None
    edge_429: float
    longest_ban: float
    resume_minutes: float | None
    p95: float
    in_time: float


def main(options: argparse.Namespace) -> int:
    shown = shown_scenarios(options.scenarios or HERE / "scenarios")
    peers = json.loads((HERE / "peers.json").read_text("utf-8"))
    rows = list(played(list(jobs(shown))))
    if options.rows is not None:
        show(rows, peers)
    print(f"\n{'':22}to prompt  to plain, worst        to patient      429   longest    resume       p95   in time")
    faults = list[str]()
    for group in dict.fromkeys(row.group for row in rows):
        for pacing in Pacing:
            found = summary(rows, group, pacing)
            print(line(group, pacing, found), flush=True)
            faults += missed(pacing, group, found)
    faults += [fault for row in rows if (row.group, row.player) == ("shown", "auto") for fault in missed_in(row, peers)]
    print("\n" + ("\n".join(f"MISSED  {fault}" for fault in faults) or "All promises are kept."))
    return int(bool(faults))


def shown_scenarios(folder: Path) -> dict[str, Scenario]:
    found = {path.stem: load_file(path) for path in sorted(folder.glob("*.json"))}
    if not found:
        raise SystemExit(f"{folder} holds no scenario.")
    return found


def jobs(shown: Mapping[str, Scenario]) -> Iterator[Job]:
    """Oracles never break a limit, so that no law of bans changes what they reach."""
    groups = {"shown": shown, "drawn": {f"drawn {seed}": drawn(seed) for seed in DRAWN}}
    groups["held out"] = {f"held out {seed}": drawn(seed) for seed in HELD_OUT}
    groups["hard"] = {f"hard {seed}": hard(seed) for seed in HARD}
    for group, scenarios in groups.items():
        yield from (Job(group, name, player, each) for name, each in scenarios.items() for player in (*Pacing, "prompt", "plain"))
    for law in LAWS:
        patient = [f"patient {pacing}" for pacing in Pacing if law == "escalate"]
        some = DRAWN[: len(KINDS)]  # one of each kind
        yield from (Job(f"law {law}", f"drawn {seed}", player, drawn(seed, law)) for seed in some for player in (*Pacing, *patient))


def played(some: Sequence[Job]) -> Iterator[Row]:
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        for count, row in enumerate(pool.imap(play, some), 1):
            if count % 20 == 0 or count == len(some):
                print(f"{count} of {len(some)} played", flush=True)
            yield row


def play(job: Job) -> Row:
    seeds, pacing = SEEDS.get(job.group, range(1)), job.player.removeprefix("patient ")
    if job.player in ("prompt", "plain"):
        is_prompt = job.player == "prompt"
        ways = [[Oracle(job.scenario, seed, prompt=is_prompt, even=even).result() for seed in seeds] for even in (False, True)]
        records = max(ways, key=lambda records: means(records).llm)
    else:
        kind = Run if pacing == job.player else Patient
        records = [kind(job.scenario, Miner(Limits(pacing=Pacing(pacing))), seed).result() for seed in seeds]
    return Row(job.group, job.name, job.player, means(records), max(record.longest_ban for record in records))


def summary(rows: Sequence[Row], group: str, pacing: str) -> Summary:
    own = [row for row in rows if (row.group, row.player) == (group, pacing)]
    together = total([row.measures for row in own])
    plain = [(ratio(row, rows, "plain"), row.name) for row in own]
    prompt = [ratio(row, rows, "prompt") for row in own]
    patient = [ratio(row, rows, f"patient {pacing}") for row in own if group == "law escalate"]
    return Summary(
        to_prompt=sum(prompt) / len(prompt),
        to_plain=min(plain)[0],
        worst=min(plain)[1],
        to_patient=sum(patient) / len(patient) if patient else None,
        edge_429=together.edge_429,
        longest_ban=max(row.longest_ban for row in own),
        resume_minutes=together.resume_minutes,
        p95=together.p95,
        in_time=together.in_time / together.steps,
    )


def ratio(row: Row, rows: Sequence[Row], player: str) -> float:
    """LLM answers to those of `player`; 1 where there are none to be had."""
    other = next(each.measures.llm for each in rows if (each.name, each.player) == (row.name, player))
    return row.measures.llm / other if other else 1.0


def total(some: Sequence[Measures]) -> Measures:
    resumes = [each.resume_minutes for each in some if each.resume_minutes is not None]
    sums = {name: sum(getattr(each, name) for each in some) for name in COUNTS}
    values = {name: sum(getattr(each, name) for each in some) / len(some) for name in ("p50", "p95")}
    return replace(some[0], **sums, **values, resume_minutes=sum(resumes) / len(resumes) if resumes else None)


def line(group: str, pacing: str, found: Summary) -> str:
    resume = "–" if found.resume_minutes is None else f"{found.resume_minutes:.1f} min"
    patient = "–" if found.to_patient is None else f"{found.to_patient:.3f}"
    ratios = f"{found.to_prompt:9.3f}{found.to_plain:10.3f}  {found.worst:18}{patient:>10}"
    rest = f"{found.longest_ban:9.1f}×{resume:>10}{found.p95:8.1f} s{100 * found.in_time:8.2f}%"
    return f"{group:14}{pacing:8}{ratios}{found.edge_429:9.0f}{rest}"


def missed(pacing: str, group: str, found: Summary) -> Iterator[str]:
    if (pacing, group) != ("auto", "shown"):
        return
    if found.in_time < LEAST_IN_TIME:
        yield f"{pacing}, {group}: in_time {found.in_time:.3f}, {LEAST_IN_TIME:g} promised"
    for name, most in MOST.items():
        got = getattr(found, name)
        if got is not None and got > most:
            yield f"{pacing}, {group}: {name} {got:.1f}, at most {most:g} promised"


def missed_in(row: Row, peers: Mapping[str, Any]) -> Iterator[str]:
    measures, known = row.measures, peers["llm"].get(row.name)
    if known and share(measures) < SIMPLE_GATE * known[-1] / known[0]:
        yield f"{row.name}: {100 * share(measures):.1f} % by the LLM, the simple gate {100 * known[-1] / known[0]:.1f} %"
    if row.name == "05_seed_ban" and (measures.in_ban > BAN_HITS or (measures.resume_minutes or 0) > BAN_BACK):
        yield f"{row.name}: {measures.in_ban:.0f} requests into the ban, back after {measures.resume_minutes} min"


def show(rows: Sequence[Row], peers: Mapping[str, Any]) -> None:
    """Each scenario; of those that are held out nothing, so that nobody tunes to them."""
    print("\n" + peers["source"])
    others = peers["columns"][1:]
    print(f"\n{'':31}" + "".join(f"{title:>9}" for title in (*TITLES, "longest")) + "".join(f"{each:>12}" for each in others))
    for row in rows:
        if row.group != "held out":
            known = peers["llm"].get(row.name, ())
            print(cells(row) + "".join(f"{100 * each / known[0]:11.1f}%" for each in known[1:]))


def cells(row: Row) -> str:
    values = [getattr(row.measures, name) for name in COLUMNS]
    texts = ["–" if value is None else f"{value:.1f}".removesuffix(".0") for value in values]
    last = f"{100 * share(row.measures):8.1f}%{row.longest_ban:8.1f}×"
    name = row.name if row.group in ("shown", "drawn", "hard") else f"{row.name}, {row.group.removeprefix('law ')}"
    return f"{name:19}{row.player:16}"[:31] + "".join(f"{text:>9}" for text in texts) + last


def share(measures: Measures) -> float:
    return measures.llm / measures.steps if measures.steps else 0.0
