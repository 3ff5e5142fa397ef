"""Every try to sign in or to confirm who one is: slowed down by the rule of `log_in_delay`, and in the audit with its address."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from agents.common.requests import client_address
from agents.models import AuditEntry
from monitoring.sign_in import log_in_delay
from monitoring.sign_in.log_in_delay import FREE_TRIES, LONGEST_DELAY


@dataclass(frozen=True, slots=True)
class Try:
    """`wait`: 0, or the seconds until it may be made. `slowed`: the sources that this try, if it fails, makes wait from now on."""

    wait: int
    slowed: tuple[str, ...] = ()


def begin(request: HttpRequest, codes_of: User | None = None) -> Try:
    """`codes_of`: whose codes are tried. Who has the password may come from many addresses, and a code has six digits."""
    slowed = []
    for source in _sources(request, codes_of):
        admission = log_in_delay.admit(source, timezone.now())
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
        log_in_delay.succeeded(source)


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
    address = log_in_delay.source_of(client_address(request))
    return [address, f"codes of user {codes_of.pk}"] if codes_of else [address]
