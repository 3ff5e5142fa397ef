"""Roll-ups: steps, LLM attempts and pauses summed by time, so that a month costs a page no more than an hour."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.models import Account
from agents.models.choices import Route, Source


class Span(models.TextChoices):
    """What a roll-up row covers, from `starts_at` on. Days are UTC days. Five minutes are summed by what charts read alone.

    29 days begin with each day: one of them lies within any range of 30.
    """

    FIVE = "5min", _("Five minutes")
    HOUR = "hour", _("Hour")
    SIX = "6h", _("Six hours")
    DAY = "day", _("Day")
    MONTH = "29d", _("29 days")


class StepSums(models.Model):
    """Steps that came in within one span of time, summed. Unanswered ones (`route` "") are neither in time nor late.

    `cost`: of their attempts, USD. `worked`, `partly`, `failed`: those whose outcome the next step told. `durations`: buckets as
    `monitoring.rollups.histogram` makes them, in ms.
    """

    span = models.CharField(max_length=4, choices=Span.choices)
    starts_at = models.DateTimeField()
    source = models.CharField(max_length=10, choices=Source.choices)
    route = models.CharField(max_length=10, choices=Route.choices, blank=True)
    count = models.PositiveIntegerField()
    in_time = models.PositiveIntegerField()
    late = models.PositiveIntegerField()
    actions = models.PositiveBigIntegerField()
    cost = models.DecimalField(max_digits=16, decimal_places=8)
    worked = models.PositiveIntegerField(default=0)
    partly = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    durations = models.JSONField(default=dict)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} {self.source} {self.route}: {self.count}"


class StepRollup(StepSums):
    """All steps, by source and route alone: what charts read."""

    class Meta:
        indexes = [models.Index(fields=["span", "source", "starts_at"], name="step_rollup_of_a_time")]
        constraints = [models.UniqueConstraint(fields=["span", "starts_at", "source", "route"], name="step_rollup_one_a_group")]


class By(models.TextChoices):
    """What LLM and template are compared by: the web project, the kind of task as understood, the use of the LLM that was in force."""

    PROJECT = "project", _("Project")
    KIND = "kind", _("Kind of task")
    LLM_USE = "llm_use", _("Use of the LLM")


class GroupRollup(StepSums):
    """The same steps once for each sort of group, so that a page reads no more rows than it shows. `name` "": the record does not say."""

    by = models.CharField(max_length=10, choices=By.choices)
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        indexes = [models.Index(fields=["span", "source", "starts_at"], name="group_rollup_of_a_time")]
        constraints = [
            models.UniqueConstraint(fields=["span", "starts_at", "source", "route", "by", "name"], name="group_rollup_one_a_group"),
        ]


class AttemptRollup(models.Model):
    """LLM attempts that were decided within some time. `status` 0: none. `latencies`: as `durations` of steps, in ms.

    Those of five minutes are not told apart by purpose and model, and have no latencies.
    """

    span = models.CharField(max_length=4, choices=Span.choices)
    starts_at = models.DateTimeField()
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=10)
    model = models.CharField(max_length=200)
    verdict = models.CharField(max_length=10)
    refusal = models.CharField(max_length=20, blank=True)
    status = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()
    prompt_tokens = models.PositiveBigIntegerField()
    completion_tokens = models.PositiveBigIntegerField()
    cost = models.DecimalField(max_digits=16, decimal_places=8)
    latencies = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["span", "starts_at", "account", "purpose", "model", "verdict", "refusal", "status"],
                name="attempt_rollup_one_a_group",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} {self.model} {self.verdict}: {self.count}"


class PauseRollup(models.Model):
    """How many seconds of one span of time an account was paused by refusals."""

    span = models.CharField(max_length=4, choices=Span.choices)
    starts_at = models.DateTimeField()
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    seconds = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["span", "starts_at", "account"], name="pause_rollup_one_an_account")]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} {self.account_id}: {self.seconds:.0f} s"


class RollupState(models.Model):
    """How far the roll-ups are: one row. Hours from `from_at` up to `until_at` are summed; both move away from where it began.

    `is_complete`: nothing older is on record. `last_step`, `last_attempt`: the newest ids that were seen, so that a fact which came late
    for its hour is noticed. `lease_until`: until then a worker is at it. `fives_from`, `fives_until`: as the first two, of five minutes.
    """

    ONLY = 1

    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    is_complete = models.BooleanField(default=False)
    last_step = models.PositiveBigIntegerField(default=0)
    last_attempt = models.PositiveBigIntegerField(default=0)
    fives_from = models.DateTimeField()
    fives_until = models.DateTimeField()
    looked_at = models.DateTimeField()
    lease_until = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="rollup_state_only_one_row")]

    def __str__(self) -> str:
        return f"{self.from_at:%Y-%m-%d %H:%M} to {self.until_at:%Y-%m-%d %H:%M}"
