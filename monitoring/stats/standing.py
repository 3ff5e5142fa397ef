"""What an account is doing, in one sentence: the Overview and the page Rate limit say the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from django.utils.translation import gettext as _

from agents import governor
from agents.governor import Limits
from agents.phrases import phrase
from agents.reasons import PauseSource, Reason
from agents.refusals import RefusalClass, is_wrong_host
from agents.standing import Look, Standing
from monitoring.wording import translated

CAUSES = {
    RefusalClass.EDGE: phrase("account rate limit"),
    RefusalClass.CAPACITY: phrase("the model is full"),
    RefusalClass.FREE_DAILY: phrase("daily limit of free models reached"),
    RefusalClass.DAILY_QUOTA: phrase("daily quota used up"),
    RefusalClass.SUBSCRIPTION_CAP: phrase("subscription cap reached"),
    RefusalClass.PAYMENT: phrase("no balance left"),
    RefusalClass.AUTH: phrase("key refused"),
    RefusalClass.MODEL: phrase("model not listed"),
    RefusalClass.REQUEST: phrase("request refused"),
    RefusalClass.UPSTREAM: phrase("provider failing"),
}
# What an operator can do about a cause; the other ones pass by themselves.
REMEDIES = {
    RefusalClass.PAYMENT: phrase("Top up the account."),
    RefusalClass.AUTH: phrase("Check the key and the base URL in the settings."),
}
OFF = {
    Reason.MODE: (phrase("LLM switched off: template mode."), phrase("Choose another agent mode in the settings to use the LLM.")),
    Reason.DISABLED: (phrase("LLM off: the account is disabled."), phrase("Enable the account in the settings.")),
    Reason.NO_KEY: (phrase("LLM off: no API key is set."), phrase("Enter a key in the settings, or set CHUTES_API_KEY.")),
    Reason.NO_MODEL: (
        phrase("LLM off: no model is known."),
        phrase("Name models in the settings, or wait until the worker has read the provider's list."),
    ),
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
class Sentence:
    """With `until`, a countdown stands between `words` and `after`. `remedy`: what to do, "" where it passes by itself."""

    tone: Tone
    words: str
    until: datetime | None = None
    after: str = ""
    remedy: str = ""


def sentence(look: Look, now: datetime) -> Sentence:
    """What the account is doing at `now`."""
    match look.standing(now.timestamp()):
        case Standing.OFF:
            return _off(look)
        case Standing.STOPPED:
            return _stopped(look, now)
        case Standing.PAUSED:
            return _paused(look, now)
        case Standing.PROBING:
            return _probing(look, now)
    return Sentence(Tone.GOOD, _("LLM ready, {pace}.").format(pace=pace_in_words(look)))


def pace_in_words(look: Look) -> str:
    """How fast requests may follow each other, in a few words."""
    spacing, level = look.limits.spacing, look.gate.pace.level
    if look.limits.is_learned and level:
        return _("up to {level:.3g} requests a minute as learned").format(level=level)
    return _("one request every {spacing:g} s").format(spacing=spacing) if spacing else _("without spacing")


def cause_in_words(look: Look) -> tuple[str, str]:
    """Why the account is paused, and what to do about it ("" where it passes by itself)."""
    if look.cause is None:
        return _("refused"), ""
    if look.gate.never_worked:
        return _("turned away by the edge"), translated(look.cause_sentence)
    if is_wrong_host(look.cause, look.status):
        return _("wrong address"), translated(look.cause_sentence)
    return translated(CAUSES[look.cause]), translated(REMEDIES.get(look.cause, ""))


def _off(look: Look) -> Sentence:
    if look.obstacle is None:
        return Sentence(Tone.BAD, _("LLM off: the stored key can't be opened."), remedy=look.unreadable)
    words, remedy = (translated(told) for told in OFF[look.obstacle])
    return Sentence(Tone.QUIET if look.obstacle is Reason.MODE else Tone.WAITING, words, remedy=remedy)


def _stopped(look: Look, now: datetime) -> Sentence:
    cause, remedy = cause_in_words(look)
    until = moment(look.gate.paused_until)
    if until > now:
        return Sentence(Tone.BAD, _("LLM stopped: {cause}, looked at again in").format(cause=cause), until, ".", remedy)
    return Sentence(Tone.BAD, _("LLM stopped: {cause}, looked at again by the next request.").format(cause=cause), remedy=remedy)


def _paused(look: Look, now: datetime) -> Sentence:
    until = moment(look.gate.paused_until)
    if look.is_paused_by_operator(now.timestamp()):
        return Sentence(Tone.WAITING, _("LLM paused by an operator for"), until, ".")
    cause, remedy = cause_in_words(look)
    return Sentence(
        Tone.BAD if remedy else Tone.WAITING, _("LLM paused for"), until, f": {cause}, {_source(look.gate, look.limits)}.", remedy
    )


def _source(gate: governor.Gate, limits: Limits) -> str:
    if gate.pause_source is not PauseSource.LADDER:
        return translated(gate.pause_source.sentence)
    rungs = len(limits.ladder)
    return _("our ladder rung {rung} of {rungs}").format(rung=min(gate.strikes, rungs), rungs=rungs)


def _probing(look: Look, now: datetime) -> Sentence:
    remedy = cause_in_words(look)[1]
    tone = Tone.BAD if remedy else Tone.WAITING
    if now.timestamp() < look.gate.probe_until:
        return Sentence(tone, _("The LLM's pause is over: one request is probing the account."), remedy=remedy)
    return Sentence(tone, _("The LLM's pause is over: the next request probes the account."), remedy=remedy)


def moment(seconds: float) -> datetime:
    """The gate's Unix time as a time."""
    return datetime.fromtimestamp(seconds, UTC)
