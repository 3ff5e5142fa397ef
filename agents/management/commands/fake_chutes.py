"""`manage.py fake_chutes --port P`: fake Chutes on loopback, for trials."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.devtools.fake_chutes import cli
from agents.simulation.scenario import BadSetting


class Command(BaseCommand):
    help = "Runs fake Chutes on loopback until it is stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        cli.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cli.run(options)
        except BadSetting as error:
            raise CommandError(str(error)) from error
