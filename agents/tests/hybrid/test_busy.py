"""Answers while all places are taken, and with too many steps: valid, at once, and on record with the reason."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client

from agents import api, ledger
from agents.accounts.miner_status import memory
from agents.hybrid import page_archive, runner
from agents.hybrid.admission import SMALL_BYTES, Admission, Room
from agents.models import Step, StepPage
from agents.policy.admission import LONG
from agents.tests.hybrid.test_admission import load, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 90.0
PAGE = '<html><body><form action="/search"><input name="query"><button type="submit">Go</button></form></body></html>'
STEP = {"task_id": "t2", "prompt": "Search for the film 'Arrival'", "url": "http://localhost:8000/?seed=58", "html": PAGE, "step_index": 0}
TASK = {"id": "t1", "prompt": "Search for the film 'Arrival'", "url": "http://localhost:8000/?seed=58"}
LARGE = PAGE + " " * SMALL_BYTES


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Admission:
    """A single place, which the test may take."""
    admission = Admission(1)
    monkeypatch.setattr(runner, "planning", admission)
    monkeypatch.setattr(api, "planning", admission)
    return admission


@contextmanager
def taken(places: Admission) -> Iterator[None]:
    """All places, with an expected work of an hour."""
    with places.place(3_600.0, time.monotonic() + 7_200.0) as is_admitted:
        assert is_admitted
        yield


def post(path: str, body: dict[str, Any]) -> Any:
    return Client().post(path, json.dumps(body), content_type="application/json")


def on_record() -> list[tuple[str, str, list[str]]]:
    rows = Step.objects.order_by("id").values_list("route", "reason", "actions")
    return [(route, reason, [action["type"] for action in actions]) for route, reason, actions in rows]


def test_a_step_that_would_be_late_by_waiting_gets_a_wait_at_once(places: Admission) -> None:
    with taken(places):
        reply = post("/step", STEP)
    assert [call["name"] for call in reply.json()["tool_calls"]] == ["browser.wait"]
    assert not reply.json()["done"]
    assert on_record() == [("template", "busy", ["WaitAction"])]


def test_a_one_shot_task_that_would_be_late_by_waiting_opens_its_page(places: Admission) -> None:
    with taken(places):
        reply = post("/solve_task", TASK)
    assert reply.json()["actions"] == [{"type": "NavigateAction", "url": TASK["url"]}]
    assert on_record() == [("template", "busy", ["NavigateAction"])]


def test_a_step_waits_for_its_place_where_there_is_time(places: Admission) -> None:
    free, replies = threading.Event(), list[Any]()

    def answer() -> None:
        replies.append(post("/step", STEP))

    def hold() -> None:
        with places.place(0.01, time.monotonic() + 60):
            free.wait(PATIENCE)

    holder, caller = threading.Thread(target=hold), threading.Thread(target=answer)
    holder.start()
    wait_for(places, (1, 0))
    caller.start()
    wait_for(places, (1, 1))
    free.set()
    caller.join(PATIENCE)
    holder.join(PATIENCE)
    assert replies[0].json()["tool_calls"][0]["arguments"]["text"] == "Arrival"


def test_a_step_holds_no_place_when_it_is_written(places: Admission, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, close_step = list[tuple[int, int]](), ledger.close_step

    def closing(*arguments: Any) -> Any:
        seen.append(load(places))
        return close_step(*arguments)

    monkeypatch.setattr(ledger, "close_step", closing)
    post("/step", STEP)
    assert seen == [(0, 0)]


def test_where_there_are_too_many_steps_the_next_gets_the_templates_plan_and_waits_for_no_llm(
    places: Admission, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "cpk_x", ("some/model",)
    monkeypatch.setattr(api, "room", Room(most_steps=0, most_bytes=2**30))
    assert post("/step", STEP).json()["tool_calls"][0]["arguments"]["text"] == "Arrival"
    assert [(route, reason) for route, reason, _ in on_record()] == [("template", "busy")]


def test_where_there_are_too_many_steps_and_no_place_is_soon_free_the_next_gets_a_plain_answer(
    places: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "room", Room(most_steps=0, most_bytes=2**30))
    with places.place(60.0, time.monotonic() + 120.0):  # free in time for a step that may wait
        assert post("/step", STEP).json()["tool_calls"]
    assert on_record() == [("template", "busy", ["WaitAction"])]


def test_a_step_for_whose_page_there_is_no_memory_is_answered_at_once_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "room", Room(most_steps=9, most_bytes=0))
    assert post("/step", {**STEP, "html": LARGE}).json()["tool_calls"][0]["name"] == "browser.wait"
    assert [(route, reason) for route, reason, _ in on_record()] == [("template", "busy")]
    assert Step.objects.get().limits["cuts"] == [api.NO_MEMORY]


def test_a_large_body_that_can_not_be_read_in_time_gets_a_wait_in_steps_and_else_a_503(
    places: Admission, caplog: pytest.LogCaptureFixture
) -> None:
    with taken(places):
        step, task = post("/step", {**STEP, "html": LARGE}), post("/solve_task", {**TASK, "html": LARGE})
    assert step.json() == {
        "protocol_version": "1.0",
        "tool_calls": [{"name": "browser.wait", "arguments": {"time_seconds": 1}}],
        "content": None,
        "reasoning": None,
        "done": False,
        "error": None,
    }
    assert (task.status_code, task["Retry-After"]) == (503, "1")
    assert on_record() == []
    assert caplog.text.count("was not read") == 2


def test_health_takes_no_place_and_makes_no_query(places: Admission, django_assert_num_queries: Any) -> None:
    memory.refresh()
    with taken(places), django_assert_num_queries(0):
        reply = Client().get("/health").json()
    assert reply["status"] == "healthy"
    assert reply["llm"]["state"] == "off"
    assert reply["llm"]["read_at"]


def test_the_excerpt_and_the_page_are_recorded_after_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    write = page_archive.waiting._work

    def later(batch: Any) -> None:
        assert answered.wait(PATIENCE)
        write(batch)

    monkeypatch.setattr(page_archive.waiting, "_work", later)
    try:
        post("/step", STEP)
        step = Step.objects.get()
        assert step.answered_at
        assert (step.page_excerpt, StepPage.objects.count()) == ("", 0)
    finally:
        answered.set()
    page_archive.waiting.join()
    step.refresh_from_db()
    assert "textbox" in step.page_excerpt
    assert StepPage.objects.count() == 1


def test_the_excerpt_of_a_page_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "cpk_0123456789abcdef0123456789abcdef.0123456789abcdef0123456789abcdef.0123456789abcdefghijklmnopqrstuv"
    post("/step", {**STEP, "html": PAGE.replace("Go", f"Go {key}")})
    page_archive.waiting.join()
    excerpt = Step.objects.get().page_excerpt
    assert "Go" in excerpt
    assert "0123456789abcdef" not in excerpt


@pytest.mark.long
def test_a_caller_whose_small_pages_are_costly_does_not_keep_others_waiting(places: Admission) -> None:
    """By its second step it is expected to take as long as its first, and a short step goes before it."""
    with places.plan(len(PAGE), "127.0.0.1", time.monotonic() + 60):
        over = time.thread_time() + 2 * LONG
        while time.thread_time() < over:
            pass
    order: list[str] = []

    def plan(name: str, caller: str) -> None:
        with places.plan(len(PAGE), caller, time.monotonic() + 3_600):
            order.append(name)

    threads = [threading.Thread(target=plan, args=each) for each in (("costly", "127.0.0.1"), ("honest", "127.0.0.2"))]
    with places.place(0.01, time.monotonic() + 60):
        for count, thread in enumerate(threads, 1):
            thread.start()
            wait_for(places, (1, count))
    for thread in threads:
        thread.join(PATIENCE)
    assert order == ["honest", "costly"]
