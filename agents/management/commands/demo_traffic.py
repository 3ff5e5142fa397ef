"""`manage.py demo_traffic --url URL`: validators' steps from a seeded generator, posted to a running miner."""

import asyncio
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.devtools.demo_traffic.traffic import NoMiner, run


class Command(BaseCommand):
    help = "Posts validators' steps to a running miner until it is stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="the miner's address (%(default)s)")
        parser.add_argument("--rate", type=_above_zero, default=6.0, help="tasks a minute (%(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same tasks at the same times (%(default)s)")
        parser.add_argument("--duration", type=_above_zero, help="seconds until no new task starts (for ever)")

    def handle(self, *args: Any, **options: Any) -> None:
        stream = {"seed": options["seed"], "per_minute": options["rate"], "duration": options["duration"]}
        try:
            asyncio.run(run(options["url"].rstrip("/"), self.stdout.write, **stream))
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        except NoMiner as error:
            raise CommandError(str(error)) from error


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ArgumentTypeError("must be a number above 0")
    return number
