"""django-q2's cluster, none of whose processes outlives its parent. Started by `worker`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django_q.management.commands import qcluster

from agents.cluster import bind_descendants, die_with_parent


class Command(qcluster.Command):  # type: ignore[misc] # django-q2 ships no types
    requires_system_checks: list[str] = []  # its parent has made them
    help = "Run jobs until the parent process ends. Use `worker`, which also watches over it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--parent", type=int, required=True, help="the id of the process that started this one")

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_parent(options["parent"])
        bind_descendants()
        super().handle(*args, **options)
