"""Log-ins, with the failed ones, on record."""

from __future__ import annotations

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpResponse
from django.utils import timezone

from agents.addresses import client_address
from agents.text import storable
from monitoring.audit import Deed, note

# No user can have this name. A name that nobody has is not kept: it may be a password in the wrong field.
NOBODY = "(unknown name)"


class PanelLogin(LoginView):
    """Django's log-in; each try is in the audit with the client's address."""

    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """The right password."""
        note(Deed.LOGIN, self._from(), by=form.get_user().get_username(), now=timezone.now())
        return super().form_valid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """A wrong name or password, or a user who is not active."""
        name = User.objects.filter(username=storable(form.data.get("username", ""))).values_list("username", flat=True).first()
        note(Deed.LOGIN_FAILED, self._from(), by=name or NOBODY, now=timezone.now())
        return super().form_invalid(form)

    def _from(self) -> str:
        return f"From {client_address(self.request) or 'an unknown address'}."
