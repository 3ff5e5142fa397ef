"""Hidden accounts, loads and laws of many kinds, drawn with fixed seeds: what the pace must do well on without being tuned to it.

What the learned pace reaches is compared with an oracle, which knows the hidden account and sends whenever that will take a request.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from math import inf
from random import Random
from typing import Any

from agents.simulation.provider import EdgeVerdict, Said, pass_edge
from agents.simulation.run import NEXT_STEP, Account, Clock, Record, Run
from agents.simulation.scenario import Change, Fault, Scenario, parse
from agents.simulation.settings import miner_with

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


DEADLINE = 25.0
# How often the oracle tries again for a step that waits, in seconds: fine enough beside the seconds that an answer takes.
LOOK = 0.25


@dataclass(frozen=True, slots=True)
class Row:
    """One drawn account: the part of the oracle's LLM answers that the learned pace reached, and what its run was like."""

    name: str
    hours: float
    learned: float
    record: Record


def played(world: str, a_family: int) -> Iterator[Row]:
    """Each drawn account under the learned pace."""
    miner = miner_with(["pacing=learned"])
    for name, scenario in scenarios(world, a_family).items():
        record = Run(scenario, miner, 0).result()
        share = sum(each.by_llm for each in record.answers) / len(record.answers)
        yield Row(name, scenario.horizon / 3600, share / _best(*name.rsplit(" ", 1)), record)


@cache
def _best(family: str, number: str) -> float:
    """The oracle's part of all steps: the same in each world, since it neither violates a limit nor hits a ban."""
    llm, steps = oracle(parse(FAMILIES[family](Random(f"{family} {number}"))), 0)
    return llm / steps if llm else 1.0


def missed(world: str, rows: Sequence[Row]) -> list[str]:
    """What the learned pace does not reach in a world."""
    part, most = PROMISED[world]
    mean = sum(row.learned for row in rows) / len(rows)
    refusals = HOURS * sum(row.record.edge_429 for row in rows) / sum(row.hours for row in rows)
    late = sum(not each.in_time for row in rows for each in row.record.answers)
    faults = [f"{world}: {100 * mean:.1f} % of the oracle, {100 * part:.0f} % promised"] if mean < part else []
    faults += [f"{world}: {refusals:.0f} edge 429s in 28 h, at most {most} promised"] if refusals > most else []
    return faults + ([f"{world}: {late} steps not in time"] if late else [])


def oracle(scenario: Scenario, seed: int) -> tuple[int, int]:
    """LLM answers and steps of the better of two ways to use what the account will take."""
    runs = [Oracle(scenario, seed, even=even) for even in (True, False)]
    return max((run.run(), run.steps) for run in runs)


class Oracle:
    """Sends whenever the account will take it (`even`: in even steps), and never else.

    Where several balancers count, it gets the most out of all of them.
    """

    def __init__(self, scenario: Scenario, seed: int, *, even: bool) -> None:
        self._clock, self.llm, self.steps = Clock(0.0), 0, 0
        self._horizon, self._dice, self._even, self._sent_at = scenario.horizon, Random(f"dice {seed}"), even, -inf
        self._account = Account(_open(scenario), self._clock, 0.0, Record(), Random(f"account {seed}"))
        for at in scenario.load.arrivals(scenario.horizon, Random(f"load {seed}")):
            self._clock.at(at, partial(self._step, scenario.load.steps))

    def run(self) -> int:
        """The steps that it answers by the LLM."""
        self._clock.run()
        return self.llm

    def _step(self, left: int) -> None:
        if self._clock.now < self._horizon:
            self.steps += 1
            self._look(left, self._clock.now)

    def _look(self, left: int, posted_at: float) -> None:
        now = self._clock.now
        if self._is_open():
            seconds, answered = self._asked()
            if now + seconds > posted_at + DEADLINE:
                self._next(left, posted_at + DEADLINE)
            elif answered:
                self.llm += 1
                self._next(left, now + seconds)
            else:
                self._clock.at(now + seconds, partial(self._look, left, posted_at))
        elif now + LOOK < posted_at + DEADLINE - self._account.hidden.latency.low:
            self._clock.at(now + LOOK, partial(self._look, left, posted_at))
        else:
            self._next(left, now)

    def _next(self, left: int, answered_at: float) -> None:
        if left > 1:
            self._clock.at(answered_at + NEXT_STEP, partial(self._step, left - 1))

    def _is_open(self) -> bool:
        hidden, world, now = self._account.hidden, self._account.world, self._clock.now
        gap = hidden.window / hidden.limit if self._even and hidden.limit else 0.0
        if not hidden.valid or world.edge.is_banned(now) or now < self._sent_at + gap:
            return False
        return pass_edge(world.edge, hidden, now, self._dice)[1] is EdgeVerdict.ACCEPTED

    def _asked(self) -> tuple[float, bool]:
        """Seconds until the reply, and whether it is an answer. A full model is known to be full."""
        models, self._sent_at = self._account.hidden.models, self._clock.now
        reply = self._account.ask(min(models, key=lambda model: models[model].full))
        if reply.fault is Fault.HANG:
            return DEADLINE, False
        return reply.seconds, reply.said is Said.ANSWERED and reply.fault in (None, Fault.SLOW)


def _open(scenario: Scenario) -> Scenario:
    """The account as the oracle has it: one counter for all its balancers, since it can't be said which one a request meets."""
    hidden = scenario.account

    def widened(changes: Mapping[str, object]) -> dict[str, object]:
        limit = changes.get("limit")
        return {**changes, "limit": limit * hidden.balancers} if isinstance(limit, int) else dict(changes)

    timeline = tuple(Change(each.at, widened(each.changes) if each.changes else each.changes, each.ban) for each in scenario.timeline)
    one = replace(hidden, limit=hidden.limit * hidden.balancers, burst=(hidden.burst + 1) * hidden.balancers - 1, balancers=1)
    return replace(scenario, account=one, timeline=timeline)
