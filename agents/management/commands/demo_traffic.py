"""`manage.py demo_traffic --url URL`: validators' steps from a seeded generator, posted to a running miner."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.demo import cli
from agents.demo.traffic import NoMiner, run


class Command(BaseCommand):
    help = "Posts validators' steps to a running miner until it is stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        cli.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asyncio.run(run(cli.traffic(options), self.stdout.write))
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        except NoMiner as error:
            raise CommandError(str(error)) from error
