"""The miner's status in one sentence."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from agents.accounts import status
from agents.accounts.status import AccountStatus
from agents.models import Step
from monitoring.health.components import WorkerNow
from monitoring.ratelimit.belief_text import short_limit
from monitoring.ratelimit.status_text import Expectation, StatusText, Tone, expectation, status_text


@dataclass(frozen=True)
class MinerStatus:
    """`snapshot`: of the account that the status is taken from; `accounts`: their number."""

    now: datetime
    snapshot: AccountStatus
    last_step_at: datetime | None
    worker: WorkerNow
    accounts: int = 1

    @cached_property
    def llm(self) -> StatusText:
        return status_text(self.snapshot, self.now)

    @property
    def limit(self) -> str:
        return short_limit(self.snapshot.gate, self.now.timestamp())

    @property
    def headline(self) -> str:
        return "Answering." if self.last_step_at else "Ready. No step has arrived yet."

    @property
    def tone(self) -> Tone:
        return Tone.QUIET if self.last_step_at is None and self.llm.tone is Tone.GOOD else self.llm.tone

    @cached_property
    def expected(self) -> Expectation | None:
        return expectation(self.snapshot, self.now)


def miner_status(now: datetime, worker: WorkerNow) -> MinerStatus:
    account_statuses = status.account_statuses(now.timestamp())
    last_step_at = Step.objects.order_by("-received_at", "-id").values_list("received_at", flat=True).first()
    return MinerStatus(now, status.foremost(account_statuses, now.timestamp()), last_step_at, worker, len(account_statuses))
