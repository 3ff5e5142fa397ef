"""The gate of one account: when may the next request leave, and what does an outcome change?

Pure transitions over frozen values. Times are Unix seconds, durations seconds; the caller reads the clock and keeps the gate.

States, seen at a time `now`:

    open ──refused──▶ paused ──its time is over──▶ probing (one attempt at a time, under a lease)
     ▲                  ▲                             │   │
     └────succeeded─────┼─────────────────────────────┘   │
                        └───────────refused───────────────┘

A slot is a window: its attempt may be sent from `slot` to `slot + grace`, and the next slot opens `spacing + grace` later,
so that two requests are never closer than the spacing, however late inside its window each one leaves. One that was held up
on its way out and left after its window pushes back whoever comes next (`left_late`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from agents.reasons import Reason

LADDER = (60.0, 120.0, 240.0, 480.0)
# How long a slot's window is open: long enough for a thread to wake on a busy machine, and a fiftieth of the usual spacing.
GRACE = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """What admins set: seconds between requests, and the pause after each refusal in a row (the last one repeats)."""

    spacing: float = 5.0
    ladder: tuple[float, ...] = LADDER

    @property
    def grace(self) -> float:
        """How long a slot's window stays open. With no spacing there is nothing to keep, so nothing can be missed."""
        return GRACE if self.spacing else float("inf")

    def pause(self, strike: int) -> float:
        """The ladder's pause for the strike-th refusal in a row, from 1."""
        return self.ladder[min(strike, len(self.ladder)) - 1]


class State(StrEnum):
    """What the gate is doing."""

    OPEN = "open"
    PAUSED = "paused"
    PROBING = "probing"


class PauseSource(StrEnum):
    """How we know how long a pause lasts."""

    LADDER = "ladder"
    PROVIDER = "provider"
    CALENDAR = "calendar"
    CHECK = "check"

    @property
    def sentence(self) -> str:
        """The source in an operator's words."""
        return _SOURCES[self]


_SOURCES = {
    PauseSource.LADDER: "our ladder",
    PauseSource.PROVIDER: "the provider said so",
    PauseSource.CALENDAR: "the provider's calendar, in UTC",
    PauseSource.CHECK: "looked at again every few minutes",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """One account's state. `strikes` counts refusals in a row; 0 means that no pause is running or waits for a probe.

    `not_before`: until then nothing leaves, since a request left late.
    """

    last_slot_at: float = 0.0
    not_before: float = 0.0
    strikes: int = 0
    paused_at: float = 0.0
    paused_until: float = 0.0
    pause_source: PauseSource = PauseSource.LADDER
    probe_until: float = 0.0

    def state(self, now: float) -> State:
        """The state at `now`: a gate whose pause is over stays `probing` until a request succeeds."""
        if now < self.paused_until:
            return State.PAUSED
        return State.PROBING if self.strikes else State.OPEN

    def next_slot_at(self, limits: Limits) -> float:
        """When the next slot opens. Derived from the last one, so that a new spacing counts at once."""
        if not limits.spacing:
            return 0.0
        return max(self.not_before, self.last_slot_at + limits.spacing + limits.grace)


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer. `slot` set: send at that time. Else `reason` says why not, and `retry_at` when an equal step would be let in.

    `lease` is set for a probe: until then no other probe starts. Its value names the probe.
    """

    reason: Reason
    slot: float | None = None
    retry_at: float | None = None
    lease: float | None = None


def decide(gate: Gate, limits: Limits, now: float, deadline: float, expected_latency: float) -> tuple[Decision, Gate]:
    """May a step that must be answered by `deadline` send a request, and when? The returned gate has the slot reserved."""
    if now + expected_latency > deadline:
        return Decision(Reason.DEADLINE), gate
    state, next_slot_at = gate.state(now), gate.next_slot_at(limits)
    if state is State.PAUSED:
        return Decision(Reason.PAUSED, retry_at=max(gate.paused_until, next_slot_at)), gate
    if state is State.PROBING and now < gate.probe_until:
        return Decision(Reason.PROBING, retry_at=max(gate.probe_until, next_slot_at)), gate
    slot = max(now, next_slot_at)
    if slot + expected_latency > deadline:
        return Decision(Reason.SPACING, retry_at=slot), gate
    reserved = replace(gate, last_slot_at=slot)
    if state is State.OPEN:
        return Decision(Reason.ANSWERED, slot=slot), reserved
    return Decision(Reason.ANSWERED, slot=slot, lease=deadline), replace(reserved, probe_until=deadline)


def hold(gate: Gate, limits: Limits, decision: Decision, decided_at: float, now: float) -> Reason | None:
    """May the attempt that holds `decision`'s slot still go? None: yes. Else why it is given up.

    To be asked while waiting and right before sending.
    """
    if gate.paused_at > decided_at or now < gate.paused_until:
        return Reason.PAUSED
    if gate.strikes and gate.probe_until != decision.lease:
        return Reason.PROBING
    if decision.slot is None or max(now, earliest(gate, limits, decision)) > decision.slot + limits.grace:
        return Reason.MISSED
    return None


def earliest(gate: Gate, limits: Limits, decision: Decision) -> float:
    """When the attempt that holds `decision`'s slot may leave."""
    return max(decision.slot or 0.0, gate.not_before if limits.spacing else 0.0)


def left_late(gate: Gate, limits: Limits, slot: float, sent_at: float) -> Gate:
    """A request had left its window by the time it was sent: the next one keeps its distance from that moment."""
    if sent_at <= slot + limits.grace:
        return gate
    return replace(gate, not_before=max(gate.not_before, sent_at + limits.spacing))


def succeeded(gate: Gate, sent_at: float) -> Gate:
    """A request that left at `sent_at` was accepted. One that left before the pause began says nothing about it."""
    if gate.strikes and sent_at <= gate.paused_at:
        return gate
    return replace(gate, strikes=0, paused_until=0.0, probe_until=0.0)


def refused(
    gate: Gate, limits: Limits, sent_at: float, now: float, pause: float | None = None, source: PauseSource = PauseSource.PROVIDER
) -> Gate:
    """A request that left at `sent_at` was refused for the whole account. `pause` in seconds where one is known, from `source`.

    Requests that left before the running pause began belong to the same violation: they add no strike.
    """
    if gate.strikes and sent_at <= gate.paused_at:
        return gate
    strikes = gate.strikes + 1
    return replace(
        gate,
        strikes=strikes,
        paused_at=now,
        paused_until=now + (limits.pause(strikes) if pause is None else pause),
        pause_source=PauseSource.LADDER if pause is None else source,
        probe_until=0.0,
    )


def released(gate: Gate, lease: float | None) -> Gate:
    """An attempt ended without a word about the account (given up, timed out, upstream fault): its probe's lease is free again.

    A lease that has run out and gone to another probe stays with that one.
    """
    return replace(gate, probe_until=0.0) if lease is not None and gate.probe_until == lease else gate
