"""The panel's middleware."""

from collections.abc import Callable
from functools import cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from monitoring.api.problems import wrong_method

GetResponse = Callable[[HttpRequest], HttpResponse]
ZONE_COOKIE = "zone"  # panel.js sets it
API_PATHS = "/api/"
PROGRAM_PATHS = ("/health/", "/metrics")  # called by programs, which read JSON


class PlainSessionMiddleware(SessionMiddleware):
    """Ignores invalid session cookies: a quoted one may have a NUL, which Postgres refuses in a query."""

    def process_request(self, request: HttpRequest) -> None:
        if not request.COOKIES.get(settings.SESSION_COOKIE_NAME, "none").isalnum():
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        super().process_request(request)


class ZoneMiddleware:
    """Times are entered and shown in the browser's time zone, or in UTC if it sends no known one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = unquote(request.COOKIES.get(ZONE_COOKIE, ""))
        with timezone.override(ZoneInfo(name if name in zones() else "UTC")):
            return self.get_response(request)


@cache
def zones() -> frozenset[str]:
    """The names of all zones, cached, as listing them reads hundreds of files."""
    return frozenset(available_timezones())


class MethodMiddleware:
    """Adds a body to an empty 405 answer: JSON for programs, a problem for the API, else a page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 405 and request.path_info.startswith(API_PATHS):
            return wrong_method(", ".join(sorted(response.headers.get("Allow", "").split(", "))))
        if response.status_code != 405 or response.content or request.method == "HEAD":
            return response
        allowed = response.headers.get("Allow", "")
        if request.path_info.startswith(PROGRAM_PATHS):
            filled: HttpResponse = JsonResponse({"error": f"Use {allowed}.", "field": "method"}, status=405)
        else:
            filled = render(request, "405.html", {"method": request.method, "allowed": allowed}, status=405)
        filled.headers["Allow"] = allowed
        return filled
