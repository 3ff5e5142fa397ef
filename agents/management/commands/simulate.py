"""`manage.py simulate FILE`, or `--last 24h`: the results of a miner with these settings in a scenario, or in the last hours."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict, replace
from math import inf
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.simulation.past import read_past, span
from agents.simulation.replay import assumptions, replayed
from agents.simulation.run import simulate
from agents.simulation.scenario import BadSetting, load_file
from agents.simulation.settings import SIMULATED, miner_in_force, miner_with


def load_average(text: str) -> float:
    """Raises ArgumentTypeError."""
    value = float(text)
    if not 0 <= value < inf:
        raise ArgumentTypeError("must be a number from 0")
    return value


class Command(BaseCommand):
    help = "Runs the miner's gate on a virtual clock against a scenario, or against the last hours, and prints the means over the seeds."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="the scenario, as JSON")
        parser.add_argument("--last", help="instead of a scenario: the steps of this period, such as 90m, 24h or 7d")
        names = ", ".join(SIMULATED)
        parser.add_argument("--settings", "--miner-settings", dest="pairs", nargs="+", action="extend", default=[], help=names)
        parser.set_defaults(settings=None)
        parser.add_argument("--seeds", type=int, default=3, help="how many runs (%(default)s)")
        parser.add_argument("--load", type=load_average, default=0.0, help="of the machine, an average: steps that wake late miss slots")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Django's own `--settings` names a module; here the name means the miner's settings, as everywhere in the panel."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seeds"] < 1:
            raise CommandError("--seeds: must be a whole number from 1")
        if (options["file"] is None) == (options["last"] is None):
            raise CommandError("Give either a scenario's file or --last with a time such as 24h.")
        seeds, pairs = range(options["seeds"]), options["pairs"]
        try:
            if options["last"] is None:
                result = asdict(simulate(load_file(options["file"]), replace(miner_with(pairs), load=options["load"]), seeds))
            else:
                seconds = span(options["last"])
                miner_with(pairs)  # validates them before the records are read
                past = read_past(seconds, timezone.now())
                miner = replace(miner_in_force(past.account, pairs), load=options["load"])
                result = {**asdict(replayed(past, miner, seeds)), "assumed": assumptions(past)}
        except BadSetting as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result))
            return
        assumed = result.pop("assumed", [])
        for name, value in result.items():
            self.stdout.write(f"{name:16}{'–' if value is None else value}")
        for sentence in assumed:
            self.stdout.write(f"assumed: {sentence}")
