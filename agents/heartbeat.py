"""Signs of life of the job workers, kept in the database where every process and machine sees them."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from agents.models import Heartbeat, Submission, WhatIf

PREFIX = "worker "
KEPT = timedelta(hours=1)


def worker_name(session: int) -> str:
    """The heartbeat's name of the cluster whose processes share this session id."""
    return f"{PREFIX}{socket.gethostname()}/{session}"[:100]


def beat() -> None:
    """Write the heartbeat of the cluster that runs this: only a job calls it, since it proves that jobs are run."""
    name = worker_name(os.getsid(0))
    Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": timezone.now()})


def send_canary() -> None:
    """Queue one canary; its result is kept nowhere."""
    async_task("agents.jobs.canary", save=False)


def beaten_at(name: str) -> datetime | None:
    return Heartbeat.objects.filter(name=name).values_list("beaten_at", flat=True).first()


def newest_beat() -> datetime | None:
    """The newest sign of life of any cluster."""
    newest: datetime | None = Heartbeat.objects.filter(name__startswith=PREFIX).aggregate(newest=Max("beaten_at"))["newest"]
    return newest


def newest_lease() -> datetime | None:
    """The end of the newest lease of a submission or a what-if that is being run."""
    running = (
        Submission.objects.filter(state=Submission.State.RUNNING),
        WhatIf.objects.filter(state=WhatIf.State.RUNNING),
    )
    leases = [rows.aggregate(newest=Max("lease_until"))["newest"] for rows in running]
    return max((lease for lease in leases if lease), default=None)


def waiting() -> int:
    """How many jobs wait for a cluster to take them."""
    count: int = OrmQ.objects.filter(lock__lte=timezone.now()).count()
    return count


def any_worker_since(moment: datetime) -> bool:
    """Whether any cluster gave a sign of life since `moment`."""
    return Heartbeat.objects.filter(name__startswith=PREFIX, beaten_at__gte=moment).exists()


def forget_old() -> None:
    """Drop the heartbeats of clusters that are long gone."""
    Heartbeat.objects.filter(name__startswith=PREFIX, beaten_at__lt=timezone.now() - KEPT).delete()
