"""API tokens of users, stored as digests. Functions raise ValidationError; then nothing is changed."""

import hashlib
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from agents.database import UNAVAILABLE, background_transaction
from agents.models import AuditEntry
from monitoring.models import ApiToken, Scope
from monitoring.sign_in.second_factors import lacks_required
from monitoring.web.access import CHANGE, CONTROL, SUBMIT, VIEW

PREFIX = "mp_"  # recognised by redaction and by secret scanners
BYTES = 32
LONGEST = 100  # of a text that may be a token
USE_WRITTEN_EVERY = timedelta(minutes=1)
ALLOWS: Mapping[str, frozenset[str]] = {
    Scope.READ: frozenset({VIEW}),
    Scope.OPERATE: frozenset({VIEW, SUBMIT, CONTROL}),
    Scope.ADMINISTER: frozenset({VIEW, SUBMIT, CONTROL, CHANGE}),
}


def scopes_of(user: User) -> list[Scope]:
    """The scopes of which the user has all permissions."""
    return [scope for scope in Scope if user.has_perms(ALLOWS[scope])]


def may(token: ApiToken, permission: str) -> bool:
    """Whether both the scope and the user have the permission, and the user has a second factor if one is required."""
    return permission in ALLOWS[token.scope] and token.user.has_perm(permission) and not lacks_required(token.user)


def create(user: User, name: str, scope: Scope, days: int | None, now: datetime) -> tuple[ApiToken, str]:
    """The row, and the token itself, which is not stored. `days`: until it expires, None for never."""
    text = PREFIX + secrets.token_urlsafe(BYTES)
    expires_at = None if days is None else now + timedelta(days=days)
    fields = {"name": name, "scope": scope, "digest": _digest(text), "last_four": text[-4:], "created_at": now, "expires_at": expires_at}
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(user=user, **fields)
            until = "without expiry" if expires_at is None else f"until {expires_at:%Y-%m-%d}"
            _record(f"Created {token}: {scope.label.lower()}, {until}.", user, now)
    except IntegrityError:
        raise ValidationError(f"You have a token {name} already. Choose another name, or revoke that one first.") from None
    return token, text


def revoke(pk: int, *, by: User, now: datetime, anyones: bool = False) -> ApiToken:
    """Revoke a token. `anyones`: of any user."""
    with transaction.atomic():
        mine = Q() if anyones else Q(user=by)
        token = ApiToken.objects.select_for_update().filter(mine, pk=pk, revoked_at=None).first()
        if token is None:
            raise ValidationError("There is no such token any more. Reload the page.")
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
        owner = "" if token.user == by else f" of {token.user.get_username()}"
        _record(f"Revoked {token}{owner}.", by, now)
    return token


def find(text: str, now: datetime) -> ApiToken | None:
    """The token, if it is valid; its use is recorded."""
    if not text.startswith(PREFIX) or len(text) > LONGEST:
        return None
    token = ApiToken.objects.select_related("user").filter(digest=_digest(text)).first()
    if token is None or not token.is_valid(now):
        return None
    _note_use(token, now)
    return token


def _note_use(token: ApiToken, now: datetime) -> None:
    """Record the use, unless the database can't be written."""
    if token.last_used_at is None or now - token.last_used_at >= USE_WRITTEN_EVERY:
        with suppress(*UNAVAILABLE), background_transaction():
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _record(detail: str, by: User, now: datetime) -> None:
    AuditEntry.record(AuditEntry.Action.TOKEN, detail, by=by.get_username(), now=now)
