"""A task's steps on one axis of time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from agents.models import Step, Task
from agents.reasons import Verdict
from monitoring.stats.story import story
from monitoring.stats.timeline import LEAST_WIDTH, Timeline, timeline
from monitoring.tests.reading import text_of, tree_of, words_of
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db


def drawn(task: Task) -> Timeline:
    told = story(task.pk, NOW + timedelta(minutes=5))
    assert told
    return timeline(told.steps)


def three_steps() -> Task:
    """One of the LLM within 2 s, one of the template that was late, and one that has no answer."""
    task = make_task()
    step = make_llm_step(task, index=0, at=NOW, outcome="worked")
    make_attempt(step, decided_at=NOW, wait_ms=500.0, latency_ms=1_000.0)
    make_attempt(step, number=2, decided_at=NOW, wait_ms=None, latency_ms=None, verdict=Verdict.GIVEN_UP)
    make_step(task, index=1, at=NOW + timedelta(seconds=10), duration_ms=30_000.0)
    make_open_step(task, index=2, at=NOW + timedelta(seconds=50))
    Step.objects.filter(route="").update(duration_ms=None)
    return task


def test_each_step_is_where_it_came_and_as_long_as_it_took() -> None:
    told = drawn(three_steps())
    assert told.seconds == 50
    assert [bar.offset_ms for bar in told.bars] == [0, 10_000, 50_000]
    assert [(bar.part.left, bar.part.width, bar.part.state) for bar in told.bars] == [
        (0, 4, "llm"),
        (20, 60, "late"),
        (100 - LEAST_WIDTH, LEAST_WIDTH, "unanswered"),
    ]


def test_within_a_step_it_is_seen_when_a_provider_was_asked_and_a_slot_that_was_given_up_is_not() -> None:
    (asked,) = drawn(three_steps()).bars[0].attempts
    assert (asked.left, asked.width, asked.state) == (1, 2, "ok")


def test_a_task_without_a_step_has_nothing_to_draw() -> None:
    assert timeline([]) == Timeline([], 0.0)


def test_the_page_leads_from_the_timeline_to_each_step(viewer: Client) -> None:
    task = three_steps()
    page = viewer.get(f"/tasks/{task.pk}/")
    rows = [words_of(row) for row in tree_of(page).xpath("//*[@class='timeline']/li")]
    assert rows == ["Step 0 +0 ms LLM Worked 2.00 s", "Step 1 +10.0 s Template, late 30.0 s", "Step 2 +50.0 s No answer –"]
    assert tree_of(page).xpath("//*[@class='timeline']//a/@href") == [f"#step-{step.pk}" for step in task.steps.order_by("pk")]
    assert "3 steps in 50.0 s" in text_of(page, "//section[@aria-labelledby='timeline']")


def test_a_single_step_needs_no_timeline(viewer: Client) -> None:
    assert not tree_of(viewer.get(f"/tasks/{make_step().task_id}/")).xpath("//*[@class='timeline']")
