"""An account's gate as the page Rate limit draws it: the states, the ladder, the pace, the models."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from agents import governor, latency, pauses
from agents.models import RateLimitEvent
from agents.phrases import phrase
from agents.reasons import PaceSource
from agents.refusals import RefusalClass
from agents.standing import USABLE, Look, Standing
from monitoring.stats.predictions import Expectation, expectation
from monitoring.stats.standing import Sentence, moment, sentence
from monitoring.wording import translated

MEANINGS = {
    Standing.OPEN: (phrase("Open"), phrase("The next step may ask at once")),
    Standing.SPACING: (phrase("Spacing"), phrase("A slot is taken")),
    Standing.PAUSED: (phrase("Paused"), phrase("Nothing is sent")),
    Standing.PROBING: (phrase("Probing"), phrase("One request looks")),
    Standing.STOPPED: (phrase("Stopped"), phrase("Waits for its operator")),
    Standing.OFF: (phrase("Off"), phrase("Is not asked at all")),
}
# Rungs beyond the admins' list that are drawn while the ladder goes on doubling.
BEYOND = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """One state of the gate. `is_now`: the account is in it."""

    name: str
    meaning: str
    standing: Standing
    is_now: bool


@dataclass(frozen=True, slots=True)
class Rung:
    """One pause of the ladder, in seconds."""

    seconds: float
    is_now: bool


@dataclass(frozen=True, slots=True)
class ModelNow:
    """One model of the account. `expected`: seconds in which it most likely answers, from so many recent `answers`."""

    name: str
    cooling_until: datetime | None
    times: int
    expected: float
    answers: int


@dataclass(frozen=True, slots=True)
class PaceNow:
    """How fast requests may follow each other. `facts`: label and value, where a time is one of `times`."""

    words: str
    facts: tuple[tuple[str, str], ...] = ()
    looks_above_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GateNow:
    """One account at one time. `cause_sentence`: the refusal behind the pause; `next_slot_at`: None where it is open."""

    look: Look
    standing: Standing
    sentence: Sentence
    stages: list[Stage]
    expected: Expectation | None
    cause_sentence: str
    cause_event: RateLimitEvent | None
    blocked_at: datetime | None
    succeeded_at: datetime | None
    rungs: list[Rung]
    pace: PaceNow
    next_slot_at: datetime | None
    models: list[ModelNow]

    @property
    def serves(self) -> bool:
        """Whether its models may be asked as soon as there is a slot."""
        return self.standing in USABLE


def gate_now(look: Look, now: datetime) -> GateNow:
    """The account's gate at `now`."""
    at, standing = now.timestamp(), look.standing(now.timestamp())
    slot = governor.next_slot(look.gate, look.limits, at)
    return GateNow(
        look=look,
        standing=standing,
        sentence=sentence(look, now),
        stages=[Stage(translated(name), translated(meaning), each, each is standing) for each, (name, meaning) in MEANINGS.items()],
        expected=expectation(look, now),
        cause_sentence=translated(look.cause_sentence),
        cause_event=look.event,
        blocked_at=moment(look.gate.blocked_at) if look.gate.strikes and look.gate.blocked_at else None,
        succeeded_at=moment(look.gate.succeeded_at) if look.gate.succeeded_at else None,
        rungs=ladder(look),
        pace=pace(look, at),
        next_slot_at=moment(slot) if slot > at and standing is Standing.SPACING else None,
        models=models(look, at),
    )


def ladder(look: Look) -> list[Rung]:
    """The pauses after refusals in a row; the one that runs is marked. A refusal that is no rate limit climbs nothing."""
    limits, strikes = look.limits, look.gate.strikes if look.cause is RefusalClass.EDGE else 0
    shown = max(len(limits.ladder), min(strikes + 1, len(limits.ladder) + BEYOND))
    return [Rung(next_pause(look, rung), rung == min(strikes, shown)) for rung in range(1, shown + 1)]


def next_pause(look: Look, strike: int) -> float:
    """The ladder's pause for the strike-th refusal in a row, in seconds: the longest that a pause of our own can be."""
    longest = pauses.LONGEST if look.limits.is_learned else look.limits.longest
    return pauses.rung(look.limits.ladder, longest, strike)


def pace(look: Look, now: float) -> PaceNow:
    """How fast requests may follow each other, and how that is known."""
    known, spacing = look.gate.pace, look.limits.spacing
    if not look.limits.is_learned:
        return PaceNow(_("Fixed: one every {spacing:g} s").format(spacing=spacing) if spacing else _("Fixed: no spacing"), _published(look))
    if not known.level:
        return PaceNow(
            _("Learned: {sentence}, one every {spacing:g} s").format(sentence=translated(PaceSource.SPACING.sentence), spacing=spacing)
            if spacing
            else _("Learned: nothing yet"),
            _published(look),
        )
    facts = (
        (_("Sure to"), _("{confidence:g} of 1").format(confidence=known.confidence)),
        (_("Known from"), translated(known.source.sentence)),
        (
            _("Most accepted"),
            _("{minute} in a minute, {ten} in 10 s, {two} in 2 s").format(minute=known.proven[2], ten=known.proven[1], two=known.proven[0]),
        ),
        (_("Last refused at"), _("{ceiling:g} a minute").format(ceiling=known.ceiling) if known.ceiling else _("no rate so far")),
    )
    above = moment(known.hold_until) if known.ceiling and known.hold_until > now else None
    return PaceNow(_("Learned: {level:.3g} a minute").format(level=known.level), (*facts, *_published(look)), above)


def _published(look: Look) -> tuple[tuple[str, str], ...]:
    told = look.gate.pace.published
    return ((_("Published by the provider"), _("{told:g} a minute").format(told=told) if told else _("Unknown")),)


def models(look: Look, now: float) -> list[ModelNow]:
    """The account's models in the order in which they are tried."""
    cooling = {name: (until, times) for name, until, times in look.gate.cooling if now < until}
    return [_model(look, name, cooling.get(name), now) for name in look.models]


def _model(look: Look, name: str, cooling: tuple[float, int] | None, now: float) -> ModelNow:
    return ModelNow(
        name=name,
        cooling_until=moment(cooling[0]) if cooling else None,
        times=cooling[1] if cooling else 0,
        expected=latency.expected(look.latencies, name, now),
        answers=latency.known(look.latencies, name, now),
    )
