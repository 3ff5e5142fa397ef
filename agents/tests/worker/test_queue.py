"""Jobs that a cluster has taken have its name, so that a dead cluster's jobs are released at once."""

import os
import subprocess
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

from agents.worker import heartbeat

pytestmark = pytest.mark.django_db(transaction=True)


def take() -> list[str]:
    """Take the next job as a cluster does; returns its names in the queue."""
    taken = get_broker().dequeue()
    return [OrmQ.objects.get(pk=pk).key for pk, _ in taken or []]


def test_a_taken_job_has_its_clusters_name_and_is_not_taken_twice() -> None:
    async_task("agents.jobs.canary")
    (key,) = take()
    assert key.endswith(f"/{os.getsid(0)}")
    assert take() == []
    assert heartbeat.waiting() == 0


def test_jobs_of_a_dead_cluster_are_released_and_those_of_a_running_one_stay() -> None:
    async_task("agents.jobs.canary")
    async_task("agents.jobs.reconcile")
    take()
    with subprocess.Popen(["true"]) as gone:
        pass
    OrmQ.objects.update(key=f"minerpanel@{heartbeat.worker_name(gone.pid)}", lock=timezone.now() + timedelta(seconds=390))
    dead, living = OrmQ.objects.order_by("id")
    OrmQ.objects.filter(pk=living.pk).update(key=f"minerpanel@{heartbeat.worker_name(os.getpid())}")
    assert heartbeat.waiting() == 0
    assert heartbeat.free_jobs_of_dead_clusters() == 1
    assert heartbeat.waiting() == 1
    assert get_broker().dequeue()[0][0] == dead.pk


def test_a_job_whose_machine_is_gone_is_taken_when_its_lock_is_over() -> None:
    async_task("agents.jobs.canary")
    OrmQ.objects.update(key="minerpanel@worker elsewhere/7", lock=timezone.now() + timedelta(seconds=390))
    assert heartbeat.free_jobs_of_dead_clusters() == 0
    assert take() == []
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=1))
    assert len(take()) == 1
