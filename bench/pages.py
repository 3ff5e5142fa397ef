"""How long pages take at 10,000 steps and at a million: `make bench-pages`, or `make bench-pages ARGS="--steps 200000"`.

Each database is made once, in data/bench-pages-<steps>, kept for the next run and then brought up to now (bench/seeded.py); a million
steps with a million log records take some fifteen minutes and 4 GB. Nothing is served from the panel's cache. The pages and the databases
take turns, so that a slow moment of the machine slows all of them. Where a browser is, it tells the bytes of a first and of a later
visit, and when the largest part is painted. Beside them stands the log page of Healthchecks, where that can be had.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench import healthchecks
from bench.seeded import ROOT, environment, seed

FEW, ROUNDS = 10_000, 25
# What is promised: milliseconds at the 95th percentile, how much longer a page may take at the larger number, kB of a page compressed.
PROMISED, PROMISED_MONTH, PROMISED_TEXT, PROMISED_RATIO, PROMISED_KB = 60.0, 120.0, 400.0, 1.5, 30.0


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its name, its address, and the milliseconds that are promised for it."""

    name: str
    address: str
    promised: float = PROMISED


def main() -> None:
    """Both databases, then the table."""
    parser = argparse.ArgumentParser(description="How long pages take.")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--no-browser", action="store_true", help="leave out what a browser tells")
    parser.add_argument("--healthchecks", metavar="DIR", help="a checkout of Healthchecks, to be measured beside; by default it is cloned")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure()
        return
    few, many = run((FEW, asked.steps))
    print(f"Server time in ms, {ROUNDS} rounds, nothing cached; {FEW:,} and {asked.steps:,} steps over 90 days.")
    print(f"{os.cpu_count()} cores, load average {', '.join(f'{each:.1f}' for each in os.getloadavg())}.\n")
    print(f"{'':28}{'p50':>8}{'p95':>8}{'queries':>9}{'p50':>8}{'p95':>8}{'queries':>9}{'× p50':>8}{'kB':>7}")
    missed = sum(show(name, few[name], many[name]) for name in few)
    print(f"\n{len(few) - missed} of {len(few)} pages keep what is promised.")
    if peer := healthchecks.measured((FEW, asked.steps), asked.healthchecks):
        print(f"{healthchecks.NAME:28}{told(peer[0])}{told(peer[1])}{slower(*peer):8.2f}{peer[1]['bytes'] / 1000:7.1f}")
    if not asked.no_browser:
        from bench.visits import tell  # noqa: PLC0415 -- needs a browser's driver

        tell(environment(asked.steps))


def measure() -> None:
    """In a process with Django on the database of the environment: a round over all pages for each line that comes in, a line back for
    each, and at the end seconds and queries by page.
    """
    import django  # noqa: PLC0415 -- the process that only starts others needs none of this

    django.setup()
    from django.conf import settings  # noqa: PLC0415
    from django.core.cache import cache  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from minerpanel.garbage import leave_what_is_loaded  # noqa: PLC0415

    leave_what_is_loaded()
    settings.ALLOWED_HOSTS.append("testserver")
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    client, pages = visitor(), made_pages()
    seconds: dict[str, list[float]] = {page.name: [] for page in pages}
    found: dict[str, Any] = {}
    for _ in sys.stdin:
        for page in pages:
            cache.clear()
            began = time.perf_counter()
            response = client.get(page.address)
            seconds[page.name].append(time.perf_counter() - began)
            assert response.status_code == 200, page.address
        print(flush=True)
    for page in pages:
        cache.clear()
        with CaptureQueriesContext(connection) as seen:
            response = client.get(page.address)
        told = {"queries": len(seen), "bytes": len(response.content), "promised": page.promised}
        found[page.name] = {"seconds": seconds[page.name][1:], **told}  # the first round compiles templates
    print(json.dumps(found))


def visitor() -> Any:
    """A client that is logged in, whose pages come compressed."""
    from django.contrib.auth.models import Group, User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    user, _ = User.objects.get_or_create(username="bench")
    user.groups.set(Group.objects.filter(name="admins"))
    client = Client(headers={"accept-encoding": "gzip"})
    client.force_login(user)
    return client


def made_pages() -> list[Page]:
    """The pages, with a task that has many steps."""
    from django.db.models import Count  # noqa: PLC0415

    from agents.models import Step, Task  # noqa: PLC0415

    longest = Step.objects.filter(pk__gte=Step.objects.latest("pk").pk - 1_000).values("task").annotate(steps=Count("*")).latest("steps")
    key = Task.objects.get(pk=longest["task"]).key
    ranges = {"1h": PROMISED, "6h": PROMISED, "24h": PROMISED, "7d": PROMISED, "30d": PROMISED_MONTH}
    month = {
        "LLM": "route:llm",
        "paused": "reason:paused",
        "429": "status:429",
        "late": "state:late",
        "failed": "outcome:failed",
        "project": "project:autocinema",
    }
    return [
        *(Page(f"Overview, {name}", f"/?range={name}", promised) for name, promised in ranges.items()),
        Page("Compare, 24h", "/compare/"),
        Page("Compare, 30d", "/compare/?range=30d", PROMISED_MONTH),
        Page("Tasks", "/tasks/"),
        Page("Tasks, 24h", "/tasks/?q=since:24h"),
        Page("Tasks, LLM, 24h", "/tasks/?q=since:24h+route:llm"),
        Page("Tasks, 30d", "/tasks/?q=since:30d", PROMISED_MONTH),
        *(Page(f"Tasks, {name}, 30d", f"/tasks/?q=since:30d+{condition}", PROMISED_MONTH) for name, condition in month.items()),
        Page("Tasks, text of many", "/tasks/?q=Parasite", PROMISED_TEXT),
        Page("Tasks, text of all", '/tasks/?q="where+name+equals"', PROMISED_TEXT),
        Page("Tasks, text of one", f"/tasks/?q={key[7:]}", PROMISED_TEXT),
        Page("Tasks, text of none", "/tasks/?q=nowhere-at-all", PROMISED_TEXT),
        Page("One task", f"/tasks/{longest['task']}/"),
        Page("Steps", "/steps/"),
        Page("Steps, longest first", "/steps/?sort=longest"),
        Page("Steps, template, 24h", "/steps/?q=since:24h+route:template"),
        Page("Steps, 30d", "/steps/?q=since:30d+source:validator", PROMISED_MONTH),
        Page("Steps, 429, 30d", "/steps/?q=since:30d+status:429", PROMISED_MONTH),
        Page("Steps, project, 30d", "/steps/?q=since:30d+project:autocinema", PROMISED_MONTH),
        Page("Steps, text of many", "/steps/?q=Parasite", PROMISED_TEXT),
        Page("Attempts", "/attempts/"),
        Page("Attempts, 429, 30d", "/attempts/?q=since:30d+status:429", PROMISED_MONTH),
        Page("Attempts, text", "/attempts/?q=nowhere-at-all", PROMISED_TEXT),
        Page("Rate limit", "/rate-limit/"),
        Page("Rate-limit events", "/rate-limit/events/"),
        Page("Logs", "/logs/"),
        Page("Logs, 30d", "/logs/?range=30d", PROMISED_MONTH),
        Page("Logs, text of many", "/logs/?text=refused+attempt", PROMISED_TEXT),
        Page("Logs, text of none", "/logs/?text=nowhere-at-all", PROMISED_TEXT),
        Page("Audit", "/audit/"),
        Page("Health", "/components/"),
        Page("Tests", "/tests/"),
        Page("Callers", "/callers/"),
        Page("Settings", "/settings/"),
        Page("What if", "/rate-limit/what-if/"),
    ]


def run(sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """The measurement of each database. They take turns too."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.pages", "--measure"]
    start = partial(subprocess.Popen[str], command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    running = [start(env=own) for own in [seed(steps) for steps in sizes]]
    for _ in range(ROUNDS + 1):
        for process in running:
            assert process.stdin is not None
            assert process.stdout is not None
            print(file=process.stdin, flush=True)
            assert process.stdout.readline(), "a process ended early"
    return [json.loads(process.communicate()[0]) for process in running]


def show(name: str, few: dict[str, Any], many: dict[str, Any]) -> bool:
    """Print one page's line. True where it misses anything that is promised."""
    p95, ratio, size, promised = percentile95(many), slower(few, many), many["bytes"] / 1000, many["promised"]
    missed = [f"p95 above {promised:g} ms"] if p95 > promised else []
    # A text is looked for in all there is: what is promised of it is its time.
    missed += [f"above {PROMISED_RATIO:g} times"] if ratio > PROMISED_RATIO and promised != PROMISED_TEXT else []
    missed += [f"above {PROMISED_KB:g} kB"] if size > PROMISED_KB else []
    missed += ["more queries"] if few["queries"] != many["queries"] and promised != PROMISED_TEXT else []
    print(f"{name:28}{told(few)}{told(many)}{ratio:8.2f}{size:7.1f}  {'MISSED: ' + ', '.join(missed) if missed else 'kept'}")
    return bool(missed)


def told(page: dict[str, Any]) -> str:
    """The columns of one number of rows."""
    return f"{median(page):8.1f}{percentile95(page):8.1f}{page['queries']:9}"


def median(page: dict[str, Any]) -> float:
    """In ms."""
    seconds: list[float] = page["seconds"]
    return statistics.median(seconds) * 1000


def percentile95(page: dict[str, Any]) -> float:
    """In ms."""
    seconds: list[float] = page["seconds"]
    return statistics.quantiles(seconds, n=20)[-1] * 1000


def slower(few: dict[str, Any], many: dict[str, Any]) -> float:
    """How many times as long the page takes with many rows."""
    return median(many) / median(few)


if __name__ == "__main__":
    main()
