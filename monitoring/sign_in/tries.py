"""Tries to sign in or to confirm one's identity, recorded with their address in the audit log.

Wrong passwords and codes delay further tries from their address only; no user is locked. After the free tries each
wrong one doubles the delay. A try within the delay is refused before the password is hashed.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from agents.common.requests import client_address
from agents.models import AuditEntry
from agents.policy.callers import customer
from monitoring.models import FailedLogIns

FREE_TRIES = 5  # a user with a forgotten password needs about three
# Seconds, which allows 1,440 tries a day, against passwords of 12 characters that are on no list.
LONGEST_DELAY = 60
QUIET = timedelta(hours=1)  # the address may have another user after an hour
# Stored sources; beyond it the oldest are deleted. An attacker with more addresses is not slowed by delays anyway.
MOST_SOURCES = 10_000


@dataclass(frozen=True, slots=True)
class Try:
    """`wait`: 0, or the seconds until a try is allowed. `slowed`: the sources that are delayed from now on if this try fails."""

    wait: int
    slowed: tuple[str, ...] = ()


def begin(request: HttpRequest, codes_of: User | None = None) -> Try:
    """`codes_of`: the user whose codes are tried, who is a source too: six digits could be guessed from many addresses."""
    slowed = []
    for source in _sources(request, codes_of):
        admission = admit(source, timezone.now())
        if admission.wait:
            return Try(admission.wait)
        if admission.tries == FREE_TRIES:
            slowed.append(source)
    return Try(0, tuple(slowed))


def failed(request: HttpRequest, made: Try, by: str, detail: str = "") -> None:
    record(request, AuditEntry.Action.LOGIN_FAILED, by, detail)
    for source in made.slowed:
        begins = f"{source}: {FREE_TRIES} wrong tries. From now on tries from there are delayed"
        AuditEntry.record(AuditEntry.Action.LOGIN_SLOWED, f"{begins}, up to {LONGEST_DELAY} s.", by="", now=timezone.now())


def succeeded(request: HttpRequest, user: User) -> None:
    for source in _sources(request, user):
        forget(source)


def too_early(request: HttpRequest, made: Try, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page with the seconds to wait, and status 429."""
    response = render(request, template, {**context, "wait": made.wait}, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(made.wait)
    # Otherwise Django logs a warning, a row, for each try. The audit log has the start of the delay.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 -- what Django's own `log_response` reads
    return response


def record(request: HttpRequest, action: AuditEntry.Action, by: str, detail: str = "") -> None:
    """Record an action in the audit log, with the request's address."""
    place = f"From {client_address(request) or 'an unknown address'}."
    AuditEntry.record(action, f"{detail} {place}".strip(), by=by, now=timezone.now())


def _sources(request: HttpRequest, codes_of: User | None) -> list[str]:
    address = client_address(request)
    sources = [customer(address) if address else "unknown"]
    return [*sources, f"codes of user {codes_of.pk}"] if codes_of else sources


class Admission(NamedTuple):
    """`wait`: 0 if a try is allowed, else the seconds until the next one. `tries`: including this one."""

    wait: int
    tries: int


def admit(source: str, now: datetime) -> Admission:
    with transaction.atomic():
        # Counted before the password is checked, so that simultaneous tries are limited too.
        row, is_new = FailedLogIns.objects.select_for_update().get_or_create(source=source, defaults={"last_at": now, "not_before": now})
        tries = row.tries if now - row.last_at < QUIET else 0
        wait = (row.not_before - now).total_seconds() if tries >= FREE_TRIES else 0.0
        if wait > 0:
            return Admission(min(math.ceil(wait), LONGEST_DELAY), tries)
        row.tries, row.last_at, row.not_before = tries + 1, now, now + timedelta(seconds=delay(tries + 1))
        row.save()
        if is_new:
            FailedLogIns.objects.filter(last_at__lt=now - QUIET).delete()
            beyond = FailedLogIns.objects.order_by("-last_at", "-pk").values_list("pk", flat=True)[MOST_SOURCES : MOST_SOURCES + 100]
            FailedLogIns.objects.filter(pk__in=list(beyond)).delete()
    return Admission(0, row.tries)


def delay(tries: int) -> int:
    beyond = tries - FREE_TRIES
    return 0 if beyond < 0 else min(2 ** min(beyond, 10), LONGEST_DELAY)


def forget(source: str) -> None:
    FailedLogIns.objects.filter(source=source).delete()
