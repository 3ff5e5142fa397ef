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

from dataclasses import dataclass, field, replace
from enum import StrEnum

from agents import pacing, pauses
from agents.cooling import Cooling
from agents.pacing import AHEAD, BURST_GAP, GRACE, Pace
from agents.phrases import phrase
from agents.reasons import PauseSource, Reason
from agents.refusals import RefusalClass

LADDER = (60.0, 120.0, 240.0, 480.0)
# A rung of the ladder is forgotten after this much time without a refusal, in seconds.
RUNG_FORGOTTEN = 3600.0
# Clocks of several machines differ by no more than this, in seconds; a time further ahead means that the clock was set back.
SKEW = 5.0
# Pauses that we made up: the others are known to the second.
OWN = frozenset({PauseSource.LADDER, PauseSource.LEARNED})
STOPPED = frozenset({RefusalClass.AUTH, RefusalClass.PAYMENT})


class Pacing(StrEnum):
    """Who says how fast requests may follow each other: the spacing alone, or what was learned of the account."""

    FIXED = "fixed"
    LEARNED = "learned"

    @property
    def sentence(self) -> str:
        """The pacing in an operator's words."""
        return phrase("Fixed: the spacing") if self is Pacing.FIXED else phrase("Learned: the account's real limit")


@dataclass(frozen=True, slots=True)
class Limits:
    """What admins set: seconds between requests, the pause after each refusal in a row and how far it doubles after the last one.

    `key_check`: seconds between two looks at a key that was refused or an account without balance.
    """

    spacing: float = 5.0
    ladder: tuple[float, ...] = LADDER
    pacing: Pacing = Pacing.FIXED
    longest: float = 600.0
    key_check: float = 300.0

    @property
    def grace(self) -> float:
        """How long a slot's window stays open. With no spacing there is nothing to keep, so nothing can be missed."""
        return GRACE if self.spacing or self.is_learned else float("inf")

    @property
    def is_learned(self) -> bool:
        """Whether the pace is the learned one."""
        return self.pacing is Pacing.LEARNED

    def pause(self, strike: int) -> float:
        """The ladder's pause for the strike-th refusal in a row, from 1."""
        return pauses.rung(self.ladder, self.longest, strike)


class State(StrEnum):
    """What the gate is doing."""

    OPEN = "open"
    PAUSED = "paused"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class Gate:
    """One account's state. `strikes` counts refusals in a row; 0 means that no pause is running or waits for a probe.

    `not_before`: until then nothing leaves, since a request left late. `cause`: the class of the refusal behind the pause, "" for none.
    `blocked_at`: when the first refusal in a row came; `own_doing`: whether our own pace may have brought it about. `rungs`, `silence`:
    the ladder's rungs and the last pause that the last block took, seen at `recovered_at`. `succeeded_at`: the last success, 0 for a
    key that never had one.
    """

    last_slot_at: float = 0.0
    not_before: float = 0.0
    strikes: int = 0
    paused_at: float = 0.0
    paused_until: float = 0.0
    pause_source: PauseSource = PauseSource.LADDER
    probe_until: float = 0.0
    cause: str = ""
    blocked_at: float = 0.0
    own_doing: bool = False
    rungs: int = 0
    silence: float = 0.0
    recovered_at: float = 0.0
    succeeded_at: float = 0.0
    cooling: tuple[Cooling, ...] = ()
    pace: Pace = field(default_factory=Pace)

    def state(self, now: float) -> State:
        """The state at `now`: a gate whose pause is over stays `probing` until a request succeeds."""
        if now < self.paused_until:
            return State.PAUSED
        return State.PROBING if self.strikes else State.OPEN

    @property
    def is_stopped(self) -> bool:
        """Whether the account waits for its operator: the key was refused, or there is no balance."""
        return bool(self.strikes) and self.cause in STOPPED

    @property
    def never_worked(self) -> bool:
        """Whether the account is limited though it has never succeeded: a wrong header or host looks just like that."""
        return bool(self.strikes) and self.cause == RefusalClass.EDGE and not self.succeeded_at

    def next_slot_at(self, limits: Limits) -> float:
        """When the next slot opens at a fixed pace. Derived from the last one, so that a new spacing counts at once."""
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
    patience = deadline - expected_latency - now
    if patience < 0:
        return Decision(Reason.DEADLINE), gate
    gate = rebased(gate, now)
    state = gate.state(now)
    if state is State.PAUSED:
        return Decision(Reason.PAUSED, retry_at=_slot(gate, limits, gate.paused_until, patience)), gate
    if state is State.PROBING and now < gate.probe_until:
        return Decision(Reason.PROBING, retry_at=_slot(gate, limits, gate.probe_until, patience)), gate
    slot = _slot(gate, limits, now, patience)
    if slot + expected_latency > deadline:
        return Decision(Reason.SPACING, retry_at=slot), gate
    reserved = replace(gate, last_slot_at=slot, pace=pacing.reserved(gate.pace, limits.spacing, slot, now, now + patience))
    if state is State.OPEN:
        return Decision(Reason.ANSWERED, slot=slot), reserved
    return Decision(Reason.ANSWERED, slot=slot, lease=deadline), replace(reserved, probe_until=deadline)


def _slot(gate: Gate, limits: Limits, now: float, patience: float) -> float:
    if limits.is_learned:
        return pacing.slot(gate.pace, limits.spacing, max(now, gate.not_before), now + patience)
    return max(now, gate.next_slot_at(limits))


def next_slot(gate: Gate, limits: Limits, now: float) -> float:
    """When the next slot opens for a step that has no haste: `now` where it is open."""
    return _slot(gate, limits, now, float("inf"))


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
    return max(decision.slot or 0.0, gate.not_before if limits.spacing or limits.is_learned else 0.0)


def left_late(gate: Gate, limits: Limits, slot: float, sent_at: float) -> Gate:
    """A request had left its window by the time it was sent: the next one keeps its distance from that moment."""
    if sent_at <= slot + limits.grace:
        return gate
    distance = BURST_GAP if limits.is_learned else limits.spacing
    return replace(gate, not_before=max(gate.not_before, sent_at + distance))


def succeeded(gate: Gate, limits: Limits, sent_at: float, now: float, published: float | None = None) -> Gate:
    """A request that left at `sent_at` was accepted; `published` is the limit a minute that the answer told of.

    One that left before the pause began says nothing about it, but it shows that the key works.
    """
    if (gate.strikes or now < gate.paused_until) and sent_at <= gate.paused_at:
        return replace(gate, succeeded_at=now)
    pace = pacing.accepted(gate.pace, limits.spacing, sent_at, now, published)
    opened = replace(gate, strikes=0, paused_until=0.0, probe_until=0.0, cause="", succeeded_at=now, pace=pace)
    if not gate.strikes:
        return opened
    silence = gate.paused_until - gate.paused_at if gate.cause == RefusalClass.EDGE else gate.silence
    rungs = min(gate.strikes, len(limits.ladder)) - 1 if gate.cause == RefusalClass.EDGE else gate.rungs
    return replace(opened, rungs=rungs, silence=silence, recovered_at=now)


def refused(
    gate: Gate,
    limits: Limits,
    sent_at: float,
    now: float,
    told: tuple[float, PauseSource] | None = None,
    kind: RefusalClass = RefusalClass.EDGE,
    dice: float = 0.0,
) -> Gate:
    """A request that left at `sent_at` was refused for the whole account. `told`: the pause in seconds and its source, where known.

    Requests that left before the running pause began belong to the same violation: they add no strike. `dice`, from 0 to 1, stretch
    a pause of our own a little.
    """
    if (gate.strikes or now < gate.paused_until) and sent_at <= gate.paused_at:
        return gate
    strikes = (gate.strikes or _remembered(gate, now)) + 1 if kind is RefusalClass.EDGE else max(1, gate.strikes)
    blocked_at = gate.blocked_at if gate.strikes else now
    own_doing = gate.own_doing if gate.strikes else kind is RefusalClass.EDGE and pacing.is_own_doing(gate.pace, sent_at)
    seconds, source = _pause(replace(gate, blocked_at=blocked_at, own_doing=own_doing), limits, strikes, now, told, kind)
    pace = gate.pace
    if kind is RefusalClass.EDGE and not gate.strikes:
        pace = pacing.violated(pace, limits.spacing, sent_at, now, strikes)
    return replace(
        gate,
        strikes=strikes,
        paused_at=now,
        paused_until=now + (pauses.stretched(seconds, dice) if source in OWN else seconds),
        pause_source=source,
        probe_until=0.0,
        cause=kind.value,
        blocked_at=blocked_at,
        own_doing=own_doing,
        pace=pace,
    )


def _pause(
    gate: Gate, limits: Limits, strikes: int, now: float, told: tuple[float, PauseSource] | None, kind: RefusalClass
) -> tuple[float, PauseSource]:
    """The pause in seconds and how it is known, best source first."""
    if kind in STOPPED:
        stopped_for = now - gate.blocked_at if limits.is_learned else 0.0
        return pauses.check(limits.key_check, stopped_for), PauseSource.CHECK
    if told is not None:
        return told
    ladder = limits.pause(strikes)
    if not limits.is_learned:
        return ladder, PauseSource.LADDER
    silence = gate.silence if _remembered(gate, now) else 0.0
    learned = pauses.learned(limits.ladder, strikes, now - gate.blocked_at, silence, own_doing=gate.own_doing)
    return learned, PauseSource.LADDER if learned == ladder else PauseSource.LEARNED


def _remembered(gate: Gate, now: float) -> int:
    """The rungs of the last block that are not forgotten yet."""
    return max(0, gate.rungs - int(max(0.0, now - gate.recovered_at) / RUNG_FORGOTTEN))


def released(gate: Gate, lease: float | None) -> Gate:
    """An attempt ended without a word about the account (given up, timed out, upstream fault): its probe's lease is free again.

    A lease that has run out and gone to another probe stays with that one.
    """
    return replace(gate, probe_until=0.0) if lease is not None and gate.probe_until == lease else gate


def rebased(gate: Gate, now: float) -> Gate:
    """The gate under a clock that was set back: a pause lasts as long as it was meant to from now on, and no slot lies far ahead."""
    if gate.paused_at > now + SKEW:
        gate = replace(gate, paused_at=now, paused_until=now + max(0.0, gate.paused_until - gate.paused_at), blocked_at=now)
    if gate.last_slot_at > now + AHEAD:
        gate = replace(gate, last_slot_at=now, not_before=0.0)
    if gate.probe_until > now + AHEAD:
        gate = replace(gate, probe_until=0.0)
    pace = pacing.rebased(gate.pace, now)
    return gate if pace is gate.pace else replace(gate, pace=pace)
