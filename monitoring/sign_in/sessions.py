"""A user's sessions, by browser, each with a button that ends it.

A session ends SESSION_IDLE_HOURS after its last visit. A page's own refresh is no visit, or the session of an open page would never end.
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

# Marks in user agents, the most specific first: all but Firefox's have “Safari” too.
BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {"Windows": "Windows", "Android": "Android", "iPhone": "iOS", "iPad": "iPadOS", "Mac OS": "macOS", "Linux": "Linux"}
SEEN_AT = "seen_at"
NOTED_EVERY = 60  # seconds, so that an active user causes a write a minute


class ActivityMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: VisitorRequest) -> HttpResponse:
        response = self.get_response(request)
        # A session that the view did not access is not read for this.
        if request.session.accessed and not request.htmx and response.status_code < 400:
            note(request)
        return response


def note(request: VisitorRequest) -> None:
    """Record the visit in the session, which is then saved with a new expiry."""
    now = time.time()
    if request.user.is_authenticated and now - request.session.get(SEEN_AT, 0) > NOTED_EVERY:
        request.session[SEEN_AT] = now
        UserSession.objects.create_from_request(request)


@page("sign_in/sessions", get=SIGNED_IN)
def session_list(request: PanelRequest) -> dict[str, Any]:
    UserSession.objects.create_from_request(request)
    listed = sorted(UserSession.objects.purge_and_list(request.user), key=lambda session: session.last_seen_at, reverse=True)
    shown = [{"row": session, "browser": browser(session), "address": address(session)} for session in listed]
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
    others = [session for session in UserSession.objects.filter(user=request.user) if not session.is_current()]
    _end(request, others)
    messages.success(request, "All other sessions are ended.")
    return redirect("sessions")


def _end(request: PanelRequest, ended: list[UserSession]) -> None:
    for session in ended:
        session.end()
        detail = f"Ended the session of {browser(session)} at {address(session)}."
        tries.record(request, AuditEntry.Action.SESSION, request.user.get_username(), detail)


def address(session: UserSession) -> str:
    return "an unknown address" if session.ip == UNKNOWN_ADDRESS else str(session.ip)


def browser(session: UserSession) -> str:
    """The browser and its system, such as: Firefox on Linux."""
    name = next((name for mark, name in BROWSERS.items() if mark in session.user_agent), "a browser")
    system = next((name for mark, name in SYSTEMS.items() if mark in session.user_agent), "")
    return f"{name} on {system}" if system else name
