"""Passkeys (WebAuthn): where they can be used, and what browsers send of them. Verified by fido2, through django-allauth."""

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

MOST_BYTES = 64_000  # an attestation with its certificates has some 5 kB
MOST_PASSKEYS = 20
# What fido2 raises where a browser's answer is not what it should be.
MALFORMED = (ValueError, TypeError, KeyError, AttributeError, IndexError, struct.error, InvalidSignature, UnsupportedAlgorithm)
REFUSED = "The passkey was not accepted. Try again."


def why_not(request: HttpRequest) -> str:
    """Why browsers offer no passkeys at this address; "" where they do."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    if request.is_secure() or host == "localhost":
        return ""
    return f"Passkeys need https, or the address http://localhost. This page is at http://{host}."


def credentials(user: User) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).order_by("pk"))


def creation_options(user: User) -> dict[str, Any]:
    """For a passkey that signs in without a password: kept by the device, which checks who uses it."""
    options: dict[str, Any] = auth.begin_registration(user, passwordless=True)
    return options


def request_options(user: User | None) -> dict[str, Any]:
    """None: whoever the device says."""
    options: dict[str, Any] = auth.begin_authentication(user)
    return options


class CredentialField(forms.JSONField):
    """What the browser answered, as JSON; never shown again."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            found = super().to_python(value) if len(value or "") <= MOST_BYTES else None
        except (RecursionError, ValueError):  # too deep, or a number of too many digits
            found = None
        if not isinstance(found, dict):
            raise ValidationError(REFUSED)
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        return None


class PasskeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc] # allauth has no types
    """`user`: whose it has to be; None at a sign-in without a password. `save` records its use."""

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
    name = forms.CharField(max_length=60, help_text="By which you recognise it: this laptop, blue key.")
    credential = CredentialField()

    def clean_credential(self) -> dict[str, Any]:
        credential: dict[str, Any] = self.cleaned_data["credential"]
        try:
            auth.parse_registration_response(credential)
            auth.complete_registration(credential)
        except (ValidationError, *MALFORMED):
            raise ValidationError(REFUSED) from None
        return credential
