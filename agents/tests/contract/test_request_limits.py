"""Limits on requests: a refusal names the field and the remedy; what is cut is listed in the step's record."""

import json
import time
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from agents.contract import limits
from agents.contract.protocol import BadRequest, parse
from agents.models import Step
from agents.tests.hostile import JSON, REQUESTS, hostile_bodies, request
from agents.tests.rows import rows

STEP = {"task_id": "t", "prompt": "Open the film.", "url": "http://localhost:8000/?seed=1", "html": "<p>x</p>"}
# CPU seconds. Measured: a fiftieth of it at most, so that a slow machine passes too.
MOST_SECONDS = 8.0


def read(**changes: Any) -> Any:
    return parse("/step", json.dumps({**STEP, **changes}).encode())


def refused(body: bytes) -> BadRequest:
    with pytest.raises(BadRequest) as refusal:
        parse("/step", body)
    return refusal.value


@pytest.mark.parametrize(
    ("field", "longest", "limit"),
    [
        ("prompt", "x" * limits.MAX_PROMPT, "16,384 bytes (16 kB)"),
        ("prompt", "é" * (limits.MAX_PROMPT // 2), "16,384 bytes (16 kB)"),
        ("url", "http://localhost/" + "x" * (limits.MAX_URL - 17), "4,096 bytes (4 kB)"),
    ],
)
def test_a_text_beyond_its_limit_is_refused_by_name(field: str, longest: str, limit: str) -> None:
    assert getattr(read(**{field: longest}), field) == longest
    refusal = refused(json.dumps({**STEP, field: longest + "x"}).encode())
    assert (refusal.field, str(refusal)) == (field, f"{field} is longer than {limit}. Send a shorter {field}.")


def test_a_prompt_of_10_mb_is_refused_and_nothing_is_kept(db: None) -> None:
    response = Client().post("/step", json.dumps({**STEP, "prompt": "word " * 2_000_000}), content_type="application/json")
    assert (response.status_code, response.json()["field"]) == (400, "prompt")
    assert not Step.objects.exists()


def test_the_largest_body_is_the_one_of_the_limits(db: None) -> None:
    assert django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE == limits.MAX_BODY
    response = Client().post("/step", b" " * (limits.MAX_BODY + 1), content_type="application/json")
    assert (response.status_code, response.json()["field"]) == (413, "body")
    assert "16 MB (16,777,216 bytes)" in response.json()["error"]


def test_the_beginning_of_a_page_that_is_too_long_is_read() -> None:
    step = read(html="<p>" + "é" * limits.MAX_PAGE)
    assert len(step.page) == limits.MAX_PAGE
    assert step.cuts == ("Page: its first 5,000,000 of 5,000,003 characters were read.",)


def test_the_newest_entries_of_a_long_history_are_read() -> None:
    step = read(history=[{"step": number, "action": "ClickAction", "text": str(number)} for number in range(100_000)])
    assert [past.number for past in step.history] == list(range(99_900, 100_000))
    assert step.cuts == ("History: the last 100 of 100,000 entries were read.",)


def test_the_newest_entries_of_a_large_history_are_read() -> None:
    entries = [{"index": number, "action": {"type": "TypeAction", "text": "x" * 16_000}} for number in range(50)]
    step = read(history=entries)
    assert [past.number for past in step.history] == list(range(34, 50))
    assert step.cuts == ("History: the last 16 of 50 entries were read.",)


def test_an_entry_of_far_too_many_values_is_not_read() -> None:
    step = read(history=[{"action": {f"k{at}": at for at in range(1_000)}}, {"action": "ClickAction", "exec_ok": True}])
    assert [(past.type, past.succeeded) for past in step.history] == [("ClickAction", True)]
    assert step.cuts == ("History: the last 1 of 2 entries were read.",)


def test_the_first_of_many_tools_are_read() -> None:
    step = read(tools=["browser.click", *(f"tool{at}" for at in range(5_000))])
    assert len(step.allowed_tools) == limits.MAX_TOOLS
    assert step.cuts == ("Tools: the first 200 of 5,001 were read.",)


def test_an_ordinary_step_has_no_cuts() -> None:
    assert read(history=[{"action": "ClickAction"}] * 12, tools=["browser.click"]).cuts == ()


@pytest.mark.parametrize("value", ["[" * 900 + "]" * 900, "{}", '"x"', "1"])
def test_a_body_of_too_many_values_is_refused_before_it_is_read(value: str) -> None:
    many = ",".join([value] * (limits.MAX_JSON_VALUES // max(1, value.count("["))))
    refusal = refused(json.dumps({**STEP, "unknown": "here"}).replace('"here"', f"[{many},1]").encode())
    assert (refusal.field, str(refusal)) == (
        "body",
        "The body holds more than 500,000 JSON values. Send fewer fields and a shorter history.",
    )


def test_brackets_and_commas_of_a_page_are_no_values() -> None:
    page = '<script>[{"a": "\\"},", \'[[\']}]</script>' * 60_000
    assert read(html=page).page == page


@rows("field", ["step_index", "timeout_seconds", "unknown"])
@rows("number", ["9" * 4_299, "9" * 3_000_000, "1e999999999", "0." + "1" * 3_000_000, "NaN", "-Infinity"])
def test_a_huge_number_costs_little(field: str, number: str) -> None:
    body = json.dumps({**STEP, field: "here"}).replace('"here"', number).encode()
    started = time.thread_time()
    with suppress(BadRequest):
        parse("/step", body)
    assert time.thread_time() - started < MOST_SECONDS


@pytest.mark.long
@rows("family", [*REQUESTS, *JSON])
def test_reading_any_request_has_a_bounded_cost(family: Any) -> None:
    for size in (3_000, 500_000):
        made = family(Random(size), size)
        body = made.encode() if isinstance(made, str) else json.dumps(request(0, **made)).encode()
        started = time.thread_time()
        with suppress(BadRequest):
            parse("/step", body[: limits.MAX_BODY])
        assert time.thread_time() - started < MOST_SECONDS


def test_hostile_bodies_of_a_seed_are_the_same() -> None:
    some = list(hostile_bodies(3, 60, largest=5_000))
    assert some == list(hostile_bodies(3, 60, largest=5_000))
    assert len({name.partition(" ")[0] for name, _ in some}) > 50


@pytest.mark.django_db(transaction=True)
def test_what_was_cut_is_on_record_and_on_the_tasks_page(admin_client: Client) -> None:
    criteria = " and ".join(f"year is not {1900 + number}" for number in range(60))
    body = {**STEP, "prompt": f"Find a film where {criteria}", "history": [{"action": "WaitAction"}] * 300}
    assert Client().post("/step", json.dumps(body), content_type="application/json").status_code == 200
    step = Step.objects.get()
    cuts = [
        "History: the last 100 of 300 entries were read.",
        "Criteria: the first 24 of the prompt were read.",
    ]
    assert step.limits["cuts"] == cuts
    page = admin_client.get(f"/tasks/{step.task_id}/").content.decode()
    assert "Left out because of its size" in page
    assert cuts[0] in page
