"""The reader's time zone, as their browser tells it: times that they enter are meant in the zone in which they are shown them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

# panel.js sets it.
COOKIE = "zone"


class ZoneMiddleware:
    """Makes the browser's zone the current one while a request is answered; UTC where it says none that is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_of(request)):
            return self.get_response(request)


def zone_of(request: HttpRequest) -> ZoneInfo:
    """The zone that the browser says, else UTC."""
    name = unquote(request.COOKIES.get(COOKIE, ""))
    return ZoneInfo(name if name in zones() else "UTC")


@cache
def zones() -> frozenset[str]:
    """The names of all zones. Looking them up reads hundreds of files."""
    return frozenset(available_timezones())
