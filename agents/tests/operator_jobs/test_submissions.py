"""Operators' tasks: queued with their jobs and answered once, also where a worker died after the answer."""

from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Source, Step, Submission, Task
from agents.operator_jobs import leased_job, submissions
from agents.tests.queue_of_jobs import queued, work

pytestmark = pytest.mark.django_db(transaction=True)

State = Submission.State
URL = "http://localhost:8000/?seed=58"


def submitted(prompt: str = "Log out") -> Submission:
    return submissions.submit(prompt=prompt, url=URL, page="<html><body><a href='/out?seed=58'>Log out</a></body></html>", by="ann")


def die(row: Submission) -> None:
    """Its worker died: the lease has expired."""
    Submission.objects.update(state=State.RUNNING, tries=1, lease_until=timezone.now() - timedelta(seconds=1))
    assert leased_job.dispatch(timezone.now()) == 1
    row.refresh_from_db()


def test_a_task_waits_in_the_queue_with_its_job_and_without_its_page_in_it() -> None:
    row = submitted()
    assert (row.state, row.tries, row.requested_by) == ("queued", 0, "ann")
    assert (row.task.source, row.task.prompt, row.task.url) == (Source.OPERATOR, "Log out", URL)
    assert queued() == [f"agents.operator_jobs.leased_job.run('agents.Submission', {row.pk})"]


def test_the_same_task_may_be_submitted_twice() -> None:
    assert submitted().task != submitted().task


def test_a_task_is_answered_once_and_on_record() -> None:
    row = submitted()
    assert [work(row), work(row)] == [True, False]
    assert (row.state, row.tries, row.lease_until) == ("succeeded", 1, None)
    step = Step.objects.get()
    assert (step.task, step.source, step.endpoint, step.form) == (row.task, Source.OPERATOR, "panel", "one_shot")
    assert step.actions[0] == {"type": "NavigateAction", "url": URL}
    assert step.page_bytes
    assert Task.objects.count() == 1


def test_a_dead_workers_task_is_answered_by_another() -> None:
    row = submitted()
    die(row)
    assert work(row)
    assert (row.state, row.tries, Step.objects.count()) == ("succeeded", 2, 1)


def test_a_task_whose_worker_died_after_the_answer_is_not_answered_again() -> None:
    row = submitted()
    work(row)
    die(row)
    assert work(row)
    assert (row.state, Step.objects.count()) == ("succeeded", 1)
