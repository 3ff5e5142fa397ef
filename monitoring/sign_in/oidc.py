"""Sign-in by OpenID Connect, for users that an admin has added, or that OIDC_VIEWERS accepts."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.openid_connect import views
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods
from requests import RequestException

from agents.common.text import shorten, storable
from agents.models import AuditEntry
from monitoring.sign_in import tries

PROVIDER = "oidc"
LONGEST_NAME = 150  # of a user
NO_ANSWER = "{} can't be used now: its answer is not usable. Try again, or log in with a password."
NO_ACCOUNT = "You are signed in at {}, but have no account here. An admin can add one, with the name {}."
# Errors of allauth if the provider's answer is missing or incomplete.
UNUSABLE = (RequestException, KeyError, TypeError, ValueError)


def has_provider() -> bool:
    return bool(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"])


@require_http_methods(["GET", "HEAD"])
def leave(request: HttpRequest) -> HttpResponse:
    """Redirect to the provider."""
    target = request.GET.get("next", "")
    back = target if url_has_allowed_host_and_scheme(target, {request.get_host()}) else None
    try:
        response: HttpResponse = OpenIDConnectOAuth2Adapter(request, PROVIDER).get_provider().redirect(request, AuthProcess.LOGIN, back)
    except SocialApp.DoesNotExist:
        raise Http404(PROVIDER) from None
    except UNUSABLE:
        return without_answer(request)
    return response


@require_http_methods(["GET", "HEAD"])
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The provider's redirect back, with a code."""
    try:
        response: HttpResponse = views.callback(request, provider_id)
    except UNUSABLE:
        return without_answer(request)
    return response


def without_answer(request: HttpRequest) -> HttpResponse:
    messages.warning(request, NO_ANSWER.format(settings.OIDC_NAME))
    return redirect("account_login")


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # allauth has no types
    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def on_authentication_error(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        raise ImmediateHttpResponse(without_answer(request))

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Bind the provider's user to an account here. Later sign-ins use the provider's id, so names may change."""
        if sociallogin.is_existing:
            return
        kept = sociallogin.account.extra_data
        claims = {**kept.get("id_token", {}), **kept.get("userinfo", {})}
        with transaction.atomic():
            user = added_user(claims) or new_viewer(claims)
            if user:
                sociallogin.connect(request, user)
        if not user:
            name = shorten(storable(next(iter(names(claims)), "")), LONGEST_NAME) or "that the provider gives them"
            tries.record(request, AuditEntry.Action.LOGIN_FAILED, "", f"By {settings.OIDC_NAME}, without an account: {name}.")
            messages.warning(request, NO_ACCOUNT.format(settings.OIDC_NAME, name))
            raise ImmediateHttpResponse(redirect("account_login"))


def names(claims: dict[str, Any]) -> list[str]:
    """The names by which an admin may have added this user: the e-mail address, if it is verified, and the user name."""
    email = claims.get("email") if claims.get("email_verified") is True else None
    return [name for name in (email, claims.get("preferred_username")) if isinstance(name, str) and name]


def added_user(claims: dict[str, Any]) -> User | None:
    """The user with such a name that an admin has added for the provider: without a password, and not bound yet."""
    without_password = User.objects.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX, is_active=True)
    added = without_password.select_for_update(of=("self",)).filter(socialaccount=None)
    for name in names(claims):
        if user := added.filter(username__iexact=storable(name)).first():
            return user
    return None


def new_viewer(claims: dict[str, Any]) -> User | None:
    if not settings.OIDC_VIEWERS:
        return None
    claim, value = settings.OIDC_VIEWERS
    given = claims.get(claim)
    if value not in (given if isinstance(given, list) else [given]):
        return None
    name = User.normalize_username(next(iter(names(claims)), ""))
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError:
        return None
    if len(name) > LONGEST_NAME or User.objects.filter(username__iexact=name).exists():
        return None
    user = User.objects.create_user(name)
    user.groups.set(Group.objects.filter(name="viewers"))
    AuditEntry.record(AuditEntry.Action.USER, f"Added {name} as viewer: {claim} has {value}.", by="", now=timezone.now())
    return user
