"""The stand-in as a process of its own, for tests and benches: `with StandIn.started("--limit", "8") as standin: …`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

LINE = re.compile(r"Chutes stand-in on (\S+) \(control (\S+)\)")
MANAGED = re.compile(r"Its management API: (\S+) with the admin key (\S+)")
STOP_SECONDS = 10.0


class StandIn:
    """A running stand-in: `base_url` (ends in /v1), `control_url`, `management_url`, `key` (may call models), `admin_key`."""

    def __init__(self, process: subprocess.Popen[str], urls: tuple[str, str, str], key: str, admin_key: str) -> None:
        self.process, self.key, self.admin_key = process, key, admin_key
        self.base_url, self.control_url, self.management_url = urls
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @classmethod
    @contextmanager
    def started(cls, *flags: str) -> Iterator[Self]:
        """A stand-in on free ports with `flags`, stopped at the end. Raises RuntimeError when it does not start."""
        command = [sys.executable, "-m", "agents.standin", "--port", "0", *flags]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            yield cls._ready(process)
        finally:
            _end(process)

    @classmethod
    def _ready(cls, process: subprocess.Popen[str]) -> Self:
        first, second, third = (process.stdout.readline() for _ in range(3)) if process.stdout else ("", "", "")
        found, managed = LINE.match(first), MANAGED.match(third)
        if found is None or managed is None:
            raise RuntimeError(f"The stand-in did not start: exit status {process.wait(STOP_SECONDS)}; its error is above.")
        return cls(process, (found[1], found[2], managed[1]), second.removeprefix("Its key: ").strip(), managed[2])

    def state(self) -> dict[str, Any]:
        """`settings`, `served`, `uptime`, `account` (hidden), `counts` by status, `arrivals` (each with `at`, the wall-clock second)."""
        return self._call("/state")

    def set(self, **settings: Any) -> dict[str, Any]:
        """Changes the settings named, for instance `limit=0` or `faults={"http500": 1}`; `faults={}` ends all faults."""
        return self._call("/set", settings)

    def ban(self, seconds: float) -> dict[str, Any]:
        """Bans the account for so long from now."""
        return self._call("/ban", {"seconds": seconds})

    def reset(self) -> dict[str, Any]:
        """Back to how it started, with nothing arrived."""
        return self._call("/reset", {})

    def stop(self) -> int:
        """Ends the process and returns its exit status."""
        return _end(self.process)

    def _call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with self._opener.open(urllib.request.Request(self.control_url + path, data), timeout=STOP_SECONDS) as answer:
            value: dict[str, Any] = json.load(answer)
        return value


def _end(process: subprocess.Popen[str]) -> int:
    process.terminate()
    try:
        status = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait(STOP_SECONDS)
    if process.stdout is not None:
        process.stdout.close()
    return status
