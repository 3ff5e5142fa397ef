"""Operators' tasks on their way through the queue, and signs of life."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.models.records import Task


class Submission(models.Model):
    """An operator's task on its way through the queue: claimed by compare-and-swap, under a lease that its worker renews."""

    class State(models.TextChoices):
        """Where a submission is."""

        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        ANSWERED = "answered", _("Answered")
        CANCELLED = "cancelled", _("Cancelled")

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="submission")
    submitted_by = models.CharField(max_length=150)
    page = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    claim = models.UUIDField(null=True, blank=True)
    claims = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    enqueued_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["state", "lease_until"], name="submission_due")]

    def __str__(self) -> str:
        return f"{self.task_id} {self.state}"


class WhatIf(models.Model):
    """A run of the last hours' real arrivals under other settings: a job that writes its progress here, and its two results.

    `settings`: names and values as `simulate --settings` takes them. `before`, `after`: the measures with the settings in force and with
    these.
    """

    class State(models.TextChoices):
        """Where a run is."""

        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    hours = models.PositiveSmallIntegerField(default=24)
    settings = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    lease_until = models.DateTimeField(null=True, blank=True)
    progress = models.PositiveSmallIntegerField(default=0)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    fault = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["-asked_at"], name="what_if_newest")]

    def __str__(self) -> str:
        return f"What if {self.pk} {self.state}"


class Heartbeat(models.Model):
    """The last sign of life of one part of the machine, such as the worker."""

    name = models.CharField(max_length=100, unique=True)
    beaten_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
