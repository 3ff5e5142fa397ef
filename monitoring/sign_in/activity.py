"""A session ends SESSION_IDLE_HOURS after its last visit. A page that renews itself is no visit, or an open one would never end."""

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse

from monitoring.web.access import VisitorRequest

SEEN_AT = "seen_at"
NOTED_EVERY = 60  # seconds: a write a minute while somebody works


class ActivityMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: VisitorRequest) -> HttpResponse:
        response = self.get_response(request)
        # A session that the view did not need is not read for this.
        if request.session.accessed and not request.htmx and response.status_code < 400:
            note(request)
        return response


def note(request: VisitorRequest) -> None:
    """A changed session is saved, which begins its time anew."""
    now = time.time()
    if request.user.is_authenticated and now - request.session.get(SEEN_AT, 0) > NOTED_EVERY:
        request.session[SEEN_AT] = now
        UserSession.objects.create_from_request(request)
