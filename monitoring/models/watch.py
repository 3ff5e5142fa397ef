"""Times in which nobody is disturbed, and the service outside that notices when the miner is gone."""

from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords


class MaintenanceWindow(models.Model):
    """While one is on, notices are recorded and nothing is sent. `summed_up_at`: when what was left after it was sent, None before."""

    starts_at = models.DateTimeField("Start")
    ends_at = models.DateTimeField("End", db_index=True)
    reason = models.CharField("Reason", max_length=200)
    requested_by = models.CharField(max_length=150, blank=True, editable=False)
    summed_up_at = models.DateTimeField(null=True, editable=False)
    history = HistoricalRecords(excluded_fields=["requested_by", "summed_up_at"])

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="maintenance_ends_after_its_start")]

    def __str__(self) -> str:
        return self.reason


class Watcher(models.Model):
    """One row. The ping URL is a secret: sealed at rest, shown by its last characters. `is_up`: what was last reported, None for nothing.

    `fault`: why the last ping did not arrive, "" where it did. `newest_notice`: up to its id notices were logged at the service.
    """

    ONLY = 1

    url_sealed = models.TextField(blank=True, editable=False)
    url_hint = models.CharField(max_length=4, blank=True, editable=False)
    pinged_at = models.DateTimeField(null=True, editable=False)
    is_up = models.BooleanField(null=True, editable=False)
    fault = models.CharField(max_length=300, blank=True, editable=False)
    newest_notice = models.PositiveBigIntegerField(default=0, editable=False)
    history = HistoricalRecords(excluded_fields=["url_sealed", "pinged_at", "is_up", "fault", "newest_notice"])

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="watcher_only_one_row")]

    def __str__(self) -> str:
        return "Outside watcher"
