"""Notifications as pages show them: channels, what is so now, what was, and what became of each message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from agents.models import AuditEntry
from monitoring.models import Channel, Delivery, Notice
from monitoring.notices.channels import in_words
from monitoring.notices.events import EVENTS
from monitoring.stats.keyset import CappedCount, Place, Slice, capped_count, cut
from monitoring.wording import translated

PAGE_SIZE = 50
NEWEST = 10
# More at once than anybody reads; the page says so.
OPEN_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One channel in words. `last`: its newest delivery."""

    channel: Channel
    events: str
    severity: str
    quiet: str
    reminder: str
    last: Delivery | None


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """One notice. `label`: its kind; `seconds`: how long it was so, None where it is still so or was told in passing."""

    notice: Notice
    label: str
    seconds: float | None
    sent: int
    failed: int
    queued: int


@dataclass(frozen=True, slots=True)
class DeliveryQuery:
    """What to list. Empty: no condition."""

    channel: Channel | None = None
    event: str = ""
    severity: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message on its way. `at`: when it went out, else when it is due."""

    delivery: Delivery
    label: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryList:
    """One page of deliveries, and how many match in all."""

    page: Slice[Delivery]
    rows: list[DeliveryRow]
    count: CappedCount


@dataclass(frozen=True, slots=True)
class NoticeList:
    """One page of notices."""

    page: Slice[Notice]
    rows: list[NoticeRow]


def channel_rows() -> list[ChannelRow]:
    """All channels in the order of their making."""
    newest = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-id").values("id")[:1]
    found = list(Channel.objects.annotate(newest_id=Subquery(newest)))
    last = Delivery.objects.select_related("notice").in_bulk([channel.newest_id for channel in found if channel.newest_id])
    return [_channel_row(channel, last.get(channel.newest_id)) for channel in found]


def open_notices() -> list[NoticeRow]:
    """What is so now, newest first."""
    return _notice_rows(list(Notice.objects.filter(over_at=None).order_by("-at", "-id")[:OPEN_SHOWN]))


def notices(place: Place) -> NoticeList:
    """All notices but tests, newest first."""
    page = cut(Notice.objects.exclude(event="channel_test"), "at", place, PAGE_SIZE)
    return NoticeList(page, _notice_rows(page.rows))


def deliveries(query: DeliveryQuery, place: Place) -> DeliveryList:
    """The messages that match, the one that is due last first."""
    matching = _matching(query)
    page = cut(matching.select_related("notice", "channel"), "due_at", place, PAGE_SIZE)
    return DeliveryList(page, [_delivery_row(delivery) for delivery in page.rows], capped_count(matching))


def newest_deliveries() -> list[DeliveryRow]:
    """The last few messages."""
    return [
        _delivery_row(delivery) for delivery in Delivery.objects.select_related("notice", "channel").order_by("-due_at", "-id")[:NEWEST]
    ]


def channel_changes() -> QuerySet[AuditEntry]:
    """The last things that people did to channels, newest first."""
    return AuditEntry.objects.filter(action=AuditEntry.Action.CHANNEL).order_by("-at", "-id")[:NEWEST]


def _channel_row(channel: Channel, last: Delivery | None) -> ChannelRow:
    has_quiet = channel.quiet_from is not None and channel.quiet_to is not None
    quiet = (
        _("{quiet_from:%H:%M} to {quiet_to:%H:%M} {zone}").format(
            quiet_from=channel.quiet_from, quiet_to=channel.quiet_to, zone=channel.zone
        )
        if has_quiet
        else ""
    )
    words = {name: translated(in_words(name, getattr(channel, name))) for name in ("least_severity", "resend_minutes")}
    events = ", ".join(translated(EVENTS[name].label) for name in channel.events if name in EVENTS)
    return ChannelRow(channel, events or _("All events"), words["least_severity"], quiet, words["resend_minutes"], last)


def _notice_rows(found: Sequence[Notice]) -> list[NoticeRow]:
    sent, failed, queued = (
        Count("id", filter=Q(state=state)) for state in (Delivery.State.SENT, Delivery.State.FAILED, Delivery.State.QUEUED)
    )
    counted = Delivery.objects.filter(notice__in=[notice.pk for notice in found]).values("notice").order_by()
    rows = counted.annotate(sent=sent, failed=failed, queued=queued)
    counts = {row["notice"]: (row["sent"], row["failed"], row["queued"]) for row in rows}
    return [_notice_row(notice, *counts.get(notice.pk, (0, 0, 0))) for notice in found]


def _notice_row(notice: Notice, sent: int, failed: int, queued: int) -> NoticeRow:
    lasted = (notice.over_at - notice.at).total_seconds() if notice.over_at and notice.over_at != notice.at else None
    return NoticeRow(notice, _label(notice), lasted, sent, failed, queued)


def _matching(query: DeliveryQuery) -> QuerySet[Delivery]:
    conditions = {"channel": query.channel, "notice__event": query.event, "notice__severity": query.severity, "state": query.state}
    return Delivery.objects.filter(**{name: value for name, value in conditions.items() if value})


def _delivery_row(delivery: Delivery) -> DeliveryRow:
    return DeliveryRow(delivery, _label(delivery.notice), delivery.sent_at or delivery.due_at)


def _label(notice: Notice) -> str:
    """The kind of news; a kind that a later version gave up keeps its name."""
    return translated(EVENTS[notice.event].label) if notice.event in EVENTS else notice.event
