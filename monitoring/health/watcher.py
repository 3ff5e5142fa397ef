"""Pings an external monitoring service each minute while miner and worker work; the service raises the alarm when pings stop.

The service is one like Healthchecks: below its ping URL are `/start`, `/fail` and `/log`.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import httpx
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from agents.common.redaction import redact
from agents.configuration import Who, save_as
from agents.configuration.keys import UnreadableKey, open_sealed, seal
from agents.llm.checked_transport import CheckedSyncTransport, never_reached
from monitoring.health.health_checks import DOWN, Checked, fetch
from monitoring.models import Notice, Watcher
from monitoring.notifications.sending import REFUSED, is_refused
from monitoring.testruns.suites.api import address

logger = logging.getLogger(__name__)

SECONDS = 10.0  # for one signal
AWAY = timedelta(minutes=3)  # without a ping for this long, the next one is preceded by /start
LOGGED = 20  # notices in a signal
HINT = 4


class Signal(NamedTuple):
    """`suffix`: below the ping URL, "" if the miner answers."""

    suffix: str
    body: str


def ping(now: datetime) -> str:
    """Send the due signals. Returns the result, for the list of periodic work."""
    row = Watcher.objects.filter(pk=Watcher.ONLY).exclude(url_sealed="").first()
    if row is None:
        return ""
    checked, newest = fetch(f"{address('')}/health"), Notice.objects.aggregate(newest=Max("pk"))["newest"] or 0
    fault = _send(row.url_sealed, signals(row, checked, now))
    if fault and not row.fault:
        logger.warning("The outside watcher could not be pinged: %s", fault)
    reported: dict[str, Any] = {"fault": fault, "pinged_at": now, "is_up": checked.state != DOWN}
    if not fault:
        reported["newest_notice"] = newest
    Watcher.objects.filter(pk=row.pk, url_sealed=row.url_sealed).update(**reported)
    return fault or ("Reported: the miner answers." if reported["is_up"] else f"Reported: {checked.message}")


def signals(row: Watcher, checked: Checked, now: datetime) -> Iterator[Signal]:
    if row.pinged_at is None or row.pinged_at < now - AWAY:
        yield Signal("/start", "Pings begin.")
    yield Signal("/fail" if checked.state == DOWN else "", checked.message)
    if row.pinged_at and (new := list(Notice.objects.filter(pk__gt=row.newest_notice).order_by("pk")[:LOGGED])):
        yield Signal("/log", "\n".join(f"{notice.at:%Y-%m-%d %H:%M:%S} UTC {notice.title}" for notice in new))


def _send(sealed: str, due: Iterator[Signal]) -> str:
    """Send the signals up to the first failure. Returns the error without the URL, or ""."""
    try:
        url = open_sealed(sealed)
    except UnreadableKey as error:
        return str(error)
    secrets = [url, urlsplit(url).path]
    with httpx.Client(transport=CheckedSyncTransport(never_reached), timeout=SECONDS, trust_env=False) as client:
        for signal in due:
            try:
                status = client.post(below(url, signal.suffix), content=signal.body.encode()).status_code
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return redact(str(error) or type(error).__name__, secrets)[:300]
            if not 200 <= status < 300:
                return f"It answered with status {status}."
    return ""


def below(url: str, suffix: str) -> str:
    """The URL of a signal: the suffix is added to the path, before a query such as ?create=1."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + suffix)) if suffix else url


def watcher() -> Watcher:
    return Watcher.objects.filter(pk=Watcher.ONLY).first() or Watcher(pk=Watcher.ONLY)


def set_url(url: str, by: Who) -> None:
    """Replace the ping URL; "" removes it. Results of earlier pings are cleared."""
    with transaction.atomic():
        row = Watcher.objects.select_for_update().filter(pk=Watcher.ONLY).first() or Watcher(pk=Watcher.ONLY)
        row.url_sealed, row.url_hint = (seal(url), url[-HINT:]) if url else ("", "")
        row.pinged_at, row.is_up, row.fault = None, None, ""
        row.newest_notice = Notice.objects.aggregate(newest=Max("pk"))["newest"] or 0
        save_as(row, by, "")


class WatcherForm(forms.Form):
    """The stored ping URL is never shown."""

    url = forms.CharField(
        label="Ping URL",
        max_length=500,
        widget=forms.PasswordInput({"autocomplete": "off", "spellcheck": "false"}),
        help_text="As the service shows it, such as https://hc-ping.com/… Kept encrypted; only its last four characters are shown.",
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        try:
            parts = urlsplit(url)
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_url = False
        if not is_url or len(parts.path.strip("/")) < HINT:
            raise ValidationError("Give the whole ping URL with its path, such as https://hc-ping.com/ and an id.")
        if is_refused(parts.hostname or ""):
            raise ValidationError(REFUSED)
        return url
