from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from agents.configuration import delete_as, save_as
from agents.models import AuditEntry, JobState
from agents.operator_jobs import leased_job
from monitoring.audit.audit_log import newest_entries
from monitoring.models import EVENTS, Channel, Delivery, MaintenanceWindow, Notice, Severity
from monitoring.notifications import detection, maintenance, sending
from monitoring.notifications.maintenance import MaintenanceForm
from monitoring.reporting.filter_form import ANY, FilterForm
from monitoring.reporting.pagination import Place, Slice, capped_count, cut
from monitoring.web.access import CHANGE, CONTROL, PanelRequest, guarded
from monitoring.web.middleware import zones
from monitoring.web.pages import page

PAGE_SIZE = 50
NEWEST = 10
OPEN_SHOWN = 50  # more are not readable; the page links to all
FIELDS = {"event": "notice__event", "severity": "notice__severity"}  # the filter's conditions on the notice of a message
LEAST_RESEND, MOST_RESEND = 5, 10_080  # minutes; more frequent reminders are noise
LABELS = [(name, event.label) for name, event in EVENTS.items()]
URL_HELP = "Where messages go: json://host/path, mailto://…, tgram://… and so on. Kept encrypted and never shown again."


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A channel. Its stored URL is never shown."""

    url = forms.CharField(label="Apprise URL", max_length=2_000, widget=forms.PasswordInput({"autocomplete": "off", "spellcheck": "false"}))
    events = forms.MultipleChoiceField(
        required=False,
        choices=[(name, label) for name, label in LABELS if name != "channel_test"],
        widget=forms.CheckboxSelectMultiple,
        help_text="None selected: all.",
    )
    zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(name, name) for name in sorted(zones())],
        help_text="Of the quiet hours. Daylight saving time applies.",
    )
    resend_minutes = forms.IntegerField(
        label="Remind after, in minutes",
        min_value=0,
        max_value=MOST_RESEND,
        help_text="A lasting condition is reported again at this interval. 0: never.",
    )
    field_order = ("name", "url", "events")

    class Meta:
        model = Channel
        fields = ("name", "events", "least_severity", "quiet_from", "quiet_to", "zone", "resend_minutes", "enabled")
        widgets = dict.fromkeys(("quiet_from", "quiet_to"), forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
        help_texts = {
            "name": "Such as “Phone of Ann”.",
            "least_severity": "Messages of lower severity are not sent. The end of a condition is information.",
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
            self.add_error("quiet_to", "The quiet hours start and end at the same time. Give another time, or leave both empty.")
        chosen, least = given.get("events"), given.get("least_severity")
        if chosen and least and all(EVENTS[name].severity < least for name in chosen):
            self.add_error("least_severity", "No selected event has this severity, so nothing would be sent. Choose a lower one.")


class DeliveryFilter(FilterForm):
    channel = forms.ModelChoiceField(required=False, queryset=Channel.objects.all(), empty_label=ANY[1])
    event = forms.ChoiceField(required=False, choices=[ANY, *LABELS])
    severity = forms.ChoiceField(required=False, choices=[ANY, *Severity.choices])
    state = forms.ChoiceField(required=False, label="How it ended", choices=[ANY, *Delivery.State.choices])


@page("notifications/notifications")
def notifications(_: PanelRequest) -> dict[str, Any]:
    now, deliveries = timezone.now(), Delivery.objects.select_related("notice", "channel")
    return {
        "open": _with_counts(list(Notice.objects.filter(over_at=None).order_by("-at", "-id")[:OPEN_SHOWN])),
        "channels": channels(),
        "deliveries": deliveries.order_by("-due_at", "-id")[:NEWEST],
        "maintenance": maintenance.shown(now),
        "changes": newest_entries(10, kinds=("channel", "channel_test", "maintenance")),
    }


def channels() -> list[tuple[Channel, Delivery | None]]:
    """Channels, each with its newest delivery."""
    of_channel = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-id").values("id")[:1]
    last = Delivery.objects.filter(pk__in=Channel.objects.order_by().values(newest=Subquery(of_channel)))
    newest = {delivery.channel_id: delivery for delivery in last}
    return [(channel, newest.get(channel.pk)) for channel in Channel.objects.all()]


@page("notifications/deliveries")
def delivery_list(request: PanelRequest) -> dict[str, Any]:
    filters = DeliveryFilter(request.GET)
    conditions = {FIELDS.get(name, name): value for name, value in filters.conditions(timezone.now()).items()}
    matching = Delivery.objects.filter(**conditions)
    page = cut(matching.select_related("notice", "channel"), "due_at", Place.parse(request.GET), PAGE_SIZE)
    return {"filters": filters, "deliveries": replace(page, count=capped_count(matching))}


@page("notifications/notices")
def notice_list(request: PanelRequest) -> dict[str, Any]:
    return {"notices": notices(Place.parse(request.GET))}


def notices(place: Place) -> Slice[Any]:
    """Notices, each with the counts of its messages: `sent`, `failed`, `queued`."""
    page: Slice[Any] = cut(Notice.objects.exclude(event="channel_test"), "at", place, PAGE_SIZE)
    return replace(page, rows=_with_counts(page.rows))


def _with_counts(notices: Sequence[Notice]) -> list[dict[str, Any]]:
    states = {"sent": Delivery.State.SUCCEEDED, "failed": Delivery.State.FAILED, "queued": Delivery.State.QUEUED}
    rows = Delivery.objects.filter(notice__in=[notice.pk for notice in notices]).order_by().values("notice")
    counts = {row["notice"]: row for row in rows.annotate(**{name: Count("id", filter=Q(state=state)) for name, state in states.items()})}
    return [{**counts.get(notice.pk, {}), "notice": notice} for notice in notices]


@page("notifications/channel", get=CHANGE, post=CHANGE)
def channel(request: PanelRequest, number: int | None = None) -> HttpResponse | dict[str, Any]:
    row = get_object_or_404(Channel, pk=number) if number else Channel()
    name, form = row.name, ChannelForm(row, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if form.has_changed():
            _save(row, request.user)
        messages.success(request, f"{row.name} is saved. Send a test to see whether messages arrive.")
        return redirect("notifications")
    return {"form": form, "channel": row, "name": name}


@guarded(get=None, post=CHANGE)
def test_channel(request: PanelRequest, number: int) -> HttpResponse:
    row, now = get_object_or_404(Channel, pk=number), timezone.now()
    with transaction.atomic():
        delivery = detection.make_test(row, now)
        AuditEntry.record(AuditEntry.Action.CHANNEL_TEST, f"Sent to {row.name}.", by=request.user.get_username(), now=now)
        leased_job.send(delivery, now)
    messages.success(request, f"A test goes to {row.name}. The result appears at the channel, and below.")
    return redirect("notifications")


@guarded(get=None, post=CHANGE)
def switch_channel(request: PanelRequest, number: int) -> HttpResponse:
    row, enabled = get_object_or_404(Channel, pk=number), request.POST.get("enabled") == "true"
    if row.enabled != enabled:
        row.enabled = enabled
        _save(row, request.user)
    messages.success(request, f"{row.name} is {'enabled' if row.enabled else 'disabled'}.")
    return redirect("notifications")


@guarded(get=None, post=CHANGE)
def delete_channel(request: PanelRequest, number: int) -> HttpResponse:
    row = get_object_or_404(Channel, pk=number)
    delete_as(row, request.user, "")
    messages.success(request, f"{row.name} is deleted.")
    return redirect("notifications")


@page("notifications/maintenance", get=CONTROL, post=CONTROL)
def new_maintenance(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    now = timezone.now()
    form = MaintenanceForm(now, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        form.instance.requested_by = request.user.get_username()
        save_as(form.instance, request.user, "")
        messages.success(request, "Maintenance is planned. During it notices are recorded and nothing is sent.")
        return redirect("notifications")
    return {"form": form}


@guarded(get=None, post=CONTROL)
def end_maintenance(request: PanelRequest, pk: int) -> HttpResponse:
    maintenance.end(get_object_or_404(MaintenanceWindow, pk=pk), timezone.now(), request.user)
    messages.success(request, "Maintenance is over. Lasting conditions are sent within seconds.")
    return redirect("notifications")


def _save(channel: Channel, by: User) -> None:
    """Save a channel; if it is disabled, its queued messages are cancelled."""
    with transaction.atomic():
        save_as(channel, by, "")
        if not channel.enabled:
            for delivery in Delivery.objects.filter(channel=channel, state=JobState.QUEUED).exclude(notice__event="channel_test"):
                leased_job.cancel(delivery, "The channel was disabled.")
