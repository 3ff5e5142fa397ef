"""Log records: our own, and those from imported journals."""

from django.db import models

from agents.models import LeasedJob
from agents.models.choices import choices
from monitoring.logs.journal import Kind


class JournalImport(LeasedJob):
    """Counts of lines; `unread`: not parsed, `samples`: some of these. `year`, `zone`: of times without one."""

    work = "monitoring.logs.imports.read_upload"
    time_limit = 1_800  # seconds, ten times those of the largest file on a small machine
    one_at_a_time = True  # two would leave no worker for other jobs

    name = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    zone = models.CharField(max_length=64, default="UTC")
    lines = models.PositiveBigIntegerField(default=0)
    recorded = models.PositiveBigIntegerField(default=0)
    known_before = models.PositiveBigIntegerField(default=0)
    unread = models.PositiveBigIntegerField(default=0)
    samples = models.JSONField(default=list)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)

    class Meta(LeasedJob.Meta):
        indexes = [*LeasedJob.Meta.indexes, models.Index(fields=["-requested_at"], name="journal_newest")]

    def __str__(self) -> str:
        return self.name


class LogEntry(models.Model):
    """`level`: as in Python. `facts`: by `kind`, such as a wait's seconds. `digest`: of an imported line, which is stored once."""

    class Source(models.TextChoices):
        OWN = "own", "This miner"
        IMPORTED = "imported", "Imported"

    at = models.DateTimeField()
    level = models.PositiveSmallIntegerField()
    logger = models.CharField(max_length=200)
    message = models.TextField()
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.OWN)
    kind = models.CharField(max_length=20, choices=choices(Kind), blank=True)
    facts = models.JSONField(default=dict)
    host = models.CharField(max_length=200, blank=True)
    process = models.CharField(max_length=60, blank=True)
    step_uid = models.UUIDField(null=True, blank=True)
    attempt_uid = models.UUIDField(null=True, blank=True)
    journal = models.ForeignKey(JournalImport, on_delete=models.CASCADE, null=True, blank=True, related_name="entries")
    digest = models.BinaryField(max_length=16, null=True, blank=True, unique=True)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="log_newest"),
            models.Index(fields=["level", "-at"], name="log_by_level"),
            models.Index(fields=["kind", "-at"], name="log_by_kind"),
            models.Index(fields=["step_uid"], name="log_of_step"),
        ]

    def __str__(self) -> str:
        return self.message[:80]
