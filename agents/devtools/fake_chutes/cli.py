"""Fake Chutes as a program: `python -m agents.devtools.fake_chutes.cli`, or `manage.py fake_chutes`."""

import argparse
import json
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.devtools.fake_chutes.behaviour import Behaviour, Course, merged
from agents.devtools.fake_chutes.chutes import Chutes
from agents.devtools.fake_chutes.plans import Folder
from agents.devtools.fake_chutes.server import Server
from agents.simulation.scenario import BadSetting, Change, Fault, in_order, load_file, read

FAKE_KEY = f"cpk_{'0123456789abcdef' * 2}.{'feedface' * 4}.{'FakeKeyNotReal' * 3:.32}"
FAKE_ADMIN_KEY = f"cpk_{'fedcba9876543210' * 2}.{'feedface' * 4}.{'FakeAdminNotReal' * 3:.32}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--port", type=int, default=9100, help="of the APIs on 127.0.0.1, the next one has the control API; 0: free ones")
    add("--key", default=FAKE_KEY, help="the key that may call models (an obviously fake one, printed at start)")
    add("--scenario", metavar="FILE", help="the hidden account and its timeline as a JSON file; other flags come on top")
    add("--limit", type=int, help="accepted requests a window; 0: 429 to all (60)")
    add("--published", type=float, help="limit in X-Chutes-RL-User (60)")
    add("--latency", type=float, help="median seconds of an answer, spread lognormally (at once)")
    add("--fault", action="append", default=[], metavar="NAME[=P]", help=f"may be repeated: {', '.join(Fault)}")
    add("--invalid-key", action="store_const", const=False, dest="valid", help="answer 401 to every key")
    add("--timeline", help='later changes as JSON: [{"at": 60, "set": {"limit": 4}}, {"at": 90, "ban": 600}]')
    add("--by-hand", metavar="FOLDER", help="play the model: each prompt is a file in the folder and waits for its reply file, up to 180 s")
    add("--seed", type=int, default=0, help="seed of latency and faults (%(default)s)")


def started(options: Mapping[str, Any]) -> Course:
    scenario = load_file(Path(options["scenario"])) if options["scenario"] else None
    changes = {name: options[name] for name in ("limit", "published", "latency", "valid") if options[name] is not None}
    if options["fault"]:
        pairs = [text.partition("=") for text in options["fault"]]
        changes["faults"] = {name: _json(f"fault {name}", chance or "1") for name, _, chance in pairs}
    start = merged(Behaviour(scenario.account) if scenario else Behaviour(), changes)
    if options["timeline"] is None:
        return Course(start, scenario.timeline if scenario else ())
    entries = read(tuple[Change, ...], _json("timeline", options["timeline"]), "timeline")
    return Course(start, in_order(entries, start, merged))


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadSetting(name, f"not JSON ({error})") from error


def _folder(path: str | None) -> Folder | None:
    try:
        return Folder(Path(path)) if path else None
    except OSError as error:
        raise BadSetting("by-hand", f"{path} can't be used as a folder ({error})") from error


def run(options: Mapping[str, Any]) -> None:
    """Serves until SIGTERM or SIGINT. Raises BadSetting, before anything is served."""
    chutes = Chutes(options["key"], FAKE_ADMIN_KEY, started(options), options["seed"], _folder(options["by_hand"]))
    port = options["port"]
    try:
        servers = [Server(chutes.answer, port), Server(chutes.control, port + 1 if port else 0)]
    except (OSError, OverflowError) as error:
        raise BadSetting("port", f"{port} or the next one can't be used ({error})") from error
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    for server in servers:
        server.start()
    print(f"Fake Chutes on {servers[0].url}/v1 (control {servers[1].url})", flush=True)
    print(f"Its key: {options['key']}", flush=True)
    print(f"Its management API: {servers[0].url} with the admin key {FAKE_ADMIN_KEY}", flush=True)
    stopped.wait()
    chutes.stopping.set()
    for server in servers:
        server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="fake_chutes", description="Fake Chutes on loopback.")
    add_arguments(parser)
    try:
        run(vars(parser.parse_args()))
    except BadSetting as error:
        parser.error(str(error))
