"""Users with second factors, and the data that their devices and browsers send."""

import time
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import encrypt
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.test import Client

PASSWORD = "Quiet-Harbor-81-Lantern"
PERIOD = 30  # seconds for which a code is shown


def make_app(user: User, **more: Any) -> str:
    """Returns its secret."""
    secret: str = generate_totp_secret()
    Authenticator.objects.create(user=user, type="totp", data={"secret": encrypt(secret)}, **more)
    return secret


def make_codes(user: User) -> list[str]:
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return codes


def make_passkey(user: User, **more: Any) -> Authenticator:
    """A passkey without a valid credential, to list and remove."""
    row: Authenticator = Authenticator.objects.create(user=user, type="webauthn", data={"name": "blue key", "credential": {}}, **more)
    return row


def make_session(user: User, **more: Any) -> UserSession:
    row: UserSession = UserSession.objects.create(user=user, ip="203.0.113.7", session_key=f"key-{user.pk}", user_agent="Firefox/1", **more)
    return row


def code_of(secret: str, periods: int = 0) -> str:
    """The code that an app shows now, or some periods from now."""
    shown: str = format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD + periods))
    return shown


def confirm(client: Client, user: User, *, ago: float = 0) -> None:
    """As if this user had entered the password `ago` seconds ago."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time() - ago, "reauthenticated": True}]
    session[f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"] = str(user.pk)
    session.save()
