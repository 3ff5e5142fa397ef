"""Deliveries: sent through Apprise, retried, and closed with their error."""

import ipaddress
import logging
import re
import socket
from datetime import timedelta
from typing import Any

import apprise
from apprise import NotifyType
from django.core.exceptions import ValidationError
from django.utils import timezone

from agents.common.redaction import redact
from agents.configuration.keys import UnreadableKey, open_sealed, seal
from agents.contract.allowed_hosts import is_metadata_name, is_never_reached
from agents.models import JobState
from agents.operator_jobs.leased_job import Outcome
from monitoring.models import Channel, Delivery, Severity
from monitoring.notifications import maintenance

logger = logging.getLogger(__name__)

AGAIN_AFTER = (timedelta(minutes=1), timedelta(minutes=5))  # before the second and the third try
CHECK_AGAIN = timedelta(minutes=1)  # as maintenance may be ended early
TYPES = {Severity.INFO: NotifyType.INFO, Severity.WARNING: NotifyType.WARNING, Severity.CRITICAL: NotifyType.FAILURE}
REFUSED = "The URL's host has a link-local, metadata or reserved address: nothing is sent there."


def set_url(channel: Channel, url: str) -> None:
    """Seal the URL into the channel, unsaved. Raises ValidationError."""
    plugin = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if plugin is None:
        raise ValidationError("Apprise does not support this URL. Use one such as json://host/path, mailto://… or tgram://….")
    if has_refused_host(plugin):
        raise ValidationError(REFUSED)
    channel.url_sealed, channel.scheme, channel.url_changed_at = seal(url), url.partition("://")[0][:40], timezone.now()


def deliver(delivery: Delivery) -> Outcome:
    """Send a delivery, and retry it on failure. A reminder of an ended condition is cancelled; during maintenance all but tests wait."""
    if delivery.repeat and delivery.notice.over_at:
        return Outcome(state=JobState.CANCELLED)
    now = timezone.now()
    if delivery.notice.event != "channel_test" and (window := maintenance.active(now)):
        return Outcome({"tries": 0}, JobState.QUEUED, min(window.ends_at, now + CHECK_AGAIN))
    fault = send(delivery)
    if not fault:
        return Outcome({"fault": ""})
    logger.warning("Notification %d to channel %s failed: %s", delivery.pk, delivery.channel.name, fault)
    if delivery.tries > len(AGAIN_AFTER):
        return Outcome({"fault": fault}, JobState.FAILED)
    return Outcome({"fault": fault}, JobState.QUEUED, timezone.now() + AGAIN_AFTER[delivery.tries - 1])


def send(delivery: Delivery) -> str:
    """Send by Apprise. Returns the error, without the URL's secrets, or ""."""
    try:
        url = open_sealed(delivery.channel.url_sealed)
    except UnreadableKey as error:
        return str(error)
    receivers, notice = apprise.Apprise(), delivery.notice
    if not receivers.add(url):
        return "Apprise can't read this channel's URL any more. Enter it again."
    if any(map(has_refused_host, receivers)):
        return REFUSED
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s", delete=True) as captured:  # type: ignore[no-untyped-call]
        if receivers.notify(body=notice.body or notice.title, title=notice.title, notify_type=TYPES[Severity(notice.severity)]):
            return ""
        output = " ".join(captured.getvalue().split())
    # All of the URL but its scheme and host may be secret.
    rest = url.partition("://")[2]
    secrets = [url, rest, *(piece for piece in re.split(r"[/@:?&]", rest) if len(piece) > 5)]
    return redact(output or "The receiver did not accept it.", secrets)[:300]


def has_refused_host(plugin: Any) -> bool:
    """Whether the host is, or resolves to, a link-local, metadata or reserved address."""
    host = str(getattr(plugin, "host", "") or "").strip("[]")
    return bool(host) and is_refused(host)


def is_refused(host: str) -> bool:
    try:
        addresses = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return is_metadata_name(host)
    return is_metadata_name(host) or any(is_never_reached(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in addresses)
