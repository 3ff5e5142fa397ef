"""Signs of life of the job workers, kept in the database where every process and machine can read them."""

import os
import socket
from datetime import datetime, timedelta

from django.utils import timezone
from django_q.models import OrmQ

from agents.models import Heartbeat

PREFIX = "worker "
KEPT = timedelta(hours=1)


def worker_name(session: int | str) -> str:
    return f"{PREFIX}{socket.gethostname()}/{session}"[:100]


def beat() -> None:
    """Write the heartbeat of the cluster that runs this: only a job calls it, since it proves that jobs are run."""
    now = timezone.now()
    Heartbeat.objects.update_or_create(name=worker_name(os.getsid(0)), defaults={"beaten_at": now})
    Heartbeat.objects.filter(name__startswith=PREFIX, beaten_at__lt=now - KEPT).delete()


def newest_beat() -> datetime | None:
    return Heartbeat.objects.filter(name__startswith=PREFIX).order_by("-beaten_at").values_list("beaten_at", flat=True).first()


def newest_canary(session: int) -> datetime | None:
    return Heartbeat.objects.filter(name=worker_name(session)).values_list("beaten_at", flat=True).first()


def waiting() -> int:
    return int(OrmQ.objects.filter(lock__lte=timezone.now()).count())
