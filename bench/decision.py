"""What a decision costs: gate and write, beside a bare one-row update in the same kind of transaction on the same database.

The gates have seen 2,000 sends on an account that publishes no limit: then the automatic pace keeps the longest window of sends that it
ever keeps. Needs Django set up on a migrated database.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from django.db import connection

from agents import ledger
from agents.contract.protocol import Form, Step
from agents.contract.step_facts import opening
from agents.database import answering_transaction
from agents.ledger import Request, gate_rows
from agents.models import Account, Source
from agents.policy import gate as governor
from agents.policy.gate import Gate, Limits
from agents.policy.modes import Pacing
from bench.measure import in_turn, show_times

SENDS, ROUNDS = 2_000, 500
START = 1_800_000_000.0
DEADLINE, BUDGET, LATENCY = 25.0, 23.5, 8.0
# For the decision with all that is written with it, on SQLite: less than a step's deadline notices, even with 64 threads in the queue.
PROMISED_MS = 2.0


@dataclass(slots=True)
class Case:
    """One account under one pacing, at `now` by its own clock: the moment at which its next slot opens.

    `prepared`: its gate as it was at `prepared_at`.
    """

    account: Account
    limits: Limits
    now: float
    prepared: Gate = field(default_factory=Gate)
    prepared_at: float = 0.0
    steps: int = 0

    def decide_alone(self) -> None:
        governor.decide(self.prepared, self.limits, self.prepared_at, self.prepared_at + BUDGET, LATENCY)

    def decide(self) -> None:
        with answering_transaction():
            self._moved(ledger.decide([self._request()], lambda: self.now))

    def open_step(self) -> None:
        """Write 1: the decision, the step and its attempt."""
        self.steps += 1
        number, index = divmod(self.steps, 12)
        step = Step("/step", Form.STEP, f"{self.account.pk}-{number}", "Log out", "http://localhost:8000/?seed=58", index=index)
        due = self.now + DEADLINE
        facts = opening(step, source=Source.VALIDATOR, caller="192.0.2.7", received_at=self.now, deadline_at=due, limits={})
        self._moved(ledger.open_step(facts, [self._request()], lambda: self.now))

    def _moved(self, permit: ledger.Permit) -> None:
        assert permit.decision.slot is not None
        self.now = permit.decision.slot

    def _request(self) -> Request:
        return Request(self.account, self.limits, self.now + BUDGET, ("m",))


def main() -> None:
    cases = {pacing: prepared(pacing) for pacing in Pacing}
    plain = Account.objects.create(name="bare update")
    works: dict[str, Callable[[], None]] = {"bare update of one row": lambda: update(plain)}
    for pacing, case in cases.items():
        works[f"the governor's part, {pacing}"] = case.decide_alone
        works[f"decision and its write, {pacing}"] = case.decide
        works[f"with the step and its attempt, {pacing}"] = case.open_step
    print(f"\nOne decision on {connection.vendor}, gates that have seen {SENDS:,} sends, {ROUNDS} rounds")
    show_times(in_turn(works, ROUNDS), "bare", PROMISED_MS if connection.vendor == "sqlite" else None)


def prepared(pacing: Pacing, sends: int = SENDS) -> Case:
    limits, account = Limits(pacing=pacing), Account.objects.create(name=f"{pacing}-{sends}")
    gate, now = seen(limits, sends)
    with answering_transaction():
        gate_rows.save(gate_rows.locked(account), gate)
    return Case(account, limits, now, gate, now)


@cache
def seen(limits: Limits, sends: int) -> tuple[Gate, float]:
    """A gate after so many accepted sends at its fastest, and when the last one left."""
    gate, now = Gate(), START
    for _ in range(sends):
        waits, _ = governor.decide(gate, limits, now, now + LATENCY, LATENCY)
        # Each step just finds its slot in time: the automatic pace tries no more than twice what is being used.
        due = max(now, waits.retry_at or now) + LATENCY + 0.001
        decision, gate = governor.decide(gate, limits, now, due, LATENCY)
        assert decision.slot is not None
        now = decision.slot
        gate = governor.succeeded(gate, limits, now, now + 0.01)
    return gate, now


def update(account: Account) -> None:
    with answering_transaction():
        Account.objects.filter(pk=account.pk).update(enabled=True)
