"""What operators did to accounts."""

from __future__ import annotations

from django.db.models import QuerySet

from agents.models import AuditEntry

SHOWN = 20


def newest_actions() -> QuerySet[AuditEntry]:
    """The newest words of operators to accounts, newest first."""
    return AuditEntry.objects.filter(account__isnull=False).select_related("account").order_by("-at", "-id")[:SHOWN]
