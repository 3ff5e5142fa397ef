"""The mechanism of jobs: claimed once, renewed, requeued, and never stored by a worker that lost its claim."""

import os
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.models import OrmQ

from agents.models import SystemSchedule, WhatIf
from agents.operator_jobs import leased_job
from agents.operator_jobs.leased_job import JobFailed, LeaseLost, Outcome
from agents.tests.queue_of_jobs import queued, work
from agents.worker import heartbeat

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
State = WhatIf.State
PATIENCE = 90.0


def started(**fields: Any) -> WhatIf:
    return leased_job.start(WhatIf, requested_by="ann", **fields)[0]


def in_threads(count: int, work: Callable[[], T]) -> list[T]:
    begin = threading.Barrier(count)

    def run(_: int) -> T:
        begin.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def wait_until(condition: Callable[[], Any]) -> None:
    over = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < over
        time.sleep(0.01)


def does(monkeypatch: pytest.MonkeyPatch, work: Callable[[WhatIf], Outcome | None]) -> None:
    """Replaces the work of a what-if."""
    monkeypatch.setattr("agents.operator_jobs.what_if.simulate", work)


def test_a_job_is_queued_with_its_key_alone_and_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    does(monkeypatch, lambda _: Outcome({"progress": 100}))
    job = started(settings={"secret": "page"})
    assert queued() == [f"agents.operator_jobs.leased_job.run('agents.WhatIf', {job.pk})"]
    assert [work(job), work(job)] == [True, False]
    assert (job.state, job.progress, job.tries, job.lease_until, job.claim) == (State.SUCCEEDED, 100, 1, None, None)
    assert job.started_at and job.ended_at


def test_a_deleted_job_is_not_run() -> None:
    assert not leased_job.run("agents.WhatIf", 7)


def test_a_job_that_several_workers_claim_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    does(monkeypatch, lambda _: None)
    job = started()
    assert sorted(in_threads(4, lambda: leased_job.run("agents.WhatIf", job.pk))) == [False, False, False, True]


def test_many_simultaneous_starts_of_a_single_job_get_the_same_job() -> None:
    jobs = in_threads(4, started)
    assert len({job.pk for job in jobs}) == 1
    assert (WhatIf.objects.count(), OrmQ.objects.count()) == (1, 1)
    WhatIf.objects.update(state=State.SUCCEEDED)
    assert started().pk != jobs[0].pk


def test_the_lease_is_renewed_while_the_job_runs_and_the_watchdog_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leased_job, "RENEW_SECONDS", 0.01)
    leases, signs, worker = set[datetime | None](), set[datetime | None](), heartbeat.worker_name(os.getsid(0))

    def long(_: WhatIf) -> None:
        while len(leases) < 3 or len(signs) < 3:
            leases.add(WhatIf.objects.get().lease_until)
            signs.add(leased_job.newest_renewal(worker))

    does(monkeypatch, long)
    began = timezone.now()
    assert work(started())
    assert min(lease for lease in leases if lease) >= began + leased_job.LEASE
    assert min(sign for sign in signs if sign) >= began
    assert leased_job.newest_renewal(worker) is None
    assert leased_job.newest_renewal(heartbeat.worker_name(1)) is None, "another cluster's job is not a sign of life of this one"
    assert not [thread for thread in threading.enumerate() if thread.name == "lease"]


def test_a_worker_that_lost_its_job_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    other = uuid.uuid4()

    def robbed(job: WhatIf) -> Outcome:
        WhatIf.objects.update(claim=other)
        with pytest.raises(LeaseLost):
            leased_job.update(job, progress=50)
        return Outcome({"progress": 100})

    does(monkeypatch, robbed)
    job = started()
    assert not work(job)
    assert (job.state, job.claim, job.progress) == (State.RUNNING, other, 0)


def test_a_dead_workers_job_is_requeued_when_its_lease_expires_and_fails_after_its_last_try() -> None:
    job, now = started(), timezone.now()
    for tries in range(1, WhatIf.most_tries):
        OrmQ.objects.all().delete()
        WhatIf.objects.update(state=State.RUNNING, tries=tries, lease_until=now + timedelta(seconds=10))
        assert (leased_job.dispatch(now), OrmQ.objects.count()) == (0, 0)
        assert leased_job.dispatch(now + timedelta(seconds=11)) == 1
        assert (leased_job.dispatch(now + timedelta(seconds=12)), OrmQ.objects.count()) == (0, 1)
    WhatIf.objects.update(state=State.RUNNING, tries=WhatIf.most_tries, lease_until=now)
    assert leased_job.dispatch(now + timedelta(seconds=1)) == 1
    job.refresh_from_db()
    assert (job.state, job.fault) == (State.FAILED, leased_job.LOST)


def test_a_job_is_sent_once_by_simultaneous_dispatchers() -> None:
    started()
    OrmQ.objects.all().delete()
    later = timezone.now() + leased_job.UNTAKEN + timedelta(seconds=1)
    in_threads(3, lambda: leased_job.dispatch(later))
    assert OrmQ.objects.count() == 1


def test_a_job_that_no_worker_took_is_sent_again_and_then_given_up() -> None:
    job, now = started(), timezone.now()
    leased_job.dispatch(now + leased_job.UNTAKEN - timedelta(seconds=5))
    assert OrmQ.objects.count() == 1
    leased_job.dispatch(now + leased_job.UNTAKEN + timedelta(seconds=5))
    assert OrmQ.objects.count() == 2
    assert WhatIf.waits_at_most is not None
    leased_job.dispatch(now + WhatIf.waits_at_most + timedelta(seconds=5))
    job.refresh_from_db()
    assert (job.state, job.fault) == (State.FAILED, leased_job.UNSTARTED)


@pytest.mark.parametrize(
    ("error", "fault"), [(JobFailed("There is no such page."), "There is no such page."), (ValueError("of ours"), leased_job.FAULT)]
)
def test_a_failed_job_has_the_reason(
    error: Exception, fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: WhatIf) -> None:
        raise error

    does(monkeypatch, fails)
    job = started()
    assert work(job)
    assert (job.state, job.fault, job.lease_until) == (State.FAILED, fault, None)
    assert ("Traceback" in caplog.text) == (fault == leased_job.FAULT)


def test_a_job_that_a_database_error_ended_is_requeued_in_the_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(_: WhatIf) -> None:
        raise OperationalError("locked")

    does(monkeypatch, locked)
    job = started()
    assert not work(job)
    assert job.state == State.RUNNING
    assert leased_job.dispatch(timezone.now()) == 1


def test_while_the_database_is_down_the_job_waits_for_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    job, _ = leased_job.start_here(WhatIf)
    with monkeypatch.context() as away:
        connection.close()
        away.setitem(connection.settings_dict, "NAME", "/nowhere/at/all.sqlite3")
        assert not leased_job.carry_out(job, lambda _: Outcome({"progress": WhatIf.objects.count()}))
    job.refresh_from_db()
    assert job.state == State.RUNNING
    assert leased_job.dispatch(timezone.now()) == 0
    assert leased_job.dispatch(timezone.now() + leased_job.LEASE + timedelta(seconds=1)) == 1


def test_work_may_continue_at_once_or_later(monkeypatch: pytest.MonkeyPatch) -> None:
    later = timezone.now() + timedelta(minutes=1)
    job = started()
    for number, due_at in ((2, None), (2, later)):
        does(monkeypatch, lambda _, due_at=due_at: Outcome({}, State.QUEUED, due_at))  # type: ignore[misc]
        assert work(job)
        assert (job.state, OrmQ.objects.count()) == (State.QUEUED, number)
    OrmQ.objects.all().delete()
    assert not work(job), "a key that arrives too early is ignored"
    leased_job.dispatch(later + timedelta(seconds=1))
    assert OrmQ.objects.count() == 1


@pytest.mark.usefixtures("no_database")
def test_a_lease_that_cannot_be_renewed_is_tried_again(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leased_job, "RENEW_SECONDS", 0.01)
    with leased_job.renewing(WhatIf(pk=7, claim=uuid.uuid4())):
        wait_until(lambda: caplog.text.count("The lease of What if 7 could not be renewed") >= 2)


def test_a_schedule_never_runs_twice_at_a_time_and_runs_once_for_all_missed_times(monkeypatch: pytest.MonkeyPatch) -> None:
    from agents.worker import schedules  # noqa: PLC0415 -- beside what it is about

    now = timezone.now()
    schedules.ensure()
    SystemSchedule.objects.exclude(name="Read model lists").update(due_at=None)
    row = SystemSchedule.objects.get(name="Read model lists")
    SystemSchedule.objects.filter(pk=row.pk).update(due_at=now - timedelta(days=3))
    runs = list[int]()

    def listed(_: datetime) -> str:
        runs.append(leased_job.dispatch(timezone.now() + timedelta(seconds=30)))
        assert not leased_job.run("agents.SystemSchedule", row.pk)
        return "Two lists read."

    monkeypatch.setattr("agents.jobs.read_catalogues", listed)
    leased_job.dispatch(now)
    assert work(row)
    leased_job.dispatch(timezone.now())
    assert (len(runs), row.state, row.result, row.fault, row.tries) == (1, State.QUEUED, "Two lists read.", "", 0)
    assert row.last_run_at and row.due_at
    assert timedelta(minutes=59) < row.due_at - now < timedelta(minutes=61)


def test_a_fault_of_a_schedule_is_shown_and_fails_no_later_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from agents.worker import schedules  # noqa: PLC0415 -- beside what it is about

    schedules.ensure()
    row = SystemSchedule.objects.get(name="Read model lists")

    def fails(_: datetime) -> str:
        raise ValueError("of ours")

    monkeypatch.setattr("agents.jobs.read_catalogues", fails)
    leased_job.dispatch(timezone.now())
    assert work(row)
    assert (row.state, row.fault) == (State.QUEUED, leased_job.FAULT)
    assert row.due_at and row.due_at > timezone.now()
