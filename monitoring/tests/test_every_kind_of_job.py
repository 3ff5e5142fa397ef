"""Every kind of job survives its worker's death, is cancelled if it can be, and is shown as waiting, running or failed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from agents.configuration import default_account
from agents.models import AccountJob, LeasedJob, Replay, Schedule, Submission, SystemSchedule, WhatIf
from agents.operator_jobs import leased_job
from agents.operator_jobs.leased_job import LOST, Outcome
from agents.tests.queue_of_jobs import work
from monitoring.models import Delivery, JournalImport, TestRun, TestSchedule
from monitoring.tests.reading import text_of
from monitoring.tests.records import make_channel, make_notice, make_step, make_task

pytestmark = pytest.mark.django_db(transaction=True)

State = LeasedJob.State
FIELDS: dict[type[LeasedJob], Callable[[], dict[str, Any]]] = {
    AccountJob: lambda: {"account": default_account(), "kind": "probe"},
    Delivery: lambda: {"notice": make_notice(), "channel": make_channel()},
    JournalImport: lambda: {"name": "miner.log"},
    Replay: lambda: {"step": make_step()},
    Submission: lambda: {"task": make_task()},
    SystemSchedule: lambda: {"name": "Read model lists", "when": "every 3600 s"},
    TestRun: lambda: {"suites": ["key"], "trigger": "operator"},
    TestSchedule: lambda: {"name": "Each hour", "suites": ["key"], "cron": "7 * * * *"},
    WhatIf: lambda: {"hours": 1},
}
ALONE = {AccountJob, Replay}  # a second try could be charged twice


def test_this_list_has_every_kind() -> None:
    assert set(FIELDS) == set(leased_job.kinds())


@pytest.fixture(params=FIELDS, ids=lambda kind: kind.__name__)
def job(request: pytest.FixtureRequest) -> LeasedJob:
    """A job of each kind, queued."""
    kind: type[LeasedJob] = request.param
    return leased_job.start(kind, requested_by="ann", **FIELDS[kind]())[0]


def killed(job: LeasedJob) -> None:
    """A worker took it, was killed, and the lease is over."""
    assert leased_job.claim(type(job), job.pk)
    OrmQ.objects.all().delete()
    leased_job.dispatch(timezone.now() + leased_job.LEASE - timedelta(seconds=5))
    job.refresh_from_db()
    assert (job.state, OrmQ.objects.count()) == (State.RUNNING, 0), "no worker takes it while the lease runs"
    leased_job.dispatch(timezone.now() + leased_job.LEASE + timedelta(seconds=5))
    job.refresh_from_db()


def test_it_is_done_again_after_its_worker_was_killed_or_has_failed_with_the_reason(
    job: LeasedJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(job)
    if type(job) in ALONE:
        assert (job.state, job.fault, OrmQ.objects.count()) == (State.FAILED, LOST, 0)
        return
    assert (job.state, OrmQ.objects.count()) == (State.QUEUED, 1)
    monkeypatch.setattr(job.work, lambda _: Outcome())
    assert work(job)
    assert (job.state, job.tries) == (State.SUCCEEDED, 2)


def test_a_kind_that_kills_its_workers_is_given_up_unless_it_is_a_schedule(job: LeasedJob) -> None:
    for _ in range(job.most_tries if job.most_tries < 100 else 5):
        assert job.state == State.QUEUED
        killed(job)
    assert job.state == (State.QUEUED if isinstance(job, Schedule) else State.FAILED)


def test_a_waiting_job_is_cancelled_and_a_running_one_if_it_can_stop(job: LeasedJob, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled_meanwhile(running: LeasedJob) -> Outcome:
        assert leased_job.cancel(running) == job.stops_when_cancelled
        return Outcome()

    monkeypatch.setattr(job.work, cancelled_meanwhile)
    assert work(job) != job.stops_when_cancelled
    assert job.state == (State.CANCELLED if job.stops_when_cancelled else State.SUCCEEDED)
    assert not leased_job.cancel(job), "it is over"
    again = type(job).objects.filter(pk=job.pk)  # type: ignore[attr-defined] # every kind is a concrete model
    again.update(state=State.QUEUED, ended_at=None)
    assert leased_job.cancel(job)
    assert not work(job)


@pytest.mark.parametrize(("state", "label"), [("queued", "Waiting"), ("running", "Running"), ("failed", "Failed")])
def test_health_shows_it_as_waiting_running_or_failed(state: str, label: str, job: LeasedJob, viewer: Client) -> None:
    values = {"state": state, "fault": "The key is wrong.", "ended_at": timezone.now()} if state == "failed" else {"state": state}
    if isinstance(job, Schedule) and state == "failed":
        values["state"] = "queued"  # it waits for its next run
    type(job).objects.filter(pk=job.pk).update(**values)  # type: ignore[attr-defined] # every kind is a concrete model
    section = "periodic" if isinstance(job, Schedule) else "jobs"
    shown = text_of(viewer.get("/components/"), f"//section[@id='{section}']")
    assert str(job) in shown and label in shown
    assert ("The key is wrong." in shown) == (state == "failed")
