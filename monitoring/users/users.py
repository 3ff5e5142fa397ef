"""Users of the panel, of whom at least one is an active admin. Functions raise ValidationError; then nothing is changed."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from agents.models import AuditEntry
from monitoring.sign_in import second_factors

ADMINS = "admins"
GROUPS = {"viewers": "Viewer", "operators": "Operator", ADMINS: "Admin"}
_ALL = ["view_panel", "submit_task", "control_account", "change_settings"]
PERMISSIONS = {"viewers": _ALL[:1], "operators": _ALL[:3], ADMINS: _ALL}  # of the model Panel
PASSWORD_BYTES = 12  # 96 bits


def ensure_groups() -> None:
    permissions = Permission.objects.filter(content_type__app_label="monitoring")
    for name, codenames in PERMISSIONS.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.set(permissions.filter(codename__in=codenames))


def admins() -> QuerySet[User]:
    return User.objects.filter(Q(is_superuser=True) | Q(groups__name=ADMINS), is_active=True).distinct()


def role(user: User) -> str:
    """The strongest group of a user; "" for none. A superuser is an admin."""
    names = {group.name for group in user.groups.all()} | ({ADMINS} if user.is_superuser else set())
    return next((name for name in reversed(GROUPS) if name in names), "")


def add(name: str, group: str, *, by: User, now: datetime, has_password: bool = True) -> tuple[User, str]:
    """The user and the password, which is not stored otherwise; "" for a user who signs in by a provider."""
    name = User.normalize_username(name.strip())
    UnicodeUsernameValidator()(name)
    password = secrets.token_urlsafe(PASSWORD_BYTES) if has_password else ""
    with transaction.atomic():
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(f"There is a user {name} already. Choose another name.")
        user = User.objects.create_user(name, password=password or None)
        user.groups.set(Group.objects.filter(name=group))
        record(f"Added {name} as {GROUPS[group].lower()}{'' if has_password else f', by {settings.OIDC_NAME}'}.", by, now)
    return user, password


def regroup(pk: int, group: str, *, by: User, now: datetime) -> None:
    if group not in GROUPS:
        raise ValidationError("Choose viewers, operators or admins.")
    with _changing(pk) as user:
        before = GROUPS.get(role(user), "no group").lower()
        user.is_superuser = user.is_superuser and group == ADMINS
        user.save(update_fields=["is_superuser"])
        user.groups.set(Group.objects.filter(name=group))
        record(f"Moved {user.username} from {before} to {GROUPS[group].lower()}.", by, now)


def switch(pk: int, *, active: bool, by: User, now: datetime) -> None:
    with _changing(pk) as user:
        user.is_active = active
        user.save(update_fields=["is_active"])
        record(f"{'Activated' if active else 'Deactivated'} {user.username}.", by, now)


def reset_password(pk: int, *, by: User, now: datetime) -> tuple[User, str]:
    """Set a new password, which ends the user's sessions."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with _changing(pk) as user:
        user.set_password(password)
        user.save(update_fields=["password"])
        record(f"Gave {user.username} a new password.", by, now)
    return user, password


def reset_second_factor(pk: int, *, by: User, now: datetime) -> None:
    with _changing(pk) as user:
        removed = second_factors.reset(user)
        record(f"Reset the second factor of {user.username}: removed {removed}, ended all sessions.", by, now)


@contextmanager
def _changing(pk: int) -> Iterator[User]:
    """Locks all users, so that two admins can't remove each other's rights at the same time."""
    with transaction.atomic():
        user = {user.pk: user for user in User.objects.select_for_update().order_by("pk")}.get(pk)
        if user is None:
            raise ValidationError("This user no longer exists. Reload the page.")
        yield user
        if not admins().exists():
            raise ValidationError(f"{user.username} is the last active admin. Make another user an admin first.")


def record(detail: str, by: User, now: datetime) -> None:
    AuditEntry.record(AuditEntry.Action.USER, detail, by=by.get_username(), now=now)
