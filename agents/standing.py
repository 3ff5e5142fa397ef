"""What each account is doing, and which of several speaks for the miner: the panel and `/health` tell the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from agents import gates, governor
from agents.configuration import accounts, models_of, rules
from agents.governor import Limits
from agents.hybrid import Mode, intend
from agents.keys import UnreadableKey, key_of
from agents.latency import Samples
from agents.models import Account, Gate, RateLimitEvent, Settings
from agents.reasons import PauseSource, Reason
from agents.recovery import CONFIDENCE, Prediction
from agents.refusals import RefusalClass, sentence


class Standing(StrEnum):
    """What an account is doing. An open one whose next slot is not there yet is `SPACING`; `STOPPED` waits for its operator."""

    OPEN = "open"
    SPACING = "spacing"
    PAUSED = "paused"
    PROBING = "probing"
    STOPPED = "stopped"
    OFF = "off"


USABLE = frozenset({Standing.OPEN, Standing.SPACING})


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of one account. `obstacle`: why its LLM is not asked at all; `unreadable`: why its key can't be opened.

    `event`: the open rate-limit event of the whole account; `latencies`: how long its models took of late.
    """

    account: Account
    gate: governor.Gate = field(default_factory=governor.Gate)
    limits: Limits = field(default_factory=Limits)
    models: tuple[str, ...] = ()
    latencies: Samples = field(default_factory=dict)
    event: RateLimitEvent | None = None
    obstacle: Reason | None = None
    unreadable: str = ""

    @property
    def cause(self) -> RefusalClass | None:
        """The class of the refusal that the account has not recovered from; None for none."""
        known = self.gate.cause if self.gate.strikes else ""
        refusal = known or (self.event.refusal if self.event else "")
        return RefusalClass(refusal) if refusal else None

    @property
    def status(self) -> int | None:
        """The HTTP status of that refusal, where known."""
        return self.event.status if self.event else None

    @property
    def cause_sentence(self) -> str:
        """That refusal in words, with what to do; "" for none."""
        return sentence(self.cause, has_succeeded=not self.gate.never_worked, status=self.status) if self.cause else ""

    def standing(self, now: float) -> Standing:
        """What the account is doing at `now`."""
        if self.obstacle or self.unreadable:
            return Standing.OFF
        if self.gate.is_stopped and not self.is_paused_by_operator(now):
            return Standing.STOPPED
        state = self.gate.state(now)
        if state is governor.State.OPEN:
            return Standing.OPEN if governor.next_slot(self.gate, self.limits, now) <= now else Standing.SPACING
        return Standing.PAUSED if state is governor.State.PAUSED else Standing.PROBING

    def is_paused_by_operator(self, now: float) -> bool:
        """Whether the running pause is an operator's word."""
        return now < self.gate.paused_until and self.gate.pause_source is PauseSource.OPERATOR

    def expected(self, now: float) -> Prediction | None:
        """When the account will be back, as was predicted when it was paused; None where no pause is behind it, or nothing is known."""
        standing, gate = self.standing(now), self.gate
        if standing is Standing.STOPPED:
            return Prediction(PauseSource.CHECK, 0.0)
        if standing not in (Standing.PAUSED, Standing.PROBING):
            return None
        if self.is_paused_by_operator(now):
            return Prediction(PauseSource.OPERATOR, 1.0, gate.paused_until)
        if self.event:
            return predicted_by(self.event)
        if standing is Standing.PROBING:
            return None
        return Prediction(gate.pause_source, CONFIDENCE.get(gate.pause_source, 0.0), gate.paused_until)


def looks() -> list[Look]:
    """What is known of every account, in the order in which a step tries them."""
    settings, rows = Settings.current(), accounts()
    limits, mode = rules(settings).limits, Mode(settings.agent_mode)
    found = {row.account_id: row for row in Gate.objects.filter(account__in=rows)}
    events = {event.account_id: event for event in RateLimitEvent.objects.filter(account__in=rows, model="", ended_by="")}
    return [_look(row, limits, mode, found.get(row.pk), events.get(row.pk)) for row in rows]


def foremost(seen: Sequence[Look], now: float) -> Look:
    """The account that speaks for the miner: the first that can be used, else the one that is back the soonest."""
    usable = next((look for look in seen if look.standing(now) in USABLE), None)
    return usable or min(seen, key=lambda look: _distance(look, now))


def _look(account: Account, limits: Limits, mode: Mode, row: Gate | None, event: RateLimitEvent | None) -> Look:
    unreadable, has_key = "", True
    try:
        has_key = bool(key_of(account))
    except UnreadableKey as error:
        unreadable = str(error)
    models = models_of(account)
    return Look(
        account=account,
        gate=gates.read(row) if row else governor.Gate(),
        limits=limits,
        models=models,
        latencies=row.latencies if row else {},
        event=event,
        obstacle=intend(mode=mode, caller_allowed=True, enabled=account.enabled, has_key=has_key, models=models).reason,
        unreadable=unreadable,
    )


def _distance(look: Look, now: float) -> tuple[int, float]:
    """How far an account is from being used again: one that waits for its operator is farther than any pause, one that is off farthest."""
    standing = look.standing(now)
    if standing in (Standing.STOPPED, Standing.OFF):
        return (1 if standing is Standing.STOPPED else 2, 0.0)
    told = look.expected(now)
    return (0, max(now, look.gate.paused_until, (told and told.at) or 0.0))


def predicted_by(event: RateLimitEvent) -> Prediction:
    """The prediction that was made when the event began."""
    at, earliest, latest = (
        moment.timestamp() if moment else None for moment in (event.predicted_at, event.predicted_from, event.predicted_to)
    )
    return Prediction(PauseSource(event.prediction_source), event.confidence, at, earliest, latest)
