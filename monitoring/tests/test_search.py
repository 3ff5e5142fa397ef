"""Texts are found by an index that is always right: while it is filled, after it, and when rows change or go."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client

from agents.models import LLMAttempt, Step, Task
from monitoring import jobs, retention
from monitoring.models import LogEntry, Retention, TextIndexed
from monitoring.search import filling, finding
from monitoring.search.finding import few, says
from monitoring.search.indexes import TASKS
from monitoring.tests.reading import tree_of
from monitoring.tests.records import NOW, make_attempt, make_step, make_task

pytestmark = pytest.mark.django_db

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="Postgres fills its indexes itself")


@pytest.fixture(autouse=True)
def no_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "BREAK_SECONDS", 0.0)


def fill() -> None:
    filling.fill(until=time.monotonic() + 60)


def log(message: str) -> LogEntry:
    return LogEntry.objects.create(at=NOW, level=30, logger="a", message=message)


def found(model: type[Model], text: str) -> list[int]:
    return sorted(model._default_manager.filter(says(model, text)).values_list("pk", flat=True))


def is_indexed(text: str) -> bool:
    """Whether SQLite's index itself knows a task's text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM agents_task_text WHERE agents_task_text MATCH %s", [f'"{text}"'])
        return bool(cursor.fetchone()[0])


def make_all(text: str) -> list[tuple[type[Model], int]]:
    """A row of each kind that holds a text."""
    step = make_step(make_task(prompt=f"Find {text} now"))
    return [(Task, step.task_id), (LLMAttempt, make_attempt(step, detail=f"{text}!").pk), (LogEntry, log(f"About\n{text}").pk)]


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("text", ["Arrival", 'say "no" to 100%', "Ünïcode_ß", "it's -a:b AND NOT (c)", "日本語の映画"])
def test_any_part_of_a_text_finds_its_rows_whether_or_not_they_are_indexed_yet(text: str, *, filled: bool) -> None:
    make_all("something else")
    wanted = make_all(text)
    if filled:
        fill()
    for model, pk in wanted:
        assert found(model, text) == found(model, text[1:-1]) == [pk]
        assert found(model, f"{text}{text}") == []


def test_case_does_not_count() -> None:
    wanted = make_all("Some Film")
    fill()
    assert [found(model, "sOME fILM") for model, _ in wanted] == [[pk] for _, pk in wanted]


def test_a_task_is_found_by_its_address_and_its_id_too() -> None:
    task = make_task(prompt="x", url="http://localhost:8000/?seed=58", key="0af3-77")
    fill()
    assert found(Task, "localhost:8000/?seed=5") == found(Task, "af3-7") == [task.pk]


@on_sqlite
def test_rows_that_come_after_a_filling_are_found_at_once_and_indexed_by_the_next() -> None:
    make_task(prompt="older")
    fill()
    task = make_task(prompt="brand new")
    assert found(Task, "brand new") == [task.pk]
    assert not is_indexed("brand new")
    jobs.watch()
    assert is_indexed("brand new")
    assert found(Task, "brand new") == [task.pk]


@on_sqlite
def test_the_past_is_indexed_part_by_part_and_every_text_is_found_meanwhile() -> None:
    tasks = [make_task(prompt=f"number {number}!") for number in range(7)]
    end = tasks[-1].pk + 1
    TextIndexed.objects.create(name="agents_task", from_id=end, until_id=end)  # as the first filling finds it
    while part := filling._next(TASKS, 2):
        filling._add(TASKS, part)
        assert [found(Task, f"number {number}!") for number in range(7)] == [[task.pk] for task in tasks]
        assert is_indexed("number 6!")
    assert TextIndexed.objects.get(name="agents_task").from_id == 0
    assert is_indexed("number 0!")


def test_a_text_that_changes_is_found_by_its_new_words_alone() -> None:
    attempt = make_attempt(make_step(), detail="")
    fill()
    attempt.detail = "rate limit reached"
    attempt.save()
    assert found(LLMAttempt, "limit reached") == [attempt.pk]
    attempt.detail = "model is full"
    attempt.save()
    assert (found(LLMAttempt, "limit reached"), found(LLMAttempt, "is full")) == ([], [attempt.pk])


@on_sqlite
def test_what_retention_deletes_leaves_the_index_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BREAK_SECONDS", 0.0)
    old, new = make_all("old words"), make_all("new words")
    fill()
    Step.objects.filter(task=old[0][1]).update(received_at=NOW - timedelta(days=100))
    Task.objects.update(created_at=NOW - timedelta(days=100))
    Retention.objects.create(name="logs", days=3_650, most_rows=1)
    retention.prune(NOW)
    assert [found(model, "old words") for model, _ in old] == [[], [], []]
    assert [found(model, "new words") for model, _ in new] == [[pk] for _, pk in new]
    with connection.cursor() as cursor:
        for table in ("agents_task", "agents_llmattempt", "monitoring_logentry"):
            # Raises where the index and its table disagree
            cursor.execute(f"INSERT INTO {table}_text ({table}_text, rank) VALUES ('integrity-check', 0)")
    assert not is_indexed("old words")


@pytest.mark.parametrize("bound", ["FEW", "BEHIND"])
def test_where_the_index_does_not_help_rows_are_looked_at_one_by_one(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, bound, 1)
    if bound == "BEHIND" and connection.vendor != "sqlite":
        return
    tasks = [make_task(prompt=f"number {number}") for number in range(3)]
    if bound == "FEW":
        fill()
    assert few(Task, "number") is None
    assert found(Task, "number") == [task.pk for task in tasks]


def test_two_letters_are_found_too() -> None:
    task = make_task(prompt="xq", key="1", url="")
    fill()
    assert few(Task, "xq") is None
    assert found(Task, "xq") == [task.pk]


def test_the_filter_lines_find_texts_in_tasks_attempts_and_logs(viewer: Client) -> None:
    make_all("nothing of note")
    make_all("Blade Runner")
    fill()
    assert tree_of(viewer.get("/tasks/", {"q": '"blade runner"'})).xpath("count(//tbody/tr)") == 1
    assert tree_of(viewer.get("/tasks/", {"q": '-"blade runner"'})).xpath("count(//tbody/tr)") == 1
    assert tree_of(viewer.get("/attempts/", {"q": '"blade runner"'})).xpath("count(//tbody/tr)") == 1
    assert tree_of(viewer.get("/logs/", {"text": "blade runner"})).xpath("count(//tbody/tr)") == 1


def test_attempts_are_found_by_a_part_of_their_models_name(viewer: Client) -> None:
    step = make_step()
    for number, model in enumerate(("Qwen/Qwen3-32B", "deepseek-ai/V3"), 1):
        make_attempt(step, number=number, model=model)
    assert tree_of(viewer.get("/attempts/", {"q": "qwen3"})).xpath("count(//tbody/tr)") == 1


def test_a_rare_text_is_found_by_the_index_among_many_rows() -> None:
    at_length = " Find it, open it, say that it is good." * 30  # Postgres reads a few thousand short rows sooner than any index
    Task.objects.bulk_create(
        Task(fingerprint=f"{number}", key=f"{number}", prompt=f"Number {number} of many.{at_length}", url="u", created_at=NOW)
        for number in range(3_000)
    )
    fill()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # what autovacuum does after a while
            for name in ("prompt", "url", "key"):
                cursor.execute("SELECT gin_clean_pending_list(%s)", [f"agents_task_text_{name}"])
            cursor.execute("ANALYZE agents_task")
    rows = Task.objects.filter(says(Task, "Number 2999 of"))
    assert rows.count() == 1
    plan: Any = rows.explain()
    assert "agents_task_text" in plan, plan
