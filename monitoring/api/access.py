"""Access of API tokens: a call needs a permission that both the token's scope and its user have. Changes are recorded in Audit."""

import math
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from agents.models import AuditEntry
from monitoring.api.problems import ApiProblem
from monitoring.models import ApiToken, Scope
from monitoring.sign_in.second_factors import lacks_required
from monitoring.tokens import tokens
from monitoring.web.access import CHANGE, CONTROL, SUBMIT, VIEW

MOST, SECONDS = 120, 60  # requests of a token in so many seconds: enough for a program that polls four lists every two seconds
# Limits of a body. Parsed JSON of brackets alone takes sixty times as much memory, so no limit is larger than needed.
BODY_BYTES, PAGE_BYTES = 64 * 1024, 8 * 1024 * 1024

P = ParamSpec("P")
R = TypeVar("R")


class ApiRequest(HttpRequest):
    auth: ApiToken


def who(request: ApiRequest) -> str:
    return request.auth.user.get_username()


class TokenAuth(HttpBearer):
    """Sessions are not accepted, so that no other site can use a visitor's."""

    def __init__(self, permission: str, most_bytes: int = BODY_BYTES) -> None:
        super().__init__()
        self.permission, self.most_bytes = permission, most_bytes

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        now = timezone.now()
        api_token = tokens.find(token, now)
        if api_token is None:
            return None
        if wait := seconds_to_wait(api_token, now.timestamp()):
            retry = {"Retry-After": f"{math.ceil(wait)}"}
            raise ApiProblem(429, "This token sends too many requests. Wait for the seconds in Retry-After.", headers=retry)
        if not tokens.may(api_token, self.permission):
            raise ApiProblem(403, _refusal(api_token, self.permission))
        if int(request.META.get("CONTENT_LENGTH") or 0) > self.most_bytes:
            raise ApiProblem(413, f"The body is too large. Send {self.most_bytes // 1024:,} kB at most.")
        return api_token


_counting = threading.Lock()


def seconds_to_wait(token: ApiToken, now: float) -> float:
    """0 if the request is allowed, which is then counted. The web process and the assistants' process count separately."""
    key = f"api-token-{token.pk}"
    with _counting:
        sent = [at for at in cache.get(key, ()) if at > now - SECONDS]
        if len(sent) >= MOST:
            return float(sent[0] + SECONDS - now)
        cache.set(key, [*sent, now], SECONDS)
    return 0.0


def _refusal(token: ApiToken, permission: str) -> str:
    if lacks_required(token.user):
        return f"The user {token.user.get_username()} has to set up a second factor first, on the page Second factor."
    if permission in tokens.ALLOWS[token.scope]:
        return f"The user {token.user.get_username()} may not do this. Ask an admin for another group."
    least = next(scope for scope in Scope if permission in tokens.ALLOWS[scope])
    return f"The scope of the token {token.name} is {token.scope}. Use one with the scope {least}."


reads, submits, controls, changes = map(TokenAuth, (VIEW, SUBMIT, CONTROL, CHANGE))
submits_page = TokenAuth(SUBMIT, PAGE_BYTES)


def recorded(view: Callable[P, R]) -> Callable[P, R]:
    """Record the call and its token in Audit, in the transaction of the call."""

    @wraps(view)
    def act(*args: P.args, **kwargs: P.kwargs) -> R:
        request: Any = args[0]
        with transaction.atomic():
            result = view(*args, **kwargs)
            summary = str(view.__doc__).partition(".")[0]
            record_use(request.auth, f"{summary} ({request.method} {request.path})")
        return result

    return act


def record_use(token: ApiToken, what: str) -> None:
    AuditEntry.record(AuditEntry.Action.TOKEN_USE, f"{token}: {what}", by=token.user.get_username(), now=timezone.now())
