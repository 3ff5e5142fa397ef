"""Hidden accounts, loads and laws of many kinds, drawn with fixed seeds: what the pace must do well on without being tuned to it.

Three worlds: each account under the ban law it was drawn with, the same without any bans, and under a law where one violation bans
and every hit starts the ban anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from agents.simulation.scenario import Scenario, parse

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
    quota, cap = {"total": rng.choice([150, 300]), "used": rng.choice([0, 100]), **reset}, {"cap": 1.0, "used": rng.choice([0, 0.5]), **reset}
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
