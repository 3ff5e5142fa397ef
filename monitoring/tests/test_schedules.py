"""Tests by the clock: made once, carried out once, never lost, caught up as one; edited by admins with a trace."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from agents.models import AuditEntry
from monitoring import jobs
from monitoring import schedules as panel_schedules
from monitoring.models import TestRun, TestSchedule
from monitoring.stats.schedules import next_schedules
from monitoring.suites import running, schedules
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import NOW
from monitoring.tests.watched import make_open_run, make_schedule

pytestmark = pytest.mark.django_db

DUE = NOW + timedelta(minutes=7)
POSTED = {"name": "Each morning", "suites": ["key", "logs"], "cron": "30 4 * * *", "enabled": "on"}


def test_a_new_panel_has_three_schedules_with_their_next_runs() -> None:
    schedules.ensure()
    made = {row.name: (row.suites, row.cron, row.enabled) for row in TestSchedule.objects.all()}
    assert made == {
        "Key check": (["key"], "7 * * * *", True),
        "Live test": (["api"], "23 */6 * * *", True),
        "Full suite": (["key", "api", "logs"], "41 3 * * *", True),
    }
    assert TestSchedule.objects.filter(next_run_at__gt=timezone.now()).count() == 3


def test_a_new_panel_deletes_what_is_old_by_the_clock() -> None:
    panel_schedules.ensure()
    panel_schedules.ensure()
    assert Schedule.objects.filter(func="monitoring.jobs.prune").count() == 1
    assert TestSchedule.objects.count() == 3


def test_a_deleted_schedule_stays_away() -> None:
    schedules.ensure()
    TestSchedule.objects.filter(name="Live test").delete()
    schedules.ensure()
    assert set(TestSchedule.objects.values_list("name", flat=True)) == {"Key check", "Full suite"}


def test_when_its_time_has_come_a_run_is_asked_for_once() -> None:
    schedule = make_schedule()
    assert schedules.ask_due(DUE - timedelta(seconds=1)) == []
    (run,) = schedules.ask_due(DUE)
    assert (run.suites, run.trigger, run.asked_by) == (["key"], "schedule", "Each hour")
    assert OrmQ.objects.count() == 1
    schedule.refresh_from_db()
    assert (schedule.last_run_at, schedule.next_run_at) == (DUE, datetime(2026, 5, 4, 13, 7, tzinfo=UTC))
    running.cancel(run)
    assert schedules.ask_due(DUE + timedelta(seconds=5)) == []


def test_many_missed_times_are_one_run() -> None:
    make_schedule()
    (run,) = schedules.ask_due(DUE + timedelta(days=3))
    running.cancel(run)
    assert schedules.ask_due(DUE + timedelta(days=3, seconds=5)) == []


def test_while_another_run_is_under_way_it_waits_and_is_not_lost() -> None:
    schedule, other = make_schedule(), make_open_run()
    assert schedules.ask_due(DUE) == []
    schedule.refresh_from_db()
    assert (schedule.last_run_at, schedule.next_run_at) == (None, DUE)
    running.cancel(other)
    assert len(schedules.ask_due(DUE + timedelta(seconds=5))) == 1


def test_two_that_are_due_run_one_after_the_other() -> None:
    make_schedule()
    make_schedule(name="Another", suites=["api"])
    (first,) = schedules.ask_due(DUE)
    running.cancel(first)
    (second,) = schedules.ask_due(DUE + timedelta(seconds=5))
    assert (first.suites, second.suites) == (["key"], ["api"])


def test_one_that_is_switched_off_does_not_run() -> None:
    make_schedule(enabled=False)
    assert schedules.ask_due(DUE) == []
    assert next_schedules(3) == []


def test_the_soonest_are_the_next_ones() -> None:
    for number, name in enumerate(("third", "second", "first", "fourth")):
        make_schedule(name=name, next_run_at=DUE + timedelta(minutes=[3, 2, 1, 4][number]))
    make_schedule(name="switched off", next_run_at=DUE, enabled=False)
    assert [schedule.name for schedule in next_schedules(3)] == ["first", "second", "third"]


def test_the_watch_carries_schedules_out() -> None:
    make_schedule(next_run_at=timezone.now() - timedelta(seconds=1))
    jobs.watch()
    assert TestRun.objects.get().trigger == "schedule"


@pytest.mark.django_db(transaction=True)
def test_two_watchers_at_once_ask_for_one_run() -> None:
    make_schedule()
    start, asked = threading.Barrier(2), list[TestRun]()

    def watch() -> None:
        start.wait()
        asked.extend(schedules.ask_due(DUE))
        connection.close()

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join()
    assert (len(asked), TestRun.objects.count(), OrmQ.objects.count()) == (1, 1, 1)


def test_who_read_it_before_another_watcher_moved_it_asks_for_nothing() -> None:
    as_read = make_schedule()
    (run,) = schedules.ask_due(DUE)
    running.cancel(run)
    assert schedules._ask(as_read, DUE) is None


def test_an_admin_adds_a_schedule(admin: Client) -> None:
    assert admin.post("/tests/schedules/new/", POSTED)["Location"] == "/tests/#schedules"
    made = TestSchedule.objects.get()
    assert (made.suites, made.cron, made.enabled) == (["key", "logs"], "30 4 * * *", True)
    assert made.next_run_at is not None
    assert made.next_run_at.strftime("%H:%M") == "04:30"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.by) == ("schedule", "one-of-admins")
    assert entry.detail == "Added the schedule “Each morning”: tests Direct key test, Log analysis, cron 30 4 * * *, enabled yes."
    page = text_of(admin.get("/tests/"), "//section[@id='schedules']")
    assert "Each morning Direct key test, Log analysis At 04:30, UTC 30 4 * * *" in page
    assert "one-of-admins · Added the schedule “Each morning”" in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cron": "soon"}, "cron: five fields are wanted"),
        ({"cron": "0 0 30 2 *"}, "cron: “0 0 30 2 *” is no time that comes"),
        ({"suites": []}, "tests: choose at least one."),
        ({"name": "Each hour"}, "name: another schedule has it."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_what_can_not_be_a_schedule_is_named_and_nothing_is_saved(change: dict[str, Any], said: str, admin: Client) -> None:
    make_schedule()
    assert said in text_of(admin.post("/tests/schedules/new/", {**POSTED, **change}))
    assert TestSchedule.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_an_admin_changes_its_times_and_the_next_run_counts_anew(admin: Client) -> None:
    schedule = make_schedule()
    admin.post(f"/tests/schedules/{schedule.pk}/", {**POSTED, "name": "Each hour", "suites": ["key"]})
    schedule.refresh_from_db()
    assert schedule.next_run_at is not None
    assert schedule.next_run_at > timezone.now()
    assert AuditEntry.objects.get().detail == "Changed the schedule “Each hour”: cron 7 * * * * → 30 4 * * *."


def test_saving_without_a_change_leaves_no_trace(admin: Client) -> None:
    schedule = make_schedule()
    admin.post(f"/tests/schedules/{schedule.pk}/", {"name": "Each hour", "suites": ["key"], "cron": "7 * * * *", "enabled": "on"})
    schedule.refresh_from_db()
    assert schedule.next_run_at == DUE
    assert not AuditEntry.objects.exists()


def test_its_form_shows_it_as_it_is(admin: Client) -> None:
    tree = tree_of(admin.get(f"/tests/schedules/{make_schedule().pk}/"))
    assert tree.xpath("//input[@name='cron']/@value") == ["7 * * * *"]
    assert tree.xpath("//input[@name='suites'][@checked]/@value") == ["key"]
    assert tree.xpath("//input[@name='enabled'][@checked]")


def test_an_admin_switches_it_off_and_on(admin: Client) -> None:
    schedule = make_schedule()
    for posted, next_run in (("false", None), ("true", timezone.now())):
        assert admin.post(f"/tests/schedules/{schedule.pk}/switch/", {"enabled": posted})["Location"] == "/tests/#schedules"
        schedule.refresh_from_db()
        assert schedule.enabled == (posted == "true")
        assert (schedule.next_run_at is None) == (next_run is None)
    assert schedule.next_run_at is not None
    assert schedule.next_run_at > timezone.now()
    assert AuditEntry.objects.order_by("id").values_list("detail", flat=True)[0] == "Changed the schedule “Each hour”: enabled yes → no."


def test_an_admin_deletes_it(admin: Client) -> None:
    schedule = make_schedule()
    admin.post(f"/tests/schedules/{schedule.pk}/delete/")
    assert not TestSchedule.objects.exists()
    assert AuditEntry.objects.get().detail.startswith("Deleted the schedule “Each hour”")
    assert admin.post(f"/tests/schedules/{schedule.pk}/switch/").status_code == 404


def test_who_may_not_change_settings_sees_schedules_without_actions(viewer: Client, operator: Client) -> None:
    make_schedule()
    for client in (viewer, operator):
        section = tree_of(client.get("/tests/")).xpath("//section[@id='schedules']")[0]
        assert "Each hour" in " ".join(section.itertext())
        assert section.xpath(".//button | .//a | .//form") == []


def test_without_a_schedule_the_page_says_what_is_missing(viewer: Client) -> None:
    assert "No test runs by itself." in text_of(viewer.get("/tests/"), "//section[@id='schedules']")


def test_the_next_run_is_shown_in_utc_for_the_browser_to_convert(viewer: Client) -> None:
    make_schedule()
    (time,) = tree_of(viewer.get("/tests/")).xpath("//section[@id='schedules']//time")
    assert (time.get("datetime"), time.get("title")) == ("2026-05-04T12:07:00.000Z", "4 May 2026 12:07:00 UTC")
