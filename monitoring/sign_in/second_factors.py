"""Users' second factors, and whether one is required."""

from collections import Counter
from collections.abc import Iterable

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from agents.models import Settings

CODES = 10  # recovery codes per set, allauth's default


def mains(user: User) -> QuerySet[Authenticator]:
    """The user's factors, without recovery codes, which only replace them."""
    factors: QuerySet[Authenticator] = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return factors


def lacks_required(user: User) -> bool:
    return Settings.objects.filter(require_second_factor=True).exists() and not mains(user).exists()


def codes_left(user: User) -> int | None:
    """The number of unused recovery codes, without decrypting them; None if there are none."""
    codes = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return CODES - int(codes.data["used_mask"]).bit_count() if codes else None


def factors_text(factors: Iterable[Authenticator]) -> str:
    """Such as: authenticator app, 2 passkeys; "none"."""
    kinds = Counter(factor.type for factor in factors)
    keys = kinds[Authenticator.Type.WEBAUTHN]
    names = ["authenticator app"] if kinds[Authenticator.Type.TOTP] else []
    names += [f"{keys} passkeys" if keys > 1 else "passkey"] if keys else []
    return ", ".join(names) or "none"


def reset(user: User) -> str:
    """Remove all factors and end all sessions, as a lost device may have both. Returns the removed factors as text."""
    with transaction.atomic():
        removed = factors_text(Authenticator.objects.filter(user=user))
        Authenticator.objects.filter(user=user).delete()
        for session in UserSession.objects.filter(user=user):
            session.end()
    return removed
