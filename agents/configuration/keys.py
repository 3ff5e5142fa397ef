"""Encrypts provider keys at rest: sealed with a key derived from SECRET_KEY, opened with it or one of its fallbacks."""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from agents.common.redaction import remember
from agents.models import Account


class UnreadableKey(ValueError):
    """None of the secret keys opens a sealed key: SECRET_KEY was changed without keeping the old one as a fallback."""


def seal(key: str) -> str:
    remember(key)
    return _ring().encrypt(key.encode()).decode()


def open_sealed(sealed: str) -> str:
    """The plain key. Raises UnreadableKey."""
    try:
        key = _ring().decrypt(sealed.encode()).decode()
    except InvalidToken:
        remedy = "put the former SECRET_KEY into SECRET_KEY_FALLBACKS, or enter the key again"
        raise UnreadableKey(f"The stored key can't be opened: {remedy}.") from None
    remember(key)
    return key


def key_of(account: Account) -> str:
    """The account's key, "" where it has none. `default` uses the environment's until one is entered. Raises UnreadableKey."""
    return _key(account, account.key_sealed, account.base_url, settings.CHUTES_BASE_URL, settings.CHUTES_API_KEY)


def admin_key_of(account: Account) -> str:
    return _key(account, account.admin_key_sealed, account.management_url, settings.CHUTES_MANAGEMENT_URL, settings.CHUTES_ADMIN_KEY)


def _key(account: Account, sealed: str, url: str, own_url: str, own_key: str) -> str:
    """The environment's key is sent only to the environment's URL, so that changing an account's URL cannot expose it."""
    if sealed:
        return open_sealed(sealed)
    return own_key if account.name == Account.DEFAULT and is_same_url(url or own_url, own_url) else ""


def is_same_url(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _ring() -> MultiFernet:
    return MultiFernet([_fernet(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@lru_cache(maxsize=16)
def _fernet(secret: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"minerpanel account keys").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
