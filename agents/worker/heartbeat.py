"""Signs of life of the job workers, kept in the database where every process and machine can read them."""

import os
import socket
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from agents.models import Heartbeat

PREFIX = "worker "
KEPT = timedelta(hours=1)


def worker_name(session: int | str) -> str:
    return f"{PREFIX}{socket.gethostname()}/{session}"[:100]


def beat() -> None:
    """Write the heartbeat of the cluster that runs this: only a job calls it, since it proves that jobs are run."""
    name = worker_name(os.getsid(0))
    Heartbeat.objects.update_or_create(name=name, defaults={"beaten_at": timezone.now()})


def send_canary() -> None:
    async_task("agents.jobs.canary", save=False)


def newest_beat() -> datetime | None:
    newest: datetime | None = Heartbeat.objects.filter(name__startswith=PREFIX).aggregate(newest=Max("beaten_at"))["newest"]
    return newest


def newest_canary(session: int) -> datetime | None:
    """When a canary came through this cluster last."""
    return Heartbeat.objects.filter(name=worker_name(session)).values_list("beaten_at", flat=True).first()


def waiting() -> int:
    count: int = OrmQ.objects.filter(lock__lte=timezone.now()).count()
    return count


def any_worker_since(moment: datetime) -> bool:
    return Heartbeat.objects.filter(name__startswith=PREFIX, beaten_at__gte=moment).exists()


def forget_old() -> None:
    Heartbeat.objects.filter(name__startswith=PREFIX, beaten_at__lt=timezone.now() - KEPT).delete()
