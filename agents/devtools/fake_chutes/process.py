"""Fake Chutes as a process of its own, for tests and benches: `with FakeChutes.started("--limit", "8") as fake_chutes: …`."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

LINE = re.compile(r"Fake Chutes on (\S+) \(control (\S+)\)\nIts key: (\S+)\nIts management API: (\S+) with the admin key (\S+)")
STOP_SECONDS = 60.0


class FakeChutes:
    """A running process: `base_url` (ends in /v1), `control_url`, `management_url`, `key` (may call models), `admin_key`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Raises RuntimeError when it does not start."""
        assert process.stdout is not None
        match = LINE.match("".join(process.stdout.readline() for _ in range(3)))
        if match is None:
            raise RuntimeError(f"Fake Chutes did not start: exit status {process.wait(STOP_SECONDS)}; its error is above.")
        self.process = process
        self.base_url, self.control_url, self.key, self.management_url, self.admin_key = match.groups()
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @classmethod
    @contextmanager
    def started(cls, *flags: str) -> Iterator[Self]:
        command = [sys.executable, "-m", "agents.devtools.fake_chutes.cli", "--port", "0", *flags]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield cls(process)
            finally:
                process.terminate()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()

    def state(self) -> dict[str, Any]:
        """`settings`, `uptime` (s), `account` (hidden from callers), `counts` by status, and `arrivals`, earliest first.
        Of an arrival: `at` in Unix seconds; `status` 0: no answer was sent; `fault` "": no fault was injected.
        """
        return self._call("/state")

    def set(self, **settings: Any) -> dict[str, Any]:
        """Changes the settings named, for instance `limit=0` or `faults={"http500": 1}`; `faults={}` ends all faults."""
        return self._call("/set", settings)

    def ban(self, seconds: float) -> dict[str, Any]:
        return self._call("/ban", {"seconds": seconds})

    def reset(self) -> dict[str, Any]:
        return self._call("/reset", {})

    def _call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with self._opener.open(urllib.request.Request(self.control_url + path, data), timeout=STOP_SECONDS) as answer:
            return dict(json.load(answer))
