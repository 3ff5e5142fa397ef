"""Test runs are kept for a time, and not without end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring import jobs
from monitoring.models import HealthCheck, TestResult, TestRun
from monitoring.suites import keeping
from monitoring.tests.records import NOW
from monitoring.tests.watched import make_component, make_open_run, make_result, make_run

pytestmark = pytest.mark.django_db


def test_runs_older_than_ninety_days_go_with_their_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "AT_ONCE", 2)
    for _ in range(5):
        make_result(make_run(at=NOW - timedelta(days=90, seconds=1)))
    kept = make_run(at=NOW - timedelta(days=90))
    make_result(kept)
    assert keeping.prune(NOW) == 5
    assert (TestRun.objects.get(), TestResult.objects.count()) == (kept, 1)


def test_beyond_the_most_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST", 3)
    monkeypatch.setattr(keeping, "AT_ONCE", 2)
    made = [make_run(at=NOW - timedelta(hours=age)) for age in range(8)]
    assert keeping.prune(NOW) == 5
    assert set(TestRun.objects.all()) == set(made[:3])


def test_one_job_does_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "AT_ONCE", 2)
    monkeypatch.setattr(keeping, "BATCHES", 2)
    for _ in range(5):
        make_run(at=NOW - timedelta(days=91))
    assert [keeping.prune(NOW), keeping.prune(NOW), keeping.prune(NOW)] == [4, 1, 0]


def test_a_run_under_way_stays_however_old() -> None:
    run = make_open_run(at=NOW - timedelta(days=200))
    assert keeping.prune(NOW) == 0
    assert TestRun.objects.get() == run


def test_the_job_prunes_runs_and_health_checks() -> None:
    make_run(at=timezone.now() - timedelta(days=91))
    make_component("web", at=timezone.now() - timedelta(days=8), beats="uuu")
    jobs.prune()
    assert (TestRun.objects.count(), HealthCheck.objects.count()) == (0, 0)
