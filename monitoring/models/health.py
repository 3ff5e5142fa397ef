"""Health checks: how each component is now, since when, and how it was."""

from django.db import models


class HealthState(models.TextChoices):
    UP = "up", "Up"
    DEGRADED = "degraded", "Degraded"
    DOWN = "down", "Down"
    UNKNOWN = "unknown", "Unknown"


class Component(models.Model):
    """`name` such as web, database, account default. `state` follows the checks with some patience; `failures`: failed ones in a row."""

    name = models.CharField(max_length=80, unique=True)
    state = models.CharField(max_length=10, choices=HealthState.choices, default=HealthState.UNKNOWN)
    since = models.DateTimeField()
    checked_at = models.DateTimeField()
    latency_ms = models.FloatField(null=True, blank=True)
    message = models.CharField(max_length=300, blank=True)
    failures = models.PositiveIntegerField(default=0)
    is_flapping = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class HealthCheck(models.Model):
    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="checks")
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=HealthState.choices)
    latency_ms = models.FloatField(null=True, blank=True)
    message = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["component", "-at"], name="health_check_newest"),
            models.Index(fields=["at"], name="health_check_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.component_id} {self.state}"
