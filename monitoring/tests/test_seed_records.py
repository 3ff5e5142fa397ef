"""Generated records for benches."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from agents.models import LimitEstimate, LLMAttempt, RateLimitEvent, Step, Task
from monitoring.models import LogEntry, Rollup, RollupState
from monitoring.reporting.search import INDEXES, few, unindexed
from monitoring.tests.records import make_task

pytestmark = [pytest.mark.django_db, pytest.mark.long]


def seed(**options: object) -> None:
    call_command("seed_records", **{"steps": 60, "days": 1, **options}, stdout=StringIO())


def test_records_are_written_and_summed() -> None:
    seed(steps=300)
    assert Step.objects.count() == 300
    assert 0.8 < LLMAttempt.objects.count() / 300 < 1.2
    assert {"accepted", "refused", "recovered"} <= set(LimitEstimate.objects.values_list("occasion", flat=True))
    assert 0.05 < RateLimitEvent.objects.count() / 300 < 0.15
    assert RollupState.objects.get().hours_until > timezone.now() - timedelta(hours=2)
    assert Rollup.objects.filter(of="steps", span="hour").aggregate(count=Sum("count"))["count"] > 250


def test_log_records_are_added_on_request_and_all_texts_are_indexed() -> None:
    seed(logs=50)
    assert LogEntry.objects.count() == 50
    task = Task.objects.earliest("pk")
    assert few(Task, task.key) is not None
    assert sum(map(unindexed, INDEXES)) == 0


def test_the_same_seed_makes_the_same_records() -> None:
    seed()
    prompts = list(Task.objects.order_by("pk").values_list("key", "prompt"))
    Task.objects.all().delete()
    seed()
    assert list(Task.objects.order_by("pk").values_list("key", "prompt")) == prompts


def test_real_records_are_left_alone() -> None:
    make_task()
    with pytest.raises(CommandError, match="holds real records"):
        seed()
    assert not Step.objects.exists()
    seed(force=True, steps=10)
    assert Step.objects.exists()


def test_more_records_can_be_added_to_seeded_ones() -> None:
    seed()
    seed(seed=2)
    assert Step.objects.count() == 120


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"days": 0}])
def test_nothing_to_write_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="numbers above 0"):
        seed(**wrong)
