"""django-q2's cluster, none of whose processes outlives its parent. Started by `worker`."""

import signal
from typing import Any

from django.core.management.base import CommandParser
from django_q.management.commands import qcluster

import agents.jobs  # noqa: F401 -- loads what jobs need once, not in each process of the pool
from agents.worker.cluster import bind_descendants, end_with


class Command(qcluster.Command):  # type: ignore[misc] # django-q2 ships no types
    requires_system_checks: list[str] = []  # the parent has run them
    help = "Run jobs until the parent process ends. Use `worker`, which also watches over it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--parent", type=int, required=True, help="the id of the process that started this one")

    def handle(self, *args: Any, **options: Any) -> None:
        end_with(options["parent"], signal.SIGKILL)
        bind_descendants()
        super().handle(*args, **options)
