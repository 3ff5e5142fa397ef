"""The forms of the notifications' pages: a channel, and which deliveries to list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.models import Channel, Delivery, Severity
from monitoring.notices import channels, sending
from monitoring.notices.events import CHOICES, EVENTS
from monitoring.stats.notices import DeliveryQuery
from monitoring.wording import translated_lazy
from monitoring.zone import zones

ANY = ("", _("Any"))
# Sent oftener, a reminder is noise.
LEAST_RESEND, MOST_RESEND = 5, 10_080
TIME = {"type": "time"}


class ChannelForm(forms.Form):
    """One channel. Its URL goes in and never comes out."""

    name = forms.CharField(label=_("Name"), max_length=60, help_text=_("How this channel is called here, such as “Phone of Ann”."))
    url = forms.CharField(
        label=_("Apprise URL"),
        max_length=2_000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        required=False,
        choices=[(name, translated_lazy(event.label)) for name, event in CHOICES.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all of them."),
    )
    least_severity = forms.TypedChoiceField(
        label=_("Least severity"),
        choices=Severity.choices,
        coerce=int,
        help_text=_("What matters less is not sent. That something is over is information."),
    )
    quiet_from = forms.TimeField(
        label=_("Quiet from"),
        required=False,
        widget=forms.TimeInput(attrs=TIME, format="%H:%M"),
        help_text=_("Time of day. Messages wait until the quiet hours are over."),
    )
    quiet_to = forms.TimeField(
        required=False,
        label=_("Quiet until"),
        widget=forms.TimeInput(attrs=TIME, format="%H:%M"),
        help_text=_("May be on the next day. Both empty: no quiet hours."),
    )
    zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [(name, name) for name in sorted(zones())],
        help_text=_("Where the quiet hours are meant. Summer time is kept."),
    )
    resend_minutes = forms.IntegerField(
        label=_("Remind after, in minutes"),
        min_value=0,
        max_value=MOST_RESEND,
        help_text=_("While it is still so, it is told again each time this has passed. 0: never."),
    )
    enabled = forms.BooleanField(label=_("Enabled"), required=False, help_text=_("A disabled channel gets nothing but tests."))

    def __init__(self, channel: Channel, data: Any = None) -> None:
        super().__init__(data, initial={name: getattr(channel, name) for name in channels.FIELDS})
        self.channel = channel
        url = self.fields["url"]
        url.required = channel.pk is None
        url.help_text = _("Where messages go: json://host/path, mailto://…, tgram://… and so on. Kept encrypted and never shown again.")
        if channel.pk:
            url.label, url.help_text = _("Replace the URL"), _("In use: {scheme}://… Leave empty to keep it.").format(scheme=channel.scheme)
        else:
            self.initial["least_severity"], self.initial["zone"] = Severity.INFO, timezone.get_current_timezone_name()

    def clean_name(self) -> str:
        """A name that no other channel has."""
        name: str = self.cleaned_data["name"]
        if Channel.objects.filter(name=name).exclude(pk=self.channel.pk).exists():
            raise forms.ValidationError(_("There is a channel of this name. Choose another name."))
        return name

    def clean_resend_minutes(self) -> int:
        """Never, or not too often."""
        minutes: int = self.cleaned_data["resend_minutes"]
        if 0 < minutes < LEAST_RESEND:
            raise forms.ValidationError(_("Give at least {least_resend} minutes, or 0 for never.").format(least_resend=LEAST_RESEND))
        return minutes

    def clean(self) -> None:
        """What has to fit together."""
        given = self.cleaned_data
        begin, end = given.get("quiet_from"), given.get("quiet_to")
        if "quiet_from" in given and "quiet_to" in given and (begin is None) != (end is None):
            self.add_error("quiet_from" if begin is None else "quiet_to", _("Give both times, or neither."))
        if begin is not None and begin == end:
            self.add_error("quiet_to", _("The quiet hours end as they begin. Give another time, or leave both empty."))
        chosen, least = given.get("events"), given.get("least_severity")
        if chosen and least and all(EVENTS[name].severity < least for name in chosen):
            self.add_error("least_severity", _("No event that is ticked matters so much: nothing would be sent. Choose a lower severity."))

    def save(self, by: str, now: datetime) -> bool:
        """Add or change the channel. False where the form then shows why not."""
        if not self.is_valid():
            return False
        values = {name: self.cleaned_data[name] for name in channels.FIELDS}
        try:
            channels.save(self.channel, values, url=self.cleaned_data["url"].strip(), by=by, now=now)
        except sending.BadURL as error:
            self.add_error("url", str(error))
        return not self.errors


class DeliveryFilter(forms.Form):
    """Which deliveries to list, from the query string. A field that can't be read is named and not applied."""

    channel = forms.ModelChoiceField(label=_("Channel"), required=False, queryset=Channel.objects.all(), empty_label=ANY[1])
    event = forms.ChoiceField(
        label=_("Event"), required=False, choices=[ANY, *((name, translated_lazy(event.label)) for name, event in EVENTS.items())]
    )
    severity = forms.ChoiceField(label=_("Severity"), required=False, choices=[ANY, *Severity.choices])
    state = forms.ChoiceField(required=False, label=_("How it ended"), choices=[ANY, *Delivery.State.choices])

    def query(self) -> DeliveryQuery:
        """The conditions that could be read."""
        self.full_clean()
        found = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        return DeliveryQuery(**found)

    @property
    def is_set(self) -> bool:
        """Whether any condition is given."""
        return any(self.data.get(name) for name in self.fields)
