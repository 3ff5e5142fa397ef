"""`manage.py simulate FILE`, or `--last 24h`: how a miner with these settings would fare against a scenario, or would have fared."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.simulation.assumptions import assumptions
from agents.simulation.past import span
from agents.simulation.records import miner_in_force, read_past
from agents.simulation.replay import replayed
from agents.simulation.run import simulate
from agents.simulation.settings import READERS, Miner, with_settings
from agents.standin.faults import BadSetting
from agents.standin.scenario import load_file


class Command(BaseCommand):
    help = "Runs the miner's gate on a virtual clock against a scenario, or against the last hours, and prints the means over the seeds."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="the scenario, as JSON")
        parser.add_argument("--last", help="instead of a scenario: the steps that came in this time, such as 90m, 24h or 7d")
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
        if (options["file"] is None) == (options["last"] is None):
            raise CommandError("Give either a scenario's file or --last with a time such as 24h.")
        try:
            found = _of_file(options) if options["last"] is None else _of_the_last(options)
        except BadSetting as error:
            raise CommandError(str(error)) from error
        self._tell(found, as_json=options["json"])

    def _tell(self, found: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(found))
            return
        assumed = found.pop("assumed", [])
        for name, value in found.items():
            self.stdout.write(f"{name:16}{'–' if value is None else value}")
        for sentence in assumed:
            self.stdout.write(f"assumed: {sentence}")


def _of_file(options: Mapping[str, Any]) -> dict[str, Any]:
    return asdict(simulate(load_file(options["file"]), with_settings(Miner(), options["pairs"]), range(options["seeds"])))


def _of_the_last(options: Mapping[str, Any]) -> dict[str, Any]:
    """Without `--settings`: under those in force."""
    seconds = span(options["last"])
    with_settings(Miner(), options["pairs"])  # before hours of records are read for nothing
    past = read_past(seconds, timezone.now())
    miner = with_settings(miner_in_force(past.account), options["pairs"])
    return {**asdict(replayed(past, miner, range(options["seeds"]))), "assumed": assumptions(past)}
