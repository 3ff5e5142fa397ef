from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from agents.configuration import delete_as
from agents.models import AuditEntry
from agents.operator_jobs import leased_job
from monitoring.audit.audit_log import newest_entries
from monitoring.models import Channel, Delivery, Notice
from monitoring.notifications import channels, detection
from monitoring.notifications.channels import ChannelForm, DeliveryFilter
from monitoring.reporting.pagination import Listing, Place, capped_count, cut
from monitoring.web.access import CHANGE, PanelRequest, guarded
from monitoring.web.pages import page

PAGE_SIZE = 50
NEWEST = 10
# More at once than anybody reads; the page says so.
OPEN_SHOWN = 50
# The filter's conditions that are not about a message itself.
FIELDS = {"event": "notice__event", "severity": "notice__severity"}


@page("notifications/notifications")
def notifications(_: PanelRequest) -> dict[str, Any]:
    deliveries = Delivery.objects.select_related("notice", "channel")
    of_channel = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-id").values("id")[:1]
    last = Delivery.objects.filter(pk__in=Channel.objects.order_by().values(newest=Subquery(of_channel)))
    newest = {delivery.channel_id: delivery for delivery in last}
    return {
        "open": _with_counts(list(Notice.objects.filter(over_at=None).order_by("-at", "-id")[:OPEN_SHOWN])),
        "channels": [(channel, newest.get(channel.pk)) for channel in Channel.objects.all()],
        "deliveries": deliveries.order_by("-due_at", "-id")[:NEWEST],
        "changes": newest_entries(10, kinds=("channel", "channel_test")),
    }


@page("notifications/deliveries")
def delivery_list(request: PanelRequest) -> dict[str, Any]:
    filters = DeliveryFilter(request.GET)
    conditions = {FIELDS.get(name, name): value for name, value in filters.conditions(timezone.now()).items()}
    matching = Delivery.objects.filter(**conditions)
    found = cut(matching.select_related("notice", "channel"), "due_at", Place.parse(request.GET), PAGE_SIZE)
    return {"filters": filters, "deliveries": Listing(found, list(found.rows), capped_count(matching))}


@page("notifications/notices")
def notice_list(request: PanelRequest) -> dict[str, Any]:
    found = cut(Notice.objects.exclude(event="channel_test"), "at", Place.parse(request.GET), PAGE_SIZE)
    return {"notices": Listing(found, _with_counts(found.rows))}


def _with_counts(notices: Sequence[Notice]) -> list[dict[str, Any]]:
    states = {"sent": Delivery.State.SUCCEEDED, "failed": Delivery.State.FAILED, "queued": Delivery.State.QUEUED}
    found = Delivery.objects.filter(notice__in=[notice.pk for notice in notices]).order_by().values("notice")
    counts = {row["notice"]: row for row in found.annotate(**{name: Count("id", filter=Q(state=state)) for name, state in states.items()})}
    return [{**counts.get(notice.pk, {}), "notice": notice} for notice in notices]


@page("notifications/channel", get=CHANGE, post=CHANGE)
def channel(request: PanelRequest, number: int | None = None) -> HttpResponse | dict[str, Any]:
    one = get_object_or_404(Channel, pk=number) if number else Channel()
    name, form = one.name, ChannelForm(one, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if form.has_changed():
            channels.save(one, request.user)
        messages.success(request, f"{one.name} is saved. Send a test to see whether messages arrive.")
        return redirect("notifications")
    return {"form": form, "channel": one, "name": name}


@guarded(get=None, post=CHANGE)
def test_channel(request: PanelRequest, number: int) -> HttpResponse:
    one, now = get_object_or_404(Channel, pk=number), timezone.now()
    with transaction.atomic():
        delivery = detection.make_test(one, now)
        AuditEntry.record(AuditEntry.Action.CHANNEL_TEST, f"Sent to {one.name}.", by=request.user.get_username(), now=now)
        leased_job.send(delivery, now)
    messages.success(request, f"A test goes to {one.name}. How it ends is shown at the channel, and here below.")
    return redirect("notifications")


@guarded(get=None, post=CHANGE)
def switch_channel(request: PanelRequest, number: int) -> HttpResponse:
    one, enabled = get_object_or_404(Channel, pk=number), request.POST.get("enabled") == "true"
    if one.enabled != enabled:
        one.enabled = enabled
        channels.save(one, request.user)
    messages.success(request, f"{one.name} is {'enabled' if one.enabled else 'disabled'}.")
    return redirect("notifications")


@guarded(get=None, post=CHANGE)
def delete_channel(request: PanelRequest, number: int) -> HttpResponse:
    one = get_object_or_404(Channel, pk=number)
    delete_as(one, request.user, "")
    messages.success(request, f"{one.name} is deleted.")
    return redirect("notifications")
