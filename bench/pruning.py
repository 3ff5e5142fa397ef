"""How long writes wait while old records are deleted at a million steps: `make bench-pruning`, or with ARGS="--steps 200000".

On a copy of the database that `make bench-pages` makes. A miner answers steps, and beside it something writes a row every few
milliseconds; first alone, then while the records that are too old, then too many, are deleted as the hourly job does it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench.seeded import ROOT, environment, seed
from minerpanel.tests.processes import Miner, step_body

SECONDS = 60
# Between two steps, and between two writes, in seconds.
STEP_EVERY, WRITE_EVERY = 0.05, 0.005
# A batch aims at half a tenth of a second and lets the others in after a whole one. Who waits for SQLite looks again after as long.
PROMISED_MS = 100 + 100
PRUNE = """
import sys, time
from django.utils import timezone
from monitoring import retention
from monitoring.models import Retention
for name in ("steps", "attempts"):
    Retention.objects.update_or_create(name=name, defaults={"days": int(sys.argv[1]), "most_rows": int(sys.argv[2])})
deleted = retention.prune(timezone.now(), until=time.monotonic() + float(sys.argv[3]))
print("deleted", ", ".join(f"{count:,} {name}" for name, count in deleted.items()))
"""


@dataclass
class Seen:
    """Seconds of the writes and of the steps of one part."""

    writes: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)


def main() -> None:
    """The three parts, a line each for writes and steps."""
    parser = argparse.ArgumentParser(description="How long writes wait while old records are pruned.")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long each part takes (%(default)s)")
    asked = parser.parse_args()
    seed(asked.steps)
    with copied(asked.steps) as own, Miner.running(own) as miner:
        url, file = miner.web(), Path(own["DATA_DIR"]) / "panel.sqlite3"
        print(f"{asked.steps:,} steps; {os.cpu_count()} cores, load average {', '.join(f'{each:.1f}' for each in os.getloadavg())}.\n")
        print(f"{'ms':44}{'median':>9}{'p95':>9}{'p99':>9}{'longest':>9}{'number':>9}")
        show("without pruning", *watched(url, file, lambda: time.sleep(asked.seconds)))
        for name, days, rows in (("by age", 60, 100_000_000), ("by rows", 3_650, asked.steps // 2)):
            show(f"pruning {name}", *watched(url, file, lambda days=days, rows=rows: prune(own, days, rows, asked.seconds)))  # type: ignore[misc]


@contextmanager
def copied(steps: int) -> Iterator[dict[str, str]]:
    """The environment of a copy of the database, gone at the end."""
    own = environment(steps)
    with tempfile.TemporaryDirectory(prefix="bench-pruning-", dir=ROOT / "data") as data:
        shutil.copy(Path(own["DATA_DIR"]) / "panel.sqlite3", data)
        os.sync()  # else the copy is still being written while the first part is measured
        yield {**own, "DATA_DIR": data}


def prune(own: dict[str, str], days: int, rows: int, seconds: int) -> str:
    """Prune in a process of its own, as the worker does; what was deleted."""
    code = f"import django; django.setup()\n{PRUNE}"
    command = [sys.executable, "-c", code, str(days), str(rows), str(seconds)]
    return subprocess.run(command, cwd=ROOT, env=own, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def watched(url: str, file: Path, work: Callable[[], str | None]) -> tuple[Seen, str]:
    """What writes and steps took while some work was done, and what that said."""
    seen, over = Seen(), threading.Event()
    watchers = [
        threading.Thread(target=every, args=(STEP_EVERY, over, seen.steps, lambda: stepping(url))),
        threading.Thread(target=every, args=(WRITE_EVERY, over, seen.writes, lambda: writing(file))),
    ]
    for each in watchers:
        each.start()
    try:
        said = work() or ""
    finally:
        over.set()
        for each in watchers:
            each.join()
    return seen, said


def every(seconds: float, over: threading.Event, seen: list[float], begin: Callable[[], Callable[[], None]]) -> None:
    """Do it again and again with a break, until it is over; note what each took."""
    do = begin()
    while not over.wait(seconds):
        began = time.perf_counter()
        do()
        seen.append(time.perf_counter() - began)


def stepping(url: str) -> Callable[[], None]:
    """Something that posts a step and waits for its answer."""
    client = httpx.Client(timeout=60)

    def step() -> None:
        client.post(f"{url}/step", json=step_body(time.time_ns())).raise_for_status()

    return step


def writing(file: Path) -> Callable[[], None]:
    """Something that writes one row, and waits for the database as long as it has to."""
    database = sqlite3.connect(file, timeout=30, isolation_level=None)
    database.execute("PRAGMA synchronous = NORMAL")

    def write() -> None:
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE agents_caller SET last_seen_at = last_seen_at WHERE id = 1")
        database.execute("COMMIT")

    return write


def show(name: str, seen: Seen, said: str) -> None:
    """Two lines of the table."""
    for what, seconds in (("writes", seen.writes), ("steps", seen.steps)):
        places = statistics.quantiles(seconds, n=100)
        columns = (statistics.median(seconds), places[94], places[98], max(seconds))
        missed = f"  MISSED: above {PROMISED_MS} ms" if what == "writes" and max(seconds) * 1000 > PROMISED_MS else ""
        print(f"{f'{what}, {name}':44}{''.join(f'{each * 1000:9.1f}' for each in columns)}{len(seconds):9,}{missed}")
    if said:
        print(f"  {said}")


if __name__ == "__main__":
    main()
