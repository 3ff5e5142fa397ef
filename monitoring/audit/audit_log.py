"""The audit log, one list from several tables: actions, changes from the models' histories, and pauses."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from agents.common.text import length, shorten
from agents.models import AuditEntry, RateLimitEvent
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass
from monitoring.reporting.pagination import Cursor, Place, Slice, fitting
from monitoring.settings.changes import HISTORIES, MADE, Fact, changed_fields, former, subject_of

PAGE_SIZE = 50
SHOWN = 20  # on the pages of what was changed
MACHINE, OUTSIDE = ":machine", ":outside"
WHO = {"": "The machine", OUTSIDE: "Outside the panel"}
PAUSES = "pauses"
Action = AuditEntry.Action
KINDS: dict[str, str] = {
    **{kind: history.label for kind, history in HISTORIES.items()},
    PAUSES: "Paused by a refusal",
    **{action.value: str(action.label) for action in Action},
}
ON_ACCOUNTS = (Action.PROBE, Action.PAUSE, Action.RESUME, Action.CLEAR)
# The pages of actions that do not concern an account.
PAGES: dict[str, str] = {
    Action.USER: "users",
    Action.TOKEN: "tokens",
    Action.SETTINGS_IMPORT: "settings",
    Action.CHANNEL_TEST: "notifications",
    Action.EXPORT: "deployment",
    Action.LEARNED: "sites",
}


class AuditQuery(NamedTuple):
    """`who`: a user's name, MACHINE or OUTSIDE, "" for all; `kinds`: some of KINDS, empty for all."""

    who: str = ""
    kinds: Collection[str] = ()
    account: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def includes(self, kinds: Iterable[str]) -> bool:
        return not self.kinds or not set(self.kinds).isdisjoint(kinds)


@dataclass(frozen=True, slots=True)
class Entry:
    """`who`: a user's name or one of WHO. `subject`: an account's, a channel's or a schedule's name. `pk`: in the history of its `kind`."""

    at: datetime
    who: str
    kind: str
    subject: str
    facts: list[Fact]
    address: str = ""
    reason: str = ""
    pk: int = 0
    can_be_reverted: bool = False
    id: int = 0

    @property
    def by(self) -> str:
        return WHO.get(self.who, self.who)

    @property
    def what(self) -> str:
        return KINDS.get(self.kind, self.kind)

    @property
    def summary(self) -> str:
        facts = ", ".join(map(str, self.facts))
        line = shorten(f"{self.what} {self.subject}: {facts}" if self.subject else facts, 120)
        return line if self.who in WHO else f"{line}, by {self.who}"


def entries(query: AuditQuery, place: Place, size: int = PAGE_SIZE) -> Slice[Entry]:
    """A page of the log. From each table as many rows are read as the page may need."""
    place = fitting(place, "at")
    candidates = [entry for number, source in enumerate(SOURCES) for entry in _read(source, number, query, place, size)]
    candidates.sort(key=lambda entry: (entry.at, entry.id), reverse=place.newer is None)
    has_more, rows = len(candidates) > size, candidates[:size]
    older, newer = (bool(rows), has_more) if place.newer else (has_more, bool(place.older and rows))
    rows = rows[::-1] if place.newer else rows
    return Slice(rows, Cursor(rows[-1].at, rows[-1].id) if older else None, Cursor(rows[0].at, rows[0].id) if newer else None)


def newest_entries(size: int = SHOWN, **conditions: Any) -> list[Entry]:
    """Without the account that the miner adds itself. `conditions`: as in an AuditQuery."""
    return [entry for entry in entries(AuditQuery(**conditions), Place(), size).rows if entry.facts != [MADE]]


def all_entries(query: AuditQuery, most: int) -> Iterator[Entry]:
    place, left = Place(), most
    while left > 0:
        page = entries(query, place, min(500, left))
        yield from page.rows
        if page.older is None:
            return
        place, left = Place(older=page.older), left - len(page.rows)


def change_and_former(kind: str, pk: int) -> tuple[Any, dict[str, Any]] | None:
    """A history's record and what it replaced; None if it is not on record."""
    return next(((record, former(kind, record, before)) for record, before in _pairs(list(_with_before(kind).filter(history_id=pk)))), None)


class _Source(NamedTuple):
    """One table of the log. `rows`: those that match a query, None if none can; `entries`: converts rows."""

    rows: Callable[[AuditQuery], QuerySet[Any] | None]
    entries: Callable[[list[Any]], Iterator[Entry]]
    at: str = "history_date"
    key: str = "history_id"


def _read(source: _Source, number: int, query: AuditQuery, place: Place, size: int) -> Iterator[Entry]:
    """The entries of the table `number` that the page may need. An entry's id is made of its row and its table: row × tables + table."""
    rows = source.rows(query)
    if rows is None:
        return
    times = {f"{source.at}__gte": query.since, f"{source.at}__lt": query.until}
    rows = rows.filter(**{name: value for name, value in times.items() if value is not None})
    cursor, side = (place.newer, "gt") if place.newer else (place.older, "lt")
    if cursor:
        row, table = divmod(cursor.id, len(SOURCES))
        # Rows with the cursor's time: tables before the cursor's table count as older, whatever the row's id is.
        tie = f"{side}e" if (number < table if side == "lt" else number > table) else side
        same = Q(**{source.at: cursor.at, f"{source.key}__{tie}": row})
        rows = rows.filter(Q(**{f"{source.at}__{side}": cursor.at}) | same)
    order = (source.at, source.key) if place.newer else (f"-{source.at}", f"-{source.key}")
    listed = list(rows.order_by(*order)[: size + 1])
    for record, entry in zip(listed, source.entries(listed), strict=True):
        yield replace(entry, id=getattr(record, source.key) * len(SOURCES) + number)


def _action_rows(query: AuditQuery) -> QuerySet[AuditEntry] | None:
    if query.who == OUTSIDE or not query.includes(Action.values):
        return None
    rows = AuditEntry.objects.select_related("account")
    rows = rows.filter(by="" if query.who == MACHINE else query.who) if query.who else rows
    rows = rows.filter(action__in=query.kinds) if query.kinds else rows
    return rows.filter(account=query.account) if query.account else rows


def _action_entries(rows: list[AuditEntry]) -> Iterator[Entry]:
    for row in rows:
        page, facts = PAGES.get(row.action), [Fact(row.detail)] if row.detail else []
        address = reverse("account", args=[row.account.pk]) if row.account else reverse(page) if page else ""
        yield Entry(row.at, row.by, row.action, row.account.name if row.account else "", facts, address)


def _event_rows(query: AuditQuery) -> QuerySet[RateLimitEvent] | None:
    if query.who not in ("", MACHINE) or not query.includes([PAUSES]):
        return None
    rows = RateLimitEvent.objects.filter(model="").select_related("account").annotate(task=F("attempt__step__task"))
    return rows.filter(account=query.account) if query.account else rows


def _event_entries(rows: list[Any]) -> Iterator[Entry]:
    for row in rows:
        refusal = f"{RefusalClass(row.refusal).sentence}{f' ({row.status})' if row.status else ''}"
        pause = f"For {length(row.pause_seconds)}: {PauseSource(row.pause_source).sentence}"
        address = reverse("task", args=[row.task]) if row.task else reverse("events")
        yield Entry(row.started_at, "", PAUSES, row.account.name, [Fact(refusal), Fact(pause)], address)


def _change_rows(kind: str, query: AuditQuery) -> Any:
    if query.who == MACHINE or not query.includes([kind]) or (query.account and kind != "account"):
        return None
    rows = _with_before(kind)
    if query.who:
        rows = rows.filter(history_user=None) if query.who == OUTSIDE else rows.filter(history_user__username=query.who)
    return rows.filter(id=query.account) if query.account else rows


def _change_entries(kind: str, rows: list[Any]) -> Iterator[Entry]:
    for record, before in _pairs(rows):
        is_account = kind == "account" and record.history_type != "-"
        yield Entry(
            at=record.history_date,
            who=record.history_user.get_username() if record.history_user else OUTSIDE,
            kind=kind,
            subject=subject_of(kind, record),
            facts=changed_fields(kind, record, before),
            address=reverse("account", args=[record.id]) if is_account else reverse(HISTORIES[kind].page),
            reason=record.history_change_reason or "",
            pk=record.history_id,
            can_be_reverted=bool(former(kind, record, before)),
        )


def _with_before(kind: str) -> Any:
    """A history's records, each with the id of the previous one of the same row."""
    records = HISTORIES[kind].model.objects
    earlier = records.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    return records.select_related("history_user").annotate(before=Subquery(earlier.values("history_id")[:1]))


def _pairs(records: list[Any]) -> list[tuple[Any, Any]]:
    earlier = records[0].__class__.objects.in_bulk([record.before for record in records if record.before]) if records else {}
    return [(record, earlier.get(record.before)) for record in records]


SOURCES = (
    _Source(_action_rows, _action_entries, "at", "id"),
    _Source(_event_rows, _event_entries, "started_at", "id"),
    *(_Source(partial(_change_rows, kind), partial(_change_entries, kind)) for kind in HISTORIES),
)
