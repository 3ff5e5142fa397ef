"""Gate rows to gates and back. The ledger is the only one that saves them."""

from __future__ import annotations

from agents import governor
from agents.models import Account, Gate
from agents.pacing import Pace
from agents.reasons import PauseSource

_PLAIN = (
    "last_slot_at",
    "not_before",
    "strikes",
    "paused_at",
    "paused_until",
    "probe_until",
    "cause",
    "blocked_at",
    "own_doing",
    "rungs",
    "silence",
    "recovered_at",
    "succeeded_at",
)
_ALL = (*_PLAIN, "pause_source", "cooling", "pace")


def of(account: Account) -> governor.Gate:
    """The gate as it stands, without a lock."""
    row = Gate.objects.filter(account=account).first()
    return read(row) if row else governor.Gate()


def locked(account: Account) -> Gate:
    """The gate's row, made at first use, locked until the transaction ends."""
    row = Gate.objects.select_for_update().filter(account=account).first()
    return row or Gate.objects.select_for_update().get_or_create(account=account)[0]


def read(row: Gate) -> governor.Gate:
    """The row as the governor takes it."""
    return governor.Gate(
        pause_source=PauseSource(row.pause_source),
        cooling=tuple((model, until, times) for model, until, times in row.cooling),
        pace=Pace.from_json(row.pace),
        **{name: getattr(row, name) for name in _PLAIN},
    )


def save(row: Gate, gate: governor.Gate) -> None:
    """Write what changed."""
    if gate == read(row):
        return
    for name in (*_PLAIN, "pause_source"):
        setattr(row, name, getattr(gate, name))
    row.cooling, row.pace = [list(each) for each in gate.cooling], gate.pace.as_json()
    row.save(update_fields=_ALL)
