"""Stores the facts that steps have shown of sites: the only writer of `Learned`.

Known callers share their facts. The facts of an unknown caller are used for that caller only, so that its pages affect no other task.
At most MOST_BYTES and MOST_ROUTES are kept for a site and group of callers, MOST_ALL in total: the facts that were seen last.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet, Sum

from agents.common.redaction import mask_keys, mask_keys_in
from agents.contract.origins import port_of, split_http
from agents.contract.protocol import Step
from agents.database import background_transaction
from agents.models import Learned, Source
from agents.models import Step as StepRow
from agents.policy.callers import sender
from agents.policy.costs import Caps
from agents.policy.modes import CallerState

KNOWN_CALLERS = ""
MOST_BYTES, MOST_ROUTES = 1_000_000, 200
MOST_FACT = 20_000  # bytes: a list with a hundred fields takes 10,000
MOST_ALL = 50_000_000
ROW_BYTES = 200  # a row's other columns and its share of indexes
MOST_SITE, MOST_PROJECT, MOST_KEY = 200, 100, 200

MOST_READ = 2_000  # rows at a time

Fact = tuple[str, str]  # its kind and key


@dataclass(frozen=True, slots=True)
class Place:
    """Where facts belong: `site`, a host and port; `project`, the callers' name for the site or ""; `callers`, their group."""

    site: str
    project: str
    callers: str


@dataclass(frozen=True, slots=True)
class AnsweredStep:
    """A step to learn from: its `row`, the `step` as received, with its page, and the `place` of its facts."""

    row: StepRow
    step: Step
    place: Place
    now: datetime


def place(url: str, project: str, source: str, caller: str | None, state: CallerState) -> Place | None:
    """The place of a step's facts; None without an http URL."""
    parts = split_http(url)
    if parts is None:
        return None
    is_known = source != Source.VALIDATOR or state is CallerState.ALLOWED
    return Place(
        f"{parts.hostname}:{port_of(parts)}"[:MOST_SITE],
        project[:MOST_PROJECT],
        KNOWN_CALLERS if is_known else sender(caller, state, Caps()).name,
    )


def stored(at: Place) -> dict[Fact, Learned]:
    """The facts of a place by kind and key: of its site, and of others with the same project. One query."""
    here = Q(site=at.site) | Q(project=at.project) if at.project else Q(site=at.site)
    rows = list(Learned.objects.filter(here, callers=at.callers).order_by("-seen_at", "-pk")[:MOST_READ])
    return {(row.kind, row.key): row for row in sorted(rows, key=lambda row: (row.site == at.site, row.seen_at))}


def save(at: Place, facts: Mapping[Fact, Any], step: int | None, now: datetime) -> None:
    """Add facts or replace those of the same kind and key, except an admin's. Then delete what exceeds the bounds.

    `facts`: as JSON; those that are too long are left out. `step`: the id of the step that showed them. Raises UNAVAILABLE.
    """
    made = [row for (kind, key), value in facts.items() if (row := _row(at, kind, key, value, step, now)).size <= MOST_FACT]
    with background_transaction():
        of_place = Learned.objects.filter(site=at.site, callers=at.callers)
        by_hand = set(of_place.filter(by_hand=True).values_list("kind", "key"))
        Learned.objects.bulk_create(
            [row for row in made if (row.kind, row.key) not in by_hand],
            update_conflicts=True,
            unique_fields=["site", "callers", "kind", "key"],
            update_fields=["facts", "size", "step", "seen_at"],
        )
        if at.project:
            of_place.exclude(project=at.project).update(project=at.project)
        _drop_beyond(of_place, MOST_BYTES)


def _row(at: Place, kind: str, key: str, value: Any, step: int | None, now: datetime) -> Learned:
    facts, key = mask_keys_in(value), mask_keys(key)[:MOST_KEY]
    size = len(json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace")) + ROW_BYTES
    return Learned(
        site=at.site, project=at.project, callers=at.callers, kind=kind, key=key, facts=facts, size=size, step_id=step, seen_at=now
    )


def change(row: Learned, facts: Any) -> None:
    """Store an admin's version, which steps don't change. `facts`: checked. Raises ValidationError where they are too long."""
    size = _row(Place(row.site, "", ""), row.kind, row.key, facts, None, row.seen_at).size
    if size > MOST_FACT:
        raise ValidationError(f"This takes {size:,} bytes, and a fact may take {MOST_FACT:,}.")
    row.facts, row.by_hand, row.size = facts, True, size
    row.save(update_fields=["facts", "by_hand", "size"])


def count(pk: int, *, won: bool) -> None:
    """Count a task that ended and for which this fact was used."""
    name = "won" if won else "lost"
    Learned.objects.filter(pk=pk).update(**{name: F(name) + 1})


def take_back(pk: int) -> None:
    """Count a won task as lost, since it went on."""
    Learned.objects.filter(pk=pk, won__gt=0).update(won=F("won") - 1, lost=F("lost") + 1)


def drop_beyond_all() -> int:
    """Keep the total to MOST_ALL, deleting facts of unknown callers first. Returns how many were deleted."""
    excess = int(Learned.objects.aggregate(bytes=Sum("size"))["bytes"] or 0) - MOST_ALL
    dropped = 0
    for rows in (Learned.objects.exclude(callers=KNOWN_CALLERS), Learned.objects.filter(callers=KNOWN_CALLERS)):
        oldest = list[int]()
        for pk, size in rows.order_by("seen_at", "pk").values_list("pk", "size")[:MOST_READ] if excess > 0 else ():
            if excess <= 0:
                break
            oldest.append(pk)
            excess -= size
        dropped += Learned.objects.filter(pk__in=oldest).delete()[0]
    return dropped


def _drop_beyond(rows: QuerySet[Learned], most_bytes: int) -> None:
    """Delete the oldest facts beyond the bounds of a place."""
    routes, size, beyond = 0, 0, list[int]()
    for pk, kind, bytes_ in rows.order_by("-by_hand", "-seen_at", "-pk").values_list("pk", "kind", "size"):
        routes, size = routes + (kind == Learned.Kind.ROUTE), size + bytes_
        if size > most_bytes or (kind == Learned.Kind.ROUTE and routes > MOST_ROUTES):
            beyond.append(pk)
    rows.filter(pk__in=beyond).delete()
