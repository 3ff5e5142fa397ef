"""Provider accounts, their gates, estimates, usage and quota readings."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import models
from simple_history.models import HistoricalRecords

from agents.models.choices import Row, choices
from agents.models.settings import setting
from agents.policy.reasons import Occasion, PauseSource


def valid_models(value: object) -> None:
    if not isinstance(value, list) or len(value) > 20 or not all(isinstance(name, str) and 0 < len(name) <= 200 for name in value):
        raise ValidationError("Give at most 20 model names of at most 200 characters.")


def valid_miners(value: object) -> None:
    if not isinstance(value, list) or len(value) > 20 or not all(isinstance(name, str) and 0 < len(name) <= 50 for name in value):
        raise ValidationError("Give at most 20 names of miners of at most 50 characters.")


def valid_prices(value: object) -> None:
    if not isinstance(value, dict) or len(value) > 50 or not all(_is_price(pair) for pair in value.values()):
        raise ValidationError('Give prices as {"some/model": [0.1, 0.4]}: USD per million prompt and completion tokens.')


def _is_price(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(usd, int | float) and 0 <= usd < 1e6 for usd in pair)


OWN_OPTIONS = {"model", "messages", "max_tokens", "stream"}


def valid_options(value: object) -> None:
    if not isinstance(value, dict) or len(str(value)) > 2_000:
        raise ValidationError('Give a JSON object, such as {"chat_template_kwargs": {"enable_thinking": false}}, or {}.')
    taken = sorted(OWN_OPTIONS & set(value))
    if taken:
        raise ValidationError(f"The miner sets {', '.join(taken)} itself. Take it out.")


def default_options() -> dict[str, object]:
    """Without thinking: a model may spend all its tokens on it before the answer."""
    return {"chat_template_kwargs": {"enable_thinking": False}}


class Account(models.Model):
    """One provider key with its models: of Chutes, or of any OpenAI-compatible API by its base URL.

    A step uses the first by `position` that can serve it in time. The account `default` uses key, base URL and models of the
    environment where it has none. The admin key is for reading balance, quota and caps; no completions are sent with it.
    """

    DEFAULT = "default"

    name = setting(
        models.CharField(max_length=50, unique=True, validators=[validate_slug]),
        "Letters, digits, hyphens and underscores.",
        "at most 50 characters",
    )
    position = setting(models.PositiveSmallIntegerField("Position", default=1), "Accounts are tried in this order, 1 first.")
    enabled = setting(
        models.BooleanField("Enabled", default=True), "A disabled account gets no request. Only an admin can enable it again."
    )
    base_url = setting(models.URLField("Base URL", blank=True), "Empty: CHUTES_BASE_URL of the environment.")
    model_names = setting(
        models.JSONField("Models", default=list, blank=True, validators=[valid_models]),
        "Tried in this order. Empty: CHUTES_MODELS, else the three cheapest that list json_mode.",
        "at most 20, one a line",
    )
    request_options = setting(
        models.JSONField("Request options", default=default_options, blank=True, validators=[valid_options]),
        "Sent with each call, as JSON. Remove what this provider refuses.",
        "at most 2,000 characters; not model, messages, max_tokens, stream, which the miner sets",
    )
    price_overrides = setting(
        models.JSONField("Prices", default=dict, blank=True, validators=[valid_prices]),
        'USD per million prompt and completion tokens, as {"some/model": [0.1, 0.4]}. Empty: as the provider lists them.',
        "at most 50 models",
    )
    management_url = setting(
        models.URLField("Management URL", blank=True), "Where the admin key reads balance, quota and caps. Empty: CHUTES_MANAGEMENT_URL."
    )
    miner_names = setting(
        models.JSONField("Miners", default=list, blank=True, validators=[valid_miners]),
        "Only these miners (MINER_NAME) call with this account. Empty: all of them.",
        "at most 20, one a line",
    )
    key_sealed = models.TextField(blank=True, editable=False)
    key_hint = models.CharField(max_length=4, blank=True, editable=False)

    admin_key_sealed = models.TextField(blank=True, editable=False)
    admin_key_hint = models.CharField(max_length=4, blank=True, editable=False)
    catalogue = models.JSONField(default=list, blank=True, editable=False)
    history = HistoricalRecords(excluded_fields=["key_sealed", "admin_key_sealed", "catalogue"])

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.name

    def serves(self, miner: str) -> bool:
        return not self.miner_names or miner in self.miner_names


class Gate(Row):
    """The fields are those of `agents.policy.gate.Gate`; times are Unix seconds. `quota`: as in a `Completion`, with "at"; {} for none.

    `control`: the class of a made-up key's refusal at `control_at`, while this account's key was refused by the edge; "" for none.
    `estimated_at`: the time of the newest LimitEstimate.
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
    rungs = models.PositiveIntegerField(default=0)
    recovered_at = models.FloatField(default=0)
    succeeded_at = models.FloatField(default=0)
    cooldowns = models.JSONField(default=list)
    pace = models.JSONField(default=dict)
    claims = models.JSONField(default=list)
    latencies = models.JSONField(default=dict)
    quota = models.JSONField(default=dict)
    control = models.CharField(max_length=20, blank=True)
    control_at = models.FloatField(default=0)
    estimated_at = models.FloatField(default=0)


class LimitEstimate(Row):
    """The belief about an account's limit, in requests a minute: most likely `middle`; below `low` and above `high` with 10 % each.

    `pace`: the most requests a minute that were permitted then, null without a spacing; `sent`: the requests of the minute up to the
    answered one.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="estimates")
    at = models.DateTimeField(db_index=True)
    occasion = models.CharField(max_length=10, choices=choices(Occasion))
    low = models.FloatField()
    middle = models.FloatField()
    high = models.FloatField()
    pace = models.FloatField(null=True)
    sent = models.PositiveIntegerField()


class DailyUse(Row):
    """The usage of an account, or of a caller, on a UTC day. USD: open attempts count at their highest cost."""

    day = models.DateField()
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="daily_use")
    caller = models.GenericIPAddressField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    usd = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "account"], name="daily_use_one_an_account"),
            models.UniqueConstraint(fields=["day", "caller"], name="daily_use_one_a_caller"),
            models.CheckConstraint(
                condition=models.Q(account=None, caller__isnull=False) | models.Q(account__isnull=False, caller=None),
                name="daily_use_of_an_account_or_a_caller",
            ),
        ]


class QuotaReading(Row):
    """A reading of an account by the management API. USD, or requests a day; null for unknown. `fault`: why it was not read."""

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
