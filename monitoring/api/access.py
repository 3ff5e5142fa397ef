"""Who may call what: a token whose scope and whose user allow it. And what a call that changes something leaves in Audit."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer
from ninja.throttling import SimpleRateThrottle

from agents.models import AuditEntry
from monitoring.api.problems import ApiProblem
from monitoring.models import ApiToken, Scope
from monitoring.sign_in.second_factors import lacks_required
from monitoring.tokens import tokens
from monitoring.web.access import CHANGE, CONTROL, SUBMIT, VIEW

RATE = "120/m"  # of one token: a program that polls four lists each two seconds

P = ParamSpec("P")
R = TypeVar("R")


class ApiRequest(HttpRequest):
    auth: ApiToken


def who(request: ApiRequest) -> str:
    return request.auth.user.get_username()


class TokenAuth(HttpBearer):
    """Sessions are not accepted: a page elsewhere could use a visitor's."""

    def __init__(self, permission: str) -> None:
        super().__init__()
        self.permission = permission

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        found = tokens.find(token, timezone.now())
        if found and not tokens.may(found, self.permission):
            raise ApiProblem(403, _refusal(found, self.permission))
        return found


def _refusal(token: ApiToken, permission: str) -> str:
    if lacks_required(token.user):
        return f"The user {token.user.get_username()} has to set up a second factor first, on the page Second factor."
    if permission in tokens.ALLOWS[token.scope]:
        return f"The user {token.user.get_username()} may not do this. Ask an admin for another group."
    least = next(scope for scope in Scope if permission in tokens.ALLOWS[scope])
    return f"The scope of the token {token.name} is {token.scope}. Use one with the scope {least}."


reads, submits, controls, changes = map(TokenAuth, (VIEW, SUBMIT, CONTROL, CHANGE))


class TokenThrottle(SimpleRateThrottle):
    def get_cache_key(self, request: HttpRequest) -> str:
        return f"api-token-{request.auth.pk}"  # type: ignore[attr-defined]  # the authentication comes first


def recorded(view: Callable[P, R]) -> Callable[P, R]:
    """With the token's name in Audit. Where that can't be written, nothing is done."""

    @wraps(view)
    def act(*args: P.args, **kwargs: P.kwargs) -> R:
        request: Any = args[0]
        with transaction.atomic():
            result = view(*args, **kwargs)
            words = str(view.__doc__).partition(".")[0]
            record_use(request.auth, f"{words} ({request.method} {request.path})")
        return result

    return act


def record_use(token: ApiToken, what: str) -> None:
    AuditEntry.record(AuditEntry.Action.TOKEN_USE, f"{token}: {what}", by=token.user.get_username(), now=timezone.now())
