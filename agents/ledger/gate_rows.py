"""Converts gate rows to gates and back, and Unix seconds to datetimes. Only the ledger saves gates."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from agents.models import Account, Gate
from agents.policy import callers, gate
from agents.policy.pacing import Pace
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass
from agents.prepared import Prepared, PreparedSave

_MADE = ("pause_source", "cooldowns", "pace", "claims")
_PLAIN = tuple(field.name for field in fields(gate.Gate) if field.name not in _MADE)

_ROW = Prepared(lambda account: Gate.objects.filter(account=account), -7)
_save = PreparedSave(Gate)
_LOCKED_ROW = Prepared(lambda account: Gate.objects.select_for_update().filter(account=account), -7)


def row_of(account: Account) -> Gate:
    """The row, without a lock; an unsaved one where there is none yet."""
    return next(iter(_ROW(account.pk)), None) or Gate()


def of(account: Account) -> gate.Gate:
    return read(row_of(account))


def locked(account: Account) -> Gate:
    return locked_all([account])[account.pk]


def locked_all(accounts: Iterable[Account]) -> dict[int, Gate]:
    """The gates' rows by account, always locked in the same order, so that there are no deadlocks."""
    return {key: _locked(key) for key in sorted({account.pk for account in accounts})}


def _locked(key: int) -> Gate:
    row = next(iter(_LOCKED_ROW(key)), None)
    return row or Gate.objects.select_for_update().get_or_create(account_id=key)[0]


def read(row: Gate) -> gate.Gate:
    columns: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN} | {"pause_source": PauseSource(row.pause_source)}
    columns |= {"cooldowns": tuple(map(tuple, row.cooldowns)), "claims": callers.from_json(row.claims)}
    return gate.Gate(pace=Pace.from_json(row.pace), **columns)


def control(row: Gate) -> RefusalClass | None:
    """The refusal of a made-up key in the present block, if the edge caused the block."""
    is_present = row.strikes and row.cause == RefusalClass.EDGE and row.control_at >= row.blocked_at
    return RefusalClass(row.control) if row.control and is_present else None


def save(row: Gate, state: gate.Gate, before: gate.Gate | None = None) -> None:
    """`before`: the state that was read from the row, where no other column has changed: then that state is not written again."""
    if state is before:
        return
    for name in (*_PLAIN, "pause_source"):
        setattr(row, name, getattr(state, name))
    row.cooldowns, row.pace = [list(cooldown) for cooldown in state.cooldowns], state.pace.as_json()
    row.claims = callers.as_json(state.claims)
    if not _save(row):
        row.save()


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def maybe_at(seconds: float | None) -> datetime | None:
    return None if seconds is None else at(seconds)
