"""Roll-ups, text search and histories do the same on Postgres: their own tests, run there, and the same numbers from the same rows."""

import json
import os
import subprocess
import sys

import pytest

from minerpanel.tests.processes import ROOT

FILES = ("monitoring/tests/reporting/test_search.py", "agents/tests/hybrid/test_history.py")
ROLLUPS = "monitoring/tests/reporting/test_rollups.py"
# What is Python's alone, or the same statements again.
SAME_ON_BOTH = ("percentile", "whatever_spans", "the_same_again", "killed", "five_minutes", "the_hour", "the_shorter")
NUMBERS = """
import json
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from agents.configuration import default_account
from agents.devtools.demo_traffic.records import Past
from monitoring.reporting.rollups import state_at, sum_finished
from monitoring.overview.compare import compared
from monitoring.reporting.ranges import RANGES, Range
from monitoring.overview.figures import series

now = datetime(2026, 5, 4, 12, 10, tzinfo=timezone.utc)
Past(default_account(), 5).write(200, now - timedelta(days=8), now, lambda _: None)

def summaries():
    for name in RANGES:
        yield asdict(series(Range.named(name, now), now))
        yield asdict(compared(Range.named(name, now), now))

def plain(value):
    if isinstance(value, dict):
        return sorted([str(name), plain(item)] for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return round(float(value), 6) if isinstance(value, (float, Decimal)) else str(value)

state = state_at(now)
raw = plain(list(summaries()))
sum_finished(state, now, until=float("inf"))
print(json.dumps([raw, plain(list(summaries()))]))
"""


def run_on_postgres(url: str, *arguments: str) -> None:
    """Tests on a database of a Postgres server."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-q", "--reuse-db", "-p", "no:xdist", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**inherited, "TESTS_DATABASE_URL": url}, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout[-5_000:]


def test_the_tests_of_search_histories_and_a_rollup_pass_on_postgres(postgres_url: str) -> None:
    run_on_postgres(postgres_url, *FILES, f"{ROLLUPS}::test_the_hours_and_the_raw_rows_after_them_make_up_all_steps")


@pytest.mark.slow
def test_the_tests_of_rollups_pass_on_postgres(postgres_url: str) -> None:
    run_on_postgres(postgres_url, "-k", f"not ({' or '.join(SAME_ON_BOTH)})", ROLLUPS)


@pytest.mark.slow
def test_programs_and_assistants_are_answered_on_postgres_too(postgres_url: str) -> None:
    folders = (f"monitoring/tests/{name}" for name in ("api", "tokens", "assistants", "palette"))
    run_on_postgres(postgres_url, "-m", "not slow", *folders, "monitoring/tests/tasks/test_saved_views.py")


@pytest.mark.slow
def test_any_input_is_answered_properly_on_postgres_too(postgres_url: str) -> None:
    """Forms and cookies: Postgres takes no NUL, and less wide numbers than Python."""
    sample = "(any_value and post) or place or header"
    run_on_postgres(postgres_url, "-m", "long", "-k", sample, "monitoring/tests/test_anything.py")


@pytest.mark.slow
def test_the_same_rows_give_the_same_numbers_on_both_databases(postgres_url: str, process_environment: dict[str, str]) -> None:
    listed = []
    for url in ("", postgres_url):
        command = [sys.executable, "manage.py", "shell", "--no-imports", "--command", NUMBERS]
        environment = {**process_environment, "DATABASE_URL": url}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=True)
        listed.append(done.stdout.splitlines()[-1])
    for sqlite, postgres in zip(*map(json.loads, listed), strict=True):
        assert sqlite == postgres
    assert len(listed[0]) > 10_000
