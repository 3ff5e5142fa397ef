"""Hidden accounts and loads of many kinds, each drawn from a seed: what a gate must do well on without being tuned to it."""

from math import exp, log
from random import Random
from typing import Any

from agents.simulation.scenario import MODELS, Scenario, parse

Json = dict[str, Any]
HORIZON = 5000.0
# Two sets of seeds that have none in common. A gate is developed with the first; the second is only reported.
DRAWN, HELD_OUT = range(10), range(1000, 1010)
# Laws of bans, as scenario files have them. "default": five strikes, a minute, twice that each time; "harsh": one strike, and each hit
# starts the ban anew; "escalate": one strike, two minutes, twice that with each hit.
LAWS: dict[str, Json] = {
    "none": {"strikes": 0},
    "default": {},
    "harsh": {"strikes": 1, "on_hit": "restart"},
    "escalate": {"strikes": 1, "base": 120, "law": "constant", "on_hit": "escalate", "cap": 86_400},
}
FAULTS = ("http500", "http502", "http503", "reset", "hang", "slow", "truncated", "empty", "badjson", "midstream")


def drawn(seed: int, law: str = "") -> Scenario:
    """`law` "": one of them is drawn, too."""
    rng = Random(f"drawn {seed}")
    a_minute, window = _between(rng, 3, 200), rng.choice([60, 60, 60, 60, 30, 120])
    limit = max(1, round(a_minute * window / 60))
    drawn_law = rng.choice(list(LAWS))
    account = {
        "limit": limit,
        "window": window,
        "balancers": rng.choice([1, 1, 1, 2]),
        "counter": rng.choice(["window", "window", "leaky"]),
        "burst": rng.randint(1, 20),
        "published": rng.choice([round(a_minute), 60, 60, 0]),
        "ban": LAWS[law or drawn_law],
        "latency": rng.choice([3.5, 3.5, 3.5, _between(rng, 1.5, 14)]),
        "faults": _faults(rng) if rng.random() < 0.25 else {},
    }
    timeline = [*_limits(rng, limit), *_bans(rng), *_full_models(rng)]
    return parse({"horizon": HORIZON, "load": _load(rng), "account": account, "timeline": timeline})


def _between(rng: Random, low: float, high: float) -> float:
    """All orders of magnitude alike."""
    return exp(rng.uniform(log(low), log(high)))


def _faults(rng: Random) -> Json:
    return {fault: _between(rng, 0.01, 0.1) for fault in rng.sample(FAULTS, 3)}


def _load(rng: Random) -> Json:
    tasks_a_minute = _between(rng, 0.3, 6)
    seconds, crowd, tasks = 60 / tasks_a_minute, rng.randint(20, 100), rng.randint(5, 20)
    return rng.choice(
        [
            {"every": [0.7 * seconds, 1.4 * seconds]},
            {"every": [tasks * seconds, 1.2 * tasks * seconds], "tasks": tasks},
            {"per_min": tasks_a_minute},
            {"every": rng.choice([300, 600]), "tasks": crowd, "steps": 1},
        ]
    )


def _limits(rng: Random, limit: int) -> list[Json]:
    """How the limit changes: never, down, down and up again, up, several times, or nothing is accepted for a long time."""
    first, second = sorted(rng.uniform(300, HORIZON - 300) for _ in range(2))
    lower, higher = max(1, round(limit * rng.uniform(0.1, 0.6))), round(limit * rng.uniform(1.5, 5)) + 1
    changes = rng.choice(
        [
            [],
            [],
            [(first, lower)],
            [(first, lower), (second, limit)],
            [(first, higher)],
            [(HORIZON * (number + rng.random()) / 5, max(1, round(limit * _between(rng, 0.3, 3)))) for number in range(5)],
            [(first, 0), (min(first + rng.uniform(900, 2400), HORIZON), limit)],
        ]
    )
    return [{"at": at, "set": {"limit": new}} for at, new in changes]


def _bans(rng: Random) -> list[Json]:
    """From outside."""
    return [{"at": rng.uniform(0, 0.7 * HORIZON), "ban": _between(rng, 60, 1800)} for _ in range(rng.choice([0, 0, 0, 1, 2]))]


def _full_models(rng: Random) -> list[Json]:
    """The first of the models, or the first two, are full for a while."""
    full, count, at = rng.choice([0.3, 0.7, 1.0]), rng.choice([0, 0, 1, 2]), rng.uniform(0, 0.7 * HORIZON)
    chances = ((at, full), (at + rng.uniform(300, 1800), 0.0))
    return [{"at": each, "set": {"models": {model: {"full": chance} for model in MODELS[:count]}}} for each, chance in chances if count]
