"""Who is logged in, by a cookie that anybody can write."""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest


class PlainSessionMiddleware(SessionMiddleware):
    """Takes a cookie that no session can have for none. A quoted one may hold a NUL, which Postgres refuses to look for."""

    def process_request(self, request: HttpRequest) -> None:
        """Django's own, with letters and digits alone."""
        if not request.COOKIES.get(settings.SESSION_COOKIE_NAME, "none").isalnum():
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        super().process_request(request)
