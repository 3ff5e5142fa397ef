"""What people enter about test runs and their schedules, checked before it goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from monitoring import cron
from monitoring.models import Result, TestRun, TestSchedule
from monitoring.stats.runs import RunQuery
from monitoring.suites import schedules
from monitoring.suites.logs import readable_journals
from monitoring.suites.registry import TITLES
from monitoring.wording import translated_lazy

ANY = ("", _("Any"))
SUITES = [(name, translated_lazy(title)) for name, title in TITLES.items()]
RANGES = {"24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
RANGE_NAMES = [("24h", _("Last 24 hours")), ("7d", _("Last 7 days")), ("30d", _("Last 30 days"))]
VERDICTS = [*Result.choices, *((state.value, state.label) for state in TestRun.State if state is not TestRun.State.DONE)]
# A leap year, as the command line takes it.
MOST_HOURS = 8_784


def _suites() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Tests"),
        choices=SUITES,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": _("tests: choose at least one."), "invalid_choice": _("tests: there is no “%(value)s”.")},
    )


class RunForm(forms.Form):
    """A run that an operator starts."""

    suites = _suites()
    hours = forms.FloatField(
        label=_("Log analysis looks back"),
        min_value=0.1,
        max_value=MOST_HOURS,
        initial=24,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    bypass_pause = forms.BooleanField(
        label=_("Test paused accounts too"), required=False, help_text=_("The request goes out during the pause, and may make it longer.")
    )

    journals = forms.TypedMultipleChoiceField(
        label=_("Imported journals"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        help_text=_("Which of them the log analysis reads beside this miner's own records."),
        error_messages={"invalid_choice": _("journals: import %(value)s is not here, or is not read yet. Choose among those listed.")},
    )

    def __init__(self, data: Any = None) -> None:
        listed = [(journal.pk, str(journal)) for journal in readable_journals()]
        super().__init__(data, initial={"suites": list(TITLES), "journals": [pk for pk, _ in listed]})
        self.fields["journals"].choices = listed  # type: ignore[attr-defined]

    @property
    def options(self) -> dict[str, Any]:
        """What the run is asked for. Where no journal can be chosen, the run takes those that are there when it begins."""
        names = ("hours", "bypass_pause", *(("journals",) if self.fields["journals"].choices else ()))  # type: ignore[attr-defined]
        return {name: self.cleaned_data[name] for name in names}


class RunFilter(forms.Form):
    """Which runs to list, from the query string. A field that can't be read is named and not applied."""

    suite = forms.ChoiceField(required=False, label=_("Test"), choices=[ANY, *SUITES])
    verdict = forms.ChoiceField(required=False, label=_("Verdict"), choices=[ANY, *VERDICTS])
    trigger = forms.ChoiceField(required=False, label=_("Started by"), choices=[ANY, *TestRun.Trigger.choices])
    range = forms.ChoiceField(required=False, label=_("When"), choices=[("", _("Any time")), *RANGE_NAMES])

    def query(self, now: datetime) -> RunQuery:
        """The conditions that could be read."""
        self.full_clean()
        found = {name: value for name, value in self.cleaned_data.items() if value}
        span = RANGES.get(found.pop("range", ""))
        return RunQuery(**found, since=now - span if span else None)

    @property
    def is_set(self) -> bool:
        """Whether any condition is given."""
        return any(self.data.get(name) for name in self.fields)


class ScheduleForm(forms.Form):
    """A schedule: what runs by itself, and when."""

    name = forms.CharField(label=_("Name"), max_length=60)
    suites = _suites()
    cron = forms.CharField(
        label=_("Cron"),
        max_length=100,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "placeholder": "7 * * * *"}),
        help_text=_("Minute, hour, day, month, weekday, in UTC. 7 * * * *: each hour. 30 4 * * 1: on Mondays at 04:30."),
    )
    enabled = forms.BooleanField(label=_("Enabled"), required=False, help_text=_("Off: it stays here and does not run."))

    def __init__(self, schedule: TestSchedule | None, data: Any = None) -> None:
        names = ("name", "suites", "cron", "enabled")
        super().__init__(data, initial={name: getattr(schedule, name) for name in names} if schedule else {"enabled": True})
        self.schedule = schedule

    def clean_cron(self) -> str:
        """The five fields."""
        try:
            return cron.checked(self.cleaned_data["cron"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def save(self, by: str, now: datetime) -> bool:
        """Add or change it. False where the form then shows why not."""
        if not self.is_valid():
            return False
        try:
            if self.schedule:
                schedules.change(self.schedule.pk, self.cleaned_data, by=by, now=now)
            else:
                schedules.add(self.cleaned_data, by=by, now=now)
        except IntegrityError:
            self.add_error("name", _("name: another schedule has it. Choose a different one."))
        except TestSchedule.DoesNotExist:
            self.add_error(None, _("Somebody has deleted this schedule meanwhile."))
        return not self.errors
