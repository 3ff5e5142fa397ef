"""When the panel backs its database up by itself."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class BackupPlan(models.Model):
    """One row. `cron`: five fields, in UTC; `folder` "": `backups` in the data folder; `keep`: how many of the newest stay.

    The rest tells of the last one: `ended_at` None while it runs, `fault` "" where it went well, with the `file` and its size;
    `cancelled_by` "" where nobody cancelled it, and `file` is that of the one before then.
    """

    ONLY = 1

    enabled = models.BooleanField(default=False)
    cron = models.CharField(max_length=100, default="17 4 * * *")
    folder = models.CharField(max_length=500, blank=True)
    keep = models.PositiveIntegerField(default=7, validators=[MinValueValidator(1), MaxValueValidator(1_000)])
    next_run_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    file = models.CharField(max_length=600, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    fault = models.CharField(max_length=500, blank=True)
    cancelled_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="backup_plan_only_one_row")]

    def __str__(self) -> str:
        return f"{self.cron} into {self.folder or 'the data folder'}"
