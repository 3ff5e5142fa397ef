"""A user's own second factors: an authenticator app, passkeys, and recovery codes in case neither is available."""

import base64
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.internal.flows import delete_and_cleanup
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import generate_recovery_codes
from allauth.mfa.totp.internal.auth import generate_totp_secret, validate_totp_code
from allauth.mfa.totp.internal.flows import activate_totp
from allauth.mfa.webauthn.internal.flows import add_authenticator
from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from agents.models import AuditEntry
from monitoring.sign_in import passkeys, tries
from monitoring.sign_in.confirm import confirmed
from monitoring.sign_in.passkeys import MOST_PASSKEYS, NewPasskeyForm
from monitoring.sign_in.second_factors import codes_left, lacks_required, mains
from monitoring.web.access import SETTING_UP, PanelRequest, guarded
from monitoring.web.pages import page

SALT = "second factor of user {}"
SECRET_GOOD_SECONDS = 3_600  # in which a phone can be set up


class AppForm(forms.Form):
    """The new secret is in the form, signed, and is stored only after a code proves that the app has it."""

    made = forms.CharField(widget=forms.HiddenInput)
    code = forms.CharField(
        max_length=20,
        help_text="Six digits, as the app shows them now.",
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, data: Any, user: User) -> None:
        super().__init__(data)
        self.salt = SALT.format(user.pk)
        try:
            self.secret: str = signing.loads(str(self.data.get("made", "")), salt=self.salt, max_age=SECRET_GOOD_SECONDS)
        except signing.BadSignature:
            self.secret = generate_totp_secret()

    @property
    def signed(self) -> str:
        return signing.dumps(self.secret, salt=self.salt)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not validate_totp_code(self.secret, code):
            raise ValidationError("This code does not match the key below. Enter the one that the app shows now.")
        return code


@page("sign_in/second_factor", get=SETTING_UP)
def second_factor(request: PanelRequest) -> dict[str, Any]:
    return factor_context(request)


def factor_context(request: PanelRequest) -> dict[str, Any]:
    user = request.user
    return {
        "app": mains(user).filter(type=Authenticator.Type.TOTP).first(),
        "passkeys": passkeys.credentials(user),
        "no_passkeys": passkeys.why_not(request),
        "codes_left": codes_left(user),
        "is_lacking": lacks_required(user),
    }


@page("sign_in/add_app", get=SETTING_UP, post=SETTING_UP)
@confirmed
def add_app(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    user = request.user
    if mains(user).filter(type=Authenticator.Type.TOTP).exists():
        messages.info(request, "You have an authenticator app already. Remove it to add another.")
        return redirect("second_factor")
    form = AppForm(request.POST if request.method == "POST" else None, user)
    if form.is_bound:
        attempt = tries.begin(request, user)
        if attempt.wait:
            return tries.too_early(request, attempt, "sign_in/add_app.html", _new_app(user, form))
        if form.is_valid():
            tries.succeeded(request, user)
            _app, codes = activate_totp(request, form)
            return _added(request, "the authenticator app", codes)
        tries.failed(request, attempt, user.get_username(), "Set-up of an app while logged in.")
    return _new_app(user, form)


def _new_app(user: User, form: AppForm) -> dict[str, Any]:
    adapter = get_adapter()
    drawn = base64.b64encode(adapter.build_totp_svg(adapter.build_totp_url(user, form.secret)).encode()).decode()
    return {"form": form, "key": form.secret, "drawn": f"data:image/svg+xml;base64,{drawn}"}


@guarded(get=None, post=SETTING_UP)
@confirmed
def remove_app(request: PanelRequest) -> HttpResponse:
    return _removed(request, get_object_or_404(Authenticator, user=request.user, type=Authenticator.Type.TOTP), "the authenticator app")


@page("sign_in/add_passkey", get=SETTING_UP, post=SETTING_UP)
@confirmed
def add_passkey(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    user, why_not = request.user, passkeys.why_not(request)
    if len(passkeys.credentials(user)) >= MOST_PASSKEYS:
        why_not = f"You have {MOST_PASSKEYS} passkeys. Remove one first."
    if why_not:
        messages.warning(request, why_not)
        return redirect("second_factor")
    form = NewPasskeyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        name = form.cleaned_data["name"]
        _passkey, codes = add_authenticator(request, name, form.cleaned_data["credential"])
        return _added(request, f"the passkey {name}", codes)
    return {"form": form, "passkey_options": passkeys.creation_options(user)}


@guarded(get=None, post=SETTING_UP)
@confirmed
def remove_passkey(request: PanelRequest, pk: int) -> HttpResponse:
    passkey = get_object_or_404(Authenticator, pk=pk, user=request.user, type=Authenticator.Type.WEBAUTHN)
    return _removed(request, passkey, f"the passkey {passkey}")


@guarded(get=None, post=SETTING_UP)
@confirmed
def new_codes(request: PanelRequest) -> HttpResponse:
    if not mains(request.user).exists():
        messages.warning(request, "Recovery codes replace a lost authenticator app or passkey. Add one of these first.")
        return redirect("second_factor")
    return _shown_once(request, generate_recovery_codes(request), "Made new recovery codes.")


def _added(request: PanelRequest, what: str, codes: Authenticator | None) -> HttpResponse:
    if codes:
        return _shown_once(request, codes, f"Added {what}.")
    _note(request, f"Added {what}.")
    messages.success(request, f"Added {what}.")
    return redirect("second_factor")


def _shown_once(request: PanelRequest, codes: Authenticator, done: str) -> HttpResponse:
    """The page with the codes, which are shown only once, and not cached."""
    _note(request, done)
    wrapped = codes.wrap()
    wrapped.mark_as_viewed()
    response = render(request, "sign_in/second_factor.html", {**factor_context(request), "codes": wrapped.get_unused_codes(), "done": done})
    response["Cache-Control"] = "no-store"
    return response


def _removed(request: PanelRequest, factor: Authenticator, what: str) -> HttpResponse:
    delete_and_cleanup(request, factor)
    _note(request, f"Removed {what}.")
    messages.success(request, f"Removed {what}.")
    return redirect("second_factor")


def _note(request: PanelRequest, detail: str) -> None:
    tries.record(request, AuditEntry.Action.SECOND_FACTOR, request.user.get_username(), detail)
