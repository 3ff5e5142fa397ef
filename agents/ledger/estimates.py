"""Records the belief about an account's limit: at each refusal, at the end of each block, and at intervals while requests succeed."""

from bisect import bisect_right

from agents.ledger.gate_rows import at
from agents.models import Gate as Row
from agents.models import LimitEstimate
from agents.policy import belief, pacing
from agents.policy.belief import MINUTE
from agents.policy.gate import EDGE, Gate, Limits
from agents.policy.reasons import Occasion

# Seconds between two records while requests succeed: a day of them fits on a plot.
EVERY = 300.0


def note(row: Row, before: Gate, after: Gate, limits: Limits, sent_at: float, now: float) -> None:
    """Call it with the gate's row locked, before it is saved. `before`, `after`: the gate around the answer to a request of `sent_at`."""
    occasion = occasion_of(before, after)
    if occasion is None or (occasion is Occasion.ACCEPTED and 0 <= now - row.estimated_at < EVERY):
        return
    row.estimated_at = now
    made = estimate(before, after, limits, sent_at, now)
    made.account_id, made.occasion = row.account_id, occasion
    made.save()


def occasion_of(before: Gate, after: Gate) -> Occasion | None:
    if after.cause == EDGE and after.strikes > before.strikes:
        return Occasion.PROBED if before.cause == EDGE else Occasion.REFUSED
    if before.cause == EDGE and not after.cause:
        return Occasion.RECOVERED
    return Occasion.ACCEPTED if not after.strikes and after.pace is not before.pace else None


def estimate(before: Gate, after: Gate, limits: Limits, sent_at: float, now: float) -> LimitEstimate:
    """Unsaved, without account and occasion."""
    low, middle, high = belief.quantiles(after.pace.belief, now)
    gap = pacing.gap(after.pace.level(now, limits.risk.weight) if limits.is_auto else 0.0, limits.spacing)
    sends = before.pace.sends
    sent = bisect_right(sends, sent_at) - bisect_right(sends, sent_at - MINUTE)
    pace = round(MINUTE / gap, 1) if gap else None
    return LimitEstimate(at=at(now), low=low, middle=middle, high=high, pace=pace, sent=sent)
