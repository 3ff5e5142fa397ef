"""Slots that were not used in time: freed, and replaced while the step's deadline allows."""

from dataclasses import replace

from agents.policy.callers import Claim
from agents.policy.gate import Decision, Gate, Limits, decide, hold, released
from agents.policy.pacing import BURST_GAP, GRACE, SLACK
from agents.policy.reasons import Reason

# A machine on which a step woke late is busy: its new slot stays open this much longer, in seconds.
LEEWAY = 0.4
# A slot that opens sooner than this, in seconds, is not moved back: its holder may send before the change is committed.
UNMOVED_SECONDS = LEEWAY + GRACE


def given_up(gate: Gate, limits: Limits, attempt: str, lease: float | None) -> Gate:
    """An attempt ended without being sent. A slot that was taken over stays booked: its former holder may have sent at the same moment."""
    gate = released(gate, lease)
    claim = gate.claim(attempt)
    if claim is None:
        return gate
    claims = tuple(other for other in gate.claims if other is not claim)
    if claim.is_taken:
        return replace(gate, claims=claims)
    sends, last = list(gate.pace.sends), gate.last_slot_at
    if claim.booked in sends:
        sends.remove(claim.booked)
    if last == claim.booked:
        # A slot before that is no longer kept was at least a spacing earlier. A refusal removes slots that are still held from `sends`.
        last = max([*sends[-1:], *(other.booked for other in claims)], default=last - limits.spacing - limits.grace)
    return replace(gate, claims=claims, last_slot_at=last, pace=replace(gate.pace, sends=tuple(sends)))


def renewed(
    gate: Gate, limits: Limits, decision: Decision, decided_at: float, now: float, cut_off: float, expected_latency: float
) -> tuple[Decision, Gate]:
    """For an attempt that missed its slot: now if the others can be moved back, else the next slot in time, else why it is given up."""
    obstacle, claim = hold(gate, limits, decision, decided_at, now), gate.claim(decision.attempt)
    if obstacle is None and not decision.is_taken:
        return decision, gate
    if obstacle not in (None, Reason.MISSED):
        return Decision(obstacle), gate
    if claim is None:
        return Decision(Reason.MISSED), gate
    freed = given_up(gate, limits, decision.attempt, decision.lease)
    # Within the slack that the automatic pace leaves, a request that moves from its slot breaks no limit.
    may_insert = decision.lease is None and not decision.leeway and (not limits.is_auto or now - claim.slot <= SLACK)
    inserted = _inserted(freed, limits, claim, now, cut_off - expected_latency) if may_insert else None
    if inserted:
        return Decision(Reason.ANSWERED, max(now, freed.not_before), attempt=claim.attempt, leeway=LEEWAY), inserted
    claimant = Claim(claim.attempt, claim.caller, claim.is_allowed)
    again, moved = decide(freed, limits, now, cut_off, expected_latency, claimant, may_take=False)
    return (again, moved) if again.slot is not None else (Decision(Reason.MISSED, retry_at=again.retry_at), gate)


def _inserted(gate: Gate, limits: Limits, claim: Claim, now: float, latest: float) -> Gate | None:
    """The claim moved to now, and the slots behind it back. None: no room, a step would be late, or it is unknown who holds a slot."""
    gap = BURST_GAP if limits.is_auto and gate.pace.has_evidence else limits.spacing + GRACE
    own = claim._replace(slot=max(now, gate.not_before), leeway=LEEWAY, is_taken=False)
    before = [send for send in gate.pace.sends if send <= now + UNMOVED_SECONDS]
    # The last slot may be older than the minute that the pace keeps.
    near = [send for send in (gate.last_slot_at, *before) if send <= now + UNMOVED_SECONDS]
    if own.slot > latest or any(send + gap > own.slot and send < own.booked + gap for send in near):
        return None
    holders, moved = {claim.booked: claim for claim in gate.claims}, dict[str, Claim]()
    sends, last = [*before, own.booked], own.booked
    for send in gate.pace.sends[len(before) :]:
        last, holder = max(send, last + gap), holders.get(send)
        if last > send:
            if holder is None or last - holder.leeway > holder.latest:
                return None
            moved[holder.attempt] = holder._replace(slot=last - holder.leeway)
        sends.append(last)
    sends.sort()
    claims = (*(moved.get(other.attempt, other) for other in gate.claims), own)
    pace = replace(gate.pace, sends=tuple(sends))
    return replace(gate, last_slot_at=max(gate.last_slot_at, sends[-1]), pace=pace, claims=claims)
