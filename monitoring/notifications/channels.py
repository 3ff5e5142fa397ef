"""Channels: their form, and how they are changed. And the filter of deliveries."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from agents.configuration import save_as
from agents.models import JobState
from agents.operator_jobs import leased_job
from monitoring.models import EVENTS, Channel, Delivery, Severity
from monitoring.notifications import sending
from monitoring.reporting.filter_form import ANY, FilterForm
from monitoring.web.middleware import zones

# Sent more often, a reminder is noise.
LEAST_RESEND, MOST_RESEND = 5, 10_080
LABELS = [(name, event.label) for name, event in EVENTS.items()]
URL_HELP = "Where messages go: json://host/path, mailto://…, tgram://… and so on. Kept encrypted and never shown again."


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """One channel. Its URL goes in and never comes out."""

    url = forms.CharField(
        label="Apprise URL", max_length=2_000, widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    events = forms.MultipleChoiceField(
        required=False,
        choices=[(name, label) for name, label in LABELS if name != "channel_test"],
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: all of them.",
    )
    zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(name, name) for name in sorted(zones())],
        help_text="Where the quiet hours are meant. Summer time is kept.",
    )
    resend_minutes = forms.IntegerField(
        label="Remind after, in minutes",
        min_value=0,
        max_value=MOST_RESEND,
        help_text="While it is still so, it is told again each time this has passed. 0: never.",
    )
    field_order = ("name", "url", "events")

    class Meta:
        model = Channel
        fields = ("name", "events", "least_severity", "quiet_from", "quiet_to", "zone", "resend_minutes", "enabled")
        widgets = dict.fromkeys(("quiet_from", "quiet_to"), forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
        help_texts = {
            "name": "How this channel is called here, such as “Phone of Ann”.",
            "least_severity": "What matters less is not sent. That something is over is information.",
            "quiet_from": "Time of day. Messages wait until the quiet hours are over.",
            "quiet_to": "May be on the next day. Both empty: no quiet hours.",
            "enabled": "A disabled channel gets nothing but tests.",
        }
        error_messages = {"name": {"unique": "There is a channel of this name. Choose another name."}}

    def __init__(self, channel: Channel, data: Any = None) -> None:
        super().__init__(data, instance=channel)
        url = self.fields["url"]
        url.required, url.help_text = channel.pk is None, URL_HELP
        if channel.pk:
            url.label, url.help_text = "Replace the URL", f"In use: {channel.scheme}://… Leave empty to keep it."
        else:
            self.initial["least_severity"], self.initial["zone"] = Severity.INFO, timezone.get_current_timezone_name()

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        if url:
            sending.set_url(self.instance, url)
        return url

    def clean_resend_minutes(self) -> int:
        minutes: int = self.cleaned_data["resend_minutes"]
        if 0 < minutes < LEAST_RESEND:
            raise forms.ValidationError(f"Give at least {LEAST_RESEND} minutes, or 0 for never.")
        return minutes

    def clean(self) -> None:
        super().clean()
        given = self.cleaned_data
        begin, end = given.get("quiet_from"), given.get("quiet_to")
        if "quiet_from" in given and "quiet_to" in given and (begin is None) != (end is None):
            self.add_error("quiet_from" if begin is None else "quiet_to", "Give both times, or neither.")
        if begin is not None and begin == end:
            self.add_error("quiet_to", "The quiet hours end as they begin. Give another time, or leave both empty.")
        chosen, least = given.get("events"), given.get("least_severity")
        if chosen and least and all(EVENTS[name].severity < least for name in chosen):
            self.add_error("least_severity", "No event that is ticked matters so much: nothing would be sent. Choose a lower severity.")


class DeliveryFilter(FilterForm):
    channel = forms.ModelChoiceField(required=False, queryset=Channel.objects.all(), empty_label=ANY[1])
    event = forms.ChoiceField(required=False, choices=[ANY, *LABELS])
    severity = forms.ChoiceField(required=False, choices=[ANY, *Severity.choices])
    state = forms.ChoiceField(required=False, label="How it ended", choices=[ANY, *Delivery.State.choices])


def save(channel: Channel, by: User) -> None:
    """What still waits for a disabled channel is not sent."""
    with transaction.atomic():
        save_as(channel, by, "")
        if not channel.enabled:
            for delivery in Delivery.objects.filter(channel=channel, state=JobState.QUEUED).exclude(notice__event="channel_test"):
                leased_job.cancel(delivery, "The channel was disabled.")
