"""What admins adjust, and its validation: the form and the command line share it."""

from __future__ import annotations

import ipaddress

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from agents.governor import Pacing
from agents.hybrid import Mode, Use
from agents.look_hosts import allowed
from agents.models.choices import choices

MOST_HOSTS = 100


def valid_ladder(value: object) -> None:
    """A ladder is 1 to 12 pauses in seconds, each 1 s to 1 day and none shorter than the one before."""
    if not isinstance(value, list) or not 1 <= len(value) <= 12:
        raise ValidationError(_("Give 1 to 12 pauses in seconds, such as 60, 120, 240, 480."))
    if not all(isinstance(pause, int | float) and not isinstance(pause, bool) and 1 <= pause <= 86_400 for pause in value):
        raise ValidationError(_("Each pause is a number from 1 to 86400 seconds."))
    if sorted(value) != value:
        raise ValidationError(_("A pause can't be shorter than the one before it."))


def valid_networks(value: object) -> None:
    """A list of networks such as 10.0.0.0/8 or 203.0.113.7."""
    if not isinstance(value, list):
        raise ValidationError(_("Give a list of networks, such as 10.0.0.0/8."))
    for network in value:
        try:
            ipaddress.ip_network(str(network))
        except ValueError:
            raise ValidationError(
                _("“{network}” is not a network. Write it as 10.0.0.0/8 or 203.0.113.7.").format(network=network)
            ) from None


def valid_hosts(value: object) -> None:
    """A list of hosts, addresses or networks such as demo.example.com, localhost:8000-8016 or 10.0.0.0/8:80."""
    if not isinstance(value, list) or len(value) > MOST_HOSTS:
        raise ValidationError(
            _("Give a list of at most {most} hosts, such as demo.example.com or localhost:8000-8016.").format(most=MOST_HOSTS)
        )
    for host in value:
        try:
            allowed(str(host))
        except ValueError as error:
            raise ValidationError(str(error)) from None


def default_ladder() -> list[float]:
    """The pauses after refusals in a row, in seconds."""
    return [60, 120, 240, 480]


class Settings(models.Model):
    """What admins adjust: one row, read at each step. Every change is kept with who, when, old and new."""

    ONLY = 1

    spacing_seconds = models.FloatField(
        _("Spacing"),
        default=5,
        validators=[MinValueValidator(0), MaxValueValidator(3600)],
        help_text=_("Seconds between two requests of the account, across all processes. 0: none."),
    )
    backoff_seconds = models.JSONField(
        _("Backoff"),
        default=default_ladder,
        validators=[valid_ladder],
        help_text=_("The pause after each 429 in a row, in seconds. Then it doubles. Successes bring it back."),
    )
    backoff_max_seconds = models.FloatField(
        _("Longest backoff"),
        default=600,
        validators=[MinValueValidator(1), MaxValueValidator(86_400)],
        help_text=_("After the last pause of the list the pause doubles up to this, in seconds."),
    )
    pacing = models.CharField(
        _("Pacing"),
        max_length=10,
        choices=choices(Pacing),
        default=Pacing.FIXED,
        help_text=_("Learned: starts at the spacing and finds out how fast the account may be used, from what is accepted and refused."),
    )
    key_check_minutes = models.FloatField(
        _("Key check"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text=_("At least so many minutes between two looks at an account whose key was refused or whose balance is used up."),
    )
    probe_after_pause = models.BooleanField(
        _("Probe after a pause"),
        default=True,
        help_text=_("When a pause ends and no step comes, one request for a single token finds out whether the account works again."),
    )
    deadline_seconds = models.FloatField(
        _("Deadline"),
        default=25,
        validators=[MinValueValidator(3), MaxValueValidator(180)],
        help_text=_("Seconds in which a step is answered, unless its caller says otherwise. 1.5 s of it are kept for the way back."),
    )
    agent_mode = models.CharField(_("Agent mode"), max_length=10, choices=choices(Mode), default=Mode.HYBRID)
    llm_use = models.CharField(
        _("LLM is asked"),
        max_length=20,
        choices=choices(Use),
        default=Use.ALWAYS,
        help_text=_("In hybrid mode. With the second, steps of which the template agent is sure are answered at once and take no slot."),
    )
    sure_from = models.FloatField(
        _("Sure from"),
        default=0.8,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("From this confidence on, 0 to 1, the template agent counts as sure. A step's story tells what it was."),
    )
    max_task_usd = models.FloatField(
        _("Cost of a task"),
        default=0.05,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("What the LLM calls of one task may cost at most; then the template agent goes on. 0: anything."),
    )
    llm_callers = models.JSONField(
        _("LLM callers"),
        default=list,
        blank=True,
        validators=[valid_networks],
        help_text=_("Networks whose steps may use the LLM. Empty: all. Others get the template agent only."),
    )
    look_before_planning = models.BooleanField(
        _("Look before planning"),
        default=False,
        help_text=_("Read the page of a one-shot task first, where none came along and its site is not known: at most 3 s and 2 MB."),
    )
    look_hosts = models.JSONField(
        _("Hosts to look at"),
        default=list,
        blank=True,
        validators=[valid_hosts],
        help_text=_(
            "Only these are looked at, on ports 80 and 443 or those named. Private addresses only where they are listed themselves."
        ),
    )
    miner_api_url = models.URLField(
        _("Miner API"),
        blank=True,
        help_text=_("The miner that the live API test posts to, such as http://127.0.0.1:8080. Empty: this one."),
    )
    retest_after_pause = models.BooleanField(
        _("Test after a pause"),
        default=True,
        help_text=_("When an account should be back after a rate limit, a direct key test is run by itself."),
    )
    health_seconds = models.PositiveIntegerField(
        _("Health checks"),
        default=60,
        validators=[MinValueValidator(10), MaxValueValidator(3600)],
        help_text=_("Seconds between two looks at each component."),
    )
    failures_before_down = models.PositiveSmallIntegerField(
        _("Failures before down"),
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("Bad looks in a row before a component counts as down."),
    )
    keep_info_logs = models.BooleanField(
        _("Keep INFO records"),
        default=False,
        help_text=_("Warnings and errors are always kept. With this, what is merely worth knowing too."),
    )
    silence_minutes = models.PositiveIntegerField(
        _("Silence"),
        default=0,
        validators=[MaxValueValidator(10_080)],
        help_text=_("Minutes without a validator's request before a notification is sent. 0: never."),
    )
    least_llm_percent = models.PositiveSmallIntegerField(
        _("Least LLM share"),
        default=0,
        validators=[MaxValueValidator(100)],
        help_text=_("Per cent of the last hour's steps that the LLM should answer; below it a notification is sent. 0: never."),
    )
    changed_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords(excluded_fields=["changed_at"])

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="settings_only_one_row"),
            models.CheckConstraint(condition=Q(spacing_seconds__gte=0), name="settings_spacing_not_negative"),
            models.CheckConstraint(condition=Q(deadline_seconds__gte=3), name="settings_deadline_long_enough"),
            models.CheckConstraint(condition=Q(max_task_usd__gte=0), name="settings_task_cost_not_negative"),
        ]

    def __str__(self) -> str:
        return "Settings"

    def clean(self) -> None:
        """What no field can say alone."""
        last = self.backoff_seconds[-1] if isinstance(self.backoff_seconds, list) and self.backoff_seconds else None
        longest = self.backoff_max_seconds
        if isinstance(last, int | float) and isinstance(longest, int | float) and longest < last:
            told = _(
                "The longest backoff can't be shorter than the last pause of the list, {last:g} s. Lengthen it, or shorten that."
            ).format(last=last)
            raise ValidationError({"backoff_max_seconds": told})

    @classmethod
    def current(cls) -> Settings:
        """The settings in force; the defaults where nobody has saved any yet."""
        return cls.objects.filter(id=cls.ONLY).first() or cls(id=cls.ONLY)

    def may_use_llm(self, address: str | None) -> bool:
        """Whether a caller at this address may use the LLM. With networks set, an unknown address may not."""
        if not self.llm_callers:
            return True
        if address is None:
            return False
        caller = ipaddress.ip_address(address)
        return any(caller in ipaddress.ip_network(network) for network in self.llm_callers)
