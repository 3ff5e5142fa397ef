"""Requests as the panel's middleware completes them."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class VisitorRequest(HttpRequest):
    """A request of anybody."""

    htmx: HtmxDetails


class PanelRequest(VisitorRequest):
    """A request of a user that the guard has let in."""

    user: User
