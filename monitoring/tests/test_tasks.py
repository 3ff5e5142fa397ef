"""Tasks: filters and paging."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Source, Submission, Task
from monitoring.stats import tasks as stats
from monitoring.tests.reading import HTMX, rows_of, text_of, tree_of
from monitoring.tests.records import make_attempt, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db

NOW = timezone.now()
BAD = (
    {"status": "abc"},
    {"status": "9" * 40},
    {"route": "nothing"},
    {"project": "nowhere"},
    {"state": "lost"},
    {"since": "yesterday"},
    {"until": "9999-99-99"},
    {"text": "\0"},
    {"text": "x" * 999},
    {"range": "1y"},
    {"older": "x"},
    {"older": "9" * 17 + "-" + "9" * 18},
    {"newer": "1-1-1"},
    {"older": "1" * 99},
)


def found(client: Client, **conditions: str) -> list[str]:
    """The prompts that a filter leaves, in order."""
    return tree_of(client.get("/tasks/", conditions)).xpath("//tbody/tr/td[2]/a/text()")  # type: ignore[no-any-return]


def test_tasks_are_listed_newest_first_with_their_newest_step(viewer: Client) -> None:
    old = make_task(prompt="old", at=NOW - timedelta(hours=1), project="autocinema", caller="203.0.113.7")
    make_step(old, index=0)
    make_llm_step(old, index=1)
    make_step(make_task(prompt="new", at=NOW))
    rows = rows_of(viewer.get("/tasks/"))
    assert "new" in rows[0]
    assert "old autocinema Validator 203.0.113.7 Answered 2 LLM The LLM answered. 2.00 s" in rows[1]


@pytest.mark.parametrize(
    "conditions",
    [
        {"route": "llm"},
        {"reason": "answered"},
        {"project": "autocinema"},
        {"status": "429"},
        {"source": "test"},
        {"text": "ARRIVAL"},
        {"text": "seed=77"},
        {"text": "c7d1e0a4"},
        {"range": "24h"},
        {"since": (NOW - timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")},
        {"route": "llm", "range": "24h", "status": "429", "project": "autocinema"},
    ],
)
def test_a_filter_leaves_what_matches(conditions: dict[str, str], viewer: Client) -> None:
    wanted = make_task(prompt="Find Arrival", url="http://x/?seed=77", key="c7d1e0a4-1", at=NOW, project="autocinema", source=Source.TEST)
    make_attempt(make_llm_step(wanted, at=NOW), status=429)
    make_attempt(make_step(make_task(prompt="Another", at=NOW - timedelta(days=3), project="automail"), at=NOW - timedelta(days=3)))
    assert found(viewer, **conditions) == ["Find Arrival"]
    assert len(found(viewer)) == 2


def test_until_leaves_what_came_before(viewer: Client) -> None:
    make_step(make_task(prompt="before", at=NOW - timedelta(days=3)))
    make_step(make_task(prompt="after", at=NOW))
    assert found(viewer, until=(NOW - timedelta(days=1)).strftime("%Y-%m-%d %H:%M")) == ["before"]


def test_each_state_finds_its_tasks(viewer: Client) -> None:
    for state in (Submission.State.QUEUED, Submission.State.RUNNING):
        task = make_task(prompt=state, source=Source.OPERATOR)
        Submission.objects.create(task=task, submitted_by="ann", state=state, enqueued_at=NOW)
    make_step(make_task(prompt="answered"))
    make_step(make_task(prompt="late"), duration_ms=30_000)
    make_open_step(make_task(prompt="unanswered"), at=NOW - timedelta(hours=1))
    make_open_step(make_task(prompt="open"), at=timezone.now())
    assert found(viewer, state="queued") == ["queued"]
    assert sorted(found(viewer, state="running")) == ["open", "running"]
    assert sorted(found(viewer, state="answered")) == ["answered", "late"]
    assert found(viewer, state="late") == ["late"]
    assert found(viewer, state="unanswered") == ["unanswered"]
    page = text_of(viewer.get("/tasks/"), "//table")
    for words in ("Queued", "Running", "Answered", "A step was late", "No answer on record"):
        assert words in page


def test_pages_follow_each_other_without_gap_or_repetition(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 3)
    for number in range(8):  # pairs share their time, so that the id has to decide
        make_task(prompt=str(number), at=NOW + timedelta(seconds=number // 2))
    address, seen = "/tasks/", list[str]()
    back = ""
    while address:
        tree = tree_of(viewer.get(address))
        seen += tree.xpath("//tbody/tr/td[2]/a/text()")
        back = next(iter(tree.xpath("//a[@rel='prev']/@href")), "")
        address = next(iter(tree.xpath("//a[@rel='next']/@href")), "")
    assert seen == list("76543210")
    assert tree_of(viewer.get(back)).xpath("//tbody/tr/td[2]/a/text()") == list("432")


def test_paging_keeps_the_filter(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 1)
    make_task(prompt="one film")
    make_task(prompt="two films")
    (older,) = tree_of(viewer.get("/tasks/", {"text": "film"})).xpath("//a[@rel='next']/@href")
    assert "text=film" in older


@pytest.mark.parametrize("conditions", BAD, ids=lambda conditions: urlencode(conditions)[:30])
def test_a_filter_that_cannot_be_read_is_never_a_fault(conditions: dict[str, str], viewer: Client) -> None:
    make_step()
    assert viewer.get("/tasks/", conditions).status_code == 200
    assert viewer.get("/tasks/", conditions, headers=HTMX).status_code == 200
    assert viewer.get("/callers/", conditions).status_code == 200


def test_a_filter_that_cannot_be_read_is_named_and_not_applied(viewer: Client) -> None:
    make_step()
    response = viewer.get("/tasks/", {"status": "abc"})
    assert "Status code is not applied: Enter a whole number." in text_of(response)
    assert len(tree_of(response).xpath("//tbody/tr")) == 1


def test_no_match_says_how_to_widen(viewer: Client) -> None:
    assert "No task matches" in text_of(viewer.get("/tasks/", {"text": "nothing"}))
    assert "Tasks appear here when" in text_of(viewer.get("/tasks/"))


def test_a_large_count_stops_at_its_cap(viewer: Client) -> None:
    Task.objects.bulk_create(
        Task(fingerprint=str(number), key=str(number), source=Source.VALIDATOR, prompt="x", url="http://x/", created_at=NOW)
        for number in range(2_002)
    )
    assert "2,000+ tasks" in text_of(viewer.get("/tasks/"), "//section//*[@role='status']")


@pytest.mark.parametrize("cap", [0, 2_000])
def test_many_and_few_matches_are_found_alike(viewer: Client, monkeypatch: pytest.MonkeyPatch, cap: int) -> None:
    monkeypatch.setattr("monitoring.stats.tasks.COUNT_CAP", cap)
    make_attempt(make_llm_step(make_task(prompt="By the LLM")), status=429)
    make_attempt(make_step(make_task(prompt="By the template")), status=500)
    for query in ({"route": "llm"}, {"reason": "answered"}, {"status": "429"}, {"route": "llm", "status": "429"}):
        text = text_of(viewer.get("/tasks/", query), "//*[@id='tasks']")
        assert ("By the LLM" in text, "By the template" in text) == (True, False)
    assert "No task matches" in text_of(viewer.get("/tasks/", {"route": "template", "status": "429"}))


def test_only_who_may_is_offered_a_new_task(viewer: Client, operator: Client) -> None:
    assert "New task" not in text_of(viewer.get("/tasks/"))
    assert "New task" in text_of(operator.get("/tasks/"))
