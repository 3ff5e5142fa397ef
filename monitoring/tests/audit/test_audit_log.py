"""Audit: actions and changes of users, and actions of the miner, from all histories."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from agents.configuration import change, default_account
from agents.configuration.account_changes import add_account
from agents.ledger import actions
from agents.models import AuditEntry, Settings
from monitoring.audit.audit_log import AuditQuery, entries
from monitoring.reporting.pagination import Place
from monitoring.retention.pruning import change_retention
from monitoring.tests.reading import rows_of, text_of, tree_of
from monitoring.tests.retention.test_retention import make_event

pytestmark = pytest.mark.django_db


def fill() -> User:
    """One entry of each source."""
    ada, now = User.objects.create_user("ada"), timezone.now()
    change({"spacing_seconds": 7}, by=ada, reason="Quiet hours")
    add_account("spare", {}, key="cpk_a-key-that-nobody-may-see", by=ada, reason="")
    change_retention({"logs": {"days": 5}}, by=ada, reason="")
    actions.pause(default_account(), 60, by="bob", now=now.timestamp())
    AuditEntry.record(AuditEntry.Action.LOGIN, "From 203.0.113.7.", by="ada", now=now)
    make_event(started_at=now, block_started_at=now)
    return ada


def listed(client: Client, query: str = "") -> list[str]:
    return rows_of(client.get(f"/audit/{query}"))


def test_every_source_is_listed_with_user_action_and_subject(viewer: Client) -> None:
    fill()
    page = " | ".join(listed(viewer))
    for part in ("ada Settings Spacing 5 s → 7 s Quiet hours", "ada Account spare Added", "ada Retention Log records kept, days 30 → 5"):
        assert part in page
    for part in ("bob Pause default For 1 min.", "ada Log-in From 203.0.113.7.", "The machine Paused by a refusal default"):
        assert part in page
    assert "nobody-may-see" not in page
    addresses = set(tree_of(viewer.get("/audit/")).xpath("//tbody//a/@href"))
    assert {"/settings/", "/settings/retention/", f"/settings/accounts/{default_account().pk}/"} <= addresses
    assert all(viewer.get(address).status_code == 200 for address in addresses)


def test_the_address_filters(viewer: Client) -> None:
    fill()
    rows = [
        ("?who=ada", 5),
        ("?who=:machine", 1),
        ("?who=:outside", 1),
        ("?what=account", 3),
        ("?what=pauses", 1),
        ("?what=login", 1),
        ("?account=default", 1),
        ("?range=1h", 8),
        ("?until=2020-01-01T00:00", 0),
        ("?who=ada&what=settings", 1),
    ]
    failures = []
    for query, count in rows:
        entries = listed(viewer, query.replace("account=default", f"what=account&account={default_account().pk}"))
        if len(entries) != count:
            failures.append((query, entries))
    assert failures == []


def test_an_account_is_followed_through_all_sources(viewer: Client) -> None:
    fill()
    assert len(listed(viewer, f"?account={default_account().pk}")) == 3


def test_an_invalid_value_is_reported_and_not_applied(viewer: Client) -> None:
    fill()
    response = viewer.get("/audit/?account=none&since=yesterday")
    assert "Account is not applied" in text_of(response) and "From is not applied" in text_of(response)
    assert len(rows_of(response)) == 8


def test_a_command_outside_the_panel_is_labelled(viewer: Client) -> None:
    change({"spacing_seconds": 2}, by=None, reason="miner_settings")
    assert "Outside the panel Settings Spacing 5 s → 2 s miner_settings" in listed(viewer)[0]


def test_paging_over_all_sources_has_each_entry_once_even_at_equal_times() -> None:
    now = timezone.now()
    for number in range(7):
        AuditEntry.record(AuditEntry.Action.LOGIN, str(number), by="ada", now=now)
        change({"spacing_seconds": number + 10}, by=None, reason="")
        make_event(started_at=now, block_started_at=now)
    Settings.history.update(history_date=now)
    AuditEntry.record(AuditEntry.Action.LOGIN, "old", by="ada", now=now - timedelta(days=1))
    whole = [entry.id for entry in entries(AuditQuery(), Place(), 100).rows]
    assert len(set(whole)) == 23
    place, seen, pages = Place(), list[int](), list[list[int]]()
    while True:
        page = entries(AuditQuery(), place, 4)
        pages.append([entry.id for entry in page.rows])
        seen += pages[-1]
        if page.older is None:
            break
        place = Place(older=page.older)
    assert seen == whole
    while page.newer is not None:
        pages.pop()
        page = entries(AuditQuery(), Place(newer=page.newer), 4)
        assert [entry.id for entry in page.rows] == pages[-1]
    assert len(pages) == 1


@pytest.mark.long
def test_a_full_page_costs_as_many_queries_as_an_empty_one(viewer: Client, django_assert_num_queries: Callable[..., Any]) -> None:
    fill()
    change({"spacing_seconds": 8}, by=None, reason="")  # a change that has a previous one, which is queried
    viewer.get("/audit/")
    with django_assert_num_queries(18) as few:
        viewer.get("/audit/")
    for number in range(60):
        change({"spacing_seconds": number + 10}, by=None, reason="")
        AuditEntry.record(AuditEntry.Action.LOGIN, "", by="ada", now=timezone.now())
    with django_assert_num_queries(len(few)):
        viewer.get("/audit/")


def test_the_export_holds_all_that_matches_and_no_formulas(viewer: Client) -> None:
    fill()
    AuditEntry.record(AuditEntry.Action.LOGIN, "=HYPERLINK(1)", by="ada", now=timezone.now())
    for number in range(60):
        change({"spacing_seconds": number + 10}, by=None, reason="")
    response = viewer.get("/audit/export/")
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 69
    assert "'=HYPERLINK(1)" in {row["details"] for row in rows}
    assert "nobody-may-see" not in text
    only = b"".join(viewer.get("/audit/export/?what=account").streaming_content).decode()  # type: ignore[attr-defined]
    assert len(only.splitlines()) == 4


def test_log_ins_and_failed_ones_are_on_record_without_the_password(client: Client) -> None:
    User.objects.create_user("ada", password="the-right-one")
    client.post("/login/", {"username": "ada", "password": "a-wrong-one"})
    client.post("/login/", {"username": "my-password-in-the-wrong-field", "password": "x"})
    client.post("/login/", {"username": "ada", "password": "the-right-one"})
    entries = list(AuditEntry.objects.order_by("id").values_list("action", "by", "detail"))
    result = "From 127.0.0.1."
    assert entries == [
        ("login_failed", "ada", result),
        ("login_failed", "(unknown name)", result),
        ("login", "ada", f"By password. {result}"),
    ]
