"""What a new panel needs before it can be left alone, and what of it is done."""

from __future__ import annotations

from dataclasses import dataclass

from agents.configuration import accounts
from agents.keys import UnreadableKey, key_of
from agents.models import Account, Gate, Step
from monitoring.models import Channel, TestSchedule


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do. `route`: the page where it is done, `remedy`: how."""

    words: str
    is_done: bool
    remedy: str
    route: str


def checklist() -> list[Item]:
    """The items in their order; empty once all are done."""
    items = [
        Item("A key is set", any(_has_key(account) for account in accounts()), "Enter one, or set CHUTES_API_KEY.", "settings"),
        Item("The key works", Gate.objects.filter(succeeded_at__gt=0).exists(), "The first success of any request ticks this.", "rate_limit"),
        Item(
            "A step is answered",
            Step.objects.filter(answered_at__isnull=False).exists(),
            "Validators send them to /step, /act or /solve_task; or set a task by hand.",
            "new_task",
        ),
        Item("Somebody is told of trouble", Channel.objects.filter(enabled=True).exists(), "Add a channel for notifications.", "notifications"),
        Item("Tests run by themselves", TestSchedule.objects.filter(enabled=True).exists(), "Switch a schedule on.", "tests"),
    ]
    return [] if all(item.is_done for item in items) else items


def _has_key(account: Account) -> bool:
    try:
        return account.enabled and bool(key_of(account))
    except UnreadableKey:
        return False
