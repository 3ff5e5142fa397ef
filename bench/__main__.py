"""How long a step takes beside a bare "hello" of the same server, a decision beside a bare update of a row, and how long the template
agent thinks: `make bench`.

One run, the same client, the cases in turn, so that the ratios hold on any machine. The decision is measured on SQLite, and on Postgres
too where BENCH_DATABASE_URL names a server on which a database may be made: postgres://user:password@host:5432/postgres.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agents.standin.process import StandIn
from bench import thinking
from bench.miner import database, environment, web
from minerpanel.tests.processes import ROOT, Miner, step_body, wait_until

ROUNDS = 6
REQUESTS = 100
CLIENTS = (1, 32)
FILM = '<p class="c{0}">Film {0}, directed by someone, {1}.</p><a href="/film/{0}?seed=58">Film {0}</a>'
FILLER = "".join(FILM.format(number, 1950 + number % 70) for number in range(500))
LARGE = step_body()["html"].replace("</body>", FILLER + "</body>")


@dataclass(frozen=True)
class Case:
    """One line of the table: where to post what."""

    name: str
    url: str
    html: str = step_body()["html"]


def main() -> None:
    """How long the template agent thinks, what a decision costs, then what a step takes."""
    thinking.main()
    decide()
    server_url = os.environ.get("BENCH_DATABASE_URL")
    if server_url:
        with database(server_url) as url:
            decide(url)
    with ExitStack() as stack:
        cases = list(started(stack))
        for clients in CLIENTS:
            print(f"\n{clients} client{'s' if clients > 1 else ''}, {ROUNDS} rounds of {REQUESTS} requests a case")
            print(f"{'':44}{'median':>10}{'p95':>10}{'max':>10}{'× hello':>10}")
            show(measure(cases, clients))


def started(stack: ExitStack) -> Iterator[Case]:
    """All servers, ready to be measured."""
    yield Case("bare WSGI hello", stack.enter_context(hello()))
    data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "data")))
    paused = miner(stack, data / "paused", "--limit", "0")
    post(httpx.Client(), Case("", paused), 0)
    yield Case("/step paused: template, both writes", paused)
    yield Case(f"/step paused, page of {len(LARGE) // 1000} kB", paused, LARGE)
    instant = miner(stack, data / "instant", "--limit", "1000000", "--latency", "0")
    yield Case("/step with an instant LLM", instant)


def miner(stack: ExitStack, data: Path, *flags: str) -> str:
    """The address of a miner with a stand-in of its own and no spacing."""
    standin = stack.enter_context(StandIn.started(*flags))
    url, _ = web(stack, standin, data, "Qwen/Qwen3-32B-TEE", "spacing_seconds=0")
    return url


def decide(database_url: str = "") -> None:
    """The cost of a decision on one database, measured in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "data") as data:
        own = environment(Path(data), database_url)
        with Miner.running(own) as migrated:
            migrated.manage("migrate", "--verbosity", "0")
            command = [sys.executable, "-c", "import django; django.setup(); from bench.decision import main; main()"]
            subprocess.run(command, cwd=ROOT, env=own, check=True)


@contextmanager
def hello() -> Iterator[str]:
    """The bare application under the miner's own server settings."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config", "minerpanel/gunicorn.conf.py", "bench.hello:application"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PORT": str(port), "LOG_LEVEL": "ERROR", "SECRET_KEY": "bench " * 10})
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(url), "the bare server does not answer")
        yield url
    finally:
        process.terminate()
        process.wait()


def measure(cases: list[Case], clients: int) -> dict[str, list[float]]:
    """Seconds of each request by case. The cases take turns, so that a slow minute slows all of them."""
    seconds: dict[str, list[float]] = {case.name: [] for case in cases}
    with ThreadPoolExecutor(clients) as pool, ExitStack() as stack:
        sessions = [stack.enter_context(httpx.Client(timeout=60)) for _ in range(clients)]
        for _ in range(ROUNDS):
            for case in cases:
                seconds[case.name] += one_round(pool, sessions, case)
    return seconds


def one_round(pool: ThreadPoolExecutor, sessions: list[httpx.Client], case: Case) -> list[float]:
    share = max(1, REQUESTS // len(sessions))
    work: Callable[[httpx.Client], list[float]] = lambda session: [post(session, case, number) for number in range(share)]  # noqa: E731
    return [seconds for some in pool.map(work, sessions) for seconds in some]


def post(session: httpx.Client, case: Case, number: int) -> float:
    body: dict[str, Any] = step_body(number, html=case.html)
    started = time.perf_counter()
    response = session.post(f"{case.url}/step", json=body)
    seconds = time.perf_counter() - started
    response.raise_for_status()
    return seconds


def show(seconds: dict[str, list[float]]) -> None:
    bare = statistics.median(next(iter(seconds.values())))
    for name, some in seconds.items():
        median, p95 = statistics.median(some), statistics.quantiles(some, n=20)[-1]
        print(f"{name:44}{median * 1000:8.1f}ms{p95 * 1000:8.1f}ms{max(some) * 1000:8.1f}ms{median / bare:10.1f}")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    main()
