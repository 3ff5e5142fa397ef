"""`manage.py simulate FILE`: how a miner with these settings would fare against a scenario's hidden account."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.simulation.run import simulate
from agents.simulation.settings import READERS, Miner, with_settings
from agents.standin.faults import BadSetting
from agents.standin.scenario import load_file


class Command(BaseCommand):
    help = "Runs the miner's gate on a virtual clock against a scenario and prints the means over the seeds."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the scenario, as JSON")
        known = ", ".join(READERS)
        parser.add_argument("--settings", "--miner-settings", dest="pairs", nargs="+", action="extend", default=[], help=known)
        parser.set_defaults(settings=None)
        parser.add_argument("--seeds", type=int, default=3, help="how many runs (%(default)s)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Django's own `--settings` names a module; here the name means the miner's settings, as everywhere in the panel."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seeds"] < 1:
            raise CommandError("--seeds: a whole number from 1 is wanted")
        try:
            measures = asdict(simulate(load_file(options["file"]), with_settings(Miner(), options["pairs"]), range(options["seeds"])))
        except BadSetting as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(measures))
        else:
            for name, value in measures.items():
                self.stdout.write(f"{name:16}{'–' if value is None else value}")
