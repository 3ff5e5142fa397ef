"""Operators' tasks: each answered by one worker, taken up by another when that one dies, and answered once."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from agents import jobs, submissions
from agents.models import Source, Step, Submission, Task
from agents.standin.process import StandIn

pytestmark = pytest.mark.django_db(transaction=True)

State = Submission.State
URL = "http://localhost:8000/?seed=58"
PATIENCE = 30.0


def submitted(prompt: str = "Log out") -> Submission:
    return submissions.submit(prompt=prompt, url=URL, page="<html><body><a href='/out?seed=58'>Log out</a></body></html>", by="ann")


def running(lease: timedelta) -> Submission:
    """A task that some worker has, with its lease over in `lease`."""
    row = submitted()
    OrmQ.objects.all().delete()
    Submission.objects.update(state=State.RUNNING, claim=uuid.uuid4(), claims=1, lease_until=timezone.now() + lease)
    row.refresh_from_db()
    return row


def on_threads(count: int, pk: int) -> list[bool]:
    begin = threading.Barrier(count)

    def answer(_: int) -> bool:
        begin.wait()
        try:
            return submissions.answer(pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(answer, range(count)))


@pytest.fixture
def hanging_provider(settings: Any) -> Iterator[StandIn]:
    """A provider that says nothing until it is stopped."""
    with StandIn.started() as standin:
        standin.set(faults={"hang": 1.0})
        settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = standin.key, standin.base_url, ("Qwen/Qwen3-32B-TEE",)
        yield standin


@contextmanager
def being_answered(pk: int, **how: float) -> Iterator[list[bool]]:
    """A worker's thread that answers the task; its result once the block is over."""
    results: list[bool] = []

    def answer() -> None:
        results.append(submissions.answer(pk, **how))
        connection.close()

    worker = threading.Thread(target=answer)
    worker.start()
    yield results
    worker.join(PATIENCE)


def wait_until(condition: Callable[[], Any]) -> None:
    over = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < over
        time.sleep(0.01)


def test_a_task_waits_in_the_queue_with_its_job_and_without_its_page_in_it() -> None:
    row = submitted()
    assert (row.state, row.claims, row.submitted_by) == ("queued", 0, "ann")
    assert (row.task.source, row.task.prompt, row.task.url) == (Source.OPERATOR, "Log out", URL)
    job = OrmQ.objects.get().task
    assert (job["func"], job["args"]) == (submissions.JOB, (row.pk,))
    assert "html" not in str(job)


def test_the_same_task_may_be_submitted_twice() -> None:
    assert submitted().task != submitted().task


def test_a_task_is_answered_once_and_on_record() -> None:
    row = submitted()
    assert jobs.answer_submission(row.pk)
    assert not jobs.answer_submission(row.pk)
    row.refresh_from_db()
    assert (row.state, row.claims, row.lease_until) == ("answered", 1, None)
    step = Step.objects.get()
    assert (step.task, step.source, step.endpoint, step.form) == (row.task, Source.OPERATOR, "panel", "one_shot")
    assert step.actions[0] == {"type": "NavigateAction", "url": URL}
    assert step.page_bytes
    assert Task.objects.count() == 1


def test_a_task_that_is_gone_is_nobodys() -> None:
    assert not submissions.answer(7)


def test_of_workers_that_meet_at_one_task_one_answers_it() -> None:
    row = submitted()
    assert sorted(on_threads(4, row.pk)) == [False, False, False, True]
    assert Step.objects.count() == 1
    assert Submission.objects.get().claims == 1


def test_a_lease_is_renewed_while_the_task_is_being_answered(hanging_provider: StandIn) -> None:
    row, leases, started = submitted(), set[datetime | None](), timezone.now()

    def renewed_twice() -> bool:
        leases.update(Submission.objects.filter(state=State.RUNNING).values_list("lease_until", flat=True))
        return len(leases) >= 3

    with being_answered(row.pk, renew_seconds=0.05) as results:
        wait_until(renewed_twice)
        hanging_provider.stop()
    assert results == [True]
    assert min(lease for lease in leases if lease) >= started + submissions.LEASE
    assert Submission.objects.get().state == State.ANSWERED
    assert not [thread for thread in threading.enumerate() if thread.name == "lease"]


def test_a_worker_that_lost_its_task_meanwhile_has_not_the_last_word(hanging_provider: StandIn) -> None:
    row, other = submitted(), uuid.uuid4()
    with being_answered(row.pk) as results:
        wait_until(lambda: Submission.objects.filter(state=State.RUNNING).update(claim=other))
        hanging_provider.stop()
    assert results == [False]
    assert (Submission.objects.get().state, Submission.objects.get().claim) == (State.RUNNING, other)


def test_a_dead_workers_task_is_queued_again_once_its_lease_is_over() -> None:
    row = running(timedelta(seconds=10))
    now = timezone.now()
    assert submissions.requeue_overdue(now) == 0
    assert submissions.requeue_overdue(now + timedelta(seconds=11)) == 1
    assert submissions.requeue_overdue(now + timedelta(seconds=12)) == 0
    row.refresh_from_db()
    assert (row.state, row.claim, row.claims) == ("queued", None, 1)
    assert OrmQ.objects.get().task["args"] == (row.pk,)
    assert submissions.answer(row.pk)
    assert (Step.objects.count(), Submission.objects.get().claims) == (1, 2)


def test_a_task_whose_worker_died_after_the_answer_is_not_answered_again() -> None:
    row = submitted()
    submissions.answer(row.pk)
    Submission.objects.update(state=State.RUNNING, claim=uuid.uuid4(), lease_until=timezone.now() - timedelta(seconds=1))
    OrmQ.objects.all().delete()
    assert submissions.requeue_overdue(timezone.now()) == 0
    assert Submission.objects.get().state == State.ANSWERED
    assert not OrmQ.objects.exists()


def test_a_task_that_nobody_took_is_queued_again_after_a_while() -> None:
    submitted()
    now = timezone.now()
    assert submissions.requeue_overdue(now + submissions.UNTAKEN - timedelta(seconds=5)) == 0
    later = now + submissions.UNTAKEN + timedelta(seconds=5)
    assert submissions.requeue_overdue(later) == 1
    assert submissions.requeue_overdue(later + timedelta(seconds=5)) == 0, "it has just been queued"
    assert OrmQ.objects.count() == 2
    answers = [submissions.answer(*job.task["args"]) for job in OrmQ.objects.all()]
    assert answers == [True, False], "twice in the queue, answered once"


def test_two_reconcilers_at_once_queue_a_task_again_once() -> None:
    running(timedelta(seconds=-1))
    begin = threading.Barrier(3)

    def requeue(_: int) -> int:
        begin.wait()
        try:
            return submissions.requeue_overdue(timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(requeue, range(3))) == 1
    assert OrmQ.objects.count() == 1


@pytest.mark.usefixtures("no_database")
def test_a_lease_that_cannot_be_renewed_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    over = threading.Event()
    worker = threading.Thread(target=submissions._renew, args=(7, uuid.uuid4(), 0.01, over))
    worker.start()
    try:
        wait_until(lambda: caplog.text.count("The lease of submission 7 could not be renewed") >= 2)
    finally:
        over.set()
        worker.join(PATIENCE)
