"""Test runs, schedules and components as the worker writes them, for tests of the pages that show them."""

from datetime import datetime, timedelta
from typing import Any

from monitoring.models import Component, HealthCheck, HealthState, TestResult, TestRun, TestSchedule
from monitoring.tests.records import NOW


def make_run(verdict: str = "ok", *, at: datetime = NOW, seconds: float = 4.0, **fields: Any) -> TestRun:
    """A finished key test that an operator started."""
    times = {"requested_at": at, "started_at": at, "ended_at": at + timedelta(seconds=seconds)}
    values = {
        "suites": ["key"],
        "trigger": TestRun.Trigger.OPERATOR,
        "requested_by": "ada",
        "state": TestRun.State.SUCCEEDED,
        "progress": 100,
    }
    return TestRun.objects.create(**{**values, **times, "verdict": verdict, **fields})


def make_open_run(**fields: Any) -> TestRun:
    """An active run."""
    values = {"state": TestRun.State.RUNNING, "progress": 40, "doing": "Posting a step to http://x", "ended_at": None}
    return make_run(**{**values, "verdict": "", **fields})


def make_result(run: TestRun, verdict: str = "ok", check: str = "key", **fields: Any) -> TestResult:
    """A further result of the run."""
    number = run.results.count() + 1
    values = {"suite": "key", "subject": "default", "done": "Requested one token.", "came_back": "Status 200.", "meaning": "The key works."}
    return TestResult.objects.create(
        run=run, number=number, check_name=check, verdict=verdict, at=NOW, duration_ms=1_200, **{**values, **fields}
    )


def make_schedule(**fields: Any) -> TestSchedule:
    """A key test each hour."""
    values = {"name": "Each hour", "suites": ["key"], "cron": "7 * * * *", "due_at": NOW + timedelta(minutes=7)}
    return TestSchedule.objects.create(**{**values, **fields})


def make_component(name: str, *, at: datetime = NOW, beats: str = "u", **fields: Any) -> Component:
    """A component that was checked each minute up to `at`, oldest first: u for up, d for down, g for degraded."""
    states = [{"u": HealthState.UP, "d": HealthState.DOWN, "g": HealthState.DEGRADED}[letter] for letter in beats]
    values = {"state": states[-1], "since": at, "checked_at": at, "latency_ms": 12.0, "message": f"{name} checked."}
    component = Component.objects.create(name=name, **{**values, **fields})
    HealthCheck.objects.bulk_create(
        HealthCheck(component=component, at=at - timedelta(minutes=age), state=state, latency_ms=10.0 + age, message=f"check {age}")
        for age, state in enumerate(reversed(states))
    )
    return component
