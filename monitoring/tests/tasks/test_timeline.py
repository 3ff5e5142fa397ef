"""A task's steps on a time axis."""

from datetime import timedelta

import pytest
from django.test import Client

from agents.contract.action_history import Outcome
from agents.models import Step, Task
from agents.policy.reasons import Verdict
from monitoring.tasks.task_detail import LEAST_WIDTH, TaskDetail, task_detail
from monitoring.tests.reading import element_text, text_of, tree_of
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db


def drawn(task: Task) -> TaskDetail:
    detail = task_detail(task.pk, NOW + timedelta(minutes=5))
    assert detail
    return detail


def three_steps() -> Task:
    """Three steps: by the LLM in 2 s, by the template agent too late, and without an answer."""
    task = make_task()
    step = make_llm_step(task, index=0, at=NOW, outcome="worked")
    make_attempt(step, decided_at=NOW, wait_ms=500.0, latency_ms=1_000.0)
    make_attempt(step, number=2, decided_at=NOW, wait_ms=None, latency_ms=None, verdict=Verdict.GIVEN_UP)
    make_step(task, index=1, at=NOW + timedelta(seconds=10), duration_ms=30_000.0)
    make_open_step(task, index=2, at=NOW + timedelta(seconds=50))
    Step.objects.filter(route="").update(duration_ms=None)
    return task


def test_each_step_is_placed_by_its_time_and_duration() -> None:
    detail = drawn(three_steps())
    assert detail.seconds == 50
    assert [step.offset_ms for step in detail.steps] == [0, 10_000, 50_000]
    assert [(step.bar.left, step.bar.width, step.bar.state) for step in detail.steps] == [
        (0, 4, "llm"),
        (20, 60, "late"),
        (100 - LEAST_WIDTH, LEAST_WIDTH, "unanswered"),
    ]


def test_a_step_shows_when_a_provider_worked_for_it_and_no_slot_that_was_given_up() -> None:
    (bar,) = drawn(three_steps()).steps[0].attempt_bars
    assert (bar.left, bar.width, bar.state) == (1, 2, "ok")


def test_a_task_without_a_step_has_nothing_to_draw() -> None:
    detail = drawn(make_task())
    assert (detail.steps, detail.seconds) == ([], 0.0)


def test_each_step_is_summarised_on_the_axis(viewer: Client) -> None:
    task = three_steps()
    page = viewer.get(f"/tasks/{task.pk}/")
    first, second, third = (element_text(row) for row in tree_of(page).xpath("//section/details/summary"))
    assert first.startswith(f"Step 0 +0 ms LLM {Outcome.WORKED.sentence} 2.00 s The LLM answered.")
    assert second.startswith("Step 1 +10.0 s Template, late 30.0 s")
    assert third == "Step 2 +50.0 s No answer on record – Not answered yet."
    assert "3 steps in 50.0 s" in text_of(page)


def test_a_single_step_needs_no_axis(viewer: Client) -> None:
    assert not tree_of(viewer.get(f"/tasks/{make_step().task_id}/")).xpath("//*[@class='step-bar']")
