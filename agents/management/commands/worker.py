"""`manage.py worker`: run jobs, and start the cluster that runs them again when it ends or when no job comes through."""

from __future__ import annotations

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
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections
from django_q.tasks import async_task

from agents import heartbeat
from agents.alone import NotAlone, alone
from agents.cluster import Cluster
from agents.watchdog import Limits, Signs, Verdict, canary_due, restart_delay, seen, verdict

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds
PATIENCE = 12.0  # seconds for the jobs in hand at a stop; the supervisor waits longer, leases cover what is cut off


class Command(BaseCommand):
    help = "Run jobs under a watchdog until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--canary-seconds", type=float, default=Limits.canary_every, help="how often a canary job is sent")
        parser.add_argument(
            "--stalled-seconds", type=float, default=Limits.stalled_after, help="silence after which the cluster is restarted"
        )
        parser.add_argument(
            "--name", type=plain, default="worker", help="another name for each further worker that is wanted on this host and data folder"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # By host, for machines that share a data folder: each may have a worker.
        path = settings.DATA_DIR / f"{options['name']}-{socket.gethostname()}.lock"
        try:
            with alone(path):
                run(Limits(options["canary_seconds"], options["stalled_seconds"]))
        except NotAlone as held:
            raise CommandError(
                f"A worker runs here already: process {held.pid or 'unknown'}, lock {path}. Stop it, or give this one another --name.",
                returncode=os.EX_TEMPFAIL,
            ) from None


def plain(name: str) -> str:
    """A name that can stand in a file's name. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[\w-]{1,40}", name):
        raise ArgumentTypeError("write it in letters, digits, - and _")
    return name


def run(limits: Limits) -> None:
    """Keep a cluster running until this process is told to stop."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    for job in ("read_catalogues", "read_quotas"):  # the schedules' own first runs may be a minute away
        async_task(f"agents.jobs.{job}", save=False)
    failures = 0
    while not stop.is_set():
        started = time.monotonic()
        run_one_cluster(limits, stop)
        lived = time.monotonic() - started
        failures = 0 if lived > limits.stalled_after else failures + 1
        stop.wait(restart_delay(lived, failures))


def run_one_cluster(limits: Limits, stop: Event) -> None:
    """Start a cluster and watch it until it has to be started again or `stop` is set. None of its processes is left."""
    cluster = Cluster(settings.BASE_DIR / "manage.py")
    logger.info("Worker started: cluster %d.", cluster.session)
    try:
        reason = watch(cluster, limits, stop)
    finally:
        cluster.stop(PATIENCE if stop.is_set() else 0)
    if reason is not Verdict.FINE:
        logger.error("Starting the job cluster again: %s.", reason)


def watch(cluster: Cluster, limits: Limits, stop: Event) -> Verdict:
    """Look at the cluster until it needs a restart (returns why) or `stop` is set (returns that it is fine)."""
    signs = Signs(alive_at=time.time())
    while not stop.wait(LOOK_EVERY):
        signs = look(signs, heartbeat.worker_name(cluster.session), limits)
        judged = verdict(signs, cluster.running(), time.time(), limits)
        if judged is not Verdict.FINE:
            return judged
    return Verdict.FINE


def look(signs: Signs, name: str, limits: Limits) -> Signs:
    """The signs now, with a canary sent where one is due. A database that can't be read says nothing about the cluster."""
    now = time.time()
    try:
        close_old_connections()
        beaten, lease = heartbeat.beaten_at(name), heartbeat.newest_lease()
        signs = seen(signs, beaten.timestamp() if beaten else None, lease.timestamp() if lease else None, now)
        if canary_due(signs, heartbeat.waiting(), now, limits):
            heartbeat.send_canary()
            heartbeat.forget_old()
            signs = replace(signs, canary_sent_at=now)
    except DatabaseError as error:
        logger.warning("The watchdog can't reach the database: %s", error)
        return replace(signs, alive_at=now)
    return signs
