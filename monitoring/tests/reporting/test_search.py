"""Text search by an index that is complete while it is filled, afterwards, and when rows change or are deleted."""

import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from agents.models import LLMAttempt, Step, Task
from monitoring import jobs
from monitoring.models import LogEntry, Retention, TextIndexed
from monitoring.reporting import search
from monitoring.reporting.search import INDEXED_CHARS, TASKS, contains, few
from monitoring.retention import pruning
from monitoring.tests.reading import tree_of
from monitoring.tests.records import NOW, make_attempt, make_step, make_task

pytestmark = [pytest.mark.django_db, pytest.mark.long]

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="Postgres fills its indexes itself")


@pytest.fixture(autouse=True)
def no_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BREAK_SECONDS", 0.0)


def fill() -> None:
    search.fill(until=time.monotonic() + 60)


def log(message: str) -> LogEntry:
    return LogEntry.objects.create(at=NOW, level=30, logger="a", message=message)


def matches(model: type[Model], text: str) -> list[int]:
    return sorted(model._default_manager.filter(contains(model, text)).values_list("pk", flat=True))


def is_indexed(text: str) -> bool:
    """Whether SQLite's index has a task's text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM agents_task_text WHERE agents_task_text MATCH %s", [f'"{text}"'])
        return bool(cursor.fetchone()[0])


def terms_left(table: str) -> int:
    """How many different terms SQLite's index holds: some are of tests whose database was emptied, not rolled back."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE VIRTUAL TABLE temp.terms_of_{table} USING fts5vocab(main, {table}_text, row)")
        cursor.execute(f"SELECT count(*) FROM terms_of_{table}")
        count: int = cursor.fetchone()[0]
        cursor.execute(f"DROP TABLE temp.terms_of_{table}")
        return count


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
        assert matches(model, text) == matches(model, text[1:-1]) == [pk]
        assert matches(model, f"{text}{text}") == []


def test_case_does_not_count() -> None:
    wanted = make_all("Some Film")
    fill()
    assert [matches(model, "sOME fILM") for model, _ in wanted] == [[pk] for _, pk in wanted]


def test_a_task_is_found_by_its_address_and_its_id_too() -> None:
    task = make_task(prompt="x", url="http://localhost:8000/?seed=58", key="0af3-77")
    fill()
    assert matches(Task, "localhost:8000/?seed=5") == matches(Task, "af3-7") == [task.pk]


@on_sqlite
def test_rows_added_after_a_filling_are_found_at_once_and_indexed_by_the_next() -> None:
    make_task(prompt="older")
    fill()
    task = make_task(prompt="brand new")
    assert matches(Task, "brand new") == [task.pk]
    assert not is_indexed("brand new")
    jobs.index_texts(timezone.now())
    assert is_indexed("brand new")
    assert matches(Task, "brand new") == [task.pk]


@on_sqlite
def test_every_text_is_found_while_rows_are_indexed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_INDEXED", 50)
    tasks = [make_task(prompt=f"number {number}!") for number in range(7)]
    parts = 0
    while ids := search.next_ids(TASKS):
        search.add(TASKS, *ids)
        parts += 1
        assert [matches(Task, f"number {number}!") for number in range(7)] == [[task.pk] for task in tasks]
        assert is_indexed("number 0!")
    assert parts > 2
    assert TextIndexed.objects.get(name="agents_task").until_id == tasks[-1].pk + 1
    assert is_indexed("number 6!")


@on_sqlite
def test_of_two_workers_one_indexes() -> None:
    before = terms_left("agents_task")
    make_task(prompt="number 1")
    ids = search.next_ids(TASKS)
    assert ids
    search.add(TASKS, *ids)
    search.add(TASKS, *ids)
    Task.objects.all().delete()
    assert terms_left("agents_task") == before


def test_a_changed_text_is_found_by_its_new_content_only() -> None:
    attempt = make_attempt(make_step(), detail="")
    fill()
    attempt.detail = "rate limit reached"
    attempt.save()
    assert matches(LLMAttempt, "limit reached") == [attempt.pk]
    attempt.detail = "model is full"
    attempt.save()
    assert (matches(LLMAttempt, "limit reached"), matches(LLMAttempt, "is full")) == ([], [attempt.pk])


@on_sqlite
def test_rows_deleted_by_retention_are_removed_from_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BREAK_SECONDS", 0.0)
    old, new = make_all("old words"), make_all("new words")
    fill()
    Step.objects.filter(task=old[0][1]).update(received_at=NOW - timedelta(days=100))
    Task.objects.update(created_at=NOW - timedelta(days=100))
    Retention.objects.create(name="logs", days=3_650, most_rows=1)
    pruning.prune(NOW)
    assert [matches(model, "old words") for model, _ in old] == [[], [], []]
    assert [matches(model, "new words") for model, _ in new] == [[pk] for _, pk in new]
    with connection.cursor() as cursor:
        for table in ("agents_task", "agents_llmattempt", "monitoring_logentry"):
            # Raises if the index is inconsistent
            cursor.execute(f"INSERT INTO {table}_text ({table}_text, rank) VALUES ('integrity-check', 0)")
    assert not is_indexed("old words")


@pytest.mark.parametrize("bound", ["FEW", "BEHIND"])
def test_without_a_usable_index_rows_are_read_one_by_one(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, bound, 1)
    if bound == "BEHIND" and connection.vendor != "sqlite":
        return
    tasks = [make_task(prompt=f"number {number}") for number in range(3)]
    if bound == "FEW":
        fill()
    assert few(Task, "number") is None
    assert matches(Task, "number") == [task.pk for task in tasks]


def test_two_letters_are_found_too() -> None:
    task = make_task(prompt="xq", key="1", url="")
    fill()
    assert few(Task, "xq") is None
    assert matches(Task, "xq") == [task.pk]


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
    rows = Task.objects.filter(contains(Task, "Number 2999 of"))
    assert rows.count() == 1
    plan: Any = rows.explain()
    assert "agents_task_text" in plan, plan


@pytest.mark.parametrize("filled", [False, True])
def test_a_text_is_found_in_its_first_8_kb_and_not_after_them(*, filled: bool) -> None:
    task = make_task(prompt=f"{'a ' * (INDEXED_CHARS // 2 - 5)}near end {'b ' * 50_000}far away")
    entry = log(f"{'c ' * (INDEXED_CHARS // 2 - 5)}near end {'d ' * 5_000}far away")
    if filled:
        fill()
    assert (matches(Task, "near end"), matches(Task, "far away")) == ([task.pk], [])
    assert (matches(LogEntry, "near end"), matches(LogEntry, "far away")) == ([entry.pk], [])
    assert matches(Task, "fa") == []  # too short for an index


@on_sqlite
def test_each_part_of_indexing_is_bounded_whatever_the_rows_contain() -> None:
    large = [make_task(prompt="x" * 10_000_000, key="large")] + [make_task(prompt="y " * 600_000, key="large") for _ in range(5)]
    small = [make_task(prompt="z " * 5_000) for _ in range(40)]
    rows, read = dict[int, int](), {task.pk: len(task.prompt) for task in large + small}
    while ids := search.next_ids(TASKS):
        inside = [pk for pk in read if ids[0] <= pk < ids[1]]
        indexed = sum(min(read[pk], INDEXED_CHARS) for pk in inside)
        assert len(inside) == 1 or (sum(read[pk] for pk in inside) <= search.MOST_READ and indexed <= search.MOST_INDEXED)
        rows |= dict.fromkeys(inside, len(inside))
        search.add(TASKS, *ids)
    assert set(rows) == set(read)
    assert rows[large[0].pk] == 1
    assert max(rows.values()) > 5
    assert is_indexed("xxxx")


@on_sqlite
def test_a_killed_job_keeps_its_indexed_rows() -> None:
    tasks = [make_task(prompt=f"number {number} {'a ' * 4_000}") for number in range(30)]
    written = 0

    def die_in_the_third(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal written
        is_part = sql.startswith("INSERT INTO agents_task_text")
        written += is_part
        if is_part and written == 3:
            raise KeyboardInterrupt
        return execute(sql, params, many, context)

    with pytest.raises(KeyboardInterrupt), connection.execute_wrapper(die_in_the_third):
        fill()
    reached = TextIndexed.objects.get(name="agents_task").until_id
    assert tasks[0].pk < reached < tasks[-1].pk
    assert is_indexed("number 0 ")
    fill()
    assert TextIndexed.objects.get(name="agents_task").until_id == tasks[-1].pk + 1
    assert is_indexed("number 29")


@on_sqlite
def test_the_filling_keeps_to_its_time_and_the_next_one_goes_on() -> None:
    make_task(prompt="number 1")
    search.fill(until=time.monotonic() - 1)
    assert not is_indexed("number 1")
    fill()
    assert is_indexed("number 1")


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_another_writer_gets_in_while_rows_of_megabytes_are_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BREAK_SECONDS", 0.15)  # as in production
    for number in range(12):
        make_task(prompt=f"{number} {'word ' * 400_000}")
    TextIndexed.objects.create(name="agents_task")
    marks, over = set[int](), threading.Event()

    def write_beside() -> None:
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=60, isolation_level=None)) as other:
            while not over.is_set():
                other.execute("BEGIN IMMEDIATE")
                marks.add(other.execute("SELECT until_id FROM monitoring_textindexed WHERE name = 'agents_task'").fetchone()[0])
                other.execute("COMMIT")
                over.wait(0.005)

    writer = threading.Thread(target=write_beside)
    writer.start()
    try:
        fill()
    finally:
        over.set()
        writer.join()
    assert len(marks) > 4, "the writer got in between the parts"


@on_sqlite
def test_a_deleted_long_text_is_removed_from_the_index() -> None:
    before = terms_left("agents_task")
    make_task(prompt="word " * 10_000)
    task = make_task(prompt="other " * 10_000)
    fill()
    assert terms_left("agents_task") > before
    task.prompt = "a new one"
    task.save()
    Task.objects.all().delete()
    assert terms_left("agents_task") == before
