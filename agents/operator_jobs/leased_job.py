"""All state changes of jobs of every kind.

    queued → running → succeeded, failed or cancelled
      ↑_________|        by its `Outcome`, or when its worker died

A worker claims the row by compare-and-swap and renews its lease while the job runs. django-q2's queue has only the job's key, so a lost
or duplicate key does no harm.
"""

import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, Max, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.tasks import async_task

from agents.database import UNAVAILABLE
from agents.models import JobState, LeasedJob
from agents.models.jobs import UNDER_WAY
from agents.worker import heartbeat

logger = logging.getLogger(__name__)

J = TypeVar("J", bound=LeasedJob)

RUN = "agents.operator_jobs.leased_job.run"
LEASE = timedelta(seconds=60)
# Far below LEASE, and below the watchdog's 45 s, for which each renewal is a sign of life.
RENEW_SECONDS = 2.0
# A job that no worker took in this time is sent again.
UNTAKEN = timedelta(seconds=60)
# The most that are sent in one round, so that a round is short.
MOST_AT_ONCE = 100
FAULT = "A fault in the miner ended this job. The worker's log has its traceback."
LOST = "The worker ended before this job did. Check the worker, then start it again."
UNSTARTED = "No worker took this job in time. Check the worker, then start it again."


class JobFailed(Exception):
    """The job can't be done. The message has the reason and the remedy."""


class LeaseLost(Exception):
    """The job was cancelled, or another worker has it. Its result is dropped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a job's work, with fields to store. QUEUED: it runs again at `due_at`, None for at once."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    state: JobState = JobState.SUCCEEDED
    due_at: datetime | None = None


def kinds() -> list[type[LeasedJob]]:
    return [model for model in apps.get_models() if issubclass(model, LeasedJob)]


def rows(model: type[J]) -> QuerySet[J]:
    return model._default_manager.all()  # noqa: SLF001 -- Django's documented manager of any model


def start(model: type[J], /, **fields: Any) -> tuple[J, bool]:
    """Queue a new job: it and True. Where only one is allowed and one is under way: that one and False."""
    try:
        with transaction.atomic():
            job = rows(model).create(**fields)
            if job.state == JobState.QUEUED:
                send(job, timezone.now())
    except IntegrityError:
        if model.one_for is None:
            raise
        same = {name: fields[name] for name in model.one_for}
        running = rows(model).filter(state__in=UNDER_WAY, **same).first()
        return (running, False) if running else start(model, **fields)
    return job, True


def start_here(model: type[J], /, **fields: Any) -> tuple[J, bool]:
    now = timezone.now()
    return start(model, **fields, **_claim(now), started_at=now, tries=1)


def send(job: LeasedJob, now: datetime) -> bool:
    """Put the job into the queue. False where another process just did."""
    with transaction.atomic():
        unsent = _row(job).filter(state=JobState.QUEUED, enqueued_at=job.enqueued_at)
        if not unsent.update(enqueued_at=now):
            return False
        label = job._meta.label  # noqa: SLF001 -- Django's documented name of any model
        async_task(RUN, label, job.pk, save=False, timeout=job.time_limit)
    return True


def dispatch(now: datetime) -> int:
    """Requeue the jobs whose worker died, and send the due jobs to the workers. Returns how many were requeued."""
    requeued = 0
    ended = {"state": JobState.FAILED, "ended_at": now, "lease_until": None}
    for model in kinds():
        lost = rows(model).filter(state=JobState.RUNNING, lease_until__lt=now)
        again = {"state": JobState.QUEUED, "enqueued_at": None, "claim": None, "lease_until": None, **model.restarts_with}
        requeued += lost.filter(tries__lt=model.most_tries).update(**again)
        requeued += lost.update(fault=LOST, **ended)
        if model.waits_at_most:
            stale = rows(model).filter(state=JobState.QUEUED, requested_at__lt=now - model.waits_at_most)
            stale.update(fault=UNSTARTED, **ended)
    for model in kinds():
        unsent = Q(enqueued_at=None) | Q(enqueued_at__lt=now - UNTAKEN)
        due = rows(model).filter(unsent, state=JobState.QUEUED, due_at__lte=now).order_by("due_at")
        for job in due[:MOST_AT_ONCE]:
            send(job, now)
    return requeued


def run(label: str, pk: int) -> bool:
    """Run a job in a worker. False where another worker has it, or its lease was lost."""
    job = claim(apps.get_model(label), pk)
    return job is not None and carry_out(job, import_string(job.work))


def carry_out(job: J, work: Callable[[J], Outcome | None]) -> bool:
    """Do the work of a claimed job. False where the result can't be stored: the job was cancelled or is requeued."""
    try:
        with renewing(job):
            outcome = work(job) or Outcome()
    except LeaseLost:
        return False
    except JobFailed as error:
        outcome = Outcome({"fault": str(error)}, JobState.FAILED)
    except UNAVAILABLE as error:
        logger.warning("%s waits for the database (%s).", job, error)
        _end_lease(job)
        return False
    except Exception:
        logger.exception("%s failed.", job)
        outcome = Outcome({"fault": FAULT}, JobState.FAILED)
    now = timezone.now()
    fields = {"claim": None, "lease_until": None, **outcome.fields, "state": outcome.state}
    if outcome.state != JobState.QUEUED:
        return _held(job).update(ended_at=now, **fields) == 1
    due_at = outcome.due_at or now
    with transaction.atomic():
        if not _held(job).update(due_at=due_at, enqueued_at=None, **fields):
            return False
        job.enqueued_at = None
        return due_at > now or send(job, now)


def claim(model: type[J], pk: int) -> J | None:
    now = timezone.now()
    free = rows(model).filter(pk=pk, state=JobState.QUEUED, enqueued_at__isnull=False)
    if model.one_at_a_time:
        free = free.exclude(Exists(rows(model).filter(state=JobState.RUNNING)))
    if not free.update(**_claim(now), started_at=Coalesce("started_at", now), tries=F("tries") + 1):
        return None
    return rows(model).get(pk=pk)


def _claim(now: datetime) -> dict[str, Any]:
    worker = heartbeat.worker_name(os.getsid(0))
    return {"state": JobState.RUNNING, "claim": uuid.uuid4(), "worker": worker, "lease_until": now + LEASE}


@contextmanager
def renewing(job: LeasedJob) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=_renew, args=(job, over), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(job: LeasedJob, over: threading.Event) -> None:
    try:
        while not over.wait(RENEW_SECONDS):
            try:
                _held(job).update(lease_until=timezone.now() + LEASE)
            except UNAVAILABLE as error:
                logger.warning("The lease of %s could not be renewed (%s). It is tried again.", job, error)
    finally:
        connection.close()


def _end_lease(job: LeasedJob) -> None:
    """Let the next round requeue the job. While the database is down, the lease expires by itself."""
    with suppress(*UNAVAILABLE):
        _held(job).update(lease_until=timezone.now())


def update(job: LeasedJob, **fields: Any) -> None:
    """Store progress. Raises LeaseLost."""
    if not _held(job).update(**fields):
        raise LeaseLost
    for name, value in fields.items():
        setattr(job, name, value)


def cancel(job: LeasedJob, why: str = "") -> bool:
    """Cancel a job; a running one only if its kind allows it. False where it is too late."""
    states = UNDER_WAY if job.stops_when_cancelled else (JobState.QUEUED,)
    over = {"state": JobState.CANCELLED, "ended_at": timezone.now(), "lease_until": None, "fault": why}
    return _row(job).filter(state__in=states).update(**over) == 1


def newest_renewal(worker: str) -> datetime | None:
    """The newest renewal of a lease by this cluster."""
    running = [rows(model).filter(state=JobState.RUNNING, worker=worker) for model in kinds()]
    leases = [jobs.aggregate(newest=Max("lease_until"))["newest"] for jobs in running]
    return max((lease - LEASE for lease in leases if lease), default=None)


def _row(job: LeasedJob) -> QuerySet[LeasedJob]:
    return rows(type(job)).filter(pk=job.pk)


def _held(job: LeasedJob) -> QuerySet[LeasedJob]:
    return _row(job).filter(state=JobState.RUNNING, claim=job.claim)
