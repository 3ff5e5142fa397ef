"""The guide through the first steps: each is done in place, or on the page that it links to."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from agents.configuration import default_account
from agents.configuration.account_changes import LONGEST_KEY, change_account
from agents.models import Settings
from agents.operator_jobs import submissions
from monitoring.first_steps.points import POINTS, State, statuses
from monitoring.models import TestRun
from monitoring.settings.forms import RowForm
from monitoring.testruns.suites import running
from monitoring.web.access import CHANGE, PanelRequest
from monitoring.web.pages import page

REASON = "First steps"
SAMPLE = {
    "prompt": "Search for the film 'Arrival'",
    "url": "http://localhost:8000/?seed=1",
    "page": '<form action="/search"><input name="query" placeholder="Find films"><button type="submit">Search</button></form>',
}


class KeyForm(forms.Form):
    key = forms.CharField(
        label="API key", max_length=LONGEST_KEY, widget=forms.PasswordInput({"autocomplete": "off", "spellcheck": "false"})
    )

    def save(self, by: Any) -> bool:
        if not self.is_valid():
            return False
        try:
            change_account(default_account(), {}, key=self.cleaned_data["key"], by=by, reason=REASON)
        except ValidationError as error:
            self.add_error("key", [text for texts in error.message_dict.values() for text in texts])
        return not self.errors


class SettingsPart(RowForm):
    reason = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(Settings.current(), data)


class CapsForm(SettingsPart):
    names = ("daily_attempts", "daily_usd")


class AllowedForm(SettingsPart):
    names = ("allowed_callers",)


FORMS: dict[str, Callable[..., Any]] = {"key": KeyForm, "caps": CapsForm, "allowed": AllowedForm}


def start_test(request: PanelRequest) -> None:
    options = {"account": default_account().name}
    try:
        running.start(["key"], trigger=TestRun.Trigger.OPERATOR, by=request.user.get_username(), options=options)
    except running.AlreadyRunning:
        messages.info(request, "A test is running already. Its result appears here first.")


def answer_sample(request: PanelRequest) -> None:
    submissions.submit(**SAMPLE, by=request.user.get_username())


ACTS: dict[str, Callable[[PanelRequest], None]] = {"test": start_test, "step": answer_sample}


@page("first_steps/first_steps", get=CHANGE, post=CHANGE)
def first_steps(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    name = request.POST.get("point", "")
    if name in ACTS:
        ACTS[name](request)
        return redirect("first_steps")
    shown = {point: form(request.POST if point == name else None) for point, form in FORMS.items()}
    if name in shown and shown[name].save(request.user):
        messages.success(request, "Saved. It takes effect with the next step.")
        return redirect("first_steps")
    by_name = statuses(timezone.now())
    rows = [{"point": point, "status": by_name[point.name], "form": shown.get(point.name)} for point in POINTS]
    return {"rows": rows, "left": sum(status.state is not State.DONE for status in by_name.values())}
