"""A page that was asked for in a way that it does not know: words instead of a blank answer."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

# For programs, which read JSON.
PROGRAMS = ("/health/", "/metrics")


class MethodMiddleware:
    """Fills blank 405 answers: as JSON for programs, else in the panel's look."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or response.content or request.method == "HEAD":
            return response
        allowed = response.headers.get("Allow", "")
        told = _told(request, allowed)
        told.headers["Allow"] = allowed
        return told


def _told(request: HttpRequest, allowed: str) -> HttpResponse:
    if request.path_info.startswith(PROGRAMS):
        return JsonResponse({"error": f"Use {allowed}.", "field": "method"}, status=405)
    return render(request, "405.html", {"method": request.method, "allowed": allowed}, status=405)
