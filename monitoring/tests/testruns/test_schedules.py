"""Scheduled tests: created once, executed once, never lost, missed ones made up as one; admins' edits are recorded."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.operator_jobs import leased_job
from agents.tests.queue_of_jobs import work
from monitoring.audit.audit_log import newest_entries
from monitoring.models import TestRun, TestSchedule
from monitoring.testruns.suites import schedules
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import NOW
from monitoring.tests.status_records import make_open_run, make_schedule

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
    assert TestSchedule.objects.filter(due_at__gt=timezone.now()).count() == 3


def test_a_deleted_schedule_stays_away() -> None:
    schedules.ensure()
    TestSchedule.objects.filter(name="Live test").delete()
    schedules.ensure()
    assert set(TestSchedule.objects.values_list("name", flat=True)) == {"Key check", "Full suite"}


def run_due() -> list[TestRun]:
    """Runs a worker's round and its jobs; returns the started runs."""
    before = set(TestRun.objects.values_list("pk", flat=True))
    leased_job.dispatch(timezone.now())
    for schedule in TestSchedule.objects.filter(enqueued_at__isnull=False).order_by("due_at", "pk"):
        work(schedule)
    return list(TestRun.objects.exclude(pk__in=before))


def make_due(**more: Any) -> TestSchedule:
    return make_schedule(**{"due_at": timezone.now() - timedelta(days=3), **more})


def test_when_its_time_has_come_one_run_starts_however_many_were_missed() -> None:
    schedule, before = make_due(), timezone.now()
    (run,) = run_due()
    assert (run.suites, run.trigger, run.requested_by) == (["key"], "schedule", "Each hour")
    schedule.refresh_from_db()
    assert schedule.last_run_at and schedule.due_at
    assert schedule.last_run_at >= before and schedule.due_at > timezone.now()
    leased_job.cancel(run)
    assert run_due() == []


def test_no_run_starts_before_its_time() -> None:
    make_schedule(due_at=timezone.now() + timedelta(seconds=30))
    assert run_due() == []


def test_while_another_run_is_under_way_it_waits_and_is_not_lost() -> None:
    schedule, other = make_due(), make_open_run()
    assert run_due() == []
    schedule.refresh_from_db()
    assert schedule.last_run_at is None
    leased_job.cancel(other)
    TestSchedule.objects.update(due_at=timezone.now())
    assert len(run_due()) == 1


def test_two_that_are_due_run_one_after_the_other() -> None:
    make_due()
    make_due(name="Another", suites=["api"])
    (first,) = run_due()
    leased_job.cancel(first)
    TestSchedule.objects.filter(last_run_at=None).update(due_at=timezone.now())
    (second,) = run_due()
    assert (first.suites, second.suites) == (["key"], ["api"])


def test_one_that_is_switched_off_does_not_run() -> None:
    make_due(enabled=False)
    assert run_due() == []
    assert schedules.next_schedules(3) == []


def test_the_soonest_are_the_next_ones() -> None:
    for number, name in enumerate(("third", "second", "first", "fourth")):
        make_schedule(name=name, due_at=DUE + timedelta(minutes=[3, 2, 1, 4][number]))
    make_schedule(name="switched off", due_at=DUE, enabled=False)
    assert [schedule.name for schedule in schedules.next_schedules(3)] == ["first", "second", "third"]


def changes() -> list[str]:
    """The admin's changes, newest first."""
    entries = newest_entries(kinds=("schedule",), who="one-of-admins")
    return [f"{entry.subject}: {', '.join(map(str, entry.facts))}" for entry in entries]


def test_an_admin_adds_a_schedule(admin: Client) -> None:
    assert admin.post("/tests/schedules/new/", POSTED)["Location"] == "/tests/#schedules"
    made = TestSchedule.objects.get()
    assert (made.suites, made.cron, made.enabled) == (["key", "logs"], "30 4 * * *", True)
    assert made.due_at is not None
    assert made.due_at.strftime("%H:%M") == "04:30"
    (entry,) = newest_entries(kinds=("schedule",))
    assert (entry.who, entry.subject) == ("one-of-admins", "Each morning")
    assert [str(fact) for fact in entry.facts] == ["Added", "Cron 30 4 * * *", "Tests Direct key test, Log analysis"]
    page = text_of(admin.get("/tests/"), "//section[@id='schedules']")
    assert "Each morning Direct key test, Log analysis At 04:30, UTC 30 4 * * *" in page
    assert "one-of-admins Test schedule Each morning Added" in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cron": "soon"}, "cron: must have five fields"),
        ({"cron": "0 0 30 2 *"}, "cron: “0 0 30 2 *” is not a valid time"),
        ({"suites": []}, "tests: choose at least one."),
        ({"name": "Each hour"}, "name: another schedule has it."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_an_invalid_schedule_is_reported_and_not_saved(change: dict[str, Any], message: str, admin: Client) -> None:
    make_schedule()
    assert message in text_of(admin.post("/tests/schedules/new/", {**POSTED, **change}))
    assert TestSchedule.objects.count() == 1
    assert changes() == []


def test_an_admin_changes_its_times_and_the_next_run_counts_anew(admin: Client) -> None:
    schedule = make_schedule()
    admin.post(f"/tests/schedules/{schedule.pk}/", {**POSTED, "name": "Each hour", "suites": ["key"]})
    schedule.refresh_from_db()
    assert schedule.due_at is not None
    assert schedule.due_at > timezone.now()
    assert changes() == ["Each hour: Cron 7 * * * * → 30 4 * * *"]


def test_saving_without_a_change_leaves_no_trace(admin: Client) -> None:
    schedule = make_schedule()
    admin.post(f"/tests/schedules/{schedule.pk}/", {"name": "Each hour", "suites": ["key"], "cron": "7 * * * *", "enabled": "on"})
    schedule.refresh_from_db()
    assert schedule.due_at == DUE
    assert changes() == []


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
        assert (schedule.due_at is None) == (next_run is None)
    assert schedule.due_at is not None
    assert schedule.due_at > timezone.now()
    assert changes() == ["Each hour: Enabled no → yes", "Each hour: Enabled yes → no"]


def test_an_admin_deletes_it(admin: Client) -> None:
    schedule = make_schedule()
    admin.post(f"/tests/schedules/{schedule.pk}/delete/")
    assert not TestSchedule.objects.exists()
    assert changes() == ["Each hour: Deleted"]
    assert admin.post(f"/tests/schedules/{schedule.pk}/switch/").status_code == 404


def test_a_user_without_permission_sees_schedules_without_actions(viewer: Client, operator: Client) -> None:
    make_schedule()
    for client in (viewer, operator):
        section = tree_of(client.get("/tests/")).xpath("//section[@id='schedules']")[0]
        assert "Each hour" in " ".join(section.itertext())
        assert section.xpath(".//button | .//a | .//form") == []


def test_without_a_schedule_the_page_recommends_one(viewer: Client) -> None:
    assert "No test is scheduled." in text_of(viewer.get("/tests/"), "//section[@id='schedules']")


def test_the_next_run_is_shown_in_utc_for_the_browser_to_convert(viewer: Client) -> None:
    make_schedule()
    (time,) = tree_of(viewer.get("/tests/")).xpath("//section[@id='schedules']/table//time")
    assert (time.get("datetime"), time.get("title")) == ("2026-05-04T12:07:00.000Z", "4 May 2026 12:07:00 UTC")
