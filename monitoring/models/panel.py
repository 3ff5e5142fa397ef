"""Permissions, health checks, failed log-ins, retention, stored bytes, the state of text indexes, API tokens, saved views."""

from datetime import datetime
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from simple_history.models import HistoricalRecords


class Panel(models.Model):
    """Has the panel's permissions, and no table."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_panel", "Can look at every page"),
            ("submit_task", "Can submit tasks"),
            ("control_account", "Can probe, pause, resume and clear accounts"),
            ("change_settings", "Can change settings and keys"),
        ]

    def __str__(self) -> str:
        return "Panel"


class HealthState(models.TextChoices):
    UP = "up", "Up"
    DEGRADED = "degraded", "Degraded"
    DOWN = "down", "Down"
    UNKNOWN = "unknown", "Unknown"


class Component(models.Model):
    """`name` such as web, database, account default. `state`: down only after several failed checks; `failures`: failed checks in a row."""

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


class FailedLogIns(models.Model):
    """Tries since the last success or an hour without one. `source`: an IPv4 address, or an IPv6 network of /64."""

    source = models.CharField(max_length=50, unique=True)
    tries = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)
    not_before = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.source}: {self.tries}"


class Retention(models.Model):
    """An admin's values for a rule of `monitoring.retention.pruning`, by its name."""

    name = models.CharField(max_length=40, unique=True)
    days = models.PositiveIntegerField("Days", validators=[MinValueValidator(1), MaxValueValidator(3_650)])
    most_rows = models.PositiveIntegerField("Most rows", validators=[MinValueValidator(100), MaxValueValidator(100_000_000)])
    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class StoredBytes(models.Model):
    """Estimated bytes of the rows from `from_id` on. `details`: of texts that are deleted before the rows; `facts`: of the rest."""

    table = models.CharField(max_length=20)
    from_id = models.PositiveBigIntegerField()
    details = models.PositiveBigIntegerField(default=0)
    facts = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table", "from_id"], name="stored_bytes_once_a_range")]

    def __str__(self) -> str:
        return f"{self.table} from {self.from_id}: {self.details} + {self.facts}"


class TextIndexed(models.Model):
    """On SQLite: the rows of the table `name` below the id `until_id` are in its text index."""

    name = models.CharField(max_length=60, unique=True)
    until_id = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: up to {self.until_id}"


class Scope(models.TextChoices):
    """What a token may do at most, in ascending order; its user's permissions apply too."""

    READ = "read", "Read"
    OPERATE = "operate", "Operate"
    ADMINISTER = "administer", "Administer"


class ApiToken(models.Model):
    """`digest`: the token's SHA-256; the token itself is not stored. `expires_at`: None for never.

    `last_used_at`: accurate to a minute.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=40)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.READ)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], condition=Q(revoked_at=None), name="api_token_one_of_a_name")]

    def __str__(self) -> str:
        return f"{self.name} (…{self.last_four})"

    def is_valid(self, now: datetime) -> bool:
        """Whether it is accepted: its user is active, and it is neither expired nor revoked."""
        return self.user.is_active and self.revoked_at is None and not self.has_expired(now)

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class SavedView(models.Model):
    """A list's filter line and order. `page`: its route; `is_shared`: all users see it."""

    class Page(models.TextChoices):
        TASKS = "tasks", "Tasks"
        STEPS = "steps", "Steps"
        ATTEMPTS = "attempts", "LLM attempts"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=10, choices=Page.choices)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=1_000, blank=True)
    sort = models.CharField(max_length=10, blank=True)
    is_shared = models.BooleanField("Shared with all users", default=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_view_one_of_a_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        given = {name: value for name, value in (("q", self.query), ("sort", self.sort)) if value}
        return f"{reverse(self.page)}?{urlencode(given)}" if given else reverse(self.page)
