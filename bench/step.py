"""How long a step takes beside a bare "hello" and a bare parse of its page, and a decision beside a bare update, in turn: the ratios hold
on any machine, those of the processor's time on a busy one too."""

import argparse
import math
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
from lxml import html as markup

from agents.devtools.fake_chutes.process import FakeChutes
from bench.measure import best, line, ratio, show_times
from bench.miner import running
from minerpanel.tests.postgres import PostgresServer
from minerpanel.tests.processes import ROOT, Web, step_body

ROUNDS = 6
REQUESTS = 100
CLIENTS = (1, 32)
FILM = '<p class="c{0}">Film {0}, directed by someone, {1}.</p><a href="/film/{0}?seed=58">Film {0}</a>'
FILLER = "".join(FILM.format(number, 1950 + number % 70) for number in range(500))
LARGE = step_body()["html"].replace("</body>", FILLER + "</body>")
DECIDE = "import django; django.setup(); from bench.decision import main; main()"


SETTLED = 0.5  # seconds after which what a step left to other threads is done


@dataclass(frozen=True)
class Case:
    name: str
    web: Web
    html: str = step_body()["html"]

    def cpu_seconds(self) -> float:
        """Of all threads that its server has now."""
        threads = Path(f"/proc/{self.web.process.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def main(options: argparse.Namespace) -> int:
    with ExitStack() as stack:
        (ROOT / "data").mkdir(mode=0o700, exist_ok=True)
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "data")))
        cases = list(started(stack, data, options.database))
        for clients in CLIENTS:
            print(f"\n{clients} client{'s' if clients > 1 else ''}, {ROUNDS} rounds of {REQUESTS} requests a case")
            seconds, cpu = measure(cases, clients)
            show_times(seconds, "hello")
            show_cpu(cases, cpu)
    return 0


def show_cpu(cases: list[Case], cpu: dict[str, float]) -> None:
    """Prints the processor's time that the web process needs for a request, with what it does after the answer."""
    print(line("Processor's time a request", ("ms", "× hello", "× parse")))
    hello = next(iter(cpu.values()))
    for case in cases:
        own, parse = cpu[case.name], best(markup.fromstring, case.html) / 1000 if case.html else 0.0
        print(line(case.name, [f"{1000 * own:.2f}", ratio(own, hello), ratio(own, parse)]))


def started(stack: ExitStack, data: Path, database: str) -> Iterator[Case]:
    def miner(name: str, *flags: str) -> Web:
        fake_chutes = stack.enter_context(FakeChutes.started(*flags))
        return stack.enter_context(running(data / name, fake_chutes, "spacing_seconds=0")).webs([{}])[0]

    fake_chutes = stack.enter_context(FakeChutes.started("--limit", "0"))
    server = stack.enter_context(PostgresServer.started()) if database == "postgres" else None
    plain = stack.enter_context(running(data / "plain", fake_chutes, DATABASE_URL=f"{server.url}/postgres" if server else ""))
    subprocess.run([sys.executable, "-c", DECIDE], cwd=ROOT, env=plain.environment, check=True)
    yield Case("bare WSGI hello", plain.webs([{}], "--application", "bench.measure.hello")[0])
    paused = miner("paused", "--limit", "0")
    post(httpx.Client(), Case("", paused), 0)
    instant = miner("instant", "--limit", "1000000", "--latency", "0")
    yield Case("/step paused, without a page", paused, "")
    yield Case("/step paused: template, one write", paused)
    yield Case(f"/step paused, page of {len(LARGE) // 1000} kB", paused, LARGE)
    yield Case("/step with an instant LLM", instant)
    yield Case(f"/step, instant LLM, page of {len(LARGE) // 1000} kB", instant, LARGE)


def measure(cases: list[Case], clients: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Seconds of each request by case, and of the processor's time for one in its best round. The cases take turns, so that a slow
    minute slows all of them."""
    seconds: dict[str, list[float]] = {case.name: [] for case in cases}
    cpu = dict.fromkeys(seconds, math.inf)
    with ThreadPoolExecutor(clients) as pool, ExitStack() as stack:
        sessions = [stack.enter_context(httpx.Client(timeout=60)) for _ in range(clients)]

        def posted(session: httpx.Client, case: Case) -> list[float]:
            return [post(session, case, number) for number in range(REQUESTS // clients)]

        for _ in range(ROUNDS):
            for case in cases:
                before = case.cpu_seconds()
                rounds = list(pool.map(posted, sessions, [case] * clients))
                time.sleep(SETTLED)
                cpu[case.name] = min(cpu[case.name], (case.cpu_seconds() - before) / sum(map(len, rounds)))
                seconds[case.name] += [one for some in rounds for one in some]
    return seconds, cpu


def post(session: httpx.Client, case: Case, number: int) -> float:
    started = time.perf_counter()
    response = session.post(f"{case.web.url}/step", json=step_body(number, html=case.html))
    seconds = time.perf_counter() - started
    response.raise_for_status()
    return seconds
