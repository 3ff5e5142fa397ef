"""Steps to be answered once more, as a test: what is kept of them, and what came of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.models.accounts import Account
from agents.models.choices import Route, choices
from agents.models.records import LLMAttempt, Step
from agents.reasons import Reason


class StepPage(models.Model):
    """A step as it was asked, with its page: JSON, gzipped, as `agents.step_pages` writes it. Kept for some days."""

    step = models.OneToOneField(Step, on_delete=models.CASCADE, primary_key=True, related_name="kept_page")
    gz = models.BinaryField()
    kept_until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Page of step {self.step_id}"


class Replay(models.Model):
    """A step answered again as a test: a job, claimed by compare-and-swap under a lease. No step of its own, so it counts nowhere.

    `way`: who was to answer; `account` and `model` for one named model; `deadline_seconds` as asked. `attempts`: what was sent.
    """

    class State(models.TextChoices):
        """Where a replay is."""

        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    class Way(models.TextChoices):
        """Who is to answer."""

        AS_SET = "as_set", _("As the settings say")
        TEMPLATE = "template", _("Template agent only")
        MODEL = "model", _("One model")

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="replays")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    way = models.CharField(max_length=10, choices=Way.choices, default=Way.AS_SET)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="replays")
    model = models.CharField(max_length=200, blank=True)
    deadline_seconds = models.FloatField(default=25)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    lease_until = models.DateTimeField()
    route = models.CharField(max_length=10, choices=Route.choices, blank=True)
    reason = models.CharField(max_length=10, choices=choices(Reason), blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    actions = models.JSONField(default=list)
    done = models.BooleanField(default=False)
    attempts = models.ManyToManyField(LLMAttempt, related_name="+", blank=True)
    fault = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["step", "-asked_at"], name="replay_newest"),
            models.Index(fields=["state", "lease_until"], name="replay_due"),
        ]

    def __str__(self) -> str:
        return f"Replay of step {self.step_id} {self.state}"
