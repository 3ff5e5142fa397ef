"""Who may use the panel: users are added, put into groups, switched off, given another password. Each change is in the audit.

There is always an active admin. Each function raises ValidationError; then nothing is changed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import Group, User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from agents.phrases import phrase
from monitoring.audit import Deed, note

ADMINS = "admins"
GROUPS = {"viewers": phrase("Viewer"), "operators": phrase("Operator"), ADMINS: phrase("Admin")}
# 96 bits.
PASSWORD_BYTES = 12


def admins() -> QuerySet[User]:
    """The active users that may change settings and users."""
    return User.objects.filter(Q(is_superuser=True) | Q(groups__name=ADMINS), is_active=True).distinct()


def role(user: User) -> str:
    """The strongest group of a user; "" for none. A superuser is an admin."""
    names = {group.name for group in user.groups.all()} | ({ADMINS} if user.is_superuser else set())
    return next((name for name in reversed(GROUPS) if name in names), "")


def add(name: str, group: str, *, by: User, now: datetime) -> tuple[User, str]:
    """A new user and the first password, which is kept nowhere else."""
    name = User.normalize_username(name.strip())
    UnicodeUsernameValidator()(name)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with transaction.atomic():
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(_("There is a user {name} already. Choose another name.").format(name=name))
        user = User.objects.create_user(name, password=password)
        user.groups.set(Group.objects.filter(name=group))
        note(Deed.USER, f"Added {name} as {GROUPS[group].lower()}.", by=by.get_username(), now=now)
    return user, password


def regroup(pk: int, group: str, *, by: User, now: datetime) -> None:
    """Put a user into one group alone."""

    def move(user: User) -> str:
        before = GROUPS.get(role(user), "nothing").lower()
        user.is_superuser = user.is_superuser and group == ADMINS
        user.save(update_fields=["is_superuser"])
        user.groups.set(Group.objects.filter(name=group))
        return f"{user.username}: {before} → {GROUPS[group].lower()}."

    _change(pk, move, by, now)


def switch(pk: int, *, active: bool, by: User, now: datetime) -> None:
    """Let a user in, or out at once wherever he is logged in."""

    def move(user: User) -> str:
        user.is_active = active
        user.save(update_fields=["is_active"])
        return f"{'Activated' if active else 'Deactivated'} {user.username}."

    _change(pk, move, by, now)


def reset_password(pk: int, *, by: User, now: datetime) -> tuple[User, str]:
    """Give a user another password, which is kept nowhere else. It logs the user out everywhere."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)

    def move(user: User) -> str:
        user.set_password(password)
        user.save(update_fields=["password"])
        return f"Gave {user.username} another password."

    return _change(pk, move, by, now), password


def own_password_changed(user: User, now: datetime) -> None:
    """Somebody changed his own password."""
    note(Deed.USER, f"{user.username} changed the own password.", by=user.username, now=now)


def _change(pk: int, move: Callable[[User], str], by: User, now: datetime) -> User:
    with transaction.atomic():
        # All of them are locked, so that two admins can't take away each other's rights at the same moment.
        users = {user.pk: user for user in User.objects.select_for_update().order_by("pk")}
        user = users.get(pk)
        if user is None:
            raise ValidationError(_("This user is not there any more. Reload the page."))
        told = move(user)
        if not admins().exists():
            raise ValidationError(
                _("{username} is the last active admin. Make somebody else an admin first.").format(username=user.username)
            )
        note(Deed.USER, told, by=by.get_username(), now=now)
    return user
