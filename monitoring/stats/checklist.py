"""What a new panel needs before it can be left alone, and what of it is done."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists
from django.utils.translation import gettext as _

from agents.configuration import default_account
from agents.keys import UnreadableKey, key_of
from agents.models import Account, Gate, Step
from monitoring.models import Channel, TestSchedule

# With each account, what else is to be known: one query, as a live part asks it again and again.
FACTS = {
    "works": Exists(Gate.objects.filter(succeeded_at__gt=0)),
    "answered": Exists(Step.objects.filter(answered_at__isnull=False)),
    "told": Exists(Channel.objects.filter(enabled=True)),
    "tested": Exists(TestSchedule.objects.filter(enabled=True)),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do. `route`: the page where it is done, `remedy`: how."""

    words: str
    is_done: bool
    remedy: str
    route: str


def checklist() -> list[Item]:
    """The items in their order; empty once all are done."""
    default_account()
    accounts = list(Account.objects.annotate(**FACTS))
    works, answered, told, tested = (bool(getattr(accounts[0], fact)) for fact in FACTS)
    by_hand = _("Validators send them to /step, /act or /solve_task; or set a task by hand.")
    items = [
        Item(_("A key is set"), any(map(_has_key, accounts)), _("Enter one, or set CHUTES_API_KEY."), "settings"),
        Item(_("The key works"), works, _("The first success of any request ticks this."), "rate_limit"),
        Item(_("A step is answered"), answered, by_hand, "new_task"),
        Item(_("Somebody is told of trouble"), told, _("Add a channel for notifications."), "notifications"),
        Item(_("Tests run by themselves"), tested, _("Switch a schedule on."), "tests"),
    ]
    return [] if all(item.is_done for item in items) else items


def _has_key(account: Account) -> bool:
    try:
        return account.enabled and bool(key_of(account))
    except UnreadableKey:
        return False
