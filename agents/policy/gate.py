"""The gate of one account: when may the next request be sent, and what does an outcome change?

Pure transitions over frozen values; the caller reads the clock and keeps the gate.
    open ──refused──▶ paused ──its time is over──▶ probing (one attempt at a time, under a lease)
     ▲                  ▲                             │   │
     └────succeeded─────┼─────────────────────────────┘   │
                        └───────────refused───────────────┘

An attempt may be sent from `slot` to `slot + grace`, and the next slot opens `spacing + grace` after the slot, so that two requests are
never closer than the spacing.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from agents.policy import backoff, blocks, callers, pacing
from agents.policy.backoff import Cooldown
from agents.policy.blocks import Block
from agents.policy.callers import Claim
from agents.policy.modes import Pacing, Risk
from agents.policy.pacing import AHEAD, BURST_GAP, GRACE, Pace
from agents.policy.reasons import PauseSource, Reason
from agents.policy.refusals import Reaction, RefusalClass

LADDER = (60.0, 120.0, 240.0, 480.0)
# After each such time without a refusal, in seconds, one step of the ladder is forgotten.
RUNG_FORGOTTEN = 3600.0
# Clocks of several machines differ by no more than this, in seconds; a time further ahead means that the clock was set back.
SKEW = 5.0
# Only pauses of our own choice get jitter: the others have an exact end.
OWN = frozenset({PauseSource.LADDER, PauseSource.LEARNED})
EDGE = RefusalClass.EDGE
STOPPED = frozenset(kind for kind in RefusalClass if kind.reaction is Reaction.CHECK)
Pause = tuple[float, PauseSource]  # in seconds


@dataclass(frozen=True, slots=True)
class Limits:
    """What admins set, in seconds. `ladder`: the pause after each refusal in a row; it doubles up to `longest` after the last one.
    `key_check`: between two checks of a key that was refused or an account without balance."""

    spacing: float = 5.0
    ladder: tuple[float, ...] = LADDER
    pacing: Pacing = Pacing.FIXED
    risk: Risk = Risk.BALANCED
    longest: float = 600.0
    key_check: float = 300.0

    @property
    def grace(self) -> float:
        """How long after its time a slot can be used, in seconds: without a spacing, always."""
        return GRACE if self.is_paced else float("inf")

    @property
    def is_paced(self) -> bool:
        return bool(self.spacing) or self.is_auto

    @property
    def is_auto(self) -> bool:
        return self.pacing is Pacing.AUTO

    def pause(self, strike: int) -> float:
        return backoff.rung(self.ladder, self.longest, strike)


GateState = StrEnum("GateState", "OPEN PAUSED PROBING")


@dataclass(frozen=True, slots=True)
class Gate:
    """One account's state. `strikes`: refusals in a row; 0 means that no pause is running or waits for a probe.

    `not_before`: until then nothing is sent, since a request was sent late. `cause`: the class of the refusal behind the pause, or "".
    `blocked_at`: time of the first refusal in a row. `rungs`: the steps of the ladder that the last block took; it was over at
    `recovered_at`. `succeeded_at`: the last success, 0 for a key that never had one. `claims`: who holds the slots to come, and who used
    those of the last minute.
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
    rungs: int = 0
    recovered_at: float = 0.0
    succeeded_at: float = 0.0
    cooldowns: tuple[Cooldown, ...] = ()
    pace: Pace = field(default_factory=Pace)
    claims: tuple[Claim, ...] = ()

    def claim(self, attempt: str) -> Claim | None:
        return next((claim for claim in self.claims if claim.attempt == attempt), None) if attempt else None

    def state(self, now: float) -> GateState:
        if now < self.paused_until:
            return GateState.PAUSED
        return GateState.PROBING if self.strikes else GateState.OPEN

    @property
    def is_stopped(self) -> bool:
        return bool(self.strikes) and self.cause in STOPPED

    def is_single(self, limits: Limits) -> bool:
        """Whether one attempt at a time is sent: after a refusal, and under the automatic pace until the account works (again)."""
        return bool(self.strikes) or (limits.is_auto and self.succeeded_at <= self.paused_at)

    @property
    def block(self) -> Block:
        """After a refusal. The first one started the block, and each one since met it."""
        return Block(self.blocked_at, self.paused_at, self.strikes - 1)

    @property
    def never_worked(self) -> bool:
        """A wrong header or host has the same effect as a limit."""
        return bool(self.strikes) and self.cause == EDGE and not self.succeeded_at


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer. `slot` set: send at that time. Else `reason` is why not, and `retry_at` when the same step would be admitted.

    `lease`: the time until which no other probe starts, set for a probe and identifying it. `attempt`: the holder of the slot, "" where
    the gate does not record it; `leeway`: how much longer than usual the slot stays open; `is_taken`: it was another attempt's before.
    `may_wait`: the pause or the probe may end, and a slot open, in time for the step.
    """

    reason: Reason
    slot: float | None = None
    retry_at: float | None = None
    lease: float | None = None
    attempt: str = ""
    leeway: float = 0.0
    is_taken: bool = False
    may_wait: bool = False

    @property
    def may_send(self) -> bool:
        """Now, in a slot, or after a wait."""
        return self.slot is not None or self.may_wait


def decide(
    gate: Gate, limits: Limits, now: float, deadline: float, latency: float, claimant: Claim | None = None, *, may_take: bool = True
) -> tuple[Decision, Gate]:
    """May a step that must be answered by `deadline` send a request, and when? The returned gate has the slot reserved.

    `latency`: expected seconds. Without a `claimant` the gate does not record who holds the slot. `may_take`: whether a step without a free
    slot in time takes one over from a caller that has more than its share.
    """
    patience = deadline - latency - now
    if patience < 0:
        return Decision(Reason.DEADLINE), gate
    gate = rebased(gate, now)
    state, latest, is_single = gate.state(now), now + patience, gate.is_single(limits)
    # A probe may run longer than an operator's pause.
    blocked_until = max(gate.paused_until, gate.probe_until if is_single else 0.0)
    if now < blocked_until:
        reason = Reason.PAUSED if state is GateState.PAUSED else Reason.PROBING
        retry_at = next_slot(gate, limits, blocked_until, patience)
        # A probe may be answered long before its lease ends.
        soonest = max(now, gate.paused_until)
        may_wait = next_slot(gate, limits, soonest, latest - soonest) <= latest
        return Decision(reason, retry_at=retry_at, may_wait=may_wait), gate
    slot = next_slot(gate, limits, now, patience)
    is_in_time = slot + latency <= deadline
    claimant = claimant._replace(latest=latest, may_lose=bool(claimant.caller)) if claimant and limits.is_paced else None
    if claimant and not is_single and (is_in_time or may_take):
        held = callers.to_take_over(gate.claims, claimant, now, slot, latest)
        if held:
            claim = claimant._replace(slot=held.slot, leeway=held.leeway, is_taken=True)
            decision = Decision(Reason.ANSWERED, held.slot, attempt=claimant.attempt, leeway=held.leeway, is_taken=True)
            return decision, replace(gate, claims=tuple(claim if kept is held else kept for kept in gate.claims))
    if not is_in_time:
        return Decision(Reason.SPACING, retry_at=slot), gate
    lease = deadline if is_single else None
    claims = gate.claims
    if claimant:
        claims = (*callers.recent(claims, now), claimant._replace(slot=slot, may_lose=claimant.may_lose and lease is None))
    pace = pacing.reserved(gate.pace, limits.spacing, limits.risk.weight, slot, now, latest)
    reserved = replace(gate, last_slot_at=slot, pace=pace, claims=claims, probe_until=lease or gate.probe_until)
    return Decision(Reason.ANSWERED, slot, lease=lease, attempt=claimant.attempt if claimant else ""), reserved


def next_slot(gate: Gate, limits: Limits, now: float, patience: float = float("inf")) -> float:
    """For a step that can wait for `patience` seconds: `now` where a slot is open."""
    if limits.is_auto:
        at = pacing.slot(gate.pace, limits.spacing, limits.risk.weight, max(now, gate.not_before), now + patience)
        # A slot that stays open longer than usual is booked at its end, and may be used before: no burst falls in between.
        longer = [claim.booked for claim in gate.claims if claim.slot - BURST_GAP < at < claim.booked]
        return next_slot(gate, limits, longer[0], now + patience - longer[0]) if longer else at
    # Derived from the last slot, so that a new spacing takes effect at once.
    return max(now, gate.not_before, gate.last_slot_at + limits.spacing + limits.grace) if limits.spacing else now


def hold(gate: Gate, limits: Limits, decision: Decision, decided_at: float, now: float) -> Reason | None:
    """Why the attempt gives its slot up, checked while it waits and right before it is sent; None: it keeps it."""
    if gate.paused_at > decided_at or now < gate.paused_until:
        return Reason.PAUSED
    if gate.is_single(limits) and gate.probe_until != decision.lease:
        return Reason.PROBING
    if decision.attempt and gate.claim(decision.attempt) is None and now <= (decision.slot or 0.0) + callers.SHARED_SECONDS:
        return Reason.SHARE
    if decision.slot is None or max(now, earliest(gate, limits, decision)) > closes(gate, limits, decision):
        return Reason.MISSED
    return None


def earliest(gate: Gate, limits: Limits, decision: Decision) -> float:
    """When the attempt may be sent: its slot may have been moved back since the decision."""
    claim = gate.claim(decision.attempt)
    slot = claim.slot if claim else decision.slot or 0.0
    return max(slot, gate.not_before if limits.is_paced else 0.0)


def closes(gate: Gate, limits: Limits, decision: Decision) -> float:
    claim = gate.claim(decision.attempt)
    return (claim.booked if claim else (decision.slot or 0.0) + decision.leeway) + limits.grace


def left_late(gate: Gate, limits: Limits, slot: float, sent_at: float) -> Gate:
    """A request was sent after its slot had closed: the next one is spaced from that moment."""
    if sent_at <= slot + limits.grace:
        return gate
    return replace(gate, not_before=max(gate.not_before, sent_at + (BURST_GAP if limits.is_auto else limits.spacing)))


def succeeded(gate: Gate, limits: Limits, sent_at: float, now: float, published: float | None = None, used: float | None = None) -> Gate:
    """`published`: the limit a minute that the answer states; `used`: the day's requests.

    A request from before the pause shows only that the key worked then.
    """
    pace = pacing.accepted(pacing.counted(gate.pace, used, now), limits.risk.weight, sent_at, now, published)
    if sent_at <= gate.paused_at:
        return replace(gate, succeeded_at=max(gate.succeeded_at, sent_at), pace=pace)
    opened = replace(gate, strikes=0, paused_until=0.0, probe_until=0.0, cause="", succeeded_at=now, pace=pace)
    if not gate.strikes:
        return opened
    if gate.cause != EDGE:
        return replace(opened, recovered_at=now)
    pace = pacing.probed(pace, gate.block, now, is_over=True)
    return replace(opened, rungs=min(gate.strikes, len(limits.ladder)) - 1, recovered_at=now, pace=pace)


def refused(
    gate: Gate, limits: Limits, sent_at: float, now: float, stated: Pause | None = None, kind: RefusalClass = EDGE, jitter: float = 0.0
) -> Gate:
    """For the whole account. `stated`: the pause, where known. `jitter`, 0 to 1, stretches a pause of our own.

    Requests that were sent before the running pause began belong to the same violation: they add no strike.
    """
    if (gate.strikes or now < gate.paused_until) and sent_at <= gate.paused_at:
        return gate
    is_edge = kind is EDGE
    strikes = (gate.strikes or _remembered(gate, limits, now)) + 1 if is_edge else max(1, gate.strikes)
    if not gate.strikes:
        gate = replace(gate, blocked_at=now, pace=pacing.violated(gate.pace, sent_at, now, gate.succeeded_at) if is_edge else gate.pace)
    elif is_edge and gate.cause == EDGE:
        gate = replace(gate, pace=pacing.probed(gate.pace, gate.block, now, is_over=False))
    seconds, source = _pause(gate, limits, strikes, now, stated, kind)
    until = now + (backoff.stretched(seconds, jitter) if source in OWN else seconds)
    return replace(gate, strikes=strikes, paused_at=now, paused_until=until, pause_source=source, probe_until=0.0, cause=kind.value)


def _pause(gate: Gate, limits: Limits, strikes: int, now: float, stated: Pause | None, kind: RefusalClass) -> Pause:
    if kind in STOPPED:
        return limits.key_check, PauseSource.CHECK
    if stated is not None:
        return stated
    if not limits.is_auto:
        return limits.pause(strikes), PauseSource.LADDER
    learned = gate.pace.present_blocks
    seconds = blocks.next_wait(learned, Block(gate.blocked_at, now, strikes - 1), limits.risk.weight)
    return (seconds, PauseSource.LEARNED) if learned.weights else (max(seconds, limits.pause(1)), PauseSource.LADDER)


def next_pause(gate: Gate, limits: Limits) -> float:
    """Seconds, without jitter, for which the account is paused if the next probe, at the pause's end, is refused by the edge."""
    after = refused(gate, limits, gate.paused_until, gate.paused_until)
    return after.paused_until - gate.paused_until


def _remembered(gate: Gate, limits: Limits, now: float) -> int:
    return 0 if limits.is_auto else max(0, gate.rungs - int(max(0.0, now - gate.recovered_at) / RUNG_FORGOTTEN))


def released(gate: Gate, lease: float | None) -> Gate:
    """An attempt ended without information about the account: its probe's lease is free again, unless another probe has it by now."""
    return replace(gate, probe_until=0.0) if lease is not None and gate.probe_until == lease else gate


def failed(gate: Gate, lease: float | None, now: float) -> Gate:
    """An attempt was sent and got no answer: the provider may have counted it."""
    return replace(released(gate, lease), pace=pacing.counted(gate.pace, None, now))


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


def paused(gate: Gate, now: float, seconds: float) -> Gate:
    until = now + seconds
    if until <= gate.paused_until:
        return gate
    return replace(gate, paused_at=now, paused_until=until, pause_source=PauseSource.OPERATOR)


def resumed(gate: Gate, now: float) -> Gate:
    """By an operator. After a refusal one request probes the account first; a probe under way keeps its lease."""
    return replace(gate, paused_until=min(gate.paused_until, now))


def cleared(gate: Gate) -> Gate:
    """By an operator: open, at the spacing again. Slots that are taken stay taken, so that the spacing holds."""
    pace = Pace(sends=gate.pace.sends)
    return Gate(last_slot_at=gate.last_slot_at, not_before=gate.not_before, succeeded_at=gate.succeeded_at, pace=pace, claims=gate.claims)


def rekeyed(gate: Gate, now: float) -> Gate:
    """The account has another key: a pause for the old key's refusal ends at once. The new key has not worked yet."""
    gate = replace(gate, succeeded_at=0.0)
    return resumed(gate, now) if gate.is_stopped else gate


def rescheduled(gate: Gate, now: float, until: float, source: PauseSource) -> Gate:
    """A better source than the calendar states when a subscription's cap resets: the running pause ends then. Any other pause stays."""
    is_cap_pause = gate.cause == RefusalClass.SUBSCRIPTION_CAP and gate.pause_source in (PauseSource.CALENDAR, source)
    if not is_cap_pause or not gate.strikes or not now < gate.paused_until or until <= now:
        return gate
    return replace(gate, paused_until=until, pause_source=source)
