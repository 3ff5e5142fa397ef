"""What the command palette finds: pages, recent tasks, actions, settings by their names."""

from collections.abc import Iterator
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db.models import TextField
from django.db.models.functions import Left
from django.urls import reverse
from django.utils.text import capfirst

from agents.common.redaction import redact
from agents.models import Account, Settings, Task
from monitoring.ratelimit.gate import GateAction
from monitoring.settings.changes import model_field
from monitoring.settings.forms import SettingsForm
from monitoring.web.access import CONTROL, SUBMIT
from monitoring.web.navigation import GROUPS

SHOWN = 8  # of each kind: what fits without scrolling
RECENT = 50  # tasks that are looked through
PROMPT_CHARS = 80
# Pages below those of the navigation, and what needs more than reading.
MORE_PAGES = {
    "steps": "Steps",
    "events": "Rate-limit events",
    "what_if": "What if other settings",
    "figures": "Figures",
    "compare": "LLM and template side by side",
    "notices": "Notices",
    "retention": "Retention",
    "tokens": "API tokens",
    "api": "API documentation",
    "password": "Your password",
}
ACTIONS = {"new_task": ("New task", SUBMIT), "tests": ("Run tests", SUBMIT)}


class Found(NamedTuple):
    """`more`: beside its text, also searched."""

    text: str
    address: str
    more: str = ""


def found(user: User, text: str) -> list[tuple[str, list[Found]]]:
    """By kind; each has all words of the text. Without a text: pages and recent tasks."""
    words = text.lower().split()
    kinds = {"Pages": _pages(user), "Recent tasks": _tasks()}
    if words:
        kinds |= {"Actions": _actions(user), "Settings": _settings()}
    listed = {kind: [each for each in entries if _has(each, words)][:SHOWN] for kind, entries in kinds.items()}
    return [(kind, entries) for kind, entries in listed.items() if entries]


def _has(entry: Found, words: list[str]) -> bool:
    line = f"{entry.text} {entry.more}".lower()
    return all(word in line for word in words)


def _pages(user: User) -> Iterator[Found]:
    for entries in GROUPS.values():
        for entry in entries:
            if not entry.permission or user.has_perm(entry.permission):
                yield Found(entry.text, reverse(entry.route))
    yield from (Found(name, reverse(route)) for route, name in MORE_PAGES.items())


def _tasks() -> Iterator[Found]:
    short = Left("prompt", PROMPT_CHARS, output_field=TextField())
    listed = Task.objects.order_by("-created_at", "-id").annotate(short=short).only("id", "project")[:RECENT]
    yield from (Found(redact(task.short), task.get_absolute_url(), f"task {task.pk} {task.project}".strip()) for task in listed)


def _actions(user: User) -> Iterator[Found]:
    yield from (Found(words, reverse(route)) for route, (words, need) in ACTIONS.items() if user.has_perm(need))
    if user.has_perm(CONTROL):
        for account in Account.objects.all():
            for action in GateAction:
                yield Found(f"{action.sentence} {account.name}", reverse(f"{action}_account", args=[account.pk]), "account")


def _settings() -> Iterator[Found]:
    row = Settings()
    for name in SettingsForm.names:
        yield Found(capfirst(str(model_field(row, name).verbose_name)), f"{reverse('settings')}#id_{name}", name)
