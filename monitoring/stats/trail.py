"""Everything that people and the machine did and changed, from all histories, newest first, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from agents.models import AuditEntry, RateLimitEvent
from agents.phrases import phrase
from agents.reasons import PauseSource
from agents.refusals import RefusalClass
from agents.text import length
from monitoring.audit import Deed
from monitoring.stats.changes import HISTORIES, Change, told, with_before
from monitoring.stats.keyset import Cursor, Place, fitting
from monitoring.wording import translated

PAGE_SIZE = 50
MACHINE, OUTSIDE = ":machine", ":outside"
ACTIONS: dict[str, str] = {
    **{action.value: str(action.label) for action in AuditEntry.Action},
    **{deed.value: deed.sentence for deed in Deed},
    "schedule": phrase("Test schedule"),
}
CHANGES = {"settings": phrase("Settings"), "account": phrase("Account"), "retention": phrase("Retention")}
PAUSES = "pauses"
PAGES: dict[str, str] = {
    Deed.USER: "users",
    Deed.SETTINGS_IMPORT: "settings",
    Deed.BACKUP: "backups",
    "schedule": "tests",
    "channel": "notifications",
}
WHO = {"": phrase("The machine"), OUTSIDE: phrase("Outside the panel")}
KINDS: dict[str, str] = {**CHANGES, PAUSES: phrase("Paused by a refusal"), **ACTIONS}


@dataclass(frozen=True, slots=True)
class TrailQuery:
    """Which entries are wanted. `who`: a user's name, MACHINE or OUTSIDE; `what`: one of KINDS; "" for all."""

    who: str = ""
    what: str = ""
    account: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done. `who`: a user's name or one of WHO. `facts`: each in words. `address`: where it happened, "": nowhere."""

    at: datetime
    id: int
    who: str
    what: str
    account: str
    facts: list[str]
    address: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Trail:
    """One page, newest first, and where the neighbours start."""

    rows: list[Entry]
    older: Cursor | None
    newer: Cursor | None


@dataclass(frozen=True, slots=True)
class _Source:
    """One table that the trail is made of: its rows that match, and its rows as entries; `at`, `key`: its columns of time and number."""

    rows: Callable[[TrailQuery], QuerySet[Any] | None]
    entries: Callable[[list[Any]], Iterator[Entry]]
    at: str = "history_date"
    key: str = "history_id"


def who_in_words(who: str) -> str:
    """Who did an entry's thing."""
    return translated(WHO[who]) if who in WHO else who


def action_in_words(action: str) -> str:
    """What was done."""
    return translated(ACTIONS.get(action, action))


def trail(query: TrailQuery, place: Place, size: int = PAGE_SIZE) -> Trail:
    """The page of at most `size` entries at `place`. Each table is asked once for as many rows as the page could need."""
    place = fitting(place, "at")
    found = [entry for number, source in enumerate(SOURCES) for entry in _found(source, number, query, place, size)]
    found.sort(key=lambda entry: (entry.at, entry.id), reverse=place.newer is None)
    more, found = len(found) > size, found[:size]
    if place.newer:
        return _page(found[::-1], older=bool(found), newer=more)
    return _page(found, older=more, newer=bool(place.older and found))


def everything(query: TrailQuery, most: int) -> Iterator[Entry]:
    """The newest `most` entries, page after page."""
    place, left = Place(), most
    while left > 0:
        page = trail(query, place, min(500, left))
        yield from page.rows
        if page.older is None:
            return
        place, left = Place(older=page.older), left - len(page.rows)


def _page(rows: list[Entry], *, older: bool, newer: bool) -> Trail:
    def cursor(entry: Entry) -> Cursor:
        return Cursor(entry.at, entry.id)

    return Trail(rows, cursor(rows[-1]) if older else None, cursor(rows[0]) if newer else None)


def _found(source: _Source, number: int, query: TrailQuery, place: Place, size: int) -> Iterator[Entry]:
    rows = source.rows(query)
    if rows is None:
        return
    rows = rows.filter(_within(source.at, query) & _beyond(source, number, place))
    order = (source.at, source.key) if place.newer else (f"-{source.at}", f"-{source.key}")
    yield from source.entries(list(rows.order_by(*order)[: size + 1]))


def _within(at: str, query: TrailQuery) -> Q:
    times = {f"{at}__gte": query.since, f"{at}__lt": query.until}
    return Q(**{name: value for name, value in times.items() if value is not None})


def _beyond(source: _Source, number: int, place: Place) -> Q:
    """The rows on the wanted side of the cursor, whose number tells the row and its table: row × tables + table."""
    cursor, side = (place.newer, "gt") if place.newer else (place.older, "lt")
    if cursor is None:
        return Q()
    row, rest = divmod(cursor.id, len(SOURCES))
    # Of rows of the same moment, those of tables before the cursor's are older by number alone.
    tie = f"{side}e" if (number < rest if side == "lt" else number > rest) else side
    same = Q(**{source.at: cursor.at, f"{source.key}__{tie}": row})
    return Q(**{f"{source.at}__{side}": cursor.at}) | same


def _id(number: int, key: int) -> int:
    return key * len(SOURCES) + number


def _audit_rows(query: TrailQuery) -> QuerySet[AuditEntry] | None:
    if query.who == OUTSIDE or (query.what and query.what not in ACTIONS):
        return None
    rows = AuditEntry.objects.select_related("account")
    rows = rows.filter(by="" if query.who == MACHINE else query.who) if query.who else rows
    rows = rows.filter(action=query.what) if query.what else rows
    return rows.filter(account=query.account) if query.account else rows


def _audit_entries(rows: list[AuditEntry]) -> Iterator[Entry]:
    for row in rows:
        account = row.account
        address = reverse("account", args=[account.pk]) if account else _address(PAGES.get(row.action, ""))
        facts = [row.detail] if row.detail else []
        yield Entry(row.at, _id(0, row.pk), row.by, action_in_words(row.action), account.name if account else "", facts, address)


def _event_rows(query: TrailQuery) -> QuerySet[RateLimitEvent] | None:
    if query.who not in ("", MACHINE) or query.what not in ("", PAUSES):
        return None
    rows = RateLimitEvent.objects.filter(model="").select_related("account").annotate(task=F("attempt__step__task"))
    return rows.filter(account=query.account) if query.account else rows


def _event_entries(rows: list[Any]) -> Iterator[Entry]:
    for row in rows:
        status = f" ({row.status})" if row.status else ""
        facts = [
            f"{translated(RefusalClass(row.refusal).sentence)}{status}",
            _("For {length}: {source}").format(length=length(row.pause_seconds), source=translated(PauseSource(row.pause_source).sentence)),
        ]
        address = reverse("task", args=[row.task]) if row.task else reverse("events")
        yield Entry(row.started_at, _id(1, row.pk), "", translated(KINDS[PAUSES]), row.account.name, facts, address)


def _change_rows(kind: str, query: TrailQuery) -> Any:
    if query.who == MACHINE or query.what not in ("", kind) or (query.account and kind != "account"):
        return None
    rows = with_before(HISTORIES[kind].objects.all())
    if query.who:
        rows = rows.filter(history_user=None) if query.who == OUTSIDE else rows.filter(history_user__username=query.who)
    return rows.filter(id=query.account) if query.account else rows


def _change_entries(number: int, rows: list[Any]) -> Iterator[Entry]:
    for row, change in zip(rows, told(rows), strict=True):
        is_there = change.kind == "account" and row.history_type != "-"
        address = reverse("account", args=[row.id]) if is_there else reverse("retention" if change.kind == "retention" else "settings")
        who = change.by or OUTSIDE
        yield Entry(
            change.at, _id(number, change.pk), who, translated(CHANGES[change.kind]), change.account, _facts(change), address, change.reason
        )


def _facts(change: Change) -> list[str]:
    told = [f"{each.field} {f'{each.old} → ' if each.old else ''}{each.new}".strip() for each in change.fields]
    return told or [_("Added")]


def _address(name: str) -> str:
    return reverse(name) if name else ""


SOURCES = (
    _Source(_audit_rows, _audit_entries, "at", "id"),
    _Source(_event_rows, _event_entries, "started_at", "id"),
    *(_Source(partial(_change_rows, kind), partial(_change_entries, number)) for number, kind in enumerate(CHANGES, 2)),
)
