"""Roll-ups: sums of steps, LLM attempts and pauses by time, so that a page reads a month almost as fast as an hour."""

from django.db import models

from agents.models import Account
from agents.models.choices import Route


class Span(models.TextChoices):
    """The period of a roll-up, from `starts_at` on; each is a multiple of the one before. Days are UTC days."""

    FIVE = "5min", "Five minutes"
    HOUR = "hour", "Hour"
    SIX = "6h", "Six hours"
    DAY = "day", "Day"


class Of(models.TextChoices):
    """What is summed: validators' steps, the same steps by three groupings (not by five minutes), all attempts, all pauses."""

    STEPS = "steps", "Steps"
    PROJECT = "project", "Steps by project"
    KIND = "kind", "Steps by kind of task"
    LLM_USE = "llm_use", "Steps by use of the LLM"
    ATTEMPTS = "attempts", "LLM attempts"
    PAUSES = "pauses", "Pauses"


class Rollup(models.Model):
    """The sums of one group within one span of time. Sums that do not apply to `of` are 0.

    The group: steps by `route` ("": not answered) and `name` (of a miner, project, kind or use), attempts by account, verdict, refusal and
    `name` (of the miner), pauses by account. `cost` in USD; `too_many`: attempts with status 429; `seconds` of pause; `durations` of
    steps, `packed`.
    """

    span = models.CharField(max_length=4, choices=Span.choices)
    starts_at = models.DateTimeField()
    of = models.CharField(max_length=10, choices=Of.choices)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", null=True)
    name = models.CharField(max_length=100, blank=True)
    route = models.CharField(max_length=10, choices=Route.choices, blank=True)
    verdict = models.CharField(max_length=10, blank=True)
    refusal = models.CharField(max_length=20, blank=True)
    count = models.PositiveIntegerField(default=0)
    in_time = models.PositiveIntegerField(default=0)
    actions = models.PositiveBigIntegerField(default=0)
    worked = models.PositiveIntegerField(default=0)
    partly = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    too_many = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=16, decimal_places=8, default=0)
    seconds = models.FloatField(default=0)
    durations = models.BinaryField(default=b"")

    class Meta:
        indexes = [models.Index(fields=["span", "of", "starts_at"], name="rollup_of_a_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["span", "starts_at", "of", "name", "route"], condition=models.Q(account=None), name="rollup_one_a_group_of_steps"
            ),
            models.UniqueConstraint(
                fields=["span", "starts_at", "of", "account", "verdict", "refusal", "name"], name="rollup_one_a_group_of_attempts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} {self.of} {self.name or self.route or self.verdict}: {self.count}"


class RollupState(models.Model):
    """The progress of the roll-ups, in one row. `since`: no record is older. `checked_at`: when a worker last began.

    `last_step`, `last_attempt`: the newest summed ids, from which late rows are detected.
    """

    ONLY = 1

    since = models.DateTimeField()
    hours_until = models.DateTimeField()
    fives_until = models.DateTimeField()
    last_step = models.PositiveBigIntegerField(default=0)
    last_attempt = models.PositiveBigIntegerField(default=0)
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="rollup_state_only_one_row")]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M} to {self.fives_until:%Y-%m-%d %H:%M}"
