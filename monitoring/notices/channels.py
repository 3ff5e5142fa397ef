"""What admins do to channels: each act and its word for the audit in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from django.db import transaction
from django.utils.translation import override

from agents.ledger.actions import changed_channel
from agents.phrases import phrase
from monitoring.models import Channel, Delivery, Severity
from monitoring.notices import noticing, sending
from monitoring.notices.events import EVENTS

FIELDS = {
    "name": "name",
    "events": "events",
    "least_severity": "least severity",
    "quiet_from": "quiet from",
    "quiet_to": "quiet until",
    "zone": "time zone",
    "resend_minutes": "reminder after",
    "enabled": "enabled",
}


def save(channel: Channel, values: Mapping[str, Any], *, url: str, by: str, now: datetime) -> None:
    """Add a channel, or change what differs; a `url` replaces the stored one. Raises BadURL; then nothing is saved."""
    changes = {name: value for name, value in values.items() if getattr(channel, name) != value}
    with override(None):  # what is put on record is in no reader's language
        told = [f"{FIELDS[name]} {in_words(name, getattr(channel, name))} → {in_words(name, value)}" for name, value in changes.items()]
    was, is_new = channel.name, channel.pk is None
    for name, value in changes.items():
        setattr(channel, name, value)
    if url:
        sending.set_url(channel, url)
        told.append("URL replaced")
    if not told:
        return
    with transaction.atomic():
        channel.save()
        if not channel.enabled:
            _drop_waiting(channel)
        detail = f"Added {channel.name} ({channel.scheme})." if is_new else f"Changed {was}: {', '.join(told)}."
        changed_channel(detail, by=by, now=now.timestamp())


def switch(channel: Channel, *, on: bool, by: str, now: datetime) -> None:
    """Enable or disable a channel. What still waits for a disabled one is not sent."""
    save(channel, {"enabled": on}, url="", by=by, now=now)


def delete(channel: Channel, *, by: str, now: datetime) -> None:
    """Delete a channel and its deliveries."""
    with transaction.atomic():
        changed_channel(f"Deleted {channel.name} ({channel.scheme}).", by=by, now=now.timestamp())
        channel.delete()


def send_test(channel: Channel, *, by: str, now: datetime) -> Delivery:
    """Queue a test message, at once."""
    with transaction.atomic():
        delivery = noticing.tell_test(channel, now)
        changed_channel(f"Sent a test to {channel.name}.", by=by, now=now.timestamp())
        sending.enqueue(delivery.pk)
    return delivery


def in_words(field: str, value: Any) -> str:
    """A field's value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    match field:
        case "events":
            return " and ".join(EVENTS[name].label for name in value if name in EVENTS) or phrase("all")
        case "least_severity":
            return str(Severity(value).label)
        case "resend_minutes":
            return f"{value} min" if value else phrase("never")
    return f"{value:%H:%M}" if isinstance(value, time) else str(value) if value else phrase("none")


def _drop_waiting(channel: Channel) -> None:
    waiting = Delivery.objects.filter(channel=channel, state=Delivery.State.QUEUED)
    waiting.exclude(notice__event="channel_test").update(state=Delivery.State.DROPPED, fault="The channel was disabled.")
