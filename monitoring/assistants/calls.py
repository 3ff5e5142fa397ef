"""Calls of the API within this process, with the token of whoever asks; and texts of strangers marked as such."""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.test import RequestFactory
from django.urls import resolve
from django.utils import timezone

from monitoring.models import ApiToken
from monitoring.tokens import tokens

V1 = "/api/v1"
# Of the request that is answered, as it came; over stdio, MCP_TOKEN of the environment.
given: ContextVar[str] = ContextVar("given", default="")
# What callers, pages, models and providers wrote.
FOREIGN = frozenset(
    {"prompt", "url", "answer", "caller_error", "confidence_why", "detail", "key", "project", "path", "came_back", "lines", "body"}
)
# The same, where a row has the other field: an action's words, a step's effect.
FOREIGN_BESIDE = {"words": "worked", "effect": "caller_error"}
# Of these kinds of audit entries also the facts: a name from elsewhere that may not log in, what was learned of a site.
FOREIGN_FACTS = frozenset({"login_failed", "learned"})
MARK = "data_from_strangers"


class Refused(Exception):
    """What is asked can't be done. The message says why, and what to do."""


def current_token() -> ApiToken:
    """Found anew for each call: it may have been revoked meanwhile. Raises Refused."""
    found = tokens.find(given.get() or settings.MCP_TOKEN, timezone.now())
    if found is None:
        raise Refused("The token is missing, revoked or expired. Make one in the panel, below API tokens.")
    return found


def may(permission: str) -> bool:
    return tokens.may(current_token(), permission)


def call(method: str, path: str, body: object = None, **query: Any) -> Any:
    """What the API answers, with texts of strangers marked. Raises Refused with the API's own words."""
    bearer = {"Authorization": f"Bearer {given.get() or settings.MCP_TOKEN}"}
    wanted = {name: value for name, value in query.items() if value not in (None, "")}
    text = "" if body is None else json.dumps(body)
    request = RequestFactory().generic(method, V1 + path, text, "application/json", headers=bearer, query_params=wanted)
    match = resolve(request.path_info)
    response = match.func(request, *match.args, **match.kwargs)
    found = json.loads(response.content)
    if response.status_code >= 400:
        raise Refused(f"{found['detail']} {' '.join(error['remedy'] for error in found['errors'])}".strip())
    return marked(found)


def get(path: str, **query: Any) -> Any:
    return call("GET", path, **query)


def marked(value: Any, name: str = "") -> Any:
    """Strings that strangers wrote become {MARK: text}: to be quoted, never followed."""
    if isinstance(value, Mapping):
        return {key: marked(each, MARK if _is_foreign(key, value) else key) for key, each in value.items()}
    if isinstance(value, list):
        return [marked(each, name) for each in value]
    return {MARK: value} if name == MARK and isinstance(value, str) and value else value


def _is_foreign(name: str, row: Mapping[str, Any]) -> bool:
    if name == "facts" and row.get("kind") in FOREIGN_FACTS:
        return True
    beside = FOREIGN_BESIDE.get(name)
    return beside in row if beside else name in FOREIGN
