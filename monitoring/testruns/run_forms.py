from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import IntegrityError

from agents.worker import cron
from monitoring.models import SUITE_TITLES, Result, TestRun, TestSchedule
from monitoring.reporting.filter_form import ANY, FilterForm, range_field
from monitoring.testruns.suites import schedules
from monitoring.testruns.suites.logs import readable_journals

SUITES = list(SUITE_TITLES.items())
WITHOUT_VERDICT = [(state, TestRun(state=state).status_text) for state in TestRun.State if state != TestRun.State.SUCCEEDED]
# A leap year, as in the command run_tests.
MOST_HOURS = 8_784


def _suites() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label="Tests",
        choices=SUITES,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": "tests: choose at least one.", "invalid_choice": "tests: there is no “%(value)s”."},
    )


class RunForm(forms.Form):
    suites = _suites()
    hours = forms.FloatField(
        label="Log analysis covers",
        min_value=0.1,
        max_value=MOST_HOURS,
        initial=24,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    bypass_pause = forms.BooleanField(
        label="Test paused accounts too", required=False, help_text="The request is sent during the pause, and may make it longer."
    )

    journals = forms.TypedMultipleChoiceField(
        label="Imported journals",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        help_text="Read by the log analysis besides this miner's own records.",
        error_messages={"invalid_choice": "journals: import %(value)s does not exist, or is not read yet. Choose among those listed."},
    )

    def __init__(self, data: Any = None) -> None:
        listed = [(journal.pk, str(journal)) for journal in readable_journals()]
        super().__init__(data, initial={"suites": list(SUITE_TITLES), "journals": [pk for pk, _ in listed]})
        self.fields["journals"].choices = listed  # type: ignore[attr-defined]

    @property
    def options(self) -> dict[str, Any]:
        """The run's options. If no journal can be chosen, the run uses those that exist when it begins."""
        names = ("hours", "bypass_pause", *(("journals",) if self.fields["journals"].choices else ()))  # type: ignore[attr-defined]
        return {name: self.cleaned_data[name] for name in names}


class RunFilter(FilterForm):
    suite = forms.ChoiceField(required=False, label="Test", choices=[ANY, *SUITES])
    verdict = forms.ChoiceField(required=False, label="Verdict", choices=[ANY, *Result.choices, *WITHOUT_VERDICT])
    trigger = forms.ChoiceField(required=False, label="Started by", choices=[ANY, *TestRun.Trigger.choices])
    range = range_field("When", "24h", "7d", "30d")


class ScheduleForm(forms.Form):
    name = forms.CharField(label="Name", max_length=60)
    suites = _suites()
    cron = forms.CharField(
        label="Cron",
        max_length=100,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "placeholder": "7 * * * *"}),
        help_text="Minute, hour, day, month, weekday, in UTC. 7 * * * *: each hour. 30 4 * * 1: on Mondays at 04:30.",
    )
    enabled = forms.BooleanField(label="Enabled", required=False, help_text="A disabled schedule is kept, and does not run.")

    def __init__(self, schedule: TestSchedule | None, data: Any = None) -> None:
        names = ("name", "suites", "cron", "enabled")
        super().__init__(data, initial={name: getattr(schedule, name) for name in names} if schedule else {"enabled": True})
        self.schedule = schedule

    def clean_cron(self) -> str:
        try:
            return cron.checked(self.cleaned_data["cron"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def save(self, by: User, now: datetime) -> bool:
        if not self.is_valid():
            return False
        try:
            schedules.save(self.schedule.pk if self.schedule else None, self.cleaned_data, by=by, now=now)
        except IntegrityError:
            self.add_error("name", "name: another schedule has it. Choose a different one.")
        except TestSchedule.DoesNotExist:
            self.add_error(None, "This schedule was deleted meanwhile.")
        return not self.errors
