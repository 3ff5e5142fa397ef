"""An account's status in a sentence, and when it is expected back, for Overview and Rate limit."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from agents.accounts.status import AccountState, AccountStatus
from agents.ledger import events
from agents.ledger.gate_rows import at as moment
from agents.policy import costs
from agents.policy.reasons import PauseSource, Reason
from agents.policy.refusals import is_wrong_host
from agents.policy.reset_times import Prediction

CONFIDENCES = ((0.9, "very high"), (0.7, "high"), (0.5, "medium"), (0.3, "low"), (0.01, "very low"))  # lowest values, and their labels


class Tone(StrEnum):
    GOOD = "green"
    WAITING = "yellow"
    BAD = "red"
    QUIET = "secondary"

    @property
    def symbol(self) -> str:
        return {"green": "circle-check", "yellow": "player-pause", "red": "alert-triangle", "secondary": "info-circle"}[self]


class StatusText(NamedTuple):
    """With `until`, a countdown is shown between `text` and `after`. `remedy`: what to do, or an explanation; "" if none is needed."""

    tone: Tone
    text: str
    until: datetime | None = None
    after: str = ""
    remedy: str = ""


def status_text(snapshot: AccountStatus, now: datetime) -> StatusText:
    match snapshot.state(now.timestamp()):
        case AccountState.OFF:
            return _off(snapshot, now)
        case AccountState.STOPPED:
            return _stopped(snapshot, now)
        case AccountState.PAUSED:
            return _paused(snapshot, now)
        case AccountState.PROBING:
            remedy, tone = cause_text(snapshot)[1], _tone(snapshot)
            sent = "one request is probing" if now.timestamp() < snapshot.gate.probe_until else "the next request probes"
            return StatusText(tone, f"The LLM's pause is over: {sent} the account.", remedy=remedy)
    if snapshot.models_remedy:
        return StatusText(Tone.BAD, "LLM ready, but each of its models was refused.", remedy=snapshot.models_remedy)
    limits, spacing = snapshot.limits, snapshot.limits.spacing
    if limits.is_auto and snapshot.gate.pace.has_evidence:
        level = snapshot.gate.pace.level(now.timestamp(), limits.risk.weight)
        return StatusText(Tone.GOOD, f"LLM ready, up to {level:g} requests a minute according to its answers.")
    return StatusText(Tone.GOOD, f"LLM ready, one request every {spacing:g} s." if spacing else "LLM ready, without spacing.")


def cause_text(snapshot: AccountStatus) -> tuple[str, str]:
    """The cause of the pause, and the explanation or remedy, or ""."""
    if snapshot.cause is None:
        return "refused", ""
    if snapshot.explanation and not snapshot.is_own_limit:
        return "turned away by the edge", snapshot.explanation
    if is_wrong_host(snapshot.cause, snapshot.status):
        return "wrong address", snapshot.cause_sentence
    return snapshot.cause.about.label.lower(), snapshot.explanation or snapshot.cause.about.remedy


def _tone(snapshot: AccountStatus) -> Tone:
    return Tone.BAD if cause_text(snapshot)[1] and not snapshot.is_own_limit else Tone.WAITING


def _off(snapshot: AccountStatus, now: datetime) -> StatusText:
    reason = snapshot.obstacle
    assert reason is not None
    if reason is Reason.CAP:
        until = moment(costs.next_day(now.timestamp()))
        text = "LLM off: the account's daily cap is reached. It resets in"
        return StatusText(Tone.WAITING, text, until, ".", "Raise it in the settings.")
    tone = {Reason.MODE: Tone.QUIET, Reason.UNREADABLE: Tone.BAD}.get(reason, Tone.WAITING)
    return StatusText(tone, f"LLM off: {reason.meaning[:1].lower()}{reason.meaning[1:]}", remedy=reason.remedy)


def _stopped(snapshot: AccountStatus, now: datetime) -> StatusText:
    cause, remedy = cause_text(snapshot)
    until = moment(snapshot.gate.paused_until)
    if until > now:
        return StatusText(Tone.BAD, f"LLM stopped: {cause}, checked again in", until, ".", remedy)
    return StatusText(Tone.BAD, f"LLM stopped: {cause}, checked again by the next request.", remedy=remedy)


def _paused(snapshot: AccountStatus, now: datetime) -> StatusText:
    until = moment(snapshot.gate.paused_until)
    if snapshot.is_paused_by_operator(now.timestamp()):
        return StatusText(Tone.WAITING, "LLM paused by an operator for", until, ".")
    cause, remedy = cause_text(snapshot)
    source, steps = snapshot.gate.pause_source, len(snapshot.limits.ladder)
    is_own = source is PauseSource.LADDER and not snapshot.limits.is_auto
    origin = f"our own backoff, pause {min(snapshot.gate.strikes, steps)} of {steps}" if is_own else source.sentence
    return StatusText(_tone(snapshot), "LLM paused for", until, f": {cause}, {origin}.", remedy)


class Expectation(NamedTuple):
    """When an account is expected back. `at` None: unknown. `confidence`: "" for none. `is_overdue`: that time has passed."""

    at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    source: str
    confidence: str
    is_overdue: bool = False


def expectation(snapshot: AccountStatus, now: datetime) -> Expectation | None:
    prediction = snapshot.expected(now.timestamp())
    return expectation_from(prediction, now, earlier_blocks(snapshot)) if prediction else None


def expectation_from(prediction: Prediction, now: datetime, blocks: int = 0) -> Expectation:
    """A prediction for display. `blocks`: the number of earlier ones that it is based on, 0 if unknown."""
    at, earliest, latest = (None if time is None else moment(time) for time in (prediction.at, prediction.earliest, prediction.latest))
    source = prediction.source.sentence
    if prediction.source is PauseSource.HISTORY and blocks:
        source = f"how long {blocks} earlier blocks of this kind took"
    confidence = "" if prediction.source is PauseSource.OPERATOR else confidence_text(prediction.confidence)
    return Expectation(at, earliest, latest, source, confidence, bool(latest and now > latest))


def confidence_text(confidence: float) -> str:
    return next((f"{text} confidence" for least, text in CONFIDENCES if confidence >= least), "")


def earlier_blocks(snapshot: AccountStatus) -> int:
    event = snapshot.event
    return events.longer_blocks(event) if event and event.prediction_source == PauseSource.HISTORY else 0
