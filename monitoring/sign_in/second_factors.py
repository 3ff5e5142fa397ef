"""Which second factors users have, and whether they need one."""

from collections import Counter
from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from agents.models import Settings

CODES = 10  # recovery codes that are made at once: allauth's default


def mains(user: User) -> QuerySet[Authenticator]:
    """Without recovery codes, which only stand in for them."""
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return found


def lacks_required(user: User) -> bool:
    return Settings.objects.filter(require_second_factor=True).exists() and not mains(user).exists()


def codes_left(user: User) -> int | None:
    """None where no codes were made. Counted without opening them."""
    found = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return CODES - int(found.data["used_mask"]).bit_count() if found else None


def in_words(factors: Iterable[Authenticator]) -> str:
    """Such as: authenticator app, 2 passkeys; "none"."""
    kinds = Counter(factor.type for factor in factors)
    keys = kinds[Authenticator.Type.WEBAUTHN]
    words = ["authenticator app"] if kinds[Authenticator.Type.TOTP] else []
    words += [f"{keys} passkeys" if keys > 1 else "passkey"] if keys else []
    return ", ".join(words) or "none"


def reset(user: User) -> str:
    """Remove all factors and end all sessions: a lost device may hold both. Returns what was removed, in words."""
    with transaction.atomic():
        removed = in_words(Authenticator.objects.filter(user=user))
        Authenticator.objects.filter(user=user).delete()
        for session in UserSession.objects.filter(user=user):
            session.end()
    return removed
