"""Deliveries: claimed by one worker at a time, sent through Apprise, tried again, and closed with what went wrong."""

from __future__ import annotations

import io
import logging
from datetime import datetime, timedelta

import apprise
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from agents.keys import UnreadableKey, open_sealed, seal
from agents.redaction import redact
from monitoring.models import Channel, Delivery, Severity

logger = logging.getLogger(__name__)

JOB = "monitoring.jobs.deliver"
State = Delivery.State
LEASE = timedelta(seconds=90)
# Pauses before the second and the third try.
AGAIN_AFTER = (timedelta(minutes=1), timedelta(minutes=5))
TYPES = {
    Severity.INFO: apprise.NotifyType.INFO,
    Severity.WARNING: apprise.NotifyType.WARNING,
    Severity.CRITICAL: apprise.NotifyType.FAILURE,
}


class BadURL(ValueError):
    """A URL that Apprise can't read."""


def set_url(channel: Channel, url: str) -> None:
    """Seal the URL into the channel, unsaved. Raises BadURL."""
    plugin = apprise.Apprise.instantiate(url.strip(), suppress_exceptions=True)
    if plugin is None:
        raise BadURL("This is no URL that Apprise knows, such as json://host/path, mailto://… or tgram://….")
    channel.url_sealed, channel.scheme = seal(url.strip()), url.strip().partition("://")[0][:40]


def enqueue_due(now: datetime) -> int:
    """Queue what is due, and what a dead worker left. Returns how many."""
    Delivery.objects.filter(state=State.SENDING, lease_until__lt=now).update(state=State.QUEUED, lease_until=None)
    Delivery.objects.filter(state=State.QUEUED, due_at__lte=now, repeat__gt=0, notice__over_at__isnull=False).update(state=State.DROPPED)
    due = list(Delivery.objects.filter(state=State.QUEUED, due_at__lte=now).order_by("due_at").values_list("pk", flat=True)[:100])
    for pk in due:
        enqueue(pk)
    return len(due)


def enqueue(pk: int) -> None:
    """Queue one delivery."""
    async_task(JOB, pk, save=False)


def deliver(pk: int) -> bool:
    """Send one delivery. False where another worker has it, or it is done."""
    now = timezone.now()
    claimed = Delivery.objects.filter(pk=pk, state=State.QUEUED, due_at__lte=now).update(
        state=State.SENDING, lease_until=now + LEASE, tries=F("tries") + 1
    )
    if not claimed:
        return False
    delivery = Delivery.objects.select_related("notice", "channel").get(pk=pk)
    fault = send(delivery)
    if fault:
        logger.warning("Notification %d to channel %s failed: %s", pk, delivery.channel.name, fault)
    _close(delivery, fault, timezone.now())
    return True


def send(delivery: Delivery) -> str:
    """Through Apprise; what went wrong, without the URL's secrets, "" for nothing."""
    try:
        url = open_sealed(delivery.channel.url_sealed)
    except UnreadableKey as error:
        return str(error)
    told, notice = apprise.Apprise(), delivery.notice
    if not told.add(url):
        return "Apprise can't read this channel's URL any more. Enter it again."
    output = io.StringIO()
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s", delete=True) as captured:  # type: ignore[no-untyped-call]
        is_sent = told.notify(body=notice.body or notice.title, title=notice.title, notify_type=TYPES[Severity(notice.severity)])
        output.write(captured.getvalue())
    if is_sent:
        return ""
    return scrubbed(" ".join(output.getvalue().split()) or "The receiver did not take it.", url)[:300]


def scrubbed(text: str, url: str) -> str:
    """`text` without the parts of `url` that may be secrets: all but its scheme and host."""
    rest = url.partition("://")[2]
    pieces = [piece for piece in rest.replace("@", "/").replace(":", "/").replace("?", "/").replace("&", "/").split("/") if len(piece) > 5]
    return redact(text, [url, rest, *pieces])


def _close(delivery: Delivery, fault: str, now: datetime) -> None:
    mine = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING)
    if not fault:
        mine.update(state=State.SENT, sent_at=now, fault="", lease_until=None)
    elif delivery.tries <= len(AGAIN_AFTER):
        mine.update(state=State.QUEUED, due_at=now + AGAIN_AFTER[delivery.tries - 1], fault=fault, lease_until=None)
    else:
        mine.update(state=State.FAILED, fault=fault, lease_until=None)
