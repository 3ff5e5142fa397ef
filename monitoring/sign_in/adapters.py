"""django-allauth's adapters: client addresses, records of sign-ins, and encryption of second factors."""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from agents.common.requests import client_address
from agents.configuration.keys import UnreadableKey, open_sealed, seal
from agents.models import AuditEntry
from monitoring.sign_in import tries

UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 -- not bound: the address in a session's row if it is unknown
FRESH_SECONDS = 300  # after a sign-in or confirmation factors can be changed for this long, enough to change all of them
BY = {"totp": "authenticator app", "recovery_codes": "recovery code", "webauthn": "passkey"}
WRONG = "This code is wrong, or it was used already. Enter the one that the app shows now, or another recovery code."
REMEDY = "The stored second factor can't be decrypted: add the former SECRET_KEY to SECRET_KEY_FALLBACKS, or have the factor reset."


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or UNKNOWN_ADDRESS

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage"]

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The views have their own messages."""

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        messages.warning(request, "This account is deactivated. An admin can activate it.")
        return redirect("account_login")

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        tries.succeeded(request, user)
        tries.record(request, AuditEntry.Action.LOGIN, user.get_username(), f"By {methods_used(request, user)}.")
        response: HttpResponse = super().post_login(request, user, **kwargs)
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not within FRESH_SECONDS of a sign-in, nor for users without a password and a factor, who have nothing to confirm by."""
        user, request = context.request.user, context.request
        newest = max((record["at"] for record in get_authentication_records(request, user)), default=0.0)
        return time.time() - newest > FRESH_SECONDS and bool(get_reauthentication_flows(user))


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth has no types
    """Encrypts secrets like providers' keys."""

    error_messages = {**DefaultMFAAdapter.error_messages, "incorrect_code": WRONG}

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return open_sealed(encrypted_text)
        except UnreadableKey:
            raise ValidationError(REMEDY) from None

    def get_totp_label(self, user: User) -> str:
        return f"{user.get_username()} at {context.request.get_host()}"

    def _get_site_name(self) -> str:
        return str(settings.MFA_TOTP_ISSUER)


def methods_used(request: HttpRequest, user: User) -> str:
    """The methods of this sign-in, such as: password and authenticator app."""
    names = {"password": "password", "socialaccount": settings.OIDC_NAME}
    records = get_authentication_records(request, user)
    return (
        " and ".join(dict.fromkeys(BY.get(record.get("type"), "") or names.get(record["method"], "") for record in records)) or "password"
    )
