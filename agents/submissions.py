"""Operators' tasks: put into the queue, claimed by one worker at a time, answered once."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from agents import facts, protocol, runner, template
from agents.database import UNAVAILABLE
from agents.models import Source, Submission, Task

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
# A renewal may come late by two more of these before the lease is over.
RENEW_SECONDS = 15.0
# A job that no worker took by then is put into the queue again. A busy queue may take this long; twice in the queue does no harm.
UNTAKEN = timedelta(seconds=60)
JOB = "agents.jobs.answer_submission"


def submit(*, prompt: str, url: str, page: str, by: str) -> Submission:
    """Queue a task for the miner. The task and its job are written together."""
    now = timezone.now()
    key = str(uuid.uuid4())
    with transaction.atomic():
        task = Task.objects.create(
            fingerprint=facts.fingerprint(Source.OPERATOR, None, key, prompt),
            key=key,
            source=Source.OPERATOR,
            prompt=prompt,
            url=url,
            kind=template.kind(prompt),
            created_at=now,
        )
        submission = Submission.objects.create(task=task, submitted_by=by, page=page, enqueued_at=now)
        async_task(JOB, submission.pk)
    return submission


def cancel(task: int) -> bool:
    """Cancel a task that waits. False where it is over, or a worker has it: then its answer comes in seconds."""
    waiting = Submission.objects.filter(task=task, state=Submission.State.QUEUED)
    return waiting.update(state=Submission.State.CANCELLED, lease_until=None) == 1


def answer(pk: int, *, renew_seconds: float = RENEW_SECONDS) -> bool:
    """Answer a queued task, renewing its lease every `renew_seconds`. False where another worker has it, or it is answered already."""
    claim = uuid.uuid4()
    if not _claim(pk, claim):
        return False
    submission = Submission.objects.select_related("task").get(pk=pk)
    with _renewing(pk, claim, renew_seconds):
        runner.answer(_step(submission), source=Source.OPERATOR, caller=None)
    return bool(_held(pk, claim).update(state=Submission.State.ANSWERED, lease_until=None))


def requeue_overdue(now: datetime) -> int:
    """Put tasks back whose worker died, and queue those again that no worker took. Returns how many."""
    lost = Q(state=Submission.State.RUNNING, lease_until__lt=now)
    untaken = Q(state=Submission.State.QUEUED, enqueued_at__lt=now - UNTAKEN)
    return sum(_requeue(pk, now, lost | untaken) for pk in Submission.objects.filter(lost | untaken).values_list("pk", flat=True))


def _requeue(pk: int, now: datetime, overdue: Q) -> bool:
    with transaction.atomic():
        submission = Submission.objects.select_for_update().select_related("task").filter(overdue, pk=pk).first()
        if submission is None:
            return False
        if submission.task.steps.filter(answered_at__isnull=False).exists():
            # The worker died between the answer and its last word.
            submission.state, submission.lease_until = Submission.State.ANSWERED, None
            submission.save(update_fields=["state", "lease_until"])
            return False
        submission.state, submission.claim, submission.enqueued_at = Submission.State.QUEUED, None, now
        submission.save(update_fields=["state", "claim", "enqueued_at"])
        async_task(JOB, pk)
    return True


def _claim(pk: int, claim: uuid.UUID) -> bool:
    queued = Submission.objects.filter(pk=pk, state=Submission.State.QUEUED)
    return queued.update(state=Submission.State.RUNNING, claim=claim, claims=F("claims") + 1, lease_until=timezone.now() + LEASE) == 1


@contextmanager
def _renewing(pk: int, claim: uuid.UUID, seconds: float) -> Iterator[None]:
    """Keep the lease while the body runs."""
    over = threading.Event()
    thread = threading.Thread(target=_renew, args=(pk, claim, seconds, over), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(pk: int, claim: uuid.UUID, seconds: float, over: threading.Event) -> None:
    try:
        while not over.wait(seconds):
            _extend(pk, claim)
    finally:
        connection.close()


def _extend(pk: int, claim: uuid.UUID) -> None:
    try:
        _held(pk, claim).update(lease_until=timezone.now() + LEASE)
    except UNAVAILABLE as error:
        logger.warning("The lease of submission %s could not be renewed (%s). It is tried again.", pk, error)


def _held(pk: int, claim: uuid.UUID) -> QuerySet[Submission]:
    return Submission.objects.filter(pk=pk, state=Submission.State.RUNNING, claim=claim)


def _step(submission: Submission) -> protocol.Step:
    task = submission.task
    return protocol.Step(
        endpoint="panel",
        form=protocol.Form.ONE_SHOT,
        task_id=task.key,
        prompt=task.prompt,
        url=task.url,
        page=submission.page,
    )
