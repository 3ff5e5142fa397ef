"""Maintenance windows: during them notices are recorded and nothing is sent."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone

from agents.configuration import Who, delete_as, save_as
from monitoring.models import MaintenanceWindow
from monitoring.reporting.ranges import MOMENT
from monitoring.reporting.rollups import Interval

LONGEST = timedelta(days=7)  # of a window, without any message
FURTHEST = timedelta(days=365)
USUAL = timedelta(hours=1)
JUST_NOW = timedelta(minutes=1)  # a field without seconds turns the current time into one some seconds ago
OLD_SHOWN = 5


def active(now: datetime) -> MaintenanceWindow | None:
    """The current window; of several, the one that ends last."""
    return MaintenanceWindow.objects.filter(starts_at__lte=now, ends_at__gt=now).order_by("-ends_at").first()


def shown(now: datetime) -> list[tuple[MaintenanceWindow, str]]:
    """Planned, current and the last past windows, latest first, with their states."""
    old = list(MaintenanceWindow.objects.filter(ends_at__lte=now)[:OLD_SHOWN])
    current = list(MaintenanceWindow.objects.filter(ends_at__gt=now))
    return [(window, "planned" if window.starts_at > now else "on") for window in current] + [(window, "over") for window in old]


def chart_windows(within: Interval) -> list[list[Any]]:
    """For the charts: start, end and label of each window."""
    start, end = within
    windows = MaintenanceWindow.objects.filter(starts_at__lt=end, ends_at__gt=start).order_by("starts_at")
    return [[max(row.starts_at, start).timestamp(), min(row.ends_at, end).timestamp(), f"Maintenance: {row.reason}"] for row in windows]


def claim_ended(now: datetime) -> list[MaintenanceWindow]:
    """Claim the past windows that are not summed up yet; of several processes one gets them."""
    with transaction.atomic():
        rows = MaintenanceWindow.objects.select_for_update().filter(ends_at__lte=now, summed_up_at=None)
        windows = list(rows)
        MaintenanceWindow.objects.filter(pk__in=[window.pk for window in windows]).update(summed_up_at=now)
    return windows


def end(window: MaintenanceWindow, now: datetime, by: Who) -> None:
    """End a current window now, delete a planned one, leave a past one unchanged."""
    if window.starts_at > now:
        delete_as(window, by, "")
    elif window.ends_at > now:
        window.ends_at = max(now, window.starts_at + timedelta(microseconds=1))
        save_as(window, by, "")


class MaintenanceForm(forms.ModelForm):  # type: ignore[type-arg]
    """Times are in the user's time zone. Without a start it begins now."""

    starts_at = forms.DateTimeField(required=False, label="Start", widget=forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M"))
    ends_at = forms.DateTimeField(label="End", widget=forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M"))

    class Meta:
        model = MaintenanceWindow
        fields = ("starts_at", "ends_at", "reason")

    def __init__(self, now: datetime, data: Any = None) -> None:
        super().__init__(data, instance=MaintenanceWindow())
        self.now = now
        self.fields["starts_at"].help_text = "Empty: now."
        self.fields["ends_at"].help_text = "At most 7 days after its start. It can be ended earlier."
        self.fields["reason"].help_text = "Such as “Database is moved”. Shown on Overview, in charts and in Audit."
        self.initial["ends_at"] = timezone.localtime(now + USUAL)

    def clean_starts_at(self) -> datetime:
        start: datetime = self.cleaned_data["starts_at"] or self.now
        if start < self.now - JUST_NOW:
            raise forms.ValidationError("This time has passed. Leave it empty to begin now.")
        if start > self.now + FURTHEST:
            raise forms.ValidationError("Give a time within a year.")
        return max(start, self.now)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("starts_at"), cleaned.get("ends_at")
        if start and end and end <= start:
            self.add_error("ends_at", "Give a time after its start.")
        if start and end and end > start + LONGEST:
            self.add_error("ends_at", "Give a time at most 7 days after its start.")
        return cleaned
