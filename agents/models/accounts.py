"""Provider accounts, their gates, and what paused them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from simple_history.models import HistoricalRecords

from agents.models.choices import choices
from agents.reasons import PauseSource, Verdict


def valid_models(value: object) -> None:
    """A list of at most 20 model names."""
    if not isinstance(value, list) or len(value) > 20 or not all(isinstance(name, str) and 0 < len(name) <= 200 for name in value):
        raise ValidationError("Give at most 20 model names of at most 200 characters.")


class Account(models.Model):
    """One provider key with its models. The account `default` takes key, base URL and models from the environment where it has none."""

    DEFAULT = "default"

    name = models.CharField(max_length=50, unique=True)
    base_url = models.URLField("Base URL", blank=True, help_text="Empty: CHUTES_BASE_URL of the environment.")
    model_names = models.JSONField(
        "Models",
        default=list,
        blank=True,
        validators=[valid_models],
        help_text="Tried in this order. Empty: CHUTES_MODELS, else the three cheapest that list json_mode.",
    )
    key_sealed = models.TextField(blank=True, editable=False)
    key_hint = models.CharField(max_length=4, blank=True, editable=False)
    enabled = models.BooleanField("Enabled", default=True)
    catalogue = models.JSONField(default=list, blank=True, editable=False)
    catalogue_at = models.DateTimeField(null=True, blank=True, editable=False)
    history = HistoricalRecords(excluded_fields=["key_sealed", "catalogue", "catalogue_at"])

    def __str__(self) -> str:
        return self.name

    def has_succeeded(self) -> bool:
        """Whether the provider ever accepted a request of this account."""
        return self.attempts.filter(status=200, verdict__in=(Verdict.OK, Verdict.INVALID)).exists()


class Gate(models.Model):
    """An account's governor state, as `agents.governor.Gate` describes it. Times are Unix seconds. Written by the ledger alone."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True)
    last_slot_at = models.FloatField(default=0)
    not_before = models.FloatField(default=0)
    strikes = models.PositiveIntegerField(default=0)
    paused_at = models.FloatField(default=0)
    paused_until = models.FloatField(default=0)
    pause_source = models.CharField(max_length=10, choices=choices(PauseSource), default=PauseSource.LADDER)
    probe_until = models.FloatField(default=0)
    cause = models.CharField(max_length=20, blank=True)
    blocked_at = models.FloatField(default=0)
    own_doing = models.BooleanField(default=False)
    rungs = models.PositiveIntegerField(default=0)
    silence = models.FloatField(default=0)
    recovered_at = models.FloatField(default=0)
    succeeded_at = models.FloatField(default=0)
    cooling = models.JSONField(default=list)
    pace = models.JSONField(default=dict)
    latencies = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"Gate of {self.account_id}"
