"""The settings: fields with validation, shared by forms and commands, and the texts that pages show for a field."""

import ipaddress
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from agents.contract.allowed_hosts import allowed, is_refused_host
from agents.models.choices import Row, choices
from agents.policy.callers import state_of
from agents.policy.modes import CallerState, Mode, Pacing, Risk, Use
from agents.prepared import Prepared

# The headings of the Settings page, in its order; the last one is on the Retention page.
PACING, AGENT, CALLERS, MONITORING = "Pacing and backoff", "Deadlines and agent", "Daily caps and callers", "Monitoring"
SIGN_IN = "Sign-in"
STORAGE = "Storage"
NETWORKS = "networks such as 10.0.0.0/8 or 203.0.113.7"
MOST_HOSTS = 100

F = TypeVar("F", bound="models.Field[Any, Any]")

NEXT_STEP = "takes effect with the next step"
NEXT_REFUSAL = "takes effect with the next refusal; a running pause stays"
NEXT_PAUSE = "takes effect with the next pause"
NEXT_CHECK = "takes effect with the next health check"
NEXT_RUN = "takes effect with the next test run and health check"
WITHIN_A_MINUTE = "takes effect within a minute"


@dataclass(frozen=True, slots=True)
class Setting:
    """`unit`: shown after the value; `section`: its heading; `accepts`: further rules beside its bounds."""

    unit: str = ""
    section: str = ""
    accepts: str = ""
    takes_effect: str = NEXT_STEP


def setting(field: F, help_text: str, accepts: str = "") -> F:
    field.help_text, field.setting = help_text, replace(about(field), accepts=accepts)  # type: ignore[attr-defined]
    return field


def about(field: Any) -> Setting:
    return getattr(field, "setting", Setting())


def settings_of(model: type[models.Model], section: str | None = None) -> tuple[str, ...]:
    fields = model._meta.get_fields()  # noqa: SLF001 -- Django's documented API
    return tuple(field.name for field in fields if hasattr(field, "setting") and section in (None, about(field).section))


def placed(field: F, section: str, unit: str = "", takes_effect: str = NEXT_STEP) -> F:
    field.setting = Setting(unit, section, takes_effect=takes_effect)  # type: ignore[attr-defined]
    return field


def between(least: float, most: float) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(least), MaxValueValidator(most)]


def valid_ladder(value: object) -> None:
    if not isinstance(value, list) or not 1 <= len(value) <= 12:
        raise ValidationError("Give 1 to 12 pauses in seconds, such as 60, 120, 240, 480.")
    if not all(isinstance(pause, int | float) and not isinstance(pause, bool) and 1 <= pause <= 86_400 for pause in value):
        raise ValidationError("Each pause is a number from 1 to 86400 seconds.")
    if sorted(value) != value:
        raise ValidationError("A pause can't be shorter than the one before it.")


def valid_networks(value: object) -> None:
    if not isinstance(value, list):
        raise ValidationError("Give a list of networks, such as 10.0.0.0/8.")
    for network in value:
        try:
            ipaddress.ip_network(str(network))
        except ValueError:
            raise ValidationError(f"“{network}” is not a network. Write it as 10.0.0.0/8 or 203.0.113.7.") from None


def valid_hosts(value: object) -> None:
    if not isinstance(value, list) or len(value) > MOST_HOSTS:
        raise ValidationError(f"Give a list of at most {MOST_HOSTS} hosts, such as demo.example.com or localhost:8000-8016.")
    for host in value:
        try:
            allowed(str(host))
        except ValueError as error:
            raise ValidationError(str(error)) from None


def valid_miner(url: str) -> None:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return  # URLField's own validation names the fault
    if is_refused_host(host):
        raise ValidationError("Link-local and metadata addresses are always refused.")


def default_ladder() -> list[float]:
    return [60, 120, 240, 480]


class Settings(Row):
    """One row, read at each step. Forms, commands and pages are made from these fields."""

    ONLY = 1

    pacing = setting(
        placed(
            models.CharField(
                "Pacing",
                max_length=10,
                choices=choices(Pacing),
                default=Pacing.FIXED,
                error_messages={"invalid_choice": "“%(value)s” is no pacing. Choose fixed or auto, which took the place of learned."},
            ),
            PACING,
        ),
        "Automatic: the spacing until the first answer, then the pace that gets most answers by what is known of the account's limit.",
    )
    risk = setting(
        placed(models.CharField("Risk", max_length=10, choices=choices(Risk), default=Risk.BALANCED), PACING),
        "For automatic pacing. Cautious: slower, with fewer refusals. Eager: faster, with more of them.",
    )
    spacing_seconds = setting(
        placed(models.FloatField("Spacing", default=5, validators=between(0, 3600)), PACING, "s"),
        "Seconds between two requests of the account, across all processes. 0: none.",
    )
    backoff_seconds = setting(
        placed(models.JSONField("Backoff", default=default_ladder, validators=[valid_ladder]), PACING, "s", NEXT_REFUSAL),
        "The pause after each 429 in a row, in seconds. Then it doubles. Successes reset it. Automatic pacing uses the first only.",
        "1 to 12 pauses, each 1 to 86,400, none shorter than the one before",
    )
    backoff_max_seconds = setting(
        placed(models.FloatField("Longest backoff", default=600, validators=between(1, 86_400)), PACING, "s", NEXT_REFUSAL),
        "With fixed pacing: after the last pause of the list, the pause doubles up to this, in seconds. With either pacing it can't be"
        " shorter than that last pause.",
    )
    key_check_minutes = setting(
        placed(models.FloatField("Key check", default=5, validators=between(1, 1440)), PACING, "min", NEXT_REFUSAL),
        "Minutes between two checks of an account whose key was refused or whose balance is used up.",
    )
    probe_after_pause = setting(
        placed(models.BooleanField("Probe after a pause", default=True), PACING, takes_effect="takes effect when the next pause ends"),
        "When a pause ends and no step comes, one request for a single token checks whether the account works again.",
    )
    deadline_seconds = setting(
        placed(models.FloatField("Deadline", default=25, validators=between(3, 180)), AGENT, "s"),
        "Seconds in which a step is answered, unless its caller sets a timeout. 1.5 s of it are kept for sending the answer.",
    )
    agent_mode = setting(
        placed(models.CharField("Agent mode", max_length=10, choices=choices(Mode), default=Mode.HYBRID), AGENT),
        "Who answers. Hybrid uses the LLM where the account allows it, otherwise the template agent.",
    )
    llm_use = setting(
        placed(models.CharField("LLM is used", max_length=20, choices=choices(Use), default=Use.ALWAYS), AGENT),
        "In hybrid mode. With the second and third, steps of which the template agent is sure are answered at once and use no slot; with"
        " the third only until a step of the task was unsure or failed: then the LLM keeps the task.",
    )
    sure_from = setting(
        placed(models.FloatField("Sure from", default=0.8, validators=between(0, 1)), AGENT),
        "From this confidence on, 0 to 1, the template agent is sure. A step's page shows its confidence.",
    )
    agent_id = setting(
        placed(models.PositiveIntegerField("Agent id", default=1, validators=between(0, 65_535)), AGENT),
        "The miner's uid. Answers to one-shot tasks and whole plans have it as web_agent_id.",
    )
    max_task_usd = setting(
        placed(models.FloatField("Cost of a task", default=0.05, validators=between(0, 100)), AGENT, "USD"),
        "The most that the LLM calls of one task may cost; after that the template agent answers. 0: no limit.",
    )
    daily_attempts = setting(
        placed(models.PositiveIntegerField("Attempts a day", default=5_000, validators=between(0, 1_000_000)), CALLERS),
        "LLM requests of each account in a UTC day, tests and probes included; then the template agent answers. 0: no cap.",
    )
    daily_usd = setting(
        placed(models.FloatField("USD a day", default=5, validators=between(0, 100_000)), CALLERS, "USD"),
        "What the LLM requests of each account may cost in a UTC day. 0: no cap.",
    )
    caller_daily_attempts = setting(
        placed(models.PositiveIntegerField("Attempts a day of a caller", default=0, validators=between(0, 1_000_000)), CALLERS),
        "LLM requests for the steps of one caller's address in a UTC day. 0: no cap.",
    )
    caller_daily_usd = setting(
        placed(models.FloatField("USD a day of a caller", default=0, validators=between(0, 100_000)), CALLERS, "USD"),
        "What the LLM requests for one caller's address may cost in a UTC day. 0: no cap.",
    )
    allowed_callers = setting(
        placed(models.JSONField("Allowed callers", default=list, blank=True, validators=[valid_networks]), CALLERS),
        "Networks that get the LLM's slots first. All others together count as one caller, which gets what is left.",
        NETWORKS,
    )
    blocked_callers = setting(
        placed(models.JSONField("Blocked callers", default=list, blank=True, validators=[valid_networks]), CALLERS),
        "Networks that get the template agent only. Where an address is in both lists, the smaller network decides.",
        NETWORKS,
    )
    fetch_pages = setting(
        placed(models.BooleanField("Fetch pages", default=False), "Pages"),
        "Fetch the page of a one-shot task first, where the caller sent none and its site is unknown: at most 3 s and 2 MB.",
    )
    fetch_hosts = setting(
        placed(models.JSONField("Hosts to fetch from", default=list, blank=True, validators=[valid_hosts]), "Pages"),
        "Only these are fetched from, on ports 80 and 443 or those named. Private addresses must be listed themselves.",
        "at most 100, such as demo.example.com, *.example.com, localhost:8000-8016 or 10.0.0.0/8:80",
    )
    miner_api_url = setting(
        placed(models.URLField("Miner API", blank=True, validators=[valid_miner]), MONITORING, "", NEXT_RUN),
        "The miner that the live API test posts to, such as http://127.0.0.1:8080. Empty: this one.",
    )
    retest_after_pause = setting(
        placed(models.BooleanField("Test after a pause", default=True), MONITORING, takes_effect=NEXT_PAUSE),
        "When an account is expected back after a rate limit, a direct key test runs automatically.",
    )
    health_seconds = setting(
        placed(models.PositiveIntegerField("Health checks", default=60, validators=between(10, 3600)), MONITORING, "s", NEXT_CHECK),
        "Seconds between two checks of each component.",
    )
    failures_before_down = setting(
        placed(models.PositiveSmallIntegerField("Failures before down", default=2, validators=between(1, 20)), MONITORING, "", NEXT_CHECK),
        "Failed checks in a row before a component is down.",
    )
    silence_minutes = setting(
        placed(models.PositiveIntegerField("Silence", default=0, validators=between(0, 10_080)), MONITORING, "min", WITHIN_A_MINUTE),
        "Minutes without a validator's request before a notification is sent. 0: never.",
    )
    least_llm_percent = setting(
        placed(
            models.PositiveSmallIntegerField("Least LLM share", default=0, validators=between(0, 100)), MONITORING, "%", WITHIN_A_MINUTE
        ),
        "Per cent of the last hour's steps that the LLM should answer; below it a notification is sent. 0: never.",
    )
    trace_prompts = setting(
        placed(models.BooleanField("Prompts in traces", default=False), MONITORING, takes_effect="takes effect within seconds"),
        "Where traces are sent (OTEL_EXPORTER_OTLP_ENDPOINT): with the prompts and replies of LLM calls, which hold callers' pages.",
    )
    keep_info_logs = setting(
        placed(models.BooleanField("Keep INFO records", default=False), MONITORING, takes_effect="takes effect within seconds"),
        "Warnings and errors are always kept. With this, INFO records are kept too.",
    )
    require_second_factor = setting(
        placed(models.BooleanField("Require a second factor", default=False), SIGN_IN, takes_effect="takes effect with the next page"),
        "Who has no authenticator app and no passkey is led to add one, and can do nothing else until then.",
    )
    records_mb = setting(
        placed(models.PositiveIntegerField("Records", default=4_000, validators=between(1, 1_000_000)), STORAGE, "MB", WITHIN_A_MINUTE),
        "Tasks, steps and LLM attempts, with their indexes. Page excerpts, replies and tracebacks of the oldest steps are deleted first,"
        " then the oldest steps. The default has room for a million steps.",
    )
    pages_mb = setting(
        placed(models.PositiveIntegerField("Page archive", default=500, validators=between(1, 1_000_000)), STORAGE, "MB", WITHIN_A_MINUTE),
        "The pages with which steps can be answered again. The oldest are deleted first. By default some 50,000 pages.",
    )
    logs_mb = setting(
        placed(models.PositiveIntegerField("Log records", default=200, validators=between(1, 1_000_000)), STORAGE, "MB", WITHIN_A_MINUTE),
        "Our own log records and imported lines. The oldest are deleted first. The default holds some 300,000 records.",
    )
    free_disk_mb = setting(
        placed(
            models.PositiveIntegerField("Free disk space", default=500, validators=between(10, 1_000_000)), STORAGE, "MB", WITHIN_A_MINUTE
        ),
        "With less than this, or less than 2 % of the disk (at most 5 GB), page copies, excerpts, replies and INFO log records are no"
        " longer recorded and texts no longer indexed. Facts are. The default leaves room for the write-ahead log and the spool.",
    )
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="settings_only_one_row"),
            models.CheckConstraint(condition=Q(spacing_seconds__gte=0), name="settings_spacing_not_negative"),
            models.CheckConstraint(condition=Q(deadline_seconds__gte=3), name="settings_deadline_long_enough"),
            models.CheckConstraint(condition=Q(max_task_usd__gte=0), name="settings_task_cost_not_negative"),
            models.CheckConstraint(condition=Q(daily_usd__gte=0, caller_daily_usd__gte=0), name="settings_daily_cost_not_negative"),
        ]

    def clean(self) -> None:
        both = [network for network in self.blocked_callers if network in self.allowed_callers]
        if both:
            raise ValidationError({"blocked_callers": f"{both[0]} is allowed, too. Take it out of one list."})
        last = self.backoff_seconds[-1] if isinstance(self.backoff_seconds, list) and self.backoff_seconds else None
        longest = self.backoff_max_seconds
        if isinstance(last, int | float) and isinstance(longest, int | float) and longest < last:
            message = f"The longest backoff can't be shorter than the last pause of the list, {last:g} s. Lengthen it, or shorten that."
            raise ValidationError({"backoff_max_seconds": message})

    @classmethod
    def current(cls) -> "Settings":
        """The settings in force; the defaults where none were saved yet."""
        return next(iter(_CURRENT()), None) or cls(id=cls.ONLY)

    def caller_state(self, address: str | None) -> CallerState:
        return state_of(address, self.allowed_callers, self.blocked_callers)


_CURRENT = Prepared(lambda: Settings.objects.filter(id=Settings.ONLY))
