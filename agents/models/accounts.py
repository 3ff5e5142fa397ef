"""Provider accounts, their gates, and what paused them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from agents.models.choices import choices
from agents.reasons import PauseSource


def valid_models(value: object) -> None:
    """A list of at most 20 model names."""
    if not isinstance(value, list) or len(value) > 20 or not all(isinstance(name, str) and 0 < len(name) <= 200 for name in value):
        raise ValidationError(_("Give at most 20 model names of at most 200 characters."))


def valid_prices(value: object) -> None:
    """Model names to USD per million prompt and completion tokens, as {"some/model": [0.1, 0.4]}."""
    if not isinstance(value, dict) or len(value) > 50 or not all(_is_price(pair) for pair in value.values()):
        raise ValidationError(_('Give prices as {"some/model": [0.1, 0.4]}: USD per million prompt and completion tokens.'))


def _is_price(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(usd, int | float) and 0 <= usd < 1e6 for usd in pair)


def valid_options(value: object) -> None:
    """A JSON object of request fields that go with each call, without those that the miner sets itself."""
    if not isinstance(value, dict) or len(str(value)) > 2_000:
        raise ValidationError(_('Give a JSON object, such as {"chat_template_kwargs": {"enable_thinking": false}}, or {}.'))
    taken = sorted(OWN_OPTIONS & set(value))
    if taken:
        raise ValidationError(_("The miner sets {names} itself. Take it out.").format(names=", ".join(taken)))


OWN_OPTIONS = {"model", "messages", "max_tokens", "stream"}


def default_options() -> dict[str, object]:
    """A thinking model may spend all its tokens before the first word of its answer."""
    return {"chat_template_kwargs": {"enable_thinking": False}}


class Account(models.Model):
    """One provider key with its models: Chutes', or that of anything OpenAI-compatible by its base URL.

    A step takes the first by `position` that can serve it in time. The account `default` takes key, base URL and models from the
    environment where it has none. The admin key is a second one, that may read balance, quota and caps; it sends no completions.
    """

    DEFAULT = "default"

    name = models.CharField(
        max_length=50, unique=True, validators=[validate_slug], help_text=_("Letters, digits, hyphens and underscores.")
    )
    position = models.PositiveSmallIntegerField(_("Position"), default=1, help_text=_("Accounts are tried in this order, 1 first."))
    base_url = models.URLField(_("Base URL"), blank=True, help_text=_("Empty: CHUTES_BASE_URL of the environment."))
    model_names = models.JSONField(
        _("Models"),
        default=list,
        blank=True,
        validators=[valid_models],
        help_text=_("Tried in this order. Empty: CHUTES_MODELS, else the three cheapest that list json_mode."),
    )
    request_options = models.JSONField(
        _("Request options"),
        default=default_options,
        blank=True,
        validators=[valid_options],
        help_text=_("Sent with each call, as JSON. Take out what this provider refuses."),
    )
    price_overrides = models.JSONField(
        _("Prices"),
        default=dict,
        blank=True,
        validators=[valid_prices],
        help_text=_('USD per million prompt and completion tokens, as {"some/model": [0.1, 0.4]}. Empty: as the provider lists them.'),
    )
    management_url = models.URLField(
        _("Management URL"), blank=True, help_text=_("Where the admin key reads balance, quota and caps. Empty: CHUTES_MANAGEMENT_URL.")
    )
    key_sealed = models.TextField(blank=True, editable=False)
    key_hint = models.CharField(max_length=4, blank=True, editable=False)
    key_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    admin_key_sealed = models.TextField(blank=True, editable=False)
    admin_key_hint = models.CharField(max_length=4, blank=True, editable=False)
    enabled = models.BooleanField(_("Enabled"), default=True)
    catalogue = models.JSONField(default=list, blank=True, editable=False)
    catalogue_at = models.DateTimeField(null=True, blank=True, editable=False)
    history = HistoricalRecords(excluded_fields=["key_sealed", "key_changed_at", "admin_key_sealed", "catalogue", "catalogue_at"])

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class Gate(models.Model):
    """An account's governor state, as `agents.governor.Gate` describes it. Times are Unix seconds. Written by the ledger alone.

    `quota`: what the last answer told of the day's requests, as {"total", "used", "remaining", "at"}; {} for nothing.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True)
    last_slot_at = models.FloatField(default=0)
    not_before = models.FloatField(default=0)
    strikes = models.PositiveIntegerField(default=0)
    paused_at = models.FloatField(default=0)
    paused_until = models.FloatField(default=0)
    pause_source = models.CharField(max_length=12, choices=choices(PauseSource), default=PauseSource.LADDER)
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
    quota = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"Gate of {self.account_id}"


class QuotaReading(models.Model):
    """What the management API told of an account at one time. USD, or requests a day; null is unknown. `fault`: why nothing was read."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="readings")
    read_at = models.DateTimeField()
    balance = models.FloatField(null=True, blank=True)
    daily_total = models.FloatField(null=True, blank=True)
    daily_used = models.FloatField(null=True, blank=True)
    is_unlimited = models.BooleanField(default=False)
    is_subscribed = models.BooleanField(null=True, blank=True)
    four_hour_cap = models.FloatField(null=True, blank=True)
    four_hour_used = models.FloatField(null=True, blank=True)
    four_hour_reset_at = models.DateTimeField(null=True, blank=True)
    monthly_cap = models.FloatField(null=True, blank=True)
    monthly_used = models.FloatField(null=True, blank=True)
    monthly_reset_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["account", "-read_at"], name="reading_newest")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.read_at:%Y-%m-%d %H:%M}"
