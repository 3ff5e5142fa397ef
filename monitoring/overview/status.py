"""The miner's status in one sentence, and what a new panel needs before it can run unattended."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Exists, Q

from agents.accounts import status
from agents.accounts.status import AccountStatus
from agents.configuration import default_account
from agents.configuration.keys import UnreadableKey, key_of
from agents.models import Account, Gate, Settings, Step
from agents.policy.modes import Pacing
from monitoring.health.components import WorkerNow
from monitoring.models import Channel, TestSchedule
from monitoring.ratelimit.belief_text import shortest
from monitoring.ratelimit.status_text import Expectation, StatusText, Tone, expectation, status_text

# Read with each account, in one query: a live page reads them often.
FACTS = {
    "works": Exists(Gate.objects.filter(succeeded_at__gt=0)),
    "answered": Exists(Step.objects.filter(answered_at__isnull=False)),
    "is_uncapped": Exists(Settings.objects.filter(Q(daily_attempts=0) | Q(daily_usd=0))),
    "allowed": Exists(Settings.objects.exclude(allowed_callers=[])),
    "notified": Exists(Channel.objects.filter(enabled=True)),
    "paced": Exists(Settings.objects.exclude(pacing=Pacing.FIXED, spacing_seconds=Settings().spacing_seconds)),
    "tested": Exists(TestSchedule.objects.filter(enabled=True)),
}


@dataclass(frozen=True)
class MinerStatus:
    """`snapshot`: the account that speaks for the miner, of so many `accounts`."""

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
        return shortest(self.snapshot.gate, self.now.timestamp())

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


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do. `route`: the page where it is done, `remedy`: how."""

    words: str
    is_done: bool
    remedy: str
    route: str


def checklist() -> list[Item]:
    default_account()
    accounts = list(Account.objects.annotate(**FACTS))
    works, answered, is_uncapped, allowed, notified, paced, tested = (bool(getattr(accounts[0], fact)) for fact in FACTS)
    by_hand = "Validators send steps to /step, /act, /solve_task or /find_trayectory; or set a task by hand."
    items = [
        Item("API key set", any(map(_has_key, accounts)), "Enter one, or set CHUTES_API_KEY.", "settings"),
        Item("API key works", works, "Done after the first successful request.", "rate_limit"),
        Item("First step answered", answered, by_hand, "new_task"),
        Item("Daily use capped", not is_uncapped, "Set attempts and USD a day.", "settings"),
        Item("Pacing chosen", paced, "By default one request every 5 s. Choose automatic, or set the spacing.", "settings"),
        Item("Validators allowed", allowed, "Allow their addresses: other callers then get only the remaining LLM slots.", "callers"),
        Item("Notifications configured", notified, "Add a channel.", "notifications"),
        Item("Tests scheduled", tested, "Enable a schedule.", "tests"),
    ]
    return [] if all(item.is_done for item in items) else items


def _has_key(account: Account) -> bool:
    try:
        return account.enabled and bool(key_of(account))
    except UnreadableKey:
        return False
