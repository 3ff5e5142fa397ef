from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone

from monitoring.models import ApiToken, Scope
from monitoring.tokens import tokens
from monitoring.web.access import CHANGE, VIEW, PanelRequest, guarded
from monitoring.web.pages import acted, page

NO_END = ""
EXPIRIES = [("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), (NO_END, "Never")]
SHOWN = 200  # per list


class TokenForm(forms.Form):
    name = forms.CharField(max_length=40, help_text="Which program uses it.", widget=forms.TextInput({"autocomplete": "off"}))
    scope = forms.TypedChoiceField(coerce=Scope, help_text="What it may do at most. It may never do more than you.")
    days = forms.TypedChoiceField(label="Expires", choices=EXPIRIES, coerce=int, empty_value=None, required=False, initial="90")

    def __init__(self, allowed: list[Scope], data: Any = None) -> None:
        super().__init__(data)
        self.fields["scope"].choices = [(scope.value, scope.label) for scope in allowed]  # type: ignore[attr-defined]


@page("tokens/tokens", post=VIEW)
def own_tokens(request: PanelRequest) -> dict[str, Any]:
    """A POST makes a token, and shows it, once."""
    now, allowed, shown = timezone.now(), tokens.scopes_of(request.user), None
    form = TokenForm(allowed, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            shown, form = tokens.create(request.user, **form.cleaned_data, now=now), TokenForm(allowed)
        except ValidationError as error:
            form.add_error("name", error)
    return {"form": form, "shown": shown, "tokens": rows(request.user.pk), "now": now, "route": "revoke_token"}


def rows(user: int | None = None) -> list[tuple[ApiToken, str]]:
    """Tokens that are not revoked, with the reason if one is not accepted, or "". `user`: only this user's."""
    now, all_tokens = timezone.now(), ApiToken.objects.select_related("user").filter(revoked_at=None)
    listed = (all_tokens.filter(user=user) if user else all_tokens)[:SHOWN]
    return [(token, "Expired" if token.has_expired(now) else "" if token.is_valid(now) else "User deactivated") for token in listed]


@csp_update({"style-src": [SELF, UNSAFE_INLINE]})  # Swagger UI sets styles of its own
@page("tokens/api")
def documentation(request: PanelRequest) -> dict[str, Any]:
    return {}


@guarded(get=None, post=VIEW)
def revoke_own(request: PanelRequest, pk: int) -> HttpResponse:
    return acted(request, "tokens", "The token is revoked.", lambda: tokens.revoke(pk, by=request.user, now=timezone.now()))


@guarded(get=None, post=CHANGE)
def revoke_any(request: PanelRequest, pk: int) -> HttpResponse:
    return acted(request, "users", "The token is revoked.", lambda: tokens.revoke(pk, by=request.user, now=timezone.now(), anyones=True))
