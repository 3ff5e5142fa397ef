"""Integration tests: runs, results and schedules."""

from collections.abc import Iterable

from django.db import models
from django.urls import reverse
from simple_history.models import HistoricalRecords

from agents.models import LeasedJob, Schedule
from agents.models.jobs import IS_UNDER_WAY, JOB_FIELDS


class Result(models.TextChoices):
    OK = "ok", "OK"
    WARN = "warn", "Warning"
    FAIL = "fail", "Failed"
    SKIPPED = "skipped", "Skipped"


# The suites, in the order of a run.
SUITE_TITLES = {"key": "Direct key test", "api": "Live API test", "logs": "Log analysis"}


def titles(suites: Iterable[str]) -> str:
    return ", ".join(SUITE_TITLES[name] for name in suites)


class TestRun(LeasedJob):
    """`suites`: names of SUITE_TITLES. `verdict`: the worst of its results.

    `options`: `hours` that the log analysis covers, whether to `bypass_pause`, ids of the `journals` to analyse (all by default),
    the `account` whose key is tested (all by default).
    """

    class Trigger(models.TextChoices):
        OPERATOR = "operator", "Operator"
        SCHEDULE = "schedule", "Schedule"
        RESET = "reset", "After a pause"
        COMMAND = "command", "Command line"

    __test__ = False

    work = "monitoring.testruns.suites.running.run_parts"
    restarts_with = {"parts_done": 0, "progress": 0, "doing": ""}
    one_for = ()
    stops_when_cancelled = True

    suites = models.JSONField(default=list)
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    options = models.JSONField(default=dict)
    parts_done = models.PositiveSmallIntegerField(default=0)
    progress = models.PositiveSmallIntegerField(default=0)
    doing = models.CharField(max_length=200, blank=True)
    verdict = models.CharField(max_length=10, choices=Result.choices, blank=True)

    class Meta(LeasedJob.Meta):
        indexes = [*LeasedJob.Meta.indexes, models.Index(fields=["-requested_at", "-id"], name="test_run_newest")]
        constraints = [models.UniqueConstraint(models.Value(1), condition=IS_UNDER_WAY, name="test_run_one_at_a_time")]

    def __str__(self) -> str:
        return f"Test run {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("test_run", args=[self.pk])

    @property
    def status(self) -> str:
        return self.verdict or self.state

    @property
    def status_text(self) -> str:
        """A run with failed checks has succeeded as a job."""
        if self.verdict:
            return self.get_verdict_display()
        return "Did not finish" if self.state == self.State.FAILED else self.get_state_display()

    @property
    def tests(self) -> str:
        account = self.options.get("account")
        return f"{titles(self.suites)} of account {account}" if account else titles(self.suites)

    @property
    def who(self) -> str:
        trigger = self.get_trigger_display()
        return f"{trigger}, {self.requested_by}" if self.requested_by else trigger

    @property
    def seconds(self) -> float | None:
        """Its duration; None before its end, or if it never began."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at and self.started_at else None


class TestResult(models.Model):
    """`check_name`: the same in all runs. `subject`: such as an account's name. `done` to `next_step`: sentences, or ""."""

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
        # For the previous result of the same check
        indexes = [models.Index(fields=["check_name", "subject", "run"], name="test_result_of_check")]

    def __str__(self) -> str:
        return f"{self.suite}/{self.check_name} {self.verdict}"


class TestSchedule(Schedule):
    """`cron`: five fields, in UTC."""

    __test__ = False

    work = "monitoring.testruns.suites.schedules.run_due"

    suites = models.JSONField("tests", default=list)
    cron = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    history = HistoricalRecords(excluded_fields=[*JOB_FIELDS, "last_run_at"])

    class Meta(Schedule.Meta):
        ordering = ["id"]

    @property
    def when(self) -> str:
        return self.cron

    @property
    def tests(self) -> str:
        return titles(self.suites)
