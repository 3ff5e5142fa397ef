"""Notifications: channels, notices, deliveries, maintenance windows, and the outside watcher."""

from typing import NamedTuple

from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from agents.models import LeasedJob


class Severity(models.IntegerChoices):
    INFO = 1, "Information"
    WARNING = 2, "Warning"
    CRITICAL = 3, "Critical"


class Event(NamedTuple):
    """`over`: of a lasting event, the event sent at its end, "" for none; None: the event does not last."""

    label: str
    severity: Severity
    over: str | None = None


EVENTS = {
    "llm_paused": Event("LLM paused", Severity.WARNING, over="llm_back"),
    "llm_back": Event("LLM back", Severity.INFO),
    "key_refused": Event("Key refused", Severity.CRITICAL, over="llm_back"),
    "quota_used_up": Event("Quota or balance used up", Severity.CRITICAL, over="llm_back"),
    "quota_forecast": Event("Quota or balance nearly used up", Severity.WARNING, over=""),
    "model_gone": Event("Model gone from the list", Severity.WARNING, over=""),
    "test_failed": Event("Test failed", Severity.WARNING, over="test_recovered"),
    "test_recovered": Event("Test recovered", Severity.INFO),
    "component_down": Event("Component down", Severity.CRITICAL, over="component_up"),
    "component_up": Event("Component up again", Severity.INFO),
    "silence": Event("No request from validators", Severity.WARNING, over="requests_back"),
    "requests_back": Event("Validators' requests are back", Severity.INFO),
    "new_path": Event("A new path is called", Severity.WARNING, over=""),
    "llm_share_low": Event("LLM answers too few steps", Severity.WARNING, over=""),
    "disk_low": Event("Little free disk space", Severity.CRITICAL, over="disk_back"),
    "disk_back": Event("Enough free disk space again", Severity.INFO),
    "budget_exceeded": Event("More is kept than its budget", Severity.WARNING, over=""),
    "facts_lost": Event("Facts of steps were lost", Severity.CRITICAL, over=""),
    "maintenance_over": Event("Maintenance is over", Severity.WARNING),  # as severe as what is left
    "channel_test": Event("Test of a channel", Severity.INFO),  # sent by its button only
}


class Channel(models.Model):
    """The Apprise URL is a secret, sealed and never shown. `events`: [] for all. `resend_minutes`: 0 for never."""

    name = models.CharField(max_length=60, unique=True)
    url_sealed = models.TextField(editable=False)
    scheme = models.CharField(max_length=40, editable=False)
    url_changed_at = models.DateTimeField(null=True, editable=False)
    events = models.JSONField(default=list, blank=True)
    least_severity = models.PositiveSmallIntegerField(choices=Severity.choices, default=Severity.WARNING)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField("quiet until", null=True, blank=True)
    zone = models.CharField("time zone", max_length=64, default="UTC")
    resend_minutes = models.PositiveIntegerField("reminder after", default=0)
    enabled = models.BooleanField(default=True)
    history = HistoricalRecords(excluded_fields=["url_sealed"])

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def event_labels(self) -> list[str]:
        return [EVENTS[name].label for name in self.events if name in EVENTS]


class Notice(models.Model):
    """One row per change of state. `subject`: such as an account's name. `number`: counts its occurrences. `over_at`: its end."""

    event = models.CharField(max_length=40)
    subject = models.CharField(max_length=250, blank=True)
    number = models.PositiveIntegerField()
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    at = models.DateTimeField()
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="notice_newest")]
        constraints = [models.UniqueConstraint(fields=["event", "subject", "number"], name="notice_once_a_change")]

    def __str__(self) -> str:
        return self.title

    @property
    def label(self) -> str:
        """The event's label, or its name if this version has no such event."""
        return EVENTS[self.event].label if self.event in EVENTS else self.event

    @property
    def seconds(self) -> float | None:
        """Its duration; None while it lasts, and for events that do not last."""
        return (self.over_at - self.at).total_seconds() if self.over_at and self.over_at != self.at else None


class Delivery(LeasedJob):
    """`repeat`: 0 for the first message, 1 and more for reminders."""

    work = "monitoring.notifications.sending.deliver"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    repeat = models.PositiveSmallIntegerField(default=0)

    class Meta(LeasedJob.Meta):
        constraints = [models.UniqueConstraint(fields=["notice", "channel", "repeat"], name="delivery_once_a_channel")]

    def __str__(self) -> str:
        return f"Notification {self.pk}"


class MaintenanceWindow(models.Model):
    """During a window notices are recorded and nothing is sent. `summed_up_at`: when the summary after it was sent."""

    starts_at = models.DateTimeField("Start")
    ends_at = models.DateTimeField("End", db_index=True)
    reason = models.CharField("Reason", max_length=200)
    requested_by = models.CharField(max_length=150, blank=True, editable=False)
    summed_up_at = models.DateTimeField(null=True, editable=False)
    history = HistoricalRecords(excluded_fields=["requested_by", "summed_up_at"])

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="maintenance_ends_after_its_start")]

    def __str__(self) -> str:
        return self.reason


class Watcher(models.Model):
    """One row. The ping URL is a secret, sealed and shown by its last characters. `is_up`: the last report, None before the first one.

    `fault`: why the last ping failed, or "". `newest_notice`: the last notice's id that was sent to `/log`.
    """

    ONLY = 1

    url_sealed = models.TextField(blank=True, editable=False)
    url_hint = models.CharField(max_length=4, blank=True, editable=False)
    pinged_at = models.DateTimeField(null=True, editable=False)
    is_up = models.BooleanField(null=True, editable=False)
    fault = models.CharField(max_length=300, blank=True, editable=False)
    newest_notice = models.PositiveBigIntegerField(default=0, editable=False)
    history = HistoricalRecords(excluded_fields=["url_sealed", "pinged_at", "is_up", "fault", "newest_notice"])

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="watcher_only_one_row")]

    def __str__(self) -> str:
        return "Outside watcher"
