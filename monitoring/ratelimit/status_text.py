"""An account's status in one sentence, the same on the Overview and the page Rate limit."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from agents.accounts.status import AccountState, AccountStatus
from agents.ledger.gate_rows import at as moment
from agents.policy import costs
from agents.policy.reasons import PauseSource, Reason
from agents.policy.refusals import is_wrong_host


class Tone(StrEnum):
    GOOD = "green"
    WAITING = "yellow"
    BAD = "red"
    QUIET = "secondary"

    @property
    def symbol(self) -> str:
        return {"green": "circle-check", "yellow": "player-pause", "red": "alert-triangle", "secondary": "info-circle"}[self]


class StatusText(NamedTuple):
    """With `until`, a countdown stands between `text` and `after`. `remedy`: what to do, "" where it passes by itself."""

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
            remedy = cause_text(snapshot)[1]
            sent = "one request is probing" if now.timestamp() < snapshot.gate.probe_until else "the next request probes"
            tone = Tone.BAD if remedy else Tone.WAITING
            return StatusText(tone, f"The LLM's pause is over: {sent} the account.", remedy=remedy)
    spacing, level = snapshot.limits.spacing, snapshot.gate.pace.level
    if snapshot.limits.is_learned and level:
        return StatusText(Tone.GOOD, f"LLM ready, up to {level:.3g} requests a minute as learned.")
    return StatusText(Tone.GOOD, f"LLM ready, one request every {spacing:g} s." if spacing else "LLM ready, without spacing.")


def cause_text(snapshot: AccountStatus) -> tuple[str, str]:
    """Why the account is paused, and what to do about it ("" where it passes by itself)."""
    if snapshot.cause is None:
        return "refused", ""
    if snapshot.gate.never_worked:
        return "turned away by the edge", snapshot.cause_sentence
    if is_wrong_host(snapshot.cause, snapshot.status):
        return "wrong address", snapshot.cause_sentence
    return snapshot.cause.about.label.lower(), snapshot.cause.about.remedy if snapshot.cause.pauses_account else ""


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
    is_own = source is PauseSource.LADDER
    known_from = f"our own backoff, pause {min(snapshot.gate.strikes, steps)} of {steps}" if is_own else source.sentence
    return StatusText(Tone.BAD if remedy else Tone.WAITING, "LLM paused for", until, f": {cause}, {known_from}.", remedy)
