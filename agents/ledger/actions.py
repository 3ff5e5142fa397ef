"""What people do to an account's gate or a channel: each word is carried out and on record in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from agents import gates, governor, words
from agents.ledger import events
from agents.ledger.times import at
from agents.models import Account, AuditEntry
from agents.text import exact_length, length, seconds_of

Action = AuditEntry.Action


def pause(account: Account, seconds: float, *, by: str, now: float) -> None:
    """Send nothing for `seconds`. A pause that already lasts longer stays as it is."""
    _act(account, Action.PAUSE, f"For {exact_length(seconds)}.", by, now, lambda gate: words.paused(gate, now, seconds))


def paused_for(entry: AuditEntry) -> float:
    """For how many seconds an operator's word paused the account; 0 for another word."""
    return seconds_of(entry.detail.partition(".")[0]) if entry.action == Action.PAUSE else 0.0


def resume(account: Account, *, by: str, now: float) -> None:
    """End the pause now. After a refusal one request probes the account first."""
    _act(account, Action.RESUME, "", by, now, lambda gate: words.resumed(gate, now))


def probe(account: Account, *, by: str, now: float) -> None:
    """End the pause now, for a probe that the caller sends."""
    _act(account, Action.PROBE, "", by, now, lambda gate: words.resumed(gate, now))


def clear(account: Account, *, by: str, now: float) -> None:
    """Forget all refusals and what was learned of the account: it is open, at the spacing."""
    _act(account, Action.CLEAR, "", by, now, words.cleared)


def changed_channel(detail: str, *, by: str, now: float) -> None:
    """Keep what somebody did to a channel of notifications, in the transaction that does it."""
    AuditEntry.objects.create(at=at(now), by=by, action=Action.CHANNEL, detail=detail)


def rekey(account: Account, now: float) -> None:
    """The account got another key. Whoever changed it is in the account's history."""
    with transaction.atomic():
        _move(account, lambda gate: words.rekeyed(gate, now))


def _act(account: Account, action: str, detail: str, by: str, now: float, move: Callable[[governor.Gate], governor.Gate]) -> None:
    with transaction.atomic():
        before = _move(account, move)
        if action in (Action.RESUME, Action.CLEAR):
            events.ended_by_operator(account, now)
        left = before.paused_until - now
        words = f"{detail} {f'{length(left)} of a pause were left.' if left > 0 else 'No pause was running.'}".strip()
        AuditEntry.objects.create(at=at(now), by=by, action=action, account=account, detail=words)


def _move(account: Account, move: Callable[[governor.Gate], governor.Gate]) -> governor.Gate:
    """The gate as it was before."""
    row = gates.locked(account)
    before = gates.read(row)
    gates.save(row, move(before))
    return before
