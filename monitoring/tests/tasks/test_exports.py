"""Exports: the filtered rows as a streamed file."""

import csv
import json
import tracemalloc
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Route, Source, Step, Task
from monitoring.tests.records import make_attempt, make_llm_step, make_step, make_task

pytestmark = pytest.mark.django_db

NOW = timezone.now()
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1")


def content(client: Client, address: str, **parameters: str) -> str:
    response = client.get(address, parameters)
    assert response.status_code == 200
    assert response.streaming
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def table(client: Client, address: str, **parameters: str) -> list[dict[str, str]]:
    return list(csv.DictReader(content(client, address, **parameters).splitlines(keepends=True)))


def test_tasks_that_match_come_as_csv(viewer: Client) -> None:
    task = make_task(prompt='Find "Arrival",\nnow', at=NOW, project="autocinema", caller="203.0.113.7")
    make_step(task, at=NOW)
    make_llm_step(task, at=NOW, index=1)
    make_task(prompt="another", at=NOW - timedelta(days=3))
    (row,) = table(viewer, "/tasks/export/", q="route:llm since:24h")
    assert row["prompt"] == 'Find "Arrival",\nnow'
    assert row["first_seen"] == NOW.isoformat()
    assert (row["state"], row["steps"], row["newest_route"], row["newest_reason"]) == ("answered", "2", "llm", "answered")
    assert (row["project"], row["caller"], row["newest_step_ms"]) == ("autocinema", "203.0.113.7", "2000.0")


def test_tasks_come_with_their_kind_and_how_their_steps_went(viewer: Client) -> None:
    task = make_task(at=NOW, kind="search")
    for outcome in ("worked", "worked", "failed", "unknown", ""):
        make_step(task, at=NOW, outcome=outcome)
    make_step(make_task(at=NOW), at=NOW, outcome="partly")
    (row,) = table(viewer, "/tasks/export/", q="outcome:failed")
    assert (row["kind"], row["steps_worked"], row["steps_partly"], row["steps_failed"]) == ("search", "2", "0", "1")
    (line,) = content(viewer, "/tasks/export/", format="jsonl", q="outcome:partly").splitlines()
    assert json.loads(line)["steps_partly"] == 1


def test_attempts_come_as_json_lines(viewer: Client) -> None:
    step = make_llm_step(at=NOW)
    make_attempt(step, cost=Decimal("0.00021300"), prompt_tokens=5, reply="the page says", detail="Bearer abcdefgh")
    (line,) = content(viewer, "/attempts/export/", format="jsonl").splitlines()
    row = json.loads(line)
    assert (row["model"], row["verdict"], row["cost"], row["prompt_tokens"]) == ("a/model", "ok", "0.00021300", 5)
    assert (row["step_id"], row["task_id"], row["detail"]) == (step.pk, step.task_id, "Bearer [secret]")
    assert "the page says" not in line
    assert json.loads(content(viewer, "/attempts/export/", format="jsonl", q="status:200"))


def test_no_file_holds_a_page_or_a_secret(viewer: Client) -> None:
    key = f"cpk_{'a' * 32}.{'b' * 32}.{'c' * 32}"
    make_step(make_task(prompt=f"Use {key}", url="http://ann:hunter22@host/"), page_excerpt="<b>page</b>")
    for form in ("csv", "jsonl"):
        file = content(viewer, "/tasks/export/", format=form)
        assert key not in file
        assert "hunter22" not in file
        assert "<b>page" not in file


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_is_never_a_formula(text: str, viewer: Client) -> None:
    make_task(prompt=text, key=text)
    (row,) = table(viewer, "/tasks/export/")
    assert row["key"] == f"'{text}"
    assert json.loads(content(viewer, "/tasks/export/", format="jsonl"))["key"] == text


def test_the_file_name_has_content_and_time(viewer: Client) -> None:
    response = viewer.get("/tasks/export/", {"format": "jsonl"})
    assert response["Content-Disposition"].startswith(f'attachment; filename="tasks-{timezone.now():%Y-%m-%d-}')
    assert response["Content-Disposition"].endswith('.jsonl"')
    assert response["Content-Type"].startswith("application/x-ndjson")
    assert viewer.get("/attempts/export/")["Content-Disposition"].endswith('.csv"')


def test_a_condition_that_cannot_be_read_gives_no_file_but_the_remedy(viewer: Client) -> None:
    response = viewer.get("/tasks/export/", {"q": "since:soon"})
    assert response.status_code == 400
    assert response.content.decode().startswith("since: write 30m, 2h or 7d")
    assert viewer.get("/tasks/export/", {"format": "xlsx"}).content == b"format: write one of csv, jsonl."


@pytest.mark.long
def test_thousands_of_tasks_come_in_constant_memory(viewer: Client) -> None:
    count = 6_000
    Task.objects.bulk_create(
        (
            Task(fingerprint=str(n), key=str(n), source=Source.VALIDATOR, prompt="x" * 500, url="http://x/", created_at=NOW)
            for n in range(count)
        ),
        batch_size=1_000,
    )
    ids = Task.objects.values_list("pk", flat=True)
    Step.objects.bulk_create(
        (
            Step(
                task_id=pk,
                source="validator",
                endpoint="/step",
                form="step",
                received_at=NOW,
                deadline_at=NOW,
                answered_at=NOW,
                route=Route.TEMPLATE,
            )
            for pk in ids
        ),
        batch_size=1_000,
    )
    response = viewer.get("/tasks/export/")
    lines, size = 0, 0
    stream = iter(response.streaming_content)  # type: ignore[attr-defined]
    next(stream)
    tracemalloc.start()
    for line in stream:
        lines, size = lines + 1, size + len(line)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines == count
    assert peak < size / 2, f"{peak:,} B for a file of {size:,} B"
