"""The command palette: searches pages, recent tasks, actions, and settings by their names."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db.models import TextField
from django.db.models.functions import Left
from django.urls import reverse
from django.utils.text import capfirst

from agents.common.redaction import redact
from agents.common.text import storable
from agents.models import Account, Settings, Task
from monitoring.ratelimit.gate import GateAction
from monitoring.settings.changes import model_field
from monitoring.settings.forms import SettingsForm
from monitoring.web.access import CONTROL, SUBMIT, PanelRequest
from monitoring.web.navigation import GROUPS
from monitoring.web.pages import page

MOST_CHARACTERS = 100
SHOWN = 8  # of each kind: what fits without scrolling
RECENT = 50  # tasks that are searched
PROMPT_CHARS = 80
# Pages that are not in the navigation, and actions with their permission.
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


class Result(NamedTuple):
    """`more`: shown after its text, and searched too."""

    text: str
    address: str
    more: str = ""


@page("palette/palette")
def palette(request: PanelRequest) -> dict[str, Any]:
    text = storable(request.GET.get("go", ""))[:MOST_CHARACTERS]
    kinds = search(request.user, text)
    return {"text": text, "kinds": kinds, "count": sum(len(entries) for _, entries in kinds)}


def search(user: User, text: str) -> list[tuple[str, list[Result]]]:
    """Results by kind, with all words of the text. Without a text: pages and recent tasks."""
    terms = text.lower().split()
    kinds = {"Pages": _pages(user), "Recent tasks": _tasks()}
    if terms:
        kinds |= {"Actions": _actions(user), "Settings": _settings()}
    listed = {kind: [entry for entry in entries if _matches(entry, terms)][:SHOWN] for kind, entries in kinds.items()}
    return [(kind, entries) for kind, entries in listed.items() if entries]


def _matches(entry: Result, terms: list[str]) -> bool:
    line = f"{entry.text} {entry.more}".lower()
    return all(term in line for term in terms)


def _pages(user: User) -> Iterator[Result]:
    for entries in GROUPS.values():
        for entry in entries:
            if not entry.permission or user.has_perm(entry.permission):
                yield Result(entry.text, reverse(entry.route))
    yield from (Result(name, reverse(route)) for route, name in MORE_PAGES.items())


def _tasks() -> Iterator[Result]:
    short = Left("prompt", PROMPT_CHARS, output_field=TextField())
    listed = Task.objects.order_by("-created_at", "-id").annotate(short=short).only("id", "project")[:RECENT]
    yield from (Result(redact(task.short), task.get_absolute_url(), f"task {task.pk} {task.project}".strip()) for task in listed)


def _actions(user: User) -> Iterator[Result]:
    yield from (Result(label, reverse(route)) for route, (label, permission) in ACTIONS.items() if user.has_perm(permission))
    if user.has_perm(CONTROL):
        for account in Account.objects.all():
            for action in GateAction:
                yield Result(f"{action.sentence} {account.name}", reverse(f"{action}_account", args=[account.pk]), "account")


def _settings() -> Iterator[Result]:
    row = Settings()
    for name in SettingsForm.names:
        yield Result(capfirst(str(model_field(row, name).verbose_name)), f"{reverse('settings')}#id_{name}", name)
