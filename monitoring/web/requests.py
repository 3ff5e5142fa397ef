"""Requests as the panel's middleware completes them."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class VisitorRequest(HttpRequest):
    htmx: HtmxDetails


class PanelRequest(VisitorRequest):
    user: User
