"""Provider keys at rest: sealed with a key derived from SECRET_KEY, opened with it or one of its fallbacks."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from agents.models import Account
from agents.redaction import remember


class UnreadableKey(ValueError):
    """A sealed key that none of the secret keys opens: SECRET_KEY was changed without keeping the old one as a fallback."""


def seal(key: str) -> str:
    """The key as it may be stored."""
    remember(key)
    return _ring().encrypt(key.encode()).decode()


def open_sealed(sealed: str) -> str:
    """The key again. Raises UnreadableKey."""
    try:
        key = _ring().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise UnreadableKey(
            "The stored key can't be opened: put the former SECRET_KEY into SECRET_KEY_FALLBACKS, or enter the key again."
        ) from None
    remember(key)
    return key


def key_of(account: Account) -> str:
    """The account's key, "" where it has none. `default` uses the environment's until one is entered. Raises UnreadableKey."""
    if account.key_sealed:
        return open_sealed(account.key_sealed)
    return settings.CHUTES_API_KEY if account.name == Account.DEFAULT else ""


def admin_key_of(account: Account) -> str:
    """The account's admin key, as `key_of` gives the other one. Raises UnreadableKey."""
    if account.admin_key_sealed:
        return open_sealed(account.admin_key_sealed)
    return settings.CHUTES_ADMIN_KEY if account.name == Account.DEFAULT else ""


def _ring() -> MultiFernet:
    return MultiFernet([_fernet(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@lru_cache(maxsize=16)
def _fernet(secret: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"minerpanel account keys").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
