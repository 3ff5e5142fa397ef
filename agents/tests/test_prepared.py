"""Queries whose SQL is compiled once have the same results as ordinary ones."""

import uuid
from datetime import timedelta
from ipaddress import IPv4Address, ip_address

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Account, AuditEntry, Caller, LLMAttempt, Settings, Task
from agents.policy.reasons import Purpose
from agents.prepared import Prepared, PreparedInsert, PreparedSave, PreparedUpdate

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


def test_joined_rows_are_read_where_the_query_selects_them(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    account, times = (
        Account.objects.create(name="one", price_overrides={"m": [1, 2]}),
        dict.fromkeys(("decided_at", "slot_at", "cut_off_at"), NOW),
    )
    made = [LLMAttempt.objects.create(account=account, purpose=Purpose.PROBE, number=1, model="m", **times) for _ in range(2)]
    by_uid = Prepared(lambda uid: LLMAttempt.objects.select_related("account", "step__task").filter(uid=uid), uuid.UUID(int=7))
    by_uid(made[0].uid)
    with django_assert_num_queries(1):
        (row_read,) = by_uid(made[1].uid)
        assert (row_read, row_read.account, row_read.step) == (made[1], account, None)
        assert row_read.account.price_overrides == {"m": [1, 2]}
    assert by_uid(uuid.uuid4()) == []


def test_inserted_rows_are_those_that_a_save_makes_and_an_existing_one_stays() -> None:
    insert, once = PreparedInsert(AuditEntry), PreparedInsert(Task, once="fingerprint")
    for by in ("ann", "bob"):
        row = insert(AuditEntry(action=AuditEntry.Action.PAUSE, detail="x", by=by, at=NOW, seconds=1))
        row_read = AuditEntry.objects.get(by=by)
        assert (row_read, row_read.at, row_read.seconds) == (row, NOW, 1.0)
    tasks = [once(Task(fingerprint=f, key=f"key {n}", source="test", created_at=NOW)) for n, f in enumerate("aba")]
    assert tasks[0].pk == tasks[2].pk != tasks[1].pk
    assert [task.key for task in Task.objects.order_by("pk")] == ["key 0", "key 1"]


def test_an_update_changes_the_rows_of_each_call_and_counts_them() -> None:
    for address in ("192.0.2.1", "2001:db8::1"):
        Caller.objects.create(address=address, first_seen_at=NOW, last_seen_at=NOW)
    count = PreparedUpdate(
        lambda address, more, seen: (Caller.objects.filter(address=str(address)), {"steps": F("steps") + more, "last_seen_at": seen}),
        *(IPv4Address("192.0.2.77"), -7, NOW),
    )
    later = NOW + timedelta(hours=1)
    calls = [("2001:db8::1", 2), ("2001:db8::1", 3), ("192.0.2.2", 9)]
    assert [count(ip_address(address), more, later) for address, more in calls] == [1, 1, 0]
    assert list(Caller.objects.order_by("pk").values_list("steps", "last_seen_at")) == [(0, NOW), (5, later)]


def test_a_saved_row_has_the_new_values_and_a_deleted_one_is_not_created() -> None:
    save, row = PreparedSave(Task), Task.objects.create(fingerprint="a", key="one", source="test", created_at=NOW)
    row.key, row.caller = "two", "2001:db8::1"
    assert save(row)
    row_read = Task.objects.get()
    assert (row_read.key, row_read.caller, row_read.created_at) == ("two", "2001:db8::1", NOW)
    Task.objects.all().delete()
    assert not save(row)
    assert not Task.objects.exists()
