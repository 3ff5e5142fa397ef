"""The state of the miner in one sentence: is it answering, by what, and why not by the LLM?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.db.models import Max

from agents import gates, governor
from agents.configuration import default_account, models_of, rules
from agents.governor import Limits
from agents.hybrid import Mode, intend
from agents.keys import UnreadableKey, key_of
from agents.models import Account, Heartbeat, RateLimitEvent, Settings, Step
from agents.reasons import PauseSource, Reason
from agents.refusals import RefusalClass, is_wrong_host, sentence

# The worker beats every 10 s and is restarted after 45 s of silence; a restart takes a few more.
WORKER_SILENT = timedelta(seconds=60)

CAUSES = {
    RefusalClass.EDGE: "account rate limit",
    RefusalClass.CAPACITY: "the model is full",
    RefusalClass.FREE_DAILY: "daily limit of free models reached",
    RefusalClass.DAILY_QUOTA: "daily quota used up",
    RefusalClass.SUBSCRIPTION_CAP: "subscription cap reached",
    RefusalClass.PAYMENT: "no balance left",
    RefusalClass.AUTH: "key refused",
    RefusalClass.MODEL: "model not listed",
    RefusalClass.REQUEST: "request refused",
    RefusalClass.UPSTREAM: "provider failing",
}
# What an operator can do about a cause; the other ones pass by themselves.
REMEDIES = {
    RefusalClass.PAYMENT: "Top up the account.",
    RefusalClass.AUTH: "Check the key and the base URL in the settings.",
}
OFF = {
    Reason.MODE: ("LLM switched off: template mode.", "Choose another agent mode in the settings to use the LLM."),
    Reason.DISABLED: ("LLM off: the account is disabled.", "Enable the account in the settings."),
    Reason.NO_KEY: ("LLM off: no API key is set.", "Enter a key in the settings, or set CHUTES_API_KEY."),
    Reason.NO_MODEL: ("LLM off: no model is known.", "Name models in the settings, or wait until the worker has read the provider's list."),
}


class Tone(StrEnum):
    """How a state looks: the colour's name; its words say the same."""

    GOOD = "green"
    WAITING = "yellow"
    BAD = "red"
    QUIET = "secondary"

    @property
    def symbol(self) -> str:
        """The icon that says the same to the eye."""
        return _SYMBOLS[self]


_SYMBOLS = {Tone.GOOD: "circle-check", Tone.WAITING: "player-pause", Tone.BAD: "alert-triangle", Tone.QUIET: "info-circle"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentence is made of. `obstacle`: why the LLM is not asked at all. `unreadable`: why the key can't be opened.

    `cause` and `status`: the refusal that paused the account; `has_succeeded`: whether the provider ever accepted a request of it.
    """

    now: datetime
    gate: governor.Gate
    limits: Limits
    obstacle: Reason | None
    unreadable: str
    cause: RefusalClass | None
    last_step_at: datetime | None
    worker_beat_at: datetime | None
    status: int | None = None
    has_succeeded: bool = True


@dataclass(frozen=True, slots=True)
class State:
    """`headline` and `llm` are sentences; with `until`, the countdown stands between `llm` and `after`."""

    tone: Tone
    headline: str
    llm: str
    until: datetime | None
    after: str
    remedy: str
    worker: str
    last_step_at: datetime | None
    worker_beat_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Llm:
    tone: Tone
    words: str
    until: datetime | None = None
    after: str = ""
    remedy: str = ""


def state(now: datetime) -> State:
    """The state at `now`."""
    return told(read(now))


def read(now: datetime) -> Facts:
    """Everything that the sentence needs, from the database and the environment."""
    settings, account = Settings.current(), default_account()
    obstacle, unreadable = _obstacle(settings, account)
    refusal, status = RateLimitEvent.objects.filter(account=account, model="", ended_by="").values_list("refusal", "status").first() or (
        "",
        None,
    )
    cause, gate = RefusalClass(refusal) if refusal else None, gates.of(account)
    return Facts(
        now=now,
        gate=gate,
        limits=rules(settings).limits,
        obstacle=obstacle,
        unreadable=unreadable,
        cause=cause,
        status=status,
        has_succeeded=not gate.never_worked,
        last_step_at=Step.objects.order_by("-received_at", "-id").values_list("received_at", flat=True).first(),
        worker_beat_at=Heartbeat.objects.filter(name__startswith="worker").aggregate(newest=Max("beaten_at"))["newest"],
    )


def told(facts: Facts) -> State:
    """The facts in words."""
    llm = _llm(facts)
    headline = "Answering." if facts.last_step_at else "Ready. No step has come yet."
    tone = Tone.QUIET if facts.last_step_at is None and llm.tone is Tone.GOOD else llm.tone
    return State(
        tone=tone,
        headline=headline,
        llm=llm.words,
        until=llm.until,
        after=llm.after,
        remedy=llm.remedy,
        worker=_worker(facts),
        last_step_at=facts.last_step_at,
        worker_beat_at=facts.worker_beat_at,
    )


def _obstacle(settings: Settings, account: Account) -> tuple[Reason | None, str]:
    unreadable, has_key = "", True
    try:
        has_key = bool(key_of(account))
    except UnreadableKey as error:
        unreadable = str(error)
    models, mode = models_of(account), Mode(settings.agent_mode)
    return intend(mode=mode, caller_allowed=True, enabled=account.enabled, has_key=has_key, models=models).reason, unreadable


def _llm(facts: Facts) -> _Llm:
    if facts.obstacle:
        words, remedy = OFF[facts.obstacle]
        tone = Tone.QUIET if facts.obstacle is Reason.MODE else Tone.WAITING
        return _Llm(tone, words, remedy=remedy)
    if facts.unreadable:
        return _Llm(Tone.BAD, "LLM off: the stored key can't be opened.", remedy=facts.unreadable)
    gate_state = facts.gate.state(facts.now.timestamp())
    if gate_state is governor.State.PAUSED:
        return _paused(facts)
    if gate_state is governor.State.PROBING:
        return _probing(facts)
    spacing = facts.limits.spacing
    return _Llm(Tone.GOOD, f"LLM ready, one request every {spacing:g} s." if spacing else "LLM ready, without spacing.")


def _paused(facts: Facts) -> _Llm:
    cause, remedy = _cause(facts)
    return _Llm(
        Tone.BAD if remedy else Tone.WAITING,
        "LLM paused",
        until=datetime.fromtimestamp(facts.gate.paused_until, UTC),
        after=f": {cause}, {_source(facts.gate, facts.limits)}.",
        remedy=remedy,
    )


def _cause(facts: Facts) -> tuple[str, str]:
    """Why the account is paused, and what to do about it ("" where it passes by itself)."""
    if facts.cause is None:
        return "refused", ""
    if facts.cause is RefusalClass.EDGE and not facts.has_succeeded:
        return "turned away by the edge", sentence(facts.cause, has_succeeded=False)
    if is_wrong_host(facts.cause, facts.status):
        return "wrong address", sentence(facts.cause, status=facts.status)
    return CAUSES[facts.cause], REMEDIES.get(facts.cause, "")


def _source(gate: governor.Gate, limits: Limits) -> str:
    if gate.pause_source is not PauseSource.LADDER:
        return gate.pause_source.sentence
    rungs = len(limits.ladder)
    return f"{gate.pause_source.sentence} rung {min(gate.strikes, rungs)} of {rungs}"


def _probing(facts: Facts) -> _Llm:
    if facts.now.timestamp() < facts.gate.probe_until:
        return _Llm(Tone.WAITING, "The LLM's pause is over: one step is probing the account.")
    return _Llm(Tone.WAITING, "The LLM's pause is over: the next step probes the account.")


def _worker(facts: Facts) -> str:
    """What is wrong with the worker; "" where nothing is."""
    if facts.worker_beat_at is None:
        return "The worker has given no sign of life yet: operators' tasks wait. Start it with make run."
    if facts.now - facts.worker_beat_at > WORKER_SILENT:
        return "The worker is silent: operators' tasks wait. Look at its log, or restart it."
    return ""
