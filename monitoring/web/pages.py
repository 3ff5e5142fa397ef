"""One context per view, rendered as a page for a visit and as a fragment for htmx; and the page for errors."""

import hashlib
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template import loader
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.views import defaults

from agents.database import RETRY_SECONDS, UNAVAILABLE
from monitoring.web.access import VIEW, PanelRequest, guarded

View = Callable[..., HttpResponse | dict[str, Any]]


def page(path: str, *, get: str | None = VIEW, post: str | None = None) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """Guard a view, and render its context by `<folder>/<name>.html`, or for htmx by the fragment `<folder>/_<name>.html`."""
    folder, name = path.split("/")

    def decorate(view: View) -> Callable[..., HttpResponseBase]:
        @guarded(get=get, post=post)
        @wraps(view)
        def answer(request: PanelRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            result, fragment = view(request, *args, **kwargs), is_fragment(request)
            if isinstance(result, HttpResponseBase):
                return result
            response = render(request, f"{folder}/{'_' if fragment else ''}{name}.html", result)
            patch_vary_headers(response, ["HX-Request", "Cookie"])
            patch_cache_control(response, private=True, no_cache=True)
            if not fragment:
                return response
            # 304 without a body if the browser has the same fragment.
            etag = f'"{hashlib.blake2b(response.content, digest_size=16).hexdigest()}"'
            response.headers["ETag"] = etag
            return get_conditional_response(request, etag=etag, response=response) or response

        return answer

    return decorate


def is_fragment(request: PanelRequest) -> bool:
    return bool(request.htmx) and not request.htmx.history_restore_request


def acted(request: PanelRequest, to: str, message: str, act: Callable[[], object]) -> HttpResponse:
    """Act, then redirect to the page `to` with the message, or with the error."""
    try:
        act()
        messages.success(request, message)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    return redirect(to)


def server_error(request: HttpRequest) -> HttpResponse:
    """503 while the database does not answer, else Django's 500."""
    if not isinstance(sys.exception(), UNAVAILABLE):
        return defaults.server_error(request)
    return HttpResponse(loader.get_template("503.html").render(), status=503, headers={"Retry-After": f"{RETRY_SECONDS:.0f}"})
