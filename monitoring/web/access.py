"""Permissions of pages and actions."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit, urlunsplit

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from monitoring.sign_in.second_factors import lacks_required

VIEW = "monitoring.view_panel"
SUBMIT = "monitoring.submit_task"
CONTROL = "monitoring.control_account"
CHANGE = "monitoring.change_settings"
SIGNED_IN = "signed in"  # all users, even without a group
SETTING_UP = "setting up a second factor"  # the same, even if they lack a required second factor


class VisitorRequest(HttpRequest):
    htmx: HtmxDetails


class PanelRequest(VisitorRequest):
    user: User


def guarded(*, get: str | None, post: str | None) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Require the permission `get` for reading and `post` for acting. None: the method is not allowed."""
    needs = {method: need for method, need in (("GET", get), ("HEAD", get), ("POST", post)) if need}

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guard(request: VisitorRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            need = needs.get(request.method or "")
            if need is None:
                return HttpResponseNotAllowed(list(needs))  # MethodMiddleware adds the body
            if not request.user.is_authenticated:
                return _to_login(request)
            if need != SETTING_UP and lacks_required(request.user):
                return _to_second_factor(request)
            if need not in (SIGNED_IN, SETTING_UP) and not request.user.has_perm(need):
                raise PermissionDenied(need)
            return view(request, *args, **kwargs)

        return guard

    return decorate


def _to_login(request: VisitorRequest) -> HttpResponse:
    """Redirect to the log-in, for a live part with its whole page; after a form, back to the form's page."""
    if request.method == "POST":
        messages.warning(request, "You were logged out before this arrived, so nothing was done. Log in and send it again.")
        return redirect_to_login(_path_of(request.headers.get("Referer", "")))
    if request.htmx:
        return HttpResponseClientRedirect(redirect_to_login(_path_of(request.htmx.current_url or "")).url)
    return redirect_to_login(request.get_full_path())


def _to_second_factor(request: VisitorRequest) -> HttpResponse:
    if request.method == "POST":
        messages.warning(request, "Nothing was done: a second factor is required first.")
    return HttpResponseClientRedirect(reverse("second_factor")) if request.htmx else redirect("second_factor")


def _path_of(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    return urlunsplit(("", "", parts.path or "/", parts.query, ""))
