"""Hidden accounts, loads and laws of many kinds, drawn with fixed seeds: what the pace must do well on without being tuned to it.

Three worlds: each account under the ban law it was drawn with, the same without any bans, and under a law where one violation bans
and every hit starts the ban anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from agents.simulation.measures import Record, means, resumes
from agents.simulation.run import Run
from agents.simulation.settings import Miner, with_settings
from agents.standin.scenario import Scenario, parse
from bench.rivals import SimpleGate, oracle

Json = dict[str, Any]
WORLDS: dict[str, Json] = {
    "as drawn": {},
    "no bans": {"strikes": 0},
    "harsh": {"strikes": 1, "on_hit": "restart", "hit_grace": 0},
}
GEMMA, QWEN = "google/gemma-4-31B-turbo-TEE", "Qwen/Qwen3-32B-TEE"
FAULTS = ("http500", "http502", "reset", "truncated", "empty", "badjson", "midstream")


def scenarios(world: str, a_family: int) -> dict[str, Scenario]:
    """`a_family` scenarios of each family, by name, with the world's ban law."""
    drawn = {}
    for family, draw in FAMILIES.items():
        for number in range(a_family):
            value = draw(Random(f"{family} {number}"))
            account = {**value["account"], "ban": {**value["account"].get("ban", {}), **WORLDS[world]}}
            drawn[f"{family} {number}"] = parse({**value, "account": account})
    return drawn


def _rounds(rng: Random) -> Json:
    least = rng.choice([240, 300, 420])
    return {"every": [least, least + 60], "tasks": rng.choice([5, 8, 10, 15])}


def _steady(rng: Random) -> Json:
    least = rng.choice([20, 30, 60, 120])
    return {"every": [least, 2 * least], "tasks": 1}


def _poisson(rng: Random) -> Json:
    return {"per_min": rng.choice([0.5, 1, 2, 3])}


def _burst(rng: Random) -> Json:
    every = rng.choice([300, 600])
    return {"every": [every, every], "tasks": rng.choice([30, 60, 100]), "steps": 1}


def _any_load(rng: Random) -> Json:
    return rng.choice([_rounds, _rounds, _steady, _poisson])(rng)


def _law(rng: Random) -> Json:
    return {
        "strikes": rng.choice([1, 3, 5, 5]),
        "base": rng.choice([30, 60, 120]),
        "law": rng.choice(["double", "double", "constant"]),
        "on_hit": rng.choice(["none", "none", "restart", "escalate"]),
        "hit_grace": rng.choice([0, 0, 3]),
    }


def _case(load: Json, account: Json, timeline: list[Json] | None = None, hours: float = 1.5) -> Json:
    return {"horizon": 3600 * hours, "load": load, "account": account, "timeline": timeline or []}


def _told_truly(rng: Random) -> Json:
    limit = rng.choice([12, 20, 30, 90, 120, 240])
    return _case(_any_load(rng), {"limit": limit, "published": limit, "ban": _law(rng)})


def _told_wrongly(rng: Random) -> Json:
    limit = rng.choice([15, 20, 30, 45, 60])
    return _case(_any_load(rng), {"limit": limit, "published": rng.choice([30, 60, 60, 120]), "ban": _law(rng)})


def _not_told(rng: Random) -> Json:
    limit = rng.choice([20, 30, 60, 60, 120])
    return _case(_any_load(rng), {"limit": limit, "published": rng.choice([0, "inf"]), "ban": _law(rng)})


def _tight(rng: Random) -> Json:
    return _case(_any_load(rng), {"limit": rng.choice([5, 8, 10]), "ban": _law(rng)})


def _other_window(rng: Random) -> Json:
    window = rng.choice([10, 20, 30, 120, 300])
    limit = max(3, round(rng.choice([30, 60, 90]) * window / 60))
    return _case(_any_load(rng), {"limit": limit, "window": window, "ban": _law(rng)})


def _balancers(rng: Random) -> Json:
    return _case(_any_load(rng), {"limit": rng.choice([10, 20, 60]), "balancers": rng.choice([2, 3, 4]), "ban": _law(rng)})


def _leaky(rng: Random) -> Json:
    account = {"limit": rng.choice([12, 30, 60, 60]), "counter": "leaky", "burst": rng.choice([0, 2, 5, 10, 20]), "ban": _law(rng)}
    return _case(_any_load(rng), account)


def _bursts(rng: Random) -> Json:
    account = {"limit": rng.choice([30, 60, 90]), "published": rng.choice([60, 60, 0, "inf"]), "ban": _law(rng)}
    return _case(_burst(rng), account, hours=1)


def _falls_and_rises(rng: Random) -> Json:
    low = rng.choice([5, 6, 12, 20])
    timeline = [{"at": rng.uniform(600, 1500), "set": {"limit": low}}, {"at": rng.uniform(3000, 4200), "set": {"limit": 60}}]
    return _case(_any_load(rng), {"ban": _law(rng)}, timeline)


def _rises(rng: Random) -> Json:
    high = rng.choice([60, 60, 120])
    return _case(_any_load(rng), {"limit": rng.choice([10, 20]), "published": high}, [{"at": 2000, "set": {"limit": high}}])


def _banned(rng: Random) -> Json:
    law = _law(rng) | {"cap": rng.choice([3600, 86_400])}
    timeline = [{"at": rng.choice([0, 300, 1200]), "ban": rng.choice([60, 120, 300, 600, 1800, 3600])}]
    return _case(_steady(rng), {"ban": law}, timeline, hours=2)


def _key_invalid(rng: Random) -> Json:
    start = rng.uniform(300, 1500)
    timeline = [{"at": start, "set": {"valid": False}}, {"at": start + rng.choice([300, 900, 2400]), "set": {"valid": True}}]
    return _case(_steady(rng), {}, timeline)


def _used_up(rng: Random) -> Json:
    reset = {"reset_at": rng.choice([1800, 3000]), "period": rng.choice([14_400, 86_400])}
    quota, cap = (
        {"total": rng.choice([150, 300]), "used": rng.choice([0, 100]), **reset},
        {"cap": 1.0, "used": rng.choice([0, 0.5]), **reset},
    )
    return _case(_steady(rng), rng.choice([{"quota": quota}, {"cap4h": cap}]))


def _models_full(rng: Random) -> Json:
    full = {GEMMA: {"full": rng.choice([0.5, 1.0])}, QWEN: {"full": rng.choice([0.0, 0.5])}}
    return _case(_any_load(rng), {}, [{"at": 600, "set": {"models": full}}])


def _faulty(rng: Random) -> Json:
    return _case(_steady(rng), {"faults": {fault: rng.choice([0.01, 0.03, 0.05]) for fault in FAULTS}})


FAMILIES: dict[str, Callable[[Random], Json]] = {
    "told truly": _told_truly,
    "told wrongly": _told_wrongly,
    "not told": _not_told,
    "tight": _tight,
    "other window": _other_window,
    "balancers": _balancers,
    "leaky": _leaky,
    "bursts": _bursts,
    "falls and rises": _falls_and_rises,
    "rises": _rises,
    "banned": _banned,
    "key invalid": _key_invalid,
    "used up": _used_up,
    "models full": _models_full,
    "faulty": _faulty,
}

# Of all drawn accounts of a world, the learned pace reaches at least this part of the oracle's LLM answers, as a mean, with at most so
# many 429s of the edge in 28 hours. These accounts are harder than most: a quarter of them refuse at a fraction of what they publish.
PROMISED = {"as drawn": (0.84, 50), "no bans": (0.84, 100), "harsh": (0.80, 60)}
HOURS = 28.0


@dataclass(frozen=True, slots=True)
class Row:
    """One drawn account: parts of the oracle's LLM answers, and what the learned pace's run was like."""

    name: str
    hours: float
    learned: float
    simple: float
    record: Record


def played(world: str, a_family: int) -> Iterator[Row]:
    """Each drawn account under the learned pace, the simple gate and the oracle."""
    miner = with_settings(Miner(), ["pacing=learned"])
    for name, scenario in scenarios(world, a_family).items():
        best = _best(*name.rsplit(" ", 1))
        record, simple = Run(scenario, miner, 0).result(), Run(scenario, miner, 0, judge=SimpleGate()).result()
        yield Row(name, scenario.horizon / 3600, _share(record) / best, _share(simple) / best, record)


@cache
def _best(family: str, number: str) -> float:
    """The oracle's part of all steps: the same in each world, since it neither violates a limit nor hits a ban."""
    llm, steps = oracle(parse(FAMILIES[family](Random(f"{family} {number}"))), range(1))
    return llm / steps if llm else 1.0


def _share(record: Record) -> float:
    return sum(each.by_llm for each in record.answers) / len(record.answers)


def missed(world: str, rows: Sequence[Row]) -> list[str]:
    """What the learned pace does not reach in a world."""
    part, most = PROMISED[world]
    mean, refusals = _mean([row.learned for row in rows]), _in_28_hours(rows, [row.record.edge_429 for row in rows])
    late = sum(not each.in_time for row in rows for each in row.record.answers)
    faults = [f"{world}: {100 * mean:.1f} % of the oracle, {100 * part:.0f} % promised"] if mean < part else []
    faults += [f"{world}: {refusals:.0f} edge 429s in 28 h, at most {most} promised"] if refusals > most else []
    return faults + ([f"{world}: {late} steps not in time"] if late else [])


def report(a_family: int) -> int:
    """Prints a table a world and what was missed; the exit status."""
    faults = []
    for world in WORLDS:
        rows = list(played(world, a_family))
        print(f"\n{world:24}{'learned':>9}{'least':>9}{'simple':>9}{'429':>9}{'in ban':>9}{'wasted':>9}{'resume':>9}{'p95':>9}")
        for family in (*FAMILIES, "all"):
            _show(family, [row for row in rows if family in ("all", row.name.rpartition(" ")[0])])
        faults += missed(world, rows)
    print("\nLearned, least and simple: LLM answers as parts of the oracle's. 429, in ban and wasted: requests in 28 h.")
    print("\n".join(f"MISSED  {fault}" for fault in faults) or "All that the learned pace promises is kept.")
    return int(bool(faults))


def _show(family: str, rows: Sequence[Row]) -> None:
    parts = [_mean([row.learned for row in rows]), min(row.learned for row in rows), _mean([row.simple for row in rows])]
    counts = [_in_28_hours(rows, [getattr(row.record, name) for row in rows]) for name in ("edge_429", "in_ban", "wasted")]
    waits = [wait / 60 for row in rows for wait in resumes(row.record)]
    p95 = _mean([means([row.record]).p95 for row in rows])
    numbers = [*(f"{each:9.2f}" for each in parts), *(f"{each:9.0f}" for each in counts), f"{_mean(waits):9.1f}", f"{p95:9.1f}"]
    print(f"{family:24}{''.join(numbers)}")


def _in_28_hours(rows: Sequence[Row], counts: Sequence[int]) -> float:
    return HOURS * sum(counts) / sum(row.hours for row in rows)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
