"""`manage.py worker`: run jobs in a cluster, and restart it when it ends or stalls."""

import logging
import os
import re
import signal
import socket
import time
from argparse import ArgumentTypeError
from dataclasses import replace
from threading import Event
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, DatabaseError, close_old_connections
from django_q.tasks import async_task

from agents.operator_jobs import leased_job
from agents.worker import heartbeat, schedules
from agents.worker.cluster import Cluster, NotAlone, alone, end_with
from agents.worker.watchdog import Limits, Signs, canary_due, restart_delay, seen, why_restart

logger = logging.getLogger(__name__)

CHECK_SECONDS = 0.5
PATIENCE = 12.0  # seconds for running jobs at a stop; the supervisor waits longer, and interrupted jobs are requeued by their leases


class Command(BaseCommand):
    help = "Run jobs under a watchdog until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--canary-seconds", type=float, default=Limits.canary_every, help="how often a canary job is sent")
        add(
            "--stalled-seconds",
            type=float,
            default=Limits.stalled_after,
            help="time without a sign of life after which the cluster is restarted",
        )
        add("--name", type=plain, default="worker", help="another name for each further worker on this host and data folder")
        add("--end-with-parent", action="store_true", help="stop when the process that started this one ends")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["end_with_parent"]:
            end_with(os.getppid())
        self.check(tags=[Tags.database], databases=[DEFAULT_DB_ALIAS])
        # By host, so that each machine that shares a data folder may have a worker.
        path = settings.DATA_DIR / f"{options['name']}-{socket.gethostname()}.lock"
        try:
            with alone(path):
                run(Limits(options["canary_seconds"], options["stalled_seconds"]))
        except NotAlone as held:
            message = (
                f"A worker runs here already: process {str(held) or 'unknown'}, lock {path}. Stop it, or give this one another --name."
            )
            raise CommandError(message, returncode=os.EX_TEMPFAIL) from None


def plain(name: str) -> str:
    if not re.fullmatch(r"[\w-]{1,40}", name):
        raise ArgumentTypeError("write it in letters, digits, - and _")
    return name


def run(limits: Limits) -> None:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    schedules.ensure()
    schedules.start_now("Read model lists")
    failures = 0
    while not stop.is_set():
        started = time.monotonic()
        run_one_cluster(limits, stop)
        lived = time.monotonic() - started
        failures = 0 if lived > limits.stalled_after else failures + 1
        stop.wait(restart_delay(lived, failures))


def run_one_cluster(limits: Limits, stop: Event) -> None:
    """Start a cluster and watch it until it must be restarted or `stop` is set. Ends all of its processes."""
    # Otherwise the jobs of a killed cluster would wait some six minutes for the end of their locks.
    try:
        close_old_connections()
        if freed := heartbeat.free_jobs_of_dead_clusters():
            logger.info("%d jobs of a cluster that ended were queued again.", freed)
    except DatabaseError as error:
        logger.warning("Jobs of a cluster that ended stay locked for some minutes: the database can't be written (%s).", error)
    cluster = Cluster(settings.BASE_DIR / "manage.py")
    logger.info("Worker started: cluster %d.", cluster.session)
    signs, reason = Signs(alive_at=time.time()), ""
    try:
        while not reason and not stop.wait(CHECK_SECONDS):
            signs = checked(signs, cluster.session, limits)
            reason = why_restart(signs, cluster.running(), time.time(), limits)
    finally:
        cluster.stop(PATIENCE if stop.is_set() else 0)
    if reason:
        logger.error("Restarting the job cluster: %s.", reason)


def checked(signs: Signs, session: int, limits: Limits) -> Signs:
    """The present signs, after sending a canary if one is due. A database error does not count against the cluster."""
    now = time.time()
    try:
        close_old_connections()
        signs_read = [heartbeat.newest_canary(session)]
        if now - signs.alive_at > limits.canary_every:
            signs_read.append(leased_job.newest_renewal(heartbeat.worker_name(session)))
        signs = seen(signs, max((sign.timestamp() for sign in signs_read if sign), default=None), now)
        if canary_due(signs, heartbeat.waiting(), now, limits):
            async_task("agents.jobs.canary", save=False)
            signs = replace(signs, canary_sent_at=now)
    except DatabaseError as error:
        logger.warning("The watchdog can't reach the database: %s", error)
        return replace(signs, alive_at=now)
    return signs
