"""Gate rows to gates and back. The ledger is the only one that saves them."""

from __future__ import annotations

from collections.abc import Iterable

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
    return locked_all([account])[account.pk]


def locked_all(accounts: Iterable[Account]) -> dict[int, Gate]:
    """The gates' rows by account, locked in one order by everybody, so that two who need several never wait for each other."""
    keys = sorted({account.pk for account in accounts})
    rows = {row.account_id: row for row in Gate.objects.select_for_update().filter(account__in=keys).order_by("account_id")}
    for key in keys:
        if key not in rows:
            rows[key] = Gate.objects.select_for_update().get_or_create(account_id=key)[0]
    return rows


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
