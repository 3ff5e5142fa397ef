"""How well the gate does against hidden accounts, beside what others reach: `make bench-gate`.

`python -m bench.gate [--scenarios FOLDER] [--seeds 3] [--varied N]`; the folder may also come from BENCH_SCENARIOS. Exit status 1 where
the learned pace misses what it promises.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.simulation.measures import Measures
from agents.simulation.run import simulate
from agents.simulation.settings import Miner, with_settings
from agents.standin.scenario import Scenario, load_file
from bench import varied

HERE = Path(__file__).parent
PACINGS = ("fixed", "learned")
# Of the simple gate's share of LLM answers; a load's dice move it by that much.
TOLERANCE = 0.97
IN_TIME, IN_TIME_WITH_FAULTS = 1.0, 0.999
BAN_HITS, BAN_BACK = 15, 6.0
MOST_RESUME, MOST_P95 = 2.5, 12.0
COLUMNS = ("steps", "llm", "in_time", "edge_429", "in_ban", "wasted", "resume_minutes", "p95")
TITLES = ("steps", "LLM", "in time", "429", "in ban", "wasted", "resume", "p95")


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario under one pacing."""

    name: str
    pacing: str
    measures: Measures


def main() -> int:
    """Prints the table, the peers, the totals and what was missed."""
    parser = argparse.ArgumentParser(prog="bench.gate", description=__doc__.partition("\n")[0])
    parser.add_argument("--scenarios", type=Path, default=os.environ.get("BENCH_SCENARIOS") or HERE / "scenarios")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--varied", type=int, metavar="N", help="play N drawn accounts of each family instead")
    options = parser.parse_args()
    if options.varied:
        return varied.report(options.varied)
    scenarios = {path.stem: load_file(path) for path in sorted(Path(options.scenarios).glob("*.json"))}
    if not scenarios:
        parser.error(f"{options.scenarios} holds no scenario.")
    peers = json.loads((HERE / "peers.json").read_text("utf-8"))
    rows = list(played(scenarios, range(options.seeds)))
    show(rows, peers)
    faults = [fault for row in rows if row.pacing == "learned" for fault in missed(row, scenarios[row.name], peers)]
    faults += missed_in_all([row.measures for row in rows if row.pacing == "learned"])
    print("\n" + ("\n".join(f"MISSED  {fault}" for fault in faults) or "All that the learned pace promises is kept."))
    return int(bool(faults))


def played(scenarios: Mapping[str, Scenario], seeds: Sequence[int]) -> Iterator[Row]:
    """Each scenario under each pacing."""
    for name, scenario in scenarios.items():
        for pacing in PACINGS:
            yield Row(name, pacing, simulate(scenario, with_settings(Miner(), [f"pacing={pacing}"]), seeds))


def show(rows: Sequence[Row], peers: Mapping[str, Any]) -> None:
    """The table with the peers' share of LLM answers, and the totals."""
    others = peers["columns"][1:]
    print(peers["source"] + "\n")
    print(
        f"{'scenario':18}{'pacing':9}"
        + "".join(f"{title:>9}" for title in TITLES)
        + f"{'LLM %':>9}"
        + "".join(f"{each:>13}" for each in others)
    )
    for row in rows:
        known = peers["llm"].get(row.name)
        shares = [f"{100 * each / known[0]:12.1f}%" for each in known[1:]] if known else [f"{'–':>13}"] * len(others)
        print(f"{row.name:18}{row.pacing:9}{cells(row.measures)}{100 * share(row.measures):8.1f}%{''.join(shares)}")
    for pacing in PACINGS:
        some = [row.measures for row in rows if row.pacing == pacing]
        print(f"{'all':18}{pacing:9}{cells(total(some))}{100 * share(total(some)):8.1f}%")
    known = [counts for name, counts in peers["llm"].items() if name in {row.name for row in rows}]
    if known:
        steps = sum(counts[0] for counts in known)
        shares = [f"{100 * sum(counts[place] for counts in known) / steps:12.1f}%" for place in range(1, len(others) + 1)]
        print(f"{'all, peers':18}{'':9}{steps:9}{'':{9 * len(TITLES)}}{''.join(shares)}")


def cells(measures: Measures) -> str:
    """One line's numbers."""
    values = [getattr(measures, name) for name in COLUMNS]
    return "".join(f"{'–' if value is None else f'{value:.1f}'.removesuffix('.0'):>9}" for value in values)


def share(measures: Measures) -> float:
    """The part of all steps that the LLM answered."""
    return measures.llm / measures.steps if measures.steps else 0.0


def total(some: Sequence[Measures]) -> Measures:
    """Sums of the counts, means of the times."""
    resumes = [each.resume_minutes for each in some if each.resume_minutes is not None]
    sums = {name: sum(getattr(each, name) for each in some) for name in COLUMNS[:6]}
    means = {name: sum(getattr(each, name) for each in some) / len(some) for name in ("p50", "p95")}
    return Measures(**sums, **means, resume_minutes=sum(resumes) / len(resumes) if resumes else None)


def missed(row: Row, scenario: Scenario, peers: Mapping[str, Any]) -> Iterator[str]:
    """What one row does not reach."""
    measures, known = row.measures, peers["llm"].get(row.name)
    has_faults = any(scenario.account.faults.values())
    if measures.in_time < measures.steps * (IN_TIME_WITH_FAULTS if has_faults else IN_TIME):
        yield f"{row.name}: {measures.in_time:.0f} of {measures.steps:.0f} steps in time"
    if known and share(measures) < TOLERANCE * known[-1] / known[0]:
        yield f"{row.name}: {100 * share(measures):.1f} % by the LLM, the simple gate {100 * known[-1] / known[0]:.1f} %"
    if row.name == "05_seed_ban" and (measures.in_ban > BAN_HITS or (measures.resume_minutes or 0) > BAN_BACK):
        yield f"{row.name}: {measures.in_ban:.0f} requests into the ban, back after {measures.resume_minutes} min"


def missed_in_all(some: Sequence[Measures]) -> Iterator[str]:
    """What all rows together do not reach."""
    together = total(some)
    if (together.resume_minutes or 0) > MOST_RESUME:
        yield f"mean resume {together.resume_minutes:.1f} min"
    if together.p95 > MOST_P95:
        yield f"mean p95 {together.p95:.1f} s"


if __name__ == "__main__":
    raise SystemExit(main())
