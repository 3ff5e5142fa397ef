"""Every try to sign in or to confirm who one is, with its address in the audit.

Wrong passwords and codes slow down the address that they come from, and nobody else: no user is ever locked. After the free tries each
wrong one doubles the time until the next. A try that comes too early is refused before the password is hashed.
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

FREE_TRIES = 5  # somebody with a forgotten password needs about three
# Seconds. With it 1,440 tries a day are possible, against passwords of 12 characters that are on no list.
LONGEST_DELAY = 60
QUIET = timedelta(hours=1)  # older tries say nothing of who has the address now
# Of sources that are remembered; beyond it the oldest are forgotten. With as many addresses nobody needs a second try from any.
MOST_SOURCES = 10_000


@dataclass(frozen=True, slots=True)
class Try:
    """`wait`: 0, or the seconds until it may be made. `slowed`: the sources that this try, if it fails, makes wait from now on."""

    wait: int
    slowed: tuple[str, ...] = ()


def begin(request: HttpRequest, codes_of: User | None = None) -> Try:
    """`codes_of`: whose codes are tried. Who has the password may come from many addresses, and a code has six digits."""
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
        begins = f"{source}: {FREE_TRIES} wrong tries. From now on each try from there waits for the one before"
        AuditEntry.record(AuditEntry.Action.LOGIN_SLOWED, f"{begins}, up to {LONGEST_DELAY} s.", by="", now=timezone.now())


def succeeded(request: HttpRequest, user: User) -> None:
    for source in _sources(request, user):
        forget(source)


def too_early(request: HttpRequest, made: Try, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page again, with how long to wait."""
    response = render(request, template, {**context, "wait": made.wait}, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(made.wait)
    # Else Django logs each as a warning, a row a try. The audit has the slow-down once.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 -- what Django's own `log_response` reads
    return response


def record(request: HttpRequest, action: AuditEntry.Action, by: str, detail: str = "") -> None:
    """In the audit, with where the request came from."""
    place = f"From {client_address(request) or 'an unknown address'}."
    AuditEntry.record(action, f"{detail} {place}".strip(), by=by, now=timezone.now())


def _sources(request: HttpRequest, codes_of: User | None) -> list[str]:
    address = client_address(request)
    found = [customer(address) if address else "unknown"]
    return [*found, f"codes of user {codes_of.pk}"] if codes_of else found


class Admission(NamedTuple):
    """Whether a try may be made: `wait` is 0, or the seconds until the next may. `tries`: with this one."""

    wait: int
    tries: int


def admit(source: str, now: datetime) -> Admission:
    with transaction.atomic():
        # Counted before the password is checked, so that many at once are no way around the limit.
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
