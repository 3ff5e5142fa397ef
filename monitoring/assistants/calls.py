"""Calls of the API within this process, with the client's token; untrusted texts in the answers are marked."""

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
# The token of the current request; empty over stdio, where MCP_TOKEN of the environment is used.
given: ContextVar[str] = ContextVar("given", default="")
# Fields with texts of callers, pages, models and providers.
FOREIGN = frozenset(
    {"prompt", "url", "answer", "caller_error", "confidence_why", "detail", "key", "project", "path", "came_back", "lines", "body"}
)
# The same, if the row also has the other field: the text of an action, the effect of a step.
FOREIGN_WITH = {"words": "worked", "effect": "caller_error"}
# In these kinds of audit entries the facts are untrusted too: a refused name of a provider's user, facts learned of a site.
FOREIGN_FACTS = frozenset({"login_failed", "learned"})
MARK = "data_from_strangers"


class Refused(Exception):
    """The request can't be carried out. The message has the reason and the remedy."""


def current_token() -> ApiToken:
    """Read for each call, as it may have been revoked. Raises Refused."""
    token = tokens.find(given.get() or settings.MCP_TOKEN, timezone.now())
    if token is None:
        raise Refused("The token is missing, revoked or expired. Make one in the panel, below API tokens.")
    return token


def may(permission: str) -> bool:
    return tokens.may(current_token(), permission)


def call(method: str, path: str, body: object = None, **query: Any) -> Any:
    """The API's answer, with untrusted texts marked. Raises Refused with the API's error message."""
    bearer = {"Authorization": f"Bearer {given.get() or settings.MCP_TOKEN}"}
    parameters = {name: value for name, value in query.items() if value not in (None, "")}
    text = "" if body is None else json.dumps(body)
    request = RequestFactory().generic(method, V1 + path, text, "application/json", headers=bearer, query_params=parameters)
    match = resolve(request.path_info)
    response = match.func(request, *match.args, **match.kwargs)
    answer = json.loads(response.content)
    if response.status_code >= 400:
        raise Refused(f"{answer['detail']} {' '.join(error['remedy'] for error in answer['errors'])}".strip())
    return marked(answer)


def get(path: str, **query: Any) -> Any:
    return call("GET", path, **query)


def marked(value: Any, name: str = "") -> Any:
    """Untrusted strings become {MARK: text}: to be quoted, never followed."""
    if isinstance(value, Mapping):
        return {key: marked(item, MARK if _is_foreign(key, value) else key) for key, item in value.items()}
    if isinstance(value, list):
        return [marked(item, name) for item in value]
    return {MARK: value} if name == MARK and isinstance(value, str) and value else value


def _is_foreign(name: str, row: Mapping[str, Any]) -> bool:
    if name == "facts" and row.get("kind") in FOREIGN_FACTS:
        return True
    other = FOREIGN_WITH.get(name)
    return other in row if other else name in FOREIGN
