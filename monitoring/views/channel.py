"""A channel of notifications: added, changed, tested, switched, deleted by admins."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.access import CHANGE, guarded
from monitoring.channel_form import ChannelForm
from monitoring.models import Channel
from monitoring.notices import channels
from monitoring.pages import page
from monitoring.requests import PanelRequest


@page("channel", get=CHANGE, post=CHANGE)
def new_channel(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """A form for a channel; a POST adds it."""
    return _edited(request, Channel())


@page("channel", get=CHANGE, post=CHANGE)
def channel(request: PanelRequest, number: int) -> HttpResponse | dict[str, Any]:
    """The form of a channel; a POST changes it."""
    return _edited(request, get_object_or_404(Channel, pk=number))


@guarded(get=None, post=CHANGE)
def test_channel(request: PanelRequest, number: int) -> HttpResponse:
    """Send a test message."""
    one = get_object_or_404(Channel, pk=number)
    channels.send_test(one, by=request.user.get_username(), now=timezone.now())
    messages.success(request, _("A test goes to {name}. How it ends is shown at the channel, and here below.").format(name=one.name))
    return redirect("notifications")


@guarded(get=None, post=CHANGE)
def switch_channel(request: PanelRequest, number: int) -> HttpResponse:
    """Enable or disable a channel, as `enabled` says: true or anything else."""
    one = get_object_or_404(Channel, pk=number)
    channels.switch(one, on=request.POST.get("enabled") == "true", by=request.user.get_username(), now=timezone.now())
    messages.success(request, (_("{name} is enabled.") if one.enabled else _("{name} is disabled.")).format(name=one.name))
    return redirect("notifications")


@guarded(get=None, post=CHANGE)
def delete_channel(request: PanelRequest, number: int) -> HttpResponse:
    """Delete a channel with its history of deliveries."""
    one = get_object_or_404(Channel, pk=number)
    channels.delete(one, by=request.user.get_username(), now=timezone.now())
    messages.success(request, _("{name} is deleted.").format(name=one.name))
    return redirect("notifications")


def _edited(request: PanelRequest, one: Channel) -> HttpResponse | dict[str, Any]:
    name = one.name
    form = ChannelForm(one, request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user.get_username(), timezone.now()):
        messages.success(request, _("{name} is saved. Send a test to see whether messages arrive.").format(name=one.name))
        return redirect("notifications")
    return {"form": form, "channel": one, "name": name}
