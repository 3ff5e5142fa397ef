"""The flags of the demo's traffic."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from agents.demo.traffic import Traffic


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the flags to `parser`."""
    defaults = Traffic("http://127.0.0.1:8000")
    parser.add_argument("--url", default=defaults.url, help="the miner's address (%(default)s)")
    parser.add_argument("--rate", type=_above_zero, default=defaults.per_minute, help="tasks a minute (%(default)s)")
    parser.add_argument(
        "--seed", type=int, default=defaults.seed, help="the same seed gives the same tasks at the same times (%(default)s)"
    )
    parser.add_argument("--duration", type=_above_zero, help="seconds until no new task starts (for ever)")


def traffic(options: Mapping[str, Any]) -> Traffic:
    """The traffic that the flags ask for."""
    return Traffic(options["url"].rstrip("/"), options["seed"], options["rate"], options["duration"])


def _above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ArgumentTypeError("a number above 0 is wanted")
    return number
