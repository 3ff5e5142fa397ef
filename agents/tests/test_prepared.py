"""Queries whose SQL is made once give what the same queries give that are made each time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import AuditEntry, Settings
from agents.prepared import Prepared

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def test_rows_and_values_are_those_of_the_query_with_the_parameters_of_each_call() -> None:
    for day, by in enumerate(("ann", "bob", "bob")):
        AuditEntry.record(AuditEntry.Action.PAUSE, f"{day}", by=by, now=NOW + timedelta(days=day), seconds=day)
    rows = Prepared(lambda by, since: AuditEntry.objects.filter(by=by, at__gte=since).order_by("-id"), "a name", NOW)
    details = Prepared(lambda by: AuditEntry.objects.filter(by=by).order_by("id").values_list("detail", "at"), "a name")
    for by, since in (("ann", NOW), ("bob", NOW), ("bob", NOW + timedelta(days=2)), ("eve", NOW)):
        assert rows(by, since) == list(AuditEntry.objects.filter(by=by, at__gte=since).order_by("-id"))
        assert details(by) == list(AuditEntry.objects.filter(by=by).order_by("id").values_list("detail", "at"))
    assert [row.seconds for row in rows("bob", NOW)] == [2.0, 1.0]


def test_columns_have_the_types_of_their_fields() -> None:
    Settings(id=1, backoff_seconds=[1, 2], fetch_pages=True).save()
    (row,) = Prepared(lambda: Settings.objects.filter(id=1))()
    assert (row.backoff_seconds, row.fetch_pages) == ([1, 2], True)
    row.sure_from = 0.5
    row.save()
    assert Settings.current().sure_from == 0.5
