"""How long pages take on the server at 10,000 steps and at a million: `make bench-pages`, or `make bench-pages ARGS="--steps 200000"`.

Each database is seeded once, in data/bench-pages-<steps>, and kept for the next run; a million steps take some ten minutes and 2.5 GB.
Nothing is served from the panel's cache. The pages take turns, so that a slow moment of the machine slows all of them.
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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FEW, ROUNDS = 10_000, 25
# Milliseconds at the 95th percentile, and how much longer a page may take at the larger number: what is promised.
PROMISED, PROMISED_MONTH, PROMISED_RATIO = 60.0, 120.0, 1.5


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its name, its address, whether it shows a month."""

    name: str
    address: str
    is_month: bool = False


def main() -> None:
    """Both databases, then the table."""
    parser = argparse.ArgumentParser(description="How long pages take on the server.")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measured()))
        return
    few, many = (_run(steps) for steps in (FEW, asked.steps))
    print(f"Server time in ms, {ROUNDS} rounds, nothing cached; {FEW:,} and {asked.steps:,} steps over 90 days")
    print(f"{'':26}{'p50':>9}{'p95':>9}{'queries':>9}{'p50':>9}{'p95':>9}{'queries':>9}{'× p50':>9}")
    for name in few:
        _show(name, few[name], many[name])


def measured() -> dict[str, Any]:
    """Seconds and queries by page, in a process with Django on the database of the environment."""
    import django  # noqa: PLC0415 -- the process that only starts others needs none of this

    django.setup()
    from django.conf import settings  # noqa: PLC0415
    from django.core.cache import cache  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    settings.ALLOWED_HOSTS.append("testserver")
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    client, pages = _visitor(), _pages()
    seconds: dict[str, list[float]] = {page.name: [] for page in pages}
    queries: dict[str, int] = {}
    for turn in range(ROUNDS + 1):
        for page in pages:
            cache.clear()
            began = time.perf_counter()
            response = client.get(page.address)
            if turn:  # the first one compiles templates
                seconds[page.name].append(time.perf_counter() - began)
            assert response.status_code == 200, page.address
    for page in pages:
        cache.clear()
        with CaptureQueriesContext(connection) as seen:
            client.get(page.address)
        queries[page.name] = len(seen)
    return {page.name: {"seconds": seconds[page.name], "queries": queries[page.name], "is_month": page.is_month} for page in pages}


def _visitor() -> Any:
    from django.contrib.auth.models import Group, User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    user, _ = User.objects.get_or_create(username="bench")
    user.groups.set(Group.objects.filter(name="admins"))
    client = Client()
    client.force_login(user)
    return client


def _pages() -> list[Page]:
    from django.db.models import Count  # noqa: PLC0415

    from agents.models import Step  # noqa: PLC0415

    longest = Step.objects.filter(pk__gte=Step.objects.latest("pk").pk - 1_000).values("task").annotate(steps=Count("*")).latest("steps")
    ranges = [Page(f"Overview, {name}", f"/?range={name}", name == "30d") for name in ("1h", "6h", "24h", "7d", "30d")]
    return [
        *ranges,
        Page("Compare, 24h", "/compare/"),
        Page("Compare, 30d", "/compare/?range=30d", is_month=True),
        Page("Tasks", "/tasks/"),
        Page("Tasks, 24h", "/tasks/?q=since:24h"),
        Page("Tasks, 30d", "/tasks/?q=since:30d", is_month=True),
        Page("Tasks, LLM, 24h", "/tasks/?q=since:24h+route:llm"),
        Page("Tasks, LLM, 30d", "/tasks/?q=since:30d+route:llm", is_month=True),
        Page("Tasks, paused, 30d", "/tasks/?q=since:30d+reason:paused", is_month=True),
        Page("Tasks, 429, 30d", "/tasks/?q=since:30d+status:429", is_month=True),
        Page("Tasks, failed, 30d", "/tasks/?q=since:30d+outcome:failed", is_month=True),
        Page("Tasks, late, 30d", "/tasks/?q=since:30d+state:late", is_month=True),
        Page("Tasks, project, 30d", "/tasks/?q=since:30d+project:autocinema", is_month=True),
        Page("Tasks, text, 30d", "/tasks/?q=since:30d+Parasite", is_month=True),
        Page("One task", f"/tasks/{longest['task']}/"),
        Page("Callers", "/callers/"),
        Page("Settings", "/settings/"),
        Page("What if", "/rate-limit/what-if/"),
    ]


def _run(steps: int) -> dict[str, Any]:
    """The measurement of one database, seeded where that has not been done."""
    data = ROOT / "data" / f"bench-pages-{steps}"
    own = {"DATA_DIR": str(data), "DATABASE_URL": "", "LOG_LEVEL": "ERROR", "SECRET_KEY": "bench " * 10, "CHUTES_API_KEY": ""}
    environment = {**os.environ, **own, "DJANGO_SETTINGS_MODULE": "minerpanel.settings"}
    manage = [sys.executable, "manage.py"]
    if not (data / "seeded").exists():
        data.mkdir(parents=True, exist_ok=True)
        subprocess.run([*manage, "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)
        subprocess.run([*manage, "seed_records", f"--steps={steps}"], cwd=ROOT, env=environment, check=True)
        (data / "seeded").touch()
    command = [sys.executable, "-W", "ignore", "-m", "bench.pages", "--measure"]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _show(name: str, few: dict[str, Any], many: dict[str, Any]) -> None:
    columns, medians = "", []
    for each in (few, many):
        median, p95 = statistics.median(each["seconds"]) * 1000, statistics.quantiles(each["seconds"], n=20)[-1] * 1000
        columns += f"{median:9.1f}{p95:9.1f}{each['queries']:9}"
        medians.append(median)
    promised, ratio = PROMISED_MONTH if many["is_month"] else PROMISED, medians[1] / medians[0]
    missed = [f"p95 above {promised:g} ms"] if p95 > promised else []
    missed += [f"above {PROMISED_RATIO:g} times"] if ratio > PROMISED_RATIO else []
    print(f"{name:26}{columns}{ratio:9.2f}{'  MISSED: ' + ', '.join(missed) if missed else ''}")


if __name__ == "__main__":
    main()
