"""After the predicted end of a rate limit the key test is started automatically, once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from agents.configuration import default_account
from agents.models import RateLimitEvent, Settings
from agents.operator_jobs.leased_job import cancel
from monitoring.models import TestRun
from monitoring.testruns.suites import running
from monitoring.testruns.suites.schedules import AFTER_PROBE, start_due

pytestmark = pytest.mark.django_db


def event(*, ago: timedelta = AFTER_PROBE, **more: Any) -> RateLimitEvent:
    at = timezone.now() - ago
    fields: dict[str, Any] = {"refusal": "edge", "strike": 1, "pause_seconds": 60, "pause_source": "ladder", "prediction_source": "ladder"}
    times = {"started_at": at - timedelta(seconds=60), "block_started_at": at - timedelta(seconds=60), "predicted_at": at}
    return RateLimitEvent.objects.create(account=default_account(), **{**fields, **times, **more})


def test_a_run_is_queued_when_the_predicted_time_has_passed_and_only_once() -> None:
    passed = event()
    assert start_due(timezone.now())
    run = TestRun.objects.get()
    assert (run.trigger, run.suites, run.options, run.requested_by) == ("reset", ["key"], {"event": passed.pk}, "")
    assert OrmQ.objects.count() == 1
    cancel(run)
    assert start_due(timezone.now()) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"ago": timedelta(seconds=-60)},
        {"ago": timedelta(hours=2)},
        {"ended_by": "timer"},
        {"refusal": "daily_quota"},
        {"model": "a/model"},
        {"predicted_at": None},
    ],
)
def test_no_retest_before_its_time_or_without_a_rate_limit(fields: dict[str, Any]) -> None:
    event(**fields)
    assert start_due(timezone.now()) is None


def test_it_can_be_switched_off() -> None:
    event()
    Settings.objects.update_or_create(id=1, defaults={"retest_after_pause": False})
    assert start_due(timezone.now()) is None


def test_while_another_run_is_under_way_it_waits() -> None:
    event()
    running.start(["api"], trigger=TestRun.Trigger.OPERATOR)
    assert start_due(timezone.now()) is None
    cancel(TestRun.objects.get())
    assert start_due(timezone.now())
