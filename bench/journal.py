"""How fast a miner's journal is imported, and in how much memory: `make bench-journal`, or `python -m bench.journal [--megabytes 100]`.

Exit status 1 where it is slower or larger than promised, or where importing it again doubles anything.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from minerpanel.tests.processes import ROOT

MEGABYTE = 1_000_000
SLOWEST, LARGEST = 100 / 60, 256  # MB/s and MB of memory: 100 MB in a minute, whatever the file's size
HEAD = "autoppia-miner python3[133676]: "
ORDINARY = (
    "INFO:root:Using cached response for task",
    "INFO:api.agents:Parsed the page in 12 ms, 231 elements, 12 forms",
    "DEBUG:httpcore:receive_response_body.complete",
    "INFO:root:Returning 7 optimized actions",
    "INFO:api.utils:Selector enhanced for button with 3 candidates, best attributeValueSelector",
)
TRACEBACK = """ERROR:api.endpoints:Error processing task task-{number}: ValueError: bad
Traceback (most recent call last):
  File "/opt/miner/api.py", line 12, in solve
    raise ValueError("bad")
ValueError: bad"""
TELLING = (
    "WARNING:root:Chutes API rate limited (429). Exponential backoff: Waiting {wait}s before retry (attempt {attempt})...",
    "WARNING:api.endpoints:Task task-{number} timed out after 25 seconds",
    "INFO:api.endpoints:solve_task called: id=task-{number}, prompt_length=120",
    "WARNING:root:Chutes API rate limited, falling back to template agent",
    "INFO:root:Chutes LLM generated 7 actions",
    TRACEBACK,
)


@dataclass(frozen=True, slots=True)
class Run:
    """One import. Sizes in MB; `said`: the command's first line."""

    seconds: float
    memory: float
    said: str

    @property
    def counts(self) -> list[int]:
        """Lines, recorded, known before, not understood."""
        return [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", self.said)]


def main() -> int:
    """Write a journal, import it twice, print."""
    parser = argparse.ArgumentParser(prog="bench.journal", description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--telling", type=float, default=0.15, help="the part of all lines that become entries (%(default)s)")
    options = parser.parse_args()
    (ROOT / "data").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "data") as folder:
        file = Path(folder) / "miner.log"
        write(file, options.megabytes * MEGABYTE, options.telling)
        environment = {**os.environ, "DATA_DIR": folder, "DATABASE_URL": "", "LOG_LEVEL": "ERROR", "SECRET_KEY": "bench " * 10}
        manage(environment, "migrate", "--verbosity", "0")
        first, again = (imported(environment, file) for _ in range(2))
        size = file.stat().st_size / MEGABYTE
    print(f"A journal of {size:.0f} MB, of which {options.telling:.0%} of the lines tell something\n")
    for name, run in (("first", first), ("again", again)):
        print(f"{name:8}{run.seconds:6.1f} s{size / run.seconds:8.1f} MB/s{run.memory:8.0f} MB of memory   {run.said}")
    faults = list(missed(first, again, size))
    print("\n" + ("\n".join(f"MISSED  {fault}" for fault in faults) or "All that the import promises is kept."))
    return int(bool(faults))


def missed(first: Run, again: Run, size: float) -> Iterator[str]:
    """What the two imports of a file of `size` MB do not reach."""
    for run in (first, again):
        if size / run.seconds < SLOWEST:
            yield f"{size / run.seconds:.1f} MB/s, {SLOWEST:.1f} are promised"
        if run.memory > LARGEST:
            yield f"{run.memory:.0f} MB of memory, {LARGEST} are promised"
    if again.counts[1] or again.counts[2] != first.counts[1]:
        yield f"{again.counts[1]} entries were doubled, {again.counts[2]} of {first.counts[1]} recognised"
    if first.counts[3]:
        yield f"{first.counts[3]} lines were not understood"


def write(file: Path, size: int, telling: float) -> None:
    """A journal of at least `size` bytes, always the same."""
    dice, at, number = random.Random(1), datetime(2025, 3, 1), 0  # noqa: DTZ001 -- a journal's times have no zone
    with file.open("w") as out:
        while out.tell() < size:
            for _ in range(1_000):
                at, number = at + timedelta(milliseconds=dice.randrange(2_000)), number + 1
                words = dice.choice(TELLING if dice.random() < telling else ORDINARY)
                attempt = dice.randrange(4)
                first, _, rest = words.format(number=number, wait=60 * 2**attempt, attempt=attempt + 1).partition("\n")
                out.write(f"{at:%b %e %H:%M:%S} {HEAD}{first}\n" + (f"{rest}\n" if rest else ""))


def imported(environment: dict[str, str], file: Path) -> Run:
    """Import the file in a process of its own."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_log", str(file)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"The import failed with status {process.returncode}.")
    return Run(time.perf_counter() - started, usage.ru_maxrss * 1024 / MEGABYTE, said)


def manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    raise SystemExit(main())
