"""The browsers in which somebody is logged in, each with a button that ends its session.

A session ends SESSION_IDLE_HOURS after its last visit. A page that renews itself is no visit, or an open one would never end.
"""

import time
from collections.abc import Callable
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from agents.common.text import length
from agents.models import AuditEntry
from monitoring.sign_in import tries
from monitoring.sign_in.adapters import UNKNOWN_ADDRESS
from monitoring.web.access import SIGNED_IN, PanelRequest, VisitorRequest, guarded
from monitoring.web.pages import page

# What a browser calls itself, most telling first: all but Firefox call themselves Safari, too.
BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {"Windows": "Windows", "Android": "Android", "iPhone": "iOS", "iPad": "iPadOS", "Mac OS": "macOS", "Linux": "Linux"}
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


@page("sign_in/sessions", get=SIGNED_IN)
def session_list(request: PanelRequest) -> dict[str, Any]:
    UserSession.objects.create_from_request(request)
    found = sorted(UserSession.objects.purge_and_list(request.user), key=lambda each: each.last_seen_at, reverse=True)
    shown = [{"row": each, "browser": browser(each), "address": address(each)} for each in found]
    return {"sessions": shown, "idle": length(settings.SESSION_COOKIE_AGE)}


@guarded(get=None, post=SIGNED_IN)
def end(request: PanelRequest, pk: int) -> HttpResponse:
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    is_own = session.is_current()
    _end(request, [session])
    if is_own:
        logout(request)
        return redirect("account_login")
    messages.success(request, "The session is ended: that browser is logged out.")
    return redirect("sessions")


@guarded(get=None, post=SIGNED_IN)
def end_others(request: PanelRequest) -> HttpResponse:
    others = [each for each in UserSession.objects.filter(user=request.user) if not each.is_current()]
    _end(request, others)
    messages.success(request, "All other sessions are ended.")
    return redirect("sessions")


def _end(request: PanelRequest, found: list[UserSession]) -> None:
    for session in found:
        session.end()
        detail = f"Ended the session of {browser(session)} at {address(session)}."
        tries.record(request, AuditEntry.Action.SESSION, request.user.get_username(), detail)


def address(session: UserSession) -> str:
    return "an unknown address" if session.ip == UNKNOWN_ADDRESS else str(session.ip)


def browser(session: UserSession) -> str:
    """Such as: Firefox on Linux."""
    name = next((name for sign, name in BROWSERS.items() if sign in session.user_agent), "a browser")
    system = next((name for sign, name in SYSTEMS.items() if sign in session.user_agent), "")
    return f"{name} on {system}" if system else name
