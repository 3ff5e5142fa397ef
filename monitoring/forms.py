"""What people enter, checked before it goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms

from agents.models import Route, Source
from agents.protocol import MAX_URL
from agents.reasons import Reason
from agents.sites import split_http
from monitoring.stats.tasks import TaskQuery, TaskState

ANY = ("", "Any")
RANGES = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}
RANGE_NAMES = [("1h", "Last hour"), ("24h", "Last 24 hours"), ("7d", "Last 7 days")]
REASONS = [(reason.value, reason.sentence.partition(".")[0].partition(":")[0]) for reason in Reason]
# What a task's prompt and page may weigh; validators' own are far smaller.
MAX_PROMPT = 20_000
MAX_PAGE = 5_000_000


class TaskForm(forms.Form):
    """A task that an operator sets."""

    prompt = forms.CharField(
        max_length=MAX_PROMPT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What the agent shall do, as a validator would say it. Placeholders such as <username> stay as they are.",
    )
    url = forms.CharField(
        label="URL",
        max_length=MAX_URL,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "http://localhost:8000/?seed=58"}),
        help_text="Where the task starts, with its seed.",
    )
    page = forms.CharField(
        label="Page HTML",
        required=False,
        strip=False,
        max_length=MAX_PAGE,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="Optional. With the page at hand the agent writes selectors for it.",
    )

    def clean_url(self) -> str:
        """An address that the agent can start at."""
        url: str = self.cleaned_data["url"]
        if split_http(url) is None or any(letter.isspace() or not letter.isprintable() for letter in url):
            raise forms.ValidationError("Enter an absolute http or https URL, such as http://localhost:8000/?seed=58.")
        return url


class TaskFilter(forms.Form):
    """Which tasks to list, from the query string. A field that can't be read is named and not applied."""

    text = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search", "placeholder": "Text in prompt, URL or id"})
    )
    state = forms.ChoiceField(required=False, choices=[ANY, *((state.value, state.sentence) for state in TaskState)])
    route = forms.ChoiceField(required=False, choices=[ANY, *Route.choices])
    reason = forms.ChoiceField(required=False, choices=[ANY, *REASONS])
    source = forms.ChoiceField(required=False, choices=[ANY, *Source.choices])
    project = forms.ChoiceField(required=False)
    status = forms.IntegerField(
        required=False, min_value=100, max_value=599, label="Status code", widget=forms.NumberInput(attrs={"placeholder": "429"})
    )
    range = forms.ChoiceField(required=False, choices=[("", "Any time"), *RANGE_NAMES], label="First seen")
    since = forms.DateTimeField(required=False, label="From (UTC)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    until = forms.DateTimeField(required=False, label="Until (UTC)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))

    def __init__(self, data: Any, projects: list[str]) -> None:
        super().__init__(data)
        self.fields["project"].choices = [ANY, *((name, name) for name in projects)]  # type: ignore[attr-defined]

    def query(self, now: datetime) -> TaskQuery:
        """The conditions that could be read."""
        self.full_clean()
        found = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        span = RANGES.get(found.pop("range", ""))
        if span and "since" not in found:
            found["since"] = now - span
        return TaskQuery(**found)

    @property
    def is_set(self) -> bool:
        """Whether any condition is given."""
        return any(self.data.get(name) for name in self.fields)

    @property
    def is_timed(self) -> bool:
        """Whether a time of its own is given."""
        return bool(self.data.get("since") or self.data.get("until"))
