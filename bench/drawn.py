"""Hidden accounts and loads of many kinds, each drawn from a seed: what a gate must do well on without being tuned to it.

As the shown scenarios, each has one subject, other numbers than theirs, and the default account in all else. The ranges:

- Limits of 6 to 120 a minute: 60 are reported, 6 is the lowest shown, and up to 180 are reported where several balancers count 60 each.
- Loads as shown: tasks of 12 steps, alone every ½ to 3 minutes, at random, or ten or so at once every 5 minutes; crowds of single steps.
- Bans of 1 to 60 minutes: a minute is an account's usual first one, an hour the seed document's.
- Limits drop to a tenth and come back after 40 minutes in the shown scenario; here by less, sooner, or every five minutes.
- One in four calls fails in the shown scenario, and a model is full for 20 minutes; a slow one takes 6 to 12 s, so that a step has time.
- A second miner with the same key sends 5 to 30 a minute, which is what one or two tasks send.

Nobody has reported windows of 30 or 120 s, limits that jump at random, or an account that takes nothing for a while without a ban: these
are HARD, and only reported.
"""

from collections.abc import Callable
from math import exp, log
from random import Random
from typing import Any

from agents.simulation.scenario import MODELS, Scenario, parse

Json = dict[str, Any]
# Of seeds that have none in common. A gate is developed with the first; the second is only reported. Each has each kind as often.
DRAWN, HELD_OUT = range(28), range(1008, 1036)
HARD = range(6)
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
    """`law`: of the account, whatever its own is."""
    return _parsed(KINDS, seed, f"drawn {seed}", law)


def hard(seed: int) -> Scenario:
    return _parsed(HARD_KINDS, seed, f"hard {seed}", "")


def _parsed(kinds: tuple[Callable[[Random], Json], ...], seed: int, name: str, law: str) -> Scenario:
    rng = Random(name)
    made = {"horizon": rng.choice([3600, 5400]), "load": _load(rng), **kinds[seed % len(kinds)](rng)}
    return parse({**made, "account": {**made.get("account", {}), **({"ban": LAWS[law]} if law else {})}})


def _between(rng: Random, low: float, high: float) -> float:
    """All orders of magnitude alike."""
    return exp(rng.uniform(log(low), log(high)))


def _load(rng: Random) -> Json:
    return rng.choice([{"every": [30, 60]}, {"every": [120, 180]}, {"per_min": _between(rng, 0.5, 2)}, _rounds(rng)])


def _busy(rng: Random) -> Json:
    """Enough for a limit to matter."""
    return rng.choice([{"every": [30, 60]}, {"per_min": _between(rng, 1, 2)}, _rounds(rng)])


def _rounds(rng: Random) -> Json:
    return {"every": [300, 360], "tasks": rng.randint(5, 15)}


def _limited(rng: Random) -> Json:
    return {"load": _busy(rng), "account": {"limit": round(_between(rng, 6, 120))}}


def _leaky(rng: Random) -> Json:
    return {"load": _busy(rng), "account": {"limit": round(_between(rng, 6, 120)), "counter": "leaky", "burst": rng.randint(1, 12)}}


def _balanced(rng: Random) -> Json:
    return {"load": _rounds(rng), "account": {"limit": round(_between(rng, 15, 60)), "balancers": rng.choice([2, 3])}}


def _changed(rng: Random) -> Json:
    """A limit falls or rises, and some are back after a while."""
    limit, at = round(_between(rng, 20, 90)), rng.uniform(600, 1800)
    new, back = max(4, round(limit * rng.choice([rng.uniform(0.1, 0.5), rng.uniform(1.5, 3)]))), at + rng.uniform(900, 2400)
    timeline = [{"at": at, "set": {"limit": new}}, {"at": back, "set": {"limit": limit}}]
    return {"horizon": 5400, "load": _busy(rng), "account": {"limit": limit}, "timeline": timeline[: rng.randint(1, 2)]}


def _flapping(rng: Random) -> Json:
    high = round(_between(rng, 30, 90))
    limits = (high, max(4, round(high * rng.uniform(0.1, 0.4))))
    timeline = [{"at": 300 * number, "set": {"limit": limits[number % 2]}} for number in range(1, 18)]
    return {"horizon": 5400, "load": _busy(rng), "account": {"limit": high}, "timeline": timeline}


def _banned(rng: Random) -> Json:
    """From outside; requests may make it longer, the first few often not."""
    on_hit = rng.choice(["none", "none", "restart", "escalate"])
    ban = {"on_hit": on_hit, "hit_grace": rng.choice([0, 1, 3]), "cap": 86_400}
    bans = [{"at": rng.uniform(0, 3600), "ban": _between(rng, 60, 3600)} for _ in range(rng.choice([1, 1, 3]))]
    return {"horizon": 9000, "account": {"ban": ban}, "timeline": bans}


def _long_bans(rng: Random) -> Json:
    """A limit that is below what is asked for, and bans of 5 to 60 minutes."""
    ban = {"base": _between(rng, 300, 3600), "strikes": rng.choice([1, 3, 5]), "law": rng.choice(["double", "constant"])}
    return {"horizon": 9000, "load": _busy(rng), "account": {"limit": round(_between(rng, 6, 40)), "ban": ban}}


def _full(rng: Random) -> Json:
    """The first of the models, or the first two."""
    at, some = rng.uniform(0, 1200), MODELS[: rng.choice([1, 1, 2])]
    chances = ((at, rng.choice([0.7, 1.0])), (at + rng.uniform(600, 1800), 0.0))
    return {"timeline": [{"at": each, "set": {"models": {model: {"full": chance} for model in some}}} for each, chance in chances]}


def _spent(rng: Random) -> Json:
    """Of the day's requests, or of what a subscription may cost in four hours, some are left until it starts again."""
    left, reset_at = rng.randint(60, 300), rng.uniform(1800, 4800)
    account = rng.choice(
        [
            {"quota": {"total": 300, "used": 300 - left, "reset_at": reset_at}},
            {"cap4h": {"cap": 3.0, "used": 3.0 - left / 100, "cost": 0.01, "reset_at": reset_at}},
        ]
    )
    return {"horizon": 5400, "load": {"every": [30, 60]}, "account": account}


def _refused(rng: Random) -> Json:
    """The key, for a while."""
    at = rng.uniform(0, 1200)
    timeline = [{"at": at, "set": {"valid": False}}, {"at": at + rng.uniform(900, 2700), "set": {"valid": True}}]
    return {"horizon": 5400, "timeline": timeline}


def _crowded(rng: Random) -> Json:
    return {
        "load": {"every": rng.choice([300, 600]), "tasks": rng.randint(20, 100), "steps": 1},
        "account": {"limit": round(_between(rng, 20, 120))},
    }


def _failing(rng: Random) -> Json:
    return {"account": {"faults": {fault: rng.uniform(0.03, 0.1) for fault in rng.sample(FAULTS, 3)}}}


def _slow(rng: Random) -> Json:
    """The first model, or all."""
    median = rng.uniform(6, 12)
    latency = {"median": median, "low": median * 2 / 3.5, "high": median * 3}
    return {"account": rng.choice([{"latency": latency}, {"models": {MODELS[0]: {"latency": latency}}}])}


def _shared(rng: Random) -> Json:
    quota = {"total": 5000, "reset_at": 50_000}
    return {"load": _busy(rng), "account": {"limit": round(_between(rng, 30, 90)), "others": rng.uniform(5, 30), "quota": quota}}


KINDS = (
    _limited, _leaky, _balanced, _changed, _flapping, _banned, _long_bans, _full, _spent, _refused, _crowded, _failing, _slow, _shared,
)  # fmt: skip


def _other_window(rng: Random) -> Json:
    window = rng.choice([30, 120])
    return {"load": _busy(rng), "account": {"window": window, "limit": round(_between(rng, 6, 120) * window / 60)}}


def _jumping(rng: Random) -> Json:
    times = [900 * (number + rng.random()) for number in range(5)]
    return {"horizon": 5400, "load": _busy(rng), "timeline": [{"at": at, "set": {"limit": round(_between(rng, 3, 200))}} for at in times]}


def _dead(rng: Random) -> Json:
    """Nothing is accepted for a while, and each request may start a ban."""
    at = rng.uniform(300, 1800)
    timeline = [{"at": at, "set": {"limit": 0}}, {"at": at + rng.uniform(900, 2400), "set": {"limit": 60}}]
    return {"horizon": 5400, "load": _busy(rng), "timeline": timeline}


HARD_KINDS = (_other_window, _jumping, _dead)
