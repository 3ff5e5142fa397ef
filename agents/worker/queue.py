"""The queue in the database, in which a job that a cluster has taken bears that cluster's name.

django-q2 locks a taken job for `retry` seconds, by time alone. The name tells whose it is, so that the jobs of a dead cluster are free
again at once.
"""

import os
from pathlib import Path
from time import sleep
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from agents.worker.heartbeat import worker_name


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
    """Give back to the queue what clusters of this host had taken that run no more. Returns how many jobs."""
    prefix = f"{Conf.CLUSTER_NAME}@{worker_name('')}"
    keys = OrmQ.objects.filter(key__startswith=prefix).values_list("key", flat=True).distinct()
    dead = [key for key in keys if not Path(f"/proc/{key.removeprefix(prefix)}").exists()]
    return int(OrmQ.objects.filter(key__in=dead).update(key=Conf.CLUSTER_NAME, lock=timezone.now()))
