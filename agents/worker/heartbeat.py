"""Heartbeats of the job workers, in the database for every process and machine, and a queue that records which cluster took a job.

django-q2 locks a taken job for `retry` seconds. The name of the cluster that took it is stored with it, so that the jobs of a dead
cluster are released at once.
"""

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from agents.models import Heartbeat

PREFIX = "worker "
KEPT = timedelta(hours=1)


def worker_name(session: int | str) -> str:
    return f"{PREFIX}{socket.gethostname()}/{session}"[:100]


def beat() -> None:
    """Write the heartbeat of this cluster. Only a job calls it, as it proves that jobs are run."""
    now = timezone.now()
    Heartbeat.objects.update_or_create(name=worker_name(os.getsid(0)), defaults={"beaten_at": now})
    Heartbeat.objects.filter(name__startswith=PREFIX, beaten_at__lt=now - KEPT).delete()


def newest_beat() -> datetime | None:
    return Heartbeat.objects.filter(name__startswith=PREFIX).order_by("-beaten_at").values_list("beaten_at", flat=True).first()


def newest_canary(session: int) -> datetime | None:
    return Heartbeat.objects.filter(name=worker_name(session)).values_list("beaten_at", flat=True).first()


def waiting() -> int:
    return int(OrmQ.objects.filter(lock__lte=timezone.now()).count())


class NamedQueue(ORM):  # type: ignore[misc] # django-q2 ships no types
    def dequeue(self) -> list[tuple[int, Any]] | None:
        free = Q(key=self.list_key) | Q(key__startswith=f"{self.list_key}@")
        waiting = list(self.get_connection().filter(free, lock__lt=timezone.now())[: Conf.BULK])
        if not waiting:
            sleep(Conf.POLL)
            return None
        return [(job.pk, job.payload) for job in waiting if self._take(job)]

    def _take(self, job: OrmQ) -> bool:
        as_read = self.get_connection().filter(pk=job.pk, lock=job.lock)
        return bool(as_read.update(lock=self.timeout(job), key=f"{self.list_key}@{worker_name(os.getsid(0))}"))


def free_jobs_of_dead_clusters() -> int:
    """Release the jobs of this host's clusters that ended. Returns how many."""
    prefix = f"{Conf.CLUSTER_NAME}@{worker_name('')}"
    keys = OrmQ.objects.filter(key__startswith=prefix).values_list("key", flat=True).distinct()
    dead = [key for key in keys if not Path(f"/proc/{key.removeprefix(prefix)}").exists()]
    return int(OrmQ.objects.filter(key__in=dead).update(key=Conf.CLUSTER_NAME, lock=timezone.now()))
