"""How long a step takes beside a bare "hello", and a decision beside a bare update, in turn: the ratios hold on any machine."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from agents.devtools.fake_chutes.process import FakeChutes
from bench.measure import show_times
from bench.miner import running
from minerpanel.tests.postgres import PostgresServer
from minerpanel.tests.processes import ROOT, step_body

ROUNDS = 6
REQUESTS = 100
CLIENTS = (1, 32)
FILM = '<p class="c{0}">Film {0}, directed by someone, {1}.</p><a href="/film/{0}?seed=58">Film {0}</a>'
FILLER = "".join(FILM.format(number, 1950 + number % 70) for number in range(500))
LARGE = step_body()["html"].replace("</body>", FILLER + "</body>")
DECIDE = "import django; django.setup(); from bench.decision import main; main()"


@dataclass(frozen=True)
class Case:
    name: str
    url: str
    html: str = step_body()["html"]


def main(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "data")))
        cases = list(started(stack, data, options.database))
        for clients in CLIENTS:
            print(f"\n{clients} client{'s' if clients > 1 else ''}, {ROUNDS} rounds of {REQUESTS} requests a case")
            show_times(measure(cases, clients), "hello")
    return 0


def started(stack: ExitStack, data: Path, database: str) -> Iterator[Case]:
    def miner(name: str, *flags: str) -> str:
        fake_chutes = stack.enter_context(FakeChutes.started(*flags))
        return stack.enter_context(running(data / name, fake_chutes, "spacing_seconds=0")).web()

    fake_chutes = stack.enter_context(FakeChutes.started("--limit", "0"))
    server = stack.enter_context(PostgresServer.started()) if database == "postgres" else None
    plain = stack.enter_context(running(data / "plain", fake_chutes, DATABASE_URL=f"{server.url}/postgres" if server else ""))
    subprocess.run([sys.executable, "-c", DECIDE], cwd=ROOT, env=plain.environment, check=True)
    yield Case("bare WSGI hello", plain.web("--application", "bench.measure.hello"))
    paused = miner("paused", "--limit", "0")
    post(httpx.Client(), Case("", paused), 0)
    yield Case("/step paused: template, one write", paused)
    yield Case(f"/step paused, page of {len(LARGE) // 1000} kB", paused, LARGE)
    yield Case("/step with an instant LLM", miner("instant", "--limit", "1000000", "--latency", "0"))


def measure(cases: list[Case], clients: int) -> dict[str, list[float]]:
    """Seconds of each request by case. The cases take turns, so that a slow minute slows all of them."""
    seconds: dict[str, list[float]] = {case.name: [] for case in cases}
    with ThreadPoolExecutor(clients) as pool, ExitStack() as stack:
        sessions = [stack.enter_context(httpx.Client(timeout=60)) for _ in range(clients)]

        def posted(session: httpx.Client, case: Case) -> list[float]:
            return [post(session, case, number) for number in range(REQUESTS // clients)]

        for _ in range(ROUNDS):
            for case in cases:
                for some in pool.map(posted, sessions, [case] * clients):
                    seconds[case.name] += some
    return seconds


def post(session: httpx.Client, case: Case, number: int) -> float:
    started = time.perf_counter()
    response = session.post(f"{case.url}/step", json=step_body(number, html=case.html))
    seconds = time.perf_counter() - started
    response.raise_for_status()
    return seconds
