"""The browsers in which somebody is logged in, each with a button that ends its session."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from agents.common.text import length
from agents.models import AuditEntry
from monitoring.sign_in import tries
from monitoring.sign_in.adapters import UNKNOWN_ADDRESS
from monitoring.web.access import SIGNED_IN, PanelRequest, guarded
from monitoring.web.pages import page

# What a browser calls itself, most telling first: all but Firefox call themselves Safari, too.
BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {"Windows": "Windows", "Android": "Android", "iPhone": "iOS", "iPad": "iPadOS", "Mac OS": "macOS", "Linux": "Linux"}


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
