"""An account's gate as the page Rate limit shows it: its state, backoff, pace and models. Times are Unix seconds."""

from datetime import datetime
from typing import Any, NamedTuple

from agents.accounts.status import USABLE, AccountState, AccountStatus
from agents.policy import backoff, gate, latency
from agents.policy.reasons import PaceSource
from agents.policy.refusals import RefusalClass
from monitoring.ratelimit.status_text import expectation, status_text

MEANINGS = {
    AccountState.OPEN: ("Open", "The next step may send at once"),
    AccountState.SPACING: ("Spacing", "Waiting for the next slot"),
    AccountState.PAUSED: ("Paused", "Nothing is sent"),
    AccountState.PROBING: ("Probing", "One request checks the account"),
    AccountState.STOPPED: ("Stopped", "Needs an operator"),
    AccountState.OFF: ("Off", "Not used"),
}
# Pauses beyond the admins' list that are shown while the backoff goes on doubling.
BEYOND = 2


class PaceNow(NamedTuple):
    """How fast requests may follow each other. `facts`: label and value. `raised_at`: when a higher pace is tried."""

    text: str
    facts: tuple[tuple[str, str], ...]
    raised_at: float | None = None


def gate_now(snapshot: AccountStatus, now: datetime) -> dict[str, Any]:
    """`states`: name, meaning, and whether it is in it; `serves`: whether models are tried as soon as there is a slot."""
    at, state = now.timestamp(), snapshot.state(now.timestamp())
    slot = gate.next_slot(snapshot.gate, snapshot.limits, at)
    return {
        "snapshot": snapshot,
        "state": state,
        "status": status_text(snapshot, now),
        "states": [(name, meaning, each is state) for each, (name, meaning) in MEANINGS.items()],
        "expected": expectation(snapshot, now),
        "blocked_at": snapshot.gate.blocked_at if snapshot.gate.strikes else None,
        "pauses": backoff_pauses(snapshot),
        "pace": pace(snapshot, at),
        "next_slot_at": slot if slot > at and state is AccountState.SPACING else None,
        "models": models(snapshot, at),
        "serves": state in USABLE,
    }


def backoff_pauses(snapshot: AccountStatus) -> list[tuple[float, bool]]:
    """The pauses after refusals in a row, and whether each runs now. A refusal that is no rate limit has none."""
    limits, strikes = snapshot.limits, snapshot.gate.strikes if snapshot.cause is RefusalClass.EDGE else 0
    shown = max(len(limits.ladder), min(strikes + 1, len(limits.ladder) + BEYOND))
    return [(next_pause(snapshot, number), number == min(strikes, shown)) for number in range(1, shown + 1)]


def next_pause(snapshot: AccountStatus, strike: int) -> float:
    """The backoff after the strike-th refusal in a row, in seconds: the longest that a pause of our own can be."""
    longest = backoff.LONGEST if snapshot.limits.is_learned else snapshot.limits.longest
    return backoff.rung(snapshot.limits.ladder, longest, strike)


def pace(snapshot: AccountStatus, now: float) -> PaceNow:
    known, spacing = snapshot.gate.pace, snapshot.limits.spacing
    published = ("Published by the provider", f"{known.published:g} a minute" if known.published else "Unknown")
    if not snapshot.limits.is_learned:
        return PaceNow(f"Fixed: one every {spacing:g} s" if spacing else "Fixed: no spacing", (published,))
    if not known.level:
        spaced = f"Learned: {PaceSource.SPACING.sentence}, one every {spacing:g} s"
        return PaceNow(spaced if spacing else "Learned: nothing yet", (published,))
    facts = (
        ("Confidence", f"{known.confidence:g} of 1"),
        ("Source", known.source.sentence),
        ("Most accepted", f"{known.proven[2]} in a minute, {known.proven[1]} in 10 s, {known.proven[0]} in 2 s"),
        ("Last refused at", f"{known.ceiling:g} a minute" if known.ceiling else "no rate so far"),
        published,
    )
    return PaceNow(f"Learned: {known.level:.3g} a minute", facts, known.hold_until if known.ceiling and known.hold_until > now else None)


def models(snapshot: AccountStatus, now: float) -> list[dict[str, Any]]:
    """In the order in which they are tried. `expected`: seconds in which one most likely answers, from so many recent `answers`."""
    cooldowns = {name: (until, times) for name, until, times in snapshot.gate.cooldowns if now < until}
    rows = []
    for name in snapshot.models:
        until, refusals = cooldowns.get(name, (None, 0))
        expected, answers = latency.expected(snapshot.latencies, name, now), latency.known(snapshot.latencies, name, now)
        rows.append({"name": name, "cooling_until": until, "refusals": refusals, "expected": expected, "answers": answers})
    return rows
