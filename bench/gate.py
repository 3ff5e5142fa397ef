"""How the gate does with hidden accounts on a virtual clock, beside what others reached with them (peers.json)."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.policy.gate import Limits
from agents.policy.modes import Pacing
from agents.simulation.run import Measures, Miner, simulate
from agents.simulation.scenario import Scenario, load_file

HERE = Path(__file__).parent
SEEDS = 3
# Of the simple gate's share of LLM answers; the seeds of a load move it by that much.
TOLERANCE = 0.97
IN_TIME, IN_TIME_WITH_FAULTS = 1.0, 0.999
BAN_HITS, BAN_BACK = 15, 6.0
MOST_RESUME, MOST_P95 = 2.5, 12.0
COUNTS = ("steps", "llm", "in_time", "edge_429", "in_ban", "wasted")
COLUMNS = (*COUNTS, "resume_minutes", "p95")
TITLES = ("steps", "LLM", "in time", "429", "in ban", "wasted", "resume", "p95", "LLM %")


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    pacing: str
    measures: Measures


def main(options: argparse.Namespace) -> int:
    folder = options.scenarios or HERE / "scenarios"
    scenarios = {path.stem: load_file(path) for path in sorted(folder.glob("*.json"))}
    if not scenarios:
        raise SystemExit(f"{folder} holds no scenario.")
    peers = json.loads((HERE / "peers.json").read_text("utf-8"))
    rows = list(played(scenarios, range(SEEDS)))
    show(rows, peers)
    learned = [row for row in rows if row.pacing == "learned"]
    faults = [fault for row in learned for fault in missed(row, scenarios[row.name], peers)]
    faults += missed_in_all([row.measures for row in learned])
    print("\n" + ("\n".join(f"MISSED  {fault}" for fault in faults) or "The learned pace keeps its promises."))
    return int(bool(faults))


def played(scenarios: Mapping[str, Scenario], seeds: Sequence[int]) -> Iterator[Row]:
    for name, scenario in scenarios.items():
        for pacing in Pacing:
            yield Row(name, pacing, simulate(scenario, Miner(Limits(pacing=pacing)), seeds))


def show(rows: Sequence[Row], peers: Mapping[str, Any]) -> None:
    others = peers["columns"][1:]
    print(peers["source"] + "\n")
    titles = [*(f"{title:>9}" for title in TITLES), *(f"{each:>13}" for each in others)]
    print(f"{'scenario':18}{'pacing':9}{''.join(titles)}")
    for row in rows:
        known = peers["llm"].get(row.name)
        shares = [f"{100 * each / known[0]:12.1f}%" for each in known[1:]] if known else [f"{'–':>13}"] * len(others)
        print(cells(row) + "".join(shares))
    for pacing in Pacing:
        print(cells(Row("all", pacing, total([row.measures for row in rows if row.pacing == pacing]))))
    known = [counts for name, counts in peers["llm"].items() if name in {row.name for row in rows}]
    if known:
        steps, *sums = (sum(counts) for counts in zip(*known, strict=True))
        shares = [f"{100 * each / steps:12.1f}%" for each in sums]
        print(f"{'all, peers':18}{'':9}{steps:9}{'':{9 * len(COLUMNS)}}{''.join(shares)}")


def cells(row: Row) -> str:
    values = [getattr(row.measures, name) for name in COLUMNS]
    texts = ["–" if value is None else f"{value:.1f}".removesuffix(".0") for value in values]
    return f"{row.name:18}{row.pacing:9}" + "".join(f"{text:>9}" for text in texts) + f"{100 * share(row.measures):8.1f}%"


def share(measures: Measures) -> float:
    return measures.llm / measures.steps if measures.steps else 0.0


def total(some: Sequence[Measures]) -> Measures:
    resumes = [each.resume_minutes for each in some if each.resume_minutes is not None]
    sums = {name: sum(getattr(each, name) for each in some) for name in COUNTS}
    means = {name: sum(getattr(each, name) for each in some) / len(some) for name in ("p50", "p95")}
    return Measures(**sums, **means, resume_minutes=sum(resumes) / len(resumes) if resumes else None)


def missed(row: Row, scenario: Scenario, peers: Mapping[str, Any]) -> Iterator[str]:
    measures, known = row.measures, peers["llm"].get(row.name)
    has_faults = any(scenario.account.faults.values())
    if measures.in_time < measures.steps * (IN_TIME_WITH_FAULTS if has_faults else IN_TIME):
        yield f"{row.name}: {measures.in_time:.0f} of {measures.steps:.0f} steps in time"
    if known and share(measures) < TOLERANCE * known[-1] / known[0]:
        yield f"{row.name}: {100 * share(measures):.1f} % by the LLM, the simple gate {100 * known[-1] / known[0]:.1f} %"
    if row.name == "05_seed_ban" and (measures.in_ban > BAN_HITS or (measures.resume_minutes or 0) > BAN_BACK):
        yield f"{row.name}: {measures.in_ban:.0f} requests into the ban, back after {measures.resume_minutes} min"


def missed_in_all(some: Sequence[Measures]) -> Iterator[str]:
    together = total(some)
    if (together.resume_minutes or 0) > MOST_RESUME:
        yield f"mean resume {together.resume_minutes:.1f} min"
    if together.p95 > MOST_P95:
        yield f"mean p95 {together.p95:.1f} s"
