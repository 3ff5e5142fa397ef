"""What users have of their own: tokens by which programs use the API, and filter lines by a name."""

from datetime import datetime
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.urls import reverse


class Scope(models.TextChoices):
    """What a token may do at most, from the least to the most; its user may do less."""

    READ = "read", "Read"
    OPERATE = "operate", "Operate"
    ADMINISTER = "administer", "Administer"


class ApiToken(models.Model):
    """`digest`: the token's SHA-256, so that no copy of the database holds a token. `expires_at`: None for never.

    `last_used_at`: to a minute.
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
        """Whether it opens anything: its user is active, it has not expired and is not revoked."""
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
