"""One view, one context: the page for a visit, its fragment for htmx."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers

from monitoring.access import VIEW, guarded
from monitoring.requests import PanelRequest

View = Callable[..., HttpResponse | dict[str, Any]]


def page(name: str, *, get: str | None = VIEW, post: str | None = None) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """Guard a view and render the context it returns by `monitoring/<name>.html`, or for htmx by the fragment `monitoring/_<name>.html`."""

    def decorate(view: View) -> Callable[..., HttpResponseBase]:
        @guarded(get=get, post=post)
        @wraps(view)
        def answer(request: PanelRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            result = view(request, *args, **kwargs)
            return result if isinstance(result, HttpResponseBase) else _rendered(request, name, result)

        return answer

    return decorate


def is_fragment(request: PanelRequest) -> bool:
    """Whether a part of the page is asked for, not the whole."""
    return bool(request.htmx) and not request.htmx.history_restore_request


def _rendered(request: PanelRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    fragment = is_fragment(request)
    response = render(request, f"monitoring/{'_' if fragment else ''}{name}.html", context)
    patch_vary_headers(response, ["HX-Request", "Cookie"])
    patch_cache_control(response, private=True, no_cache=True)
    return _unless_unchanged(request, response) if fragment else response


def _unless_unchanged(request: PanelRequest, response: HttpResponse) -> HttpResponse:
    """304 without a body where the browser has this very fragment."""
    etag = f'"{hashlib.blake2b(response.content, digest_size=16).hexdigest()}"'
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response
