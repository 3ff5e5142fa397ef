"""A miner of a test's own: real web processes and workers on one data folder and one database."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from agents.devtools.fake_chutes.process import FakeChutes

ROOT = Path(__file__).resolve().parents[2]
# Far more than is needed, so that a slow machine passes too, in seconds.
PATIENCE = 180.0
# For a worker that takes up within a second what another one left.
QUICK_CANARY = "--canary-seconds=1"
MODEL = "Qwen/Qwen3-32B-TEE"
# Commands that make no system checks.
NEVER_CHECKED = {"shell", "restore", "setup_panel"}


class NotInstalled(Exception):
    """The machine lacks a program; the text names the remedy."""


@dataclass(frozen=True, slots=True)
class Web:
    """A web process and its address."""

    url: str
    process: subprocess.Popen[bytes]


class Miner:
    """Web processes and workers that share `environment`."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.processes: list[subprocess.Popen[bytes]] = []

    @classmethod
    @contextmanager
    def running(cls, environment: dict[str, str]) -> "Iterator[Miner]":
        """Ready to start processes, on a database that is migrated already; all of them are ended at the end."""
        miner = cls(environment)
        try:
            yield miner
        finally:
            for process in miner.processes:
                process.terminate()
            for process in miner.processes:
                _end(process)

    def web(self, *options: str) -> str:
        """Start a web process; its address."""
        return self.webs([{}], *options)[0].url

    def webs(self, environments: list[dict[str, str]], *options: str) -> list[Web]:
        """Start a web process with each of these additions to the environment, all at once; they answer when this returns."""
        command, webs = [sys.executable, "-m", "minerpanel.serve", *options], []
        for more in environments:
            port = more.get("PORT") or str(free_port())
            webs.append(Web(f"http://127.0.0.1:{port}", self._start(command, {**more, "PORT": port})))
        for web in webs:
            wait_until(lambda url=web.url: _answers(f"{url}/health"), f"{web.url} does not answer")  # type: ignore[misc]
        return webs

    def worker(self, canary_seconds: float = 1) -> subprocess.Popen[bytes]:
        """Start a worker that runs jobs when this returns."""
        return self.workers([{}], f"--canary-seconds={canary_seconds}")[0]

    def workers(self, environments: list[dict[str, str]], *options: str) -> list[subprocess.Popen[bytes]]:
        """Start a worker with each of these additions to the environment, all at once; all run jobs when this returns."""
        before = time.time()
        command = [sys.executable, "manage.py", "worker", *options]
        workers = [self._start([*command, f"--name=worker-{number}"], more) for number, more in enumerate(environments)]
        wait_until(lambda: self.beaten_after(before) >= len(workers), "the workers run no jobs")
        return workers

    def manage(self, *arguments: str, typed: str = "") -> str:
        """Run a management command that is given `typed` as its input; what it printed.

        Without the system checks, which take as long as most commands: the web process and the worker make them.
        """
        unchecked = () if arguments[0] in NEVER_CHECKED else ("--skip-checks",)
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments, *unchecked],
            cwd=ROOT,
            env=self.environment,
            check=True,
            input=typed,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
        return done.stdout

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query returns, read beside the running processes."""
        url = self.environment.get("DATABASE_URL", "")
        if url:
            with psycopg.connect(url) as database:
                return database.execute(sql.encode()).fetchall()
        with closing(sqlite3.connect(self.database_file, timeout=30)) as database:
            return database.execute(sql).fetchall()

    def execute(self, sql: str) -> None:
        """Change rows behind the processes' backs."""
        url = self.environment.get("DATABASE_URL", "")
        if url:
            with psycopg.connect(url) as database:
                database.execute(sql.encode())
            return
        with closing(sqlite3.connect(self.database_file, timeout=30, isolation_level=None)) as database:
            database.execute(sql)

    @property
    def database_file(self) -> Path:
        return Path(self.environment["DATA_DIR"]) / "panel.sqlite3"

    def _start(self, command: list[str], more: dict[str, str]) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, cwd=ROOT, env={**self.environment, **more}, start_new_session=True)
        self.processes.append(process)
        return process

    def beaten_after(self, before: float) -> int:
        """The number of workers with a heartbeat after this Unix time."""
        return sum(
            moment(beaten_at) > before for (beaten_at,) in self.rows("SELECT beaten_at FROM agents_heartbeat WHERE name LIKE 'worker %'")
        )


def step_body(number: int = 0, **more: Any) -> dict[str, Any]:
    """One step as today's validators send it."""
    form = '<form action="/search"><input name="query" placeholder="Find films"><button type="submit">Go</button></form>'
    page = f"<html><body>{form}</body></html>"
    body = {"protocol_version": "1.0", "task_id": f"task-{number}", "prompt": "Search for the film 'Arrival'", "step_index": 0}
    return {**body, "url": "http://localhost:8000/?seed=58", "html": page, "history": [], "tools": [], "include_reasoning": False, **more}


def post_at_once(urls: list[str], bodies: list[dict[str, Any]]) -> list[tuple[float, httpx.Response]]:
    """Post all bodies to /step at the same time, in turn over the addresses: seconds and answer of each."""

    def post(number: int) -> tuple[float, httpx.Response]:
        started = time.monotonic()
        answer = httpx.post(f"{urls[number % len(urls)]}/step", json=bodies[number], timeout=PATIENCE)
        return time.monotonic() - started, answer

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(post, range(len(bodies))))


def wait_until(condition: Callable[[], Any], otherwise: str, patience: float = PATIENCE) -> Any:
    """The condition's first true value. Fails with `otherwise` when there is none in time."""
    over = time.monotonic() + patience
    while time.monotonic() < over:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"{otherwise} after {patience:.0f} s")


handed_out = set[int]()


def free_port() -> int:
    """A free port, each once: the process that one was meant for may not listen yet."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    if port in handed_out:
        return free_port()
    handed_out.add(port)
    return port


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the process and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)


def environment(process_environment: dict[str, str], fake_chutes: FakeChutes, **more: str) -> dict[str, str]:
    """The environment of a miner that uses MODEL of fake Chutes."""
    return {
        **process_environment,
        "CHUTES_API_KEY": fake_chutes.key,
        "CHUTES_BASE_URL": fake_chutes.base_url,
        "CHUTES_MODELS": MODEL,
        **more,
    }


def completions(fake_chutes: FakeChutes) -> list[dict[str, Any]]:
    """The chat completions that arrived at fake Chutes, in order; `at` is a Unix time."""
    return [arrival for arrival in fake_chutes.state()["arrivals"] if arrival["path"].endswith("/chat/completions")]


def moment(value: str | datetime) -> float:
    """A time of either database as a Unix time."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def answered(response: httpx.Response) -> list[dict[str, Any]]:
    """The tool calls of a step's answer."""
    assert response.status_code == 200, response.text
    calls: list[dict[str, Any]] = json.loads(response.text)["tool_calls"]
    return calls


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        kill(process)
