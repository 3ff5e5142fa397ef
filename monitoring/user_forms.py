"""What admins enter about users."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from monitoring.users import GROUPS
from monitoring.wording import translated_lazy

CHOICES = [(name, translated_lazy(words)) for name, words in GROUPS.items()]


class NewUserForm(forms.Form):
    """A user's name and group; the password is made by the panel."""

    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        help_text=_("Letters, digits and @ . + - _"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    group = forms.ChoiceField(
        label=_("Group"), choices=CHOICES, help_text=_("Viewers look, operators also act, admins also change settings and users.")
    )


class GroupForm(forms.Form):
    """The group that a user is put into."""

    group = forms.ChoiceField(label=_("Group"), choices=CHOICES)
