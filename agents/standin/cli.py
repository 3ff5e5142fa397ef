"""The stand-in's command line: flags, start, and a clean end on SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from agents.standin.behaviour import BadSetting, Behaviour, Fault, merged
from agents.standin.chutes import Chutes
from agents.standin.control import control
from agents.standin.server import App, Server
from agents.standin.timeline import parse

FAKE_KEY = f"cpk_{'0123456789abcdef' * 2}.{'feedface' * 4}.{'StandInKeyNotReal' * 2:.32}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the stand-in's flags to `parser`."""
    parser.add_argument("--port", type=int, default=9100, help="port of the inference API on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--control-port", type=int, help="port of the control API (the port after --port)")
    parser.add_argument("--key", default=FAKE_KEY, help="the one valid key (an obviously fake one, printed at start)")
    _add_numbers(parser)
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[=P]", help=f"may be repeated: {', '.join(Fault)}")
    parser.add_argument("--invalid-key", action="store_true", help="answer 401 to every key")
    parser.add_argument("--timeline", default="[]", help='later changes as JSON: [{"at": 60, "set": {"limit": 4}}]')
    parser.add_argument("--seed", type=int, default=0, help="seed of latency and faults (%(default)s)")


def _add_numbers(parser: argparse.ArgumentParser) -> None:
    defaults = Behaviour()
    parser.add_argument("--limit", type=int, default=defaults.limit, help="accepted requests a window; 0: 429 to all (%(default)s)")
    parser.add_argument("--window", type=float, default=defaults.window, help="seconds of the limit's window (%(default)s)")
    parser.add_argument("--published", type=int, default=defaults.published, help="limit told in X-Chutes-RL-User (%(default)s)")
    parser.add_argument("--latency", type=float, default=0.0, help="median seconds of an answer, spread lognormally (at once)")
    parser.add_argument("--refusal-seconds", type=float, default=0.0, help="seconds that a 401 or 429 takes (at once)")
    parser.add_argument("--slow-seconds", type=float, help='seconds that the fault "slow" takes (30 to 90)')


def main(argv: Sequence[str] | None = None) -> int:
    """Runs until told to stop; 2 for a flag that can't be used."""
    parser = argparse.ArgumentParser(prog="chutes_standin", description="A stand-in for Chutes on loopback.")
    add_arguments(parser)
    try:
        run(vars(parser.parse_args(argv)))
    except BadSetting as error:
        parser.error(str(error))
    return 0


def run(options: Mapping[str, Any]) -> None:
    """Serves until SIGTERM or SIGINT. Raises BadSetting, before anything is served."""
    chutes = Chutes(options["key"], behaviour(options), parse(options["timeline"]), options["seed"], time.monotonic())
    main_port, control_port = _ports(options)
    api = _server("port", chutes.answer, main_port)
    side = _server("control_port", control(chutes), control_port)
    _serve(api, side, options["key"])


def behaviour(options: Mapping[str, Any]) -> Behaviour:
    """The behaviour that the flags ask for. Raises BadSetting."""
    names = ("limit", "window", "published", "latency", "refusal_seconds")
    changes = {name: options[name] for name in names} | {"valid": not options["invalid_key"]}
    changes["faults"] = dict(_fault(text) for text in options["fault"])
    if options["slow_seconds"] is not None:
        changes["slow_seconds"] = options["slow_seconds"]
    return merged(Behaviour(), changes)


def _fault(text: str) -> tuple[str, float]:
    name, _, chance = text.partition("=")
    try:
        return name, float(chance) if chance else 1.0
    except ValueError as error:
        raise BadSetting(f"fault {name}", f"a probability is wanted, not {chance!r}") from error


def _ports(options: Mapping[str, Any]) -> tuple[int, int]:
    port, side = options["port"], options["control_port"]
    if side is None:
        side = port + 1 if port else 0
    return port, side


def _server(name: str, app: App, port: int) -> Server:
    try:
        return Server(app, port)
    except (OSError, OverflowError) as error:
        raise BadSetting(name, f"{port} can't be used ({error})") from error


def _serve(api: Server, side: Server, key: str) -> None:
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    api.start()
    side.start()
    print(f"Chutes stand-in on {api.url}/v1 (control {side.url})", flush=True)
    print(f"Its key: {key}", flush=True)
    told.wait()
    api.stop()
    side.stop()
