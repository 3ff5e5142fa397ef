"""What people say to a gate, and what is known of it from elsewhere: transitions beside those that requests bring about.

Times are Unix seconds.
"""

from __future__ import annotations

from dataclasses import replace

from agents.governor import Gate
from agents.pacing import Pace
from agents.reasons import PauseSource
from agents.refusals import RefusalClass


def paused(gate: Gate, now: float, seconds: float) -> Gate:
    """An operator pauses the account. A pause that already lasts longer stays as it is."""
    until = now + seconds
    if until <= gate.paused_until:
        return gate
    return replace(gate, paused_at=now, paused_until=until, pause_source=PauseSource.OPERATOR)


def resumed(gate: Gate, now: float) -> Gate:
    """An operator ends the pause. After a refusal one request probes the account first, as when the pause ends by itself.

    A probe that is under way keeps its lease: there is never a second one.
    """
    return replace(gate, paused_until=min(gate.paused_until, now))


def cleared(gate: Gate) -> Gate:
    """An operator has all refusals and what was learned forgotten: the gate is open, and starts at the spacing again.

    The slots that are taken stay taken, so that the spacing holds.
    """
    taken = Pace(sends=gate.pace.sends)
    return Gate(last_slot_at=gate.last_slot_at, not_before=gate.not_before, succeeded_at=gate.succeeded_at, pace=taken)


def rekeyed(gate: Gate, now: float) -> Gate:
    """The account has another key: what the old one was refused for is looked at again at once. This one has not worked yet."""
    gate = replace(gate, succeeded_at=0.0)
    return resumed(gate, now) if gate.is_stopped else gate


def retold(gate: Gate, now: float, until: float, source: PauseSource) -> Gate:
    """Somebody knows better than the calendar when a subscription's cap resets: the running pause ends then. Any other pause stays."""
    is_meant = gate.cause == RefusalClass.SUBSCRIPTION_CAP and gate.pause_source in (PauseSource.CALENDAR, source)
    if not is_meant or not gate.strikes or not now < gate.paused_until or until <= now:
        return gate
    return replace(gate, paused_until=until, pause_source=source)
