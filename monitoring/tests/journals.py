"""A miner's journal of any size, and its import in a process of its own."""

import random
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
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


def write(file: Path, size: int, telling: float) -> None:
    """A journal of at least `size` bytes, always the same."""
    dice, at, number = random.Random(1), datetime(2025, 3, 1), 0  # noqa: DTZ001 -- a journal's times have no zone
    with file.open("w") as out:
        while out.tell() < size:
            for _ in range(1_000):
                at, number = at + timedelta(milliseconds=dice.randrange(2_000)), number + 1
                message = dice.choice(TELLING if dice.random() < telling else ORDINARY)
                attempt = dice.randrange(4)
                first, _, rest = message.format(number=number, wait=60 * 2**attempt, attempt=attempt + 1).partition("\n")
                out.write(f"{at:%b %e %H:%M:%S} {HEAD}{first}\n" + (f"{rest}\n" if rest else ""))


def imported(environment: dict[str, str], file: Path) -> list[int]:
    """Import the file; returns the numbers of lines, recorded, already known and not parsed."""
    command = [sys.executable, "manage.py", "import_log", str(file)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", done.stdout.splitlines()[0])]
