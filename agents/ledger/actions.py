"""Operators' actions on an account's gate, each done and recorded in one transaction."""

import logging
from collections.abc import Callable

from django.db import transaction

from agents.common.text import length
from agents.ledger import events, gate_rows
from agents.ledger.gate_rows import at
from agents.models import Account, AuditEntry, Gate, RateLimitEvent
from agents.policy import gate
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass

logger = logging.getLogger(__name__)

Action = AuditEntry.Action


def pause(account: Account, seconds: float, *, by: str, now: float) -> None:
    """A longer pause is not shortened."""
    _act(account, Action.PAUSE, by, now, lambda state: gate.paused(state, now, seconds), seconds)


def resume(account: Account, *, by: str, now: float) -> None:
    _act(account, Action.RESUME, by, now, lambda state: gate.resumed(state, now))


def probe(account: Account, *, by: str, now: float) -> None:
    _act(account, Action.PROBE, by, now, lambda state: gate.resumed(state, now))


def clear(account: Account, *, by: str, now: float) -> None:
    _act(account, Action.CLEAR, by, now, gate.cleared)


def rekey(account: Account, now: float) -> None:
    with transaction.atomic():
        row = gate_rows.locked(account)
        row.control = ""
        gate_rows.save(row, gate.rekeyed(gate_rows.read(row), now))


def note_control(account: Account, met: RefusalClass, now: float) -> None:
    """`met`: the refusal of a made-up key, tried right after the edge refused this account's."""
    Gate.objects.filter(account=account).update(control=met, control_at=now)


def _act(
    account: Account, action: AuditEntry.Action, by: str, now: float, move: Callable[[gate.Gate], gate.Gate], seconds: float | None = None
) -> None:
    with transaction.atomic():
        row = gate_rows.locked(account)
        before = gate_rows.read(row)
        gate_rows.save(row, move(before))
        if action in (Action.RESUME, Action.CLEAR):
            RateLimitEvent.objects.filter(account=account, ended_by="").update(ended_by=events.Ended.OPERATOR, ended_at=at(now))
        left = before.paused_until - now
        lasts = f"For {length(seconds)}. " if seconds else ""
        was = f"{length(left)} of a pause were left." if left > 0 else "No pause was running."
        AuditEntry.record(action, f"{lasts}{was}", by=by, now=at(now), account=account, seconds=seconds)


def move_reset(account: Account, until: float, *, read_at: float, now: float) -> bool:
    """Move the end of the pause that a subscription's cap caused to its reset at `until`. False: there is no such pause."""
    with transaction.atomic():
        row = gate_rows.locked(account)
        state = gate_rows.read(row)
        moved = gate.rescheduled(state, now, until, PauseSource.SUBSCRIPTION) if state.paused_at <= read_at else state
        if moved == state:
            return False
        gate_rows.save(row, moved)
        events.moved(account, moved)
    logger.info("Account %s: the subscription's cap resets at %s. The pause ends then.", account.name, f"{at(until):%d %b %H:%M UTC}")
    return True
