"""How an operator wants a step answered once more."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agents.configuration import accounts, models_of
from agents.models import Account, Replay
from agents.replays import LONGEST_DEADLINE

# The models that an account names or would choose come first; of a whole catalogue a list this long can still be looked through.
MODELS_OFFERED = 60
DEFAULT_DEADLINE = 25


class ReplayForm(forms.Form):
    """Who answers, and how long it may take."""

    who = forms.ChoiceField(label=_("Who answers"))
    deadline_seconds = forms.FloatField(
        label=_("Deadline, s"),
        min_value=3,
        max_value=LONGEST_DEADLINE,
        initial=DEFAULT_DEADLINE,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self._accounts = {str(account.pk): account for account in accounts() if account.enabled}
        way = Replay.Way
        plain = [(each.value, each.label) for each in (way.AS_SET, way.TEMPLATE)]
        groups = [(_("Account {name}").format(name=account.name), _models(account)) for account in self._accounts.values()]
        self.fields["who"].choices = [*plain, *((name, models) for name, models in groups if models)]  # type: ignore[attr-defined]

    def asked(self) -> dict[str, Any]:
        """What `agents.replays.ask` takes."""
        pk, _, model = self.cleaned_data["who"].partition(":")
        way = Replay.Way.MODEL if model else Replay.Way(pk)
        return {"way": way, "account": self._accounts.get(pk), "model": model, "deadline_seconds": self.cleaned_data["deadline_seconds"]}


def _models(account: Account) -> list[tuple[str, str]]:
    listed = (entry["id"] for entry in account.catalogue)
    names = list(dict.fromkeys([*models_of(account), *listed]))[:MODELS_OFFERED]
    return [(f"{account.pk}:{name}", name) for name in names]
