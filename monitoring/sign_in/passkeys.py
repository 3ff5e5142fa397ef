"""Passkeys (WebAuthn): whether they can be used, and the browsers' answers, which fido2 verifies through django-allauth."""

import struct
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

MOST_BYTES = 64_000  # of a browser's answer; an attestation with certificates has some 5 kB
MOST_PASSKEYS = 20
# Errors of fido2 for malformed answers.
MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError, struct.error, InvalidSignature, UnsupportedAlgorithm)
REFUSED = "The passkey was not accepted. Try again."


def why_not(request: HttpRequest) -> str:
    """Why browsers offer no passkeys at this address; "" if they do."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    if request.is_secure() or host == "localhost":
        return ""
    return f"Passkeys need https, or the address http://localhost. This page is at http://{host}."


def credentials(user: User) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).order_by("pk"))


def creation_options(user: User) -> dict[str, Any]:
    """Options for a passkey that is stored on the device and verifies its user, so that it needs no password."""
    options: dict[str, Any] = auth.begin_registration(user, passwordless=True)
    return options


def request_options(user: User | None) -> dict[str, Any]:
    """Options for using a passkey of the user; None: of any user."""
    options: dict[str, Any] = auth.begin_authentication(user)
    return options


class CredentialField(forms.JSONField):
    """The browser's answer, as JSON; never shown again."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            answer = super().to_python(value) if len(value or "") <= MOST_BYTES else None
        except (RecursionError, ValueError):  # too deep, or a number of too many digits
            answer = None
        if not isinstance(answer, dict):
            raise ValidationError(REFUSED)
        return answer

    def bound_data(self, data: Any, initial: Any) -> Any:
        return None


class PasskeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc] # allauth has no types
    """`user`: the passkey's required owner; None at a sign-in without a password. `save` records its use."""

    credential = CredentialField()

    def __init__(self, data: Any, user: User | None, *, confirms: bool = False) -> None:
        super().__init__(data, user=user)
        self.reauthenticated, self.passwordless = confirms, user is None

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()
        except (ValidationError, *MALFORMED):
            raise ValidationError(REFUSED) from None


class NewPasskeyForm(forms.Form):
    name = forms.CharField(max_length=60, help_text="For you to recognise it: this laptop, blue key.")
    credential = CredentialField()

    def clean_credential(self) -> dict[str, Any]:
        credential: dict[str, Any] = self.cleaned_data["credential"]
        try:
            auth.parse_registration_response(credential)
            auth.complete_registration(credential)
        except (ValidationError, *MALFORMED):
            raise ValidationError(REFUSED) from None
        return credential
