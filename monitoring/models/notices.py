"""Notifications: where they go, and what was sent."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Severity(models.IntegerChoices):
    """How much a notification matters."""

    INFO = 1, _("Information")
    WARNING = 2, _("Warning")
    CRITICAL = 3, _("Critical")


class Channel(models.Model):
    """One receiver, by an Apprise URL, which is a secret: sealed at rest and never shown again.

    `events`: names; [] for all. `quiet_from`, `quiet_to`: times of day in `zone` between which messages wait.

    `resend_minutes`: 0 never.
    """

    name = models.CharField(max_length=60, unique=True)
    url_sealed = models.TextField(editable=False)
    scheme = models.CharField(max_length=40, editable=False)
    events = models.JSONField(default=list, blank=True)
    least_severity = models.PositiveSmallIntegerField(choices=Severity.choices, default=Severity.WARNING)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    zone = models.CharField(max_length=64, default="UTC")
    resend_minutes = models.PositiveIntegerField(default=0)
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """Something that somebody may want to be told: one row a change of state. `over_at`: when it was no longer so.

    `event` and `subject` (such as an account's name) say what; `number` counts how often it has been so, which makes each row the only one.
    """

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


class Delivery(models.Model):
    """One notice on its way to one channel; claimed by compare-and-swap. `repeat`: 0 for the first message, 1 and more for reminders."""

    class State(models.TextChoices):
        """Where it is."""

        QUEUED = "queued", _("Queued")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        DROPPED = "dropped", _("Over before it was due")

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    repeat = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "due_at"], name="delivery_due")]
        constraints = [models.UniqueConstraint(fields=["notice", "channel", "repeat"], name="delivery_once_a_channel")]

    def __str__(self) -> str:
        return f"{self.notice_id} to {self.channel_id} {self.state}"
