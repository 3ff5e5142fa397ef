"""Who may open which page and do what there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django_htmx.http import HttpResponseClientRedirect

VIEW = "monitoring.view_panel"
SUBMIT = "monitoring.submit_task"
CHANGE = "monitoring.change_settings"


def guarded(*, get: str, post: str | None) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Let in who has the permission `get` for reading and `post` for acting. `post` None: there is nothing to do here."""
    needs = {"GET": get, "HEAD": get} | ({"POST": post} if post else {})

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guard(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method not in needs:
                return HttpResponseNotAllowed(list(needs))
            if not request.user.is_authenticated:
                return _to_login(request)
            if not request.user.has_perm(needs[request.method]):
                raise PermissionDenied(needs[request.method])
            return view(request, *args, **kwargs)

        return guard

    return decorate


def _to_login(request: HttpRequest) -> HttpResponse:
    """A live part whose session is over takes its whole page to the login, not the login into itself."""
    if request.htmx:
        return HttpResponseClientRedirect(redirect_to_login(request.htmx.current_url_abs_path or "/").url)
    return redirect_to_login(request.get_full_path())
