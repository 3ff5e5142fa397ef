"""Integration tests: runs, their results, and when they run by themselves."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class Result(models.TextChoices):
    """A verdict, of one check or of a whole run."""

    OK = "ok", "OK"
    WARN = "warn", _("Warning")
    FAIL = "fail", _("Failed")
    SKIPPED = "skipped", _("Skipped")


class TestRun(models.Model):
    """One run of integration tests: a job that writes its results and progress as it goes. At most one is under way.

    `suites`: names out of key, api, logs. `options`: what the run was asked for, as JSON. `verdict`: the worst of its results.
    """

    class State(models.TextChoices):
        """Where a run is."""

        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        LOST = "lost", _("Broken off")

    class Trigger(models.TextChoices):
        """What started it."""

        OPERATOR = "operator", _("Operator")
        SCHEDULE = "schedule", _("Schedule")
        RESET = "reset", _("After a pause")
        COMMAND = "command", _("Command line")

    __test__ = False

    suites = models.JSONField(default=list)
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    asked_by = models.CharField(max_length=150, blank=True)
    options = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    lease_until = models.DateTimeField(null=True, blank=True)
    parts_done = models.PositiveSmallIntegerField(default=0)
    progress = models.PositiveSmallIntegerField(default=0)
    doing = models.CharField(max_length=200, blank=True)
    verdict = models.CharField(max_length=10, choices=Result.choices, blank=True)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-asked_at", "-id"], name="test_run_newest")]
        constraints = [
            models.UniqueConstraint(models.Value(1), condition=models.Q(state__in=["queued", "running"]), name="test_run_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"Test run {self.pk} {self.verdict or self.state}"

    def get_absolute_url(self) -> str:
        return reverse("test_run", args=[self.pk])


class TestResult(models.Model):
    """One check of a run: what was done, what came back, what it means and what to do next, each in a sentence or empty.

    `check`: its name within the suite, the same from run to run. `subject`: what was looked at, such as an account's name. `facts`: JSON.
    """

    __test__ = False

    run = models.ForeignKey(TestRun, on_delete=models.CASCADE, related_name="results")
    number = models.PositiveSmallIntegerField()
    suite = models.CharField(max_length=10)
    check_name = models.CharField(max_length=40)
    subject = models.CharField(max_length=200, blank=True)
    verdict = models.CharField(max_length=10, choices=Result.choices)
    done = models.TextField(blank=True)
    came_back = models.TextField(blank=True)
    meaning = models.TextField(blank=True)
    next_step = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    lines = models.JSONField(default=list)
    duration_ms = models.FloatField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="test_result_numbered_within_run")]

    def __str__(self) -> str:
        return f"{self.suite}/{self.check_name} {self.verdict}"


class TestSchedule(models.Model):
    """When tests run by themselves. `cron`: five fields, in UTC."""

    __test__ = False

    name = models.CharField(max_length=60, unique=True)
    suites = models.JSONField(default=list)
    cron = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    next_run_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
