"""What a new panel needs before it can run unattended: points with their states, and why one failed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Exists, Q
from django.urls import reverse

from agents.configuration import default_account
from agents.configuration.keys import UnreadableKey, key_of
from agents.models import Account, Gate, JobState, LeasedJob, Settings, Step, Submission
from agents.policy.modes import Pacing
from monitoring.health.components import worker_now
from monitoring.models import Channel, Delivery, Result, TestResult, TestRun, TestSchedule

# Read in the same query as the accounts, as a live page reads them often.
FACTS = {
    "works": Exists(Gate.objects.filter(succeeded_at__gt=0)),
    "answered": Exists(Step.objects.filter(answered_at__isnull=False)),
    "is_uncapped": Exists(Settings.objects.filter(Q(daily_attempts=0) | Q(daily_usd=0))),
    "allowed": Exists(Settings.objects.exclude(allowed_callers=[])),
    "notified": Exists(Channel.objects.filter(enabled=True)),
    "paced": Exists(Settings.objects.exclude(pacing=Pacing.FIXED, spacing_seconds=Settings().spacing_seconds)),
    "tested": Exists(TestSchedule.objects.filter(enabled=True)),
}


class Point(NamedTuple):
    """`purpose`: a sentence. `route`: the page where it is done, linked as `link`. `button`: does it in place; "" for none."""

    name: str
    title: str
    purpose: str
    route: str
    link: str
    button: str = ""


_STEP = "A sample task is answered as a validator's would be. Validators post to /step, /act, /solve_task or /find_trayectory."
POINTS = (
    Point(
        "key",
        "API key set",
        "The miner calls the LLM with it. Without one the template agent answers every step.",
        "settings",
        "Accounts and keys",
        "Save the key",
    ),
    Point("test", "API key works", "A test requests a single token and reports what is wrong.", "rate_limit", "Rate limit", "Test the key"),
    Point("step", "First step answered", _STEP, "new_task", "A task of your own", "Answer a sample"),
    Point(
        "caps",
        "Daily use capped",
        "What each account may use in a UTC day; then the template agent answers.",
        "settings",
        "All settings",
        "Save the caps",
    ),
    Point(
        "allowed",
        "Validators allowed",
        "Allowed addresses get the LLM's slots first; all others share the rest.",
        "callers",
        "Who has called",
        "Save the addresses",
    ),
    Point(
        "notified",
        "Notifications configured",
        "A message is sent when the key is refused, the quota is used up or the miner is down.",
        "new_channel",
        "Add a channel",
    ),
    Point("paced", "Pacing chosen", "One request every 5 s by default. Automatic finds the limit.", "settings", "Choose the pacing"),
    Point("tested", "Tests scheduled", "Key and miner are then tested on a schedule, such as each night.", "tests", "Set a schedule"),
)


class State(StrEnum):
    DONE, OPEN, RUNNING, FAILED = "succeeded", "queued", "running", "failed"

    @property
    def label(self) -> str:
        return {"succeeded": "Done", "queued": "To do", "running": "Under way", "failed": "Failed"}[self.value]


@dataclass(frozen=True, slots=True)
class Status:
    """`text`: details; `address`: of a page with more, or ""."""

    state: State
    text: str = ""
    address: str = ""


OPEN = Status(State.OPEN)


def done() -> dict[str, bool]:
    """Whether each point is done, by its name; in one query besides the default account's."""
    default_account()
    accounts = list(Account.objects.annotate(**FACTS))
    works, answered, is_uncapped, allowed, notified, paced, tested = (bool(getattr(accounts[0], fact)) for fact in FACTS)
    first = {"key": any(map(_has_key, accounts)), "test": works, "step": answered, "caps": not is_uncapped}
    return {**first, "allowed": allowed, "notified": notified, "paced": paced, "tested": tested}


def checklist() -> list[tuple[Point, bool]]:
    """The points, and whether each is done; empty when all are."""
    is_done = done()
    return [] if all(is_done.values()) else [(point, is_done[point.name]) for point in POINTS]


def statuses(now: datetime) -> dict[str, Status]:
    """By the point's name. A point that is done may have failed since, such as a channel that refuses messages."""
    done_points = done()
    by_name = {name: Status(State.DONE) if is_done else OPEN for name, is_done in done_points.items()}
    for name, read in DETAILS.items():
        by_name[name] = read(done_points[name], now)
    return by_name


def _key(is_done: bool, _: datetime) -> Status:
    accounts = Account.objects.filter(enabled=True)
    if not is_done:
        return next((Status(State.FAILED, fault) for account in accounts if (fault := _fault(account))), OPEN)
    account = next(account for account in accounts if _has_key(account))
    kept = f"•••• {account.key_hint}, entered here" if account.key_sealed else "from the environment"
    return Status(State.DONE, f"In use by account {account.name}: {kept}.")


def _test(is_done: bool, now: datetime) -> Status:
    if is_done:
        return Status(State.DONE, "A request succeeded.")
    run = TestRun.objects.filter(suites__icontains="key").order_by("-id").first()
    changed_at = default_account().history.latest().history_date
    if run is None or (run.requested_at < changed_at and not run.is_under_way):
        return OPEN
    if not run.verdict:
        return _job(run, now, run.get_absolute_url())
    result = TestResult.objects.filter(run=run, check_name="key").exclude(verdict=Result.OK).first()
    reason = f"{result.meaning} {result.next_step}".strip() if result else "See the report."
    return Status(State.FAILED, reason, run.get_absolute_url())


def _step(is_done: bool, now: datetime) -> Status:
    if is_done:
        return Status(State.DONE, "", reverse("steps"))
    job = Submission.objects.select_related("task").order_by("-id").first()
    return _job(job, now, job.task.get_absolute_url()) if job else OPEN


def _caps(is_done: bool, _: datetime) -> Status:
    settings = Settings.current()
    caps = f"{settings.daily_attempts:,} attempts and {settings.daily_usd:g} USD a day."
    return Status(State.DONE, caps) if is_done else Status(State.OPEN, "The account may be used up in a day.")


def _notified(is_done: bool, _: datetime) -> Status:
    newest = Delivery.objects.filter(channel__enabled=True).order_by("-id").first() if is_done else None
    if newest and newest.state == JobState.FAILED:
        return Status(State.FAILED, f"The last message was not delivered: {newest.fault}", reverse("deliveries"))
    return Status(State.DONE) if is_done else OPEN


DETAILS: dict[str, Callable[[bool, datetime], Status]] = {"key": _key, "test": _test, "step": _step, "caps": _caps, "notified": _notified}


def _job(job: LeasedJob, now: datetime, address: str) -> Status:
    if job.is_under_way:
        silent = worker_now(now).warning if job.state == JobState.QUEUED else ""
        return Status(State.FAILED, silent, address) if silent else Status(State.RUNNING, "", address)
    if job.state == JobState.FAILED:
        return Status(State.FAILED, job.fault or "The job did not finish.", address)
    return OPEN


def _has_key(account: Account) -> bool:
    try:
        return account.enabled and bool(key_of(account))
    except UnreadableKey:
        return False


def _fault(account: Account) -> str:
    try:
        key_of(account)
    except UnreadableKey as error:
        return str(error)
    return ""
