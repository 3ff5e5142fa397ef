"""The stand-in's command line: flags, start, and a clean end on SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import json
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

from agents.standin import timeline
from agents.standin.behaviour import Behaviour, Course, merged
from agents.standin.chutes import Chutes
from agents.standin.control import control
from agents.standin.faults import BadSetting, Fault
from agents.standin.scenario import load_file
from agents.standin.server import App, Server
from agents.standin.timeline import Change

FAKE_KEY = f"cpk_{'0123456789abcdef' * 2}.{'feedface' * 4}.{'StandInKeyNotReal' * 2:.32}"

FAKE_ADMIN_KEY = f"cpk_{'fedcba9876543210' * 2}.{'feedface' * 4}.{'StandInAdminNotReal' * 2:.32}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the stand-in's flags to `parser`."""
    parser.add_argument("--port", type=int, default=9100, help="port of the inference API on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--control-port", type=int, help="port of the control API (the port after --port)")
    parser.add_argument("--management-port", type=int, help="port of the management API (that of the inference API); 0 takes a free one")
    parser.add_argument("--key", default=FAKE_KEY, help="the key that may call models (an obviously fake one, printed at start)")
    parser.add_argument("--admin-key", default=FAKE_ADMIN_KEY, help="the key that reads the account too (another fake one)")
    parser.add_argument("--scenario", metavar="FILE", help="the hidden account and its timeline as a JSON file; other flags come on top")
    _add_numbers(parser)
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[=P]", help=f"may be repeated: {', '.join(Fault)}")
    parser.add_argument("--invalid-key", action="store_true", help="answer 401 to every key")
    parser.add_argument("--timeline", help='later changes as JSON: [{"at": 60, "set": {"limit": 4}}, {"at": 90, "ban": 600}]')
    parser.add_argument("--seed", type=int, default=0, help="seed of latency and faults (%(default)s)")


def _add_numbers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, help="accepted requests a window; 0: 429 to all (60)")
    parser.add_argument("--window", type=float, help="seconds of the limit's window (60)")
    parser.add_argument("--published", type=float, help="limit told in X-Chutes-RL-User (60)")
    parser.add_argument("--latency", type=float, help="median seconds of an answer, spread lognormally (at once)")
    parser.add_argument("--refusal-seconds", type=float, help="seconds that a refusal takes (at once)")
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
    chutes = Chutes(options["key"], options["admin_key"], started(options), options["seed"], time.monotonic())
    main_port, control_port = _ports(options)
    is_apart = options["management_port"] is not None
    api = _server("port", chutes.inference if is_apart else chutes.both, main_port)
    side = _server("control_port", control(chutes), control_port)
    managing = _server("management_port", chutes.manage, options["management_port"]) if is_apart else None
    _serve(api, side, managing, options)


def started(options: Mapping[str, Any]) -> Course:
    """The account and its timeline as the flags ask for them. Raises BadSetting."""
    scenario = load_file(Path(options["scenario"])) if options["scenario"] else None
    start = merged(Behaviour(scenario.account) if scenario else Behaviour(), _changes(options))
    if options["timeline"] is not None:
        return Course(start, _timeline(options["timeline"], start))
    return Course(start, scenario.timeline if scenario else ())


def _timeline(text: str, start: Behaviour) -> tuple[Change, ...]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadSetting("timeline", f"not JSON ({error})") from error
    return timeline.read(entries, start, merged)


def _changes(options: Mapping[str, Any]) -> dict[str, Any]:
    names = ("limit", "window", "published", "slow_seconds", "latency")
    changes = {name: options[name] for name in names if options[name] is not None}
    if options["refusal_seconds"] is not None:
        changes["latency"] = {**_latency(options["latency"]), "refusal": options["refusal_seconds"]}
    if options["published"] == inf:
        changes["published"] = "inf"
    if options["invalid_key"]:
        changes["valid"] = False
    if options["fault"]:
        changes["faults"] = dict(_fault(text) for text in options["fault"])
    return changes


def _latency(median: float | None) -> dict[str, float]:
    return {} if median is None else {"median": median, "low": median * 2 / 3.5, "high": median * 6 / 3.5}


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


def _serve(api: Server, side: Server, managing: Server | None, options: Mapping[str, Any]) -> None:
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    servers = [server for server in (api, side, managing) if server is not None]
    for server in servers:
        server.start()
    print(f"Chutes stand-in on {api.url}/v1 (control {side.url})", flush=True)
    print(f"Its key: {options['key']}", flush=True)
    print(f"Its management API: {(managing or api).url} with the admin key {options['admin_key']}", flush=True)
    told.wait()
    for server in servers:
        server.stop()
