"""`manage.py miner_settings`: print the miner's settings as JSON, or change some of them."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents import configuration
from agents.models import Settings


class Command(BaseCommand):
    """Validated as the panel's form is, kept in the same history; counts from the next step on, in all processes."""

    help = "Print all settings as JSON, or change them: miner_settings spacing_seconds=2 backoff_seconds=60,120,240,480"

    def add_arguments(self, parser: CommandParser) -> None:
        """Take any number of `name=value`."""
        parser.add_argument("changes", nargs="*", metavar="name=value", help=f"One of {', '.join(configuration.SETTINGS)}.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change what is asked, then print what is in force."""
        changes = dict(_parsed(text) for text in options["changes"])
        settings = Settings.current()
        if changes:
            try:
                settings = configuration.change(changes, by=None, reason="miner_settings")
            except ValidationError as error:
                raise CommandError(" ".join(f"{name}: {' '.join(said)}" for name, said in error.message_dict.items())) from None
        self.stdout.write(json.dumps(configuration.values(settings), indent=2))


def _parsed(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"“{text}” is not of the form name=value, such as spacing_seconds=2.")
    try:
        return name, configuration.parsed(name, value)
    except ValueError as error:
        raise CommandError(f"{name}: {error}") from None
