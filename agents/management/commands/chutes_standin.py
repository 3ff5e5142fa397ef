"""`manage.py chutes_standin --port P`: a stand-in for Chutes on loopback, for trying things out."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.standin import cli
from agents.standin.faults import BadSetting


class Command(BaseCommand):
    help = "Runs a stand-in for Chutes on loopback until it is stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        cli.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cli.run(options)
        except BadSetting as error:
            raise CommandError(str(error)) from error
