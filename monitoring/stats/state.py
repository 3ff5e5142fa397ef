"""The state of the miner in one sentence: is it answering, by what, and why not by the LLM?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils.translation import gettext as _

from agents import standing
from agents.models import Heartbeat, Step
from agents.standing import Look
from monitoring.stats.predictions import Expectation, expectation
from monitoring.stats.standing import Tone, sentence

# The worker beats every 10 s and is restarted after 45 s of silence; a restart takes a few more.
WORKER_SILENT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentence is made of. `look`: the account that speaks for the miner, of so many `accounts`."""

    now: datetime
    look: Look
    last_step_at: datetime | None
    worker_beat_at: datetime | None
    accounts: int = 1


@dataclass(frozen=True, slots=True)
class State:
    """`headline` and `llm` are sentences; with `until`, the countdown stands between `llm` and `after`.

    `account`: which one is told of, "" where there is only one. `expected`: when it will be back.
    """

    tone: Tone
    headline: str
    llm: str
    until: datetime | None
    after: str
    remedy: str
    account: str
    expected: Expectation | None
    worker: str
    last_step_at: datetime | None
    worker_beat_at: datetime | None


def state(now: datetime) -> State:
    """The state at `now`."""
    return told(read(now))


def read(now: datetime) -> Facts:
    """Everything that the sentence needs, from the database and the environment."""
    looks = standing.looks()
    return Facts(
        now=now,
        look=standing.foremost(looks, now.timestamp()),
        accounts=len(looks),
        last_step_at=Step.objects.order_by("-received_at", "-id").values_list("received_at", flat=True).first(),
        worker_beat_at=worker_beat_at(),
    )


def told(facts: Facts) -> State:
    """The facts in words."""
    llm = sentence(facts.look, facts.now)
    return State(
        tone=Tone.QUIET if facts.last_step_at is None and llm.tone is Tone.GOOD else llm.tone,
        headline=_("Answering.") if facts.last_step_at else _("Ready. No step has come yet."),
        llm=llm.words,
        until=llm.until,
        after=llm.after,
        remedy=llm.remedy,
        account=_("Account {name}, of {accounts}").format(name=facts.look.account.name, accounts=facts.accounts)
        if facts.accounts > 1
        else "",
        expected=expectation(facts.look, facts.now),
        worker=worker_in_words(facts.worker_beat_at, facts.now),
        last_step_at=facts.last_step_at,
        worker_beat_at=facts.worker_beat_at,
    )


def worker_beat_at() -> datetime | None:
    """The newest sign of life of any worker."""
    found: datetime | None = Heartbeat.objects.filter(name__startswith="worker").aggregate(newest=Max("beaten_at"))["newest"]
    return found


def worker_in_words(beat_at: datetime | None, now: datetime) -> str:
    """What is wrong with the worker; "" where nothing is."""
    if beat_at is None:
        return _("The worker has given no sign of life yet: operators' tasks wait. Start it with make run.")
    if now - beat_at > WORKER_SILENT:
        return _("The worker is silent: operators' tasks wait. Look at its log, or restart it.")
    return ""
