"""Log records: our own, and those of imported journals."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class JournalImport(models.Model):
    """One file of somebody's log that was read. Counts of lines; `unread`: those that could not be understood, `samples`: some of them."""

    class State(models.TextChoices):
        """Where an import is."""

        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    name = models.CharField(max_length=200)
    asked_by = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    total_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    read_bytes = models.PositiveBigIntegerField(default=0)
    lines = models.PositiveBigIntegerField(default=0)
    recorded = models.PositiveBigIntegerField(default=0)
    known_before = models.PositiveBigIntegerField(default=0)
    unread = models.PositiveBigIntegerField(default=0)
    samples = models.JSONField(default=list)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-started_at"], name="journal_newest")]

    def __str__(self) -> str:
        return self.name


class LogEntry(models.Model):
    """One log record. `level`: Python's numbers. `kind`: what a line means where it is understood, with `facts`, such as a wait's seconds.

    `digest`: of an imported line, so that importing it again adds nothing; empty for our own.
    """

    class Source(models.TextChoices):
        """Whose record it is."""

        OWN = "own", _("This miner")
        IMPORTED = "imported", _("Imported")

    class Kind(models.TextChoices):
        """What the line tells of."""

        NONE = "", _("Other")
        RATE_LIMITED = "rate_limited", _("Rate limit, with a wait")
        TIMEOUT = "timeout", _("Task timed out")
        TASK = "task", _("Task")
        FALLBACK = "fallback", _("Template answered")
        LLM_SUCCESS = "llm_success", _("LLM answered")
        ERROR = "error", _("Error")

    at = models.DateTimeField()
    level = models.PositiveSmallIntegerField()
    logger = models.CharField(max_length=200)
    message = models.TextField()
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.OWN)
    kind = models.CharField(max_length=20, choices=Kind.choices, blank=True)
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
