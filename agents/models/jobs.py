"""Jobs: background work under a lease. And heartbeats."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from agents.models.accounts import Account
from agents.models.choices import Route, Row, choices
from agents.models.records import LLMAttempt, Step, Task
from agents.policy.reasons import Reason


class JobState(models.TextChoices):
    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)
IS_UNDER_WAY = models.Q(state__in=["queued", "running"])


class LeasedJob(Row):
    """Work that one worker at a time does under a lease. Only `agents.operator_jobs.leased_job` changes its state.

    `due_at`: the earliest start, None for never. `tries`: how often a worker took it. `fault`: why it failed, for people.
    """

    State = JobState

    work: ClassVar[str]  # dotted path of a function of the job
    time_limit = 120  # seconds after which django-q2 ends the job
    most_tries = 3  # a job whose worker died this often has failed
    restarts_with: ClassVar[Mapping[str, Any]] = {}  # fields to reset when another worker starts it again
    one_for: ClassVar[tuple[str, ...] | None] = None  # at most one job under way for these fields; (): at most one in all
    one_at_a_time = False  # whether others wait while one is running
    stops_when_cancelled = False  # whether a running job can be cancelled too
    waits_at_most: ClassVar[timedelta | None] = None  # a job that no worker took in this time has failed

    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    requested_by = models.CharField(max_length=150, blank=True)
    requested_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now, null=True, blank=True)
    enqueued_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    fault = models.TextField(blank=True)

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["state", "due_at"], name="%(class)s_due")]

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY


# Excluded from the histories of models that people change.
JOB_FIELDS = [field.name for field in LeasedJob._meta.local_fields]  # noqa: SLF001 -- as Django documents it


class Schedule(LeasedJob):
    """A job that is queued again after each run. `due_at`: the next run, None while it is disabled."""

    most_tries = 32_000  # practically no limit: a run whose worker died starts again

    name = models.CharField(max_length=60, unique=True)
    last_run_at = models.DateTimeField(null=True, blank=True)

    class Meta(LeasedJob.Meta):
        abstract = True

    def __str__(self) -> str:
        return self.name


class SystemSchedule(Schedule):
    """One entry of settings.SCHEDULES. `when`: how often, as text; `result`: the report of the last run."""

    work = "agents.worker.schedules.run_entry"

    when = models.CharField(max_length=100)
    time_limit = models.PositiveIntegerField(default=120)
    result = models.TextField(blank=True)


class Submission(LeasedJob):
    work = "agents.operator_jobs.submissions.answer"
    most_tries = 10

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="submission")
    page = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"Task {self.task_id}"


class AccountJob(LeasedJob):
    class Kind(models.TextChoices):
        PROBE = "probe", "Probe"
        PROBE_IF_DUE = "probe_if_due", "Probe after a pause"
        READ_QUOTA = "read_quota", "Read quota and balance"
        READ_CAP = "read_cap", "Read when the cap resets"

    work = "agents.jobs.work_on_account"
    most_tries = 1  # a probe is paid; the next one is due soon
    one_for = ("account", "kind")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind.choices)

    class Meta(LeasedJob.Meta):
        constraints = [models.UniqueConstraint(fields=["account", "kind"], condition=IS_UNDER_WAY, name="account_job_one_at_a_time")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, account {self.account_id}"


class WhatIf(LeasedJob):
    """`settings`: names and values, as for `simulate`; `before`, `after`: the measures with the settings in force and with these."""

    work = "agents.operator_jobs.what_if.simulate"
    one_for = ()
    stops_when_cancelled = True
    waits_at_most = timedelta(minutes=15)

    hours = models.PositiveSmallIntegerField(default=24)
    settings = models.JSONField(default=dict)
    progress = models.PositiveSmallIntegerField(default=0)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    class Meta(LeasedJob.Meta):
        indexes = [*LeasedJob.Meta.indexes, models.Index(fields=["-requested_at"], name="what_if_newest")]
        constraints = [models.UniqueConstraint(models.Value(1), condition=IS_UNDER_WAY, name="what_if_one_at_a_time")]


class Replay(LeasedJob):
    """A step answered again as a test. It has no step of its own, so it is not counted. `account`, `model`: where one model is chosen."""

    class Way(models.TextChoices):
        AS_SET = "as_set", "As the settings say"
        TEMPLATE = "template", "Template agent only"
        MODEL = "model", "One model"

    work = "agents.operator_jobs.replays.answer"
    most_tries = 1  # a second try would be paid again
    one_for = ("step",)
    waits_at_most = timedelta(minutes=15)

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="replays")
    way = models.CharField(max_length=10, choices=Way.choices, default=Way.AS_SET)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="replays")
    model = models.CharField(max_length=200, blank=True)
    deadline_seconds = models.FloatField(default=25)
    route = models.CharField(max_length=10, choices=Route.choices, blank=True)
    reason = models.CharField(max_length=10, choices=choices(Reason), blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    actions = models.JSONField(default=list)
    done = models.BooleanField(default=False)
    attempts = models.ManyToManyField(LLMAttempt, related_name="+", blank=True)

    class Meta(LeasedJob.Meta):
        indexes = [*LeasedJob.Meta.indexes, models.Index(fields=["step", "-requested_at"], name="replay_newest")]
        constraints = [models.UniqueConstraint(fields=["step"], condition=IS_UNDER_WAY, name="replay_one_for_a_step")]

    def __str__(self) -> str:
        return f"Replay of step {self.step_id}"


class Heartbeat(Row):
    name = models.CharField(max_length=100, unique=True)
    beaten_at = models.DateTimeField()
