"""Every kind of error is a problem that names field and remedy."""

import json
from typing import Any

import pytest
from django.test import Client

from agents.tests.rows import each_row
from monitoring.api.access import BODY_BYTES, PAGE_BYTES
from monitoring.api.problems import MEDIA_TYPE, MOST_ERRORS
from monitoring.tests.api.calling import V1, Program
from monitoring.tests.status_records import make_open_run

BIG = str(2**70)
# Method, path, body as it is sent, query → status, field, a part of the text.
ROWS: tuple[tuple[str, str, str, dict[str, str], int, str, str], ...] = (
    ("GET", "/nothing", "", {}, 404, "", "openapi.json"),
    ("POST", "/nothing", "", {}, 404, "", "openapi.json"),
    ("GET", "/", "", {}, 404, "", "openapi.json"),
    ("GET", "/tasks/999", "", {}, 404, "", "There is no task 999"),
    ("GET", "/steps/999", "", {}, 404, "", "There is no step 999"),
    ("GET", "/test-runs/999", "", {}, 404, "", "no test run 999"),
    ("GET", "/tasks/abc", "", {}, 422, "task", "integer"),
    ("GET", f"/tasks/{BIG}", "", {}, 422, "task", ""),
    ("GET", "/steps", "", {"q": "rout:llm"}, 422, "q", "Did you mean route:?"),
    ("GET", "/tasks", "", {"q": "since:yesterday"}, 422, "q", "write 30m"),
    ("GET", "/attempts", "", {"sort": "best"}, 422, "sort", "longest"),
    ("GET", "/steps", "", {"older": "here"}, 422, "older", "pattern"),
    ("GET", "/steps", "", {"older": "n5-1"}, 422, "older", "another order"),
    ("GET", "/events", "", {"account": "nobody"}, 422, "account", "/accounts"),
    ("GET", "/figures", "", {"range": "2y"}, 422, "range", ""),
    ("GET", "/figures", "", {"since": "2026-05-04T12:00:00Z", "until": "2026-05-04T12:01:00Z"}, 422, "until", "5 minutes"),
    ("GET", "/figures", "", {"since": "0001-01-01T00:00:00+14:00"}, 422, "since", "from 1970"),
    ("GET", "/figures", "", {"since": "9000-01-01T00:00:00Z"}, 422, "since", "past"),
    ("GET", "/figures", "", {"miner": "\0"}, 422, "miner", ""),
    ("GET", "/audit", "", {"since": "0001-01-01T00:00:00+14:00"}, 422, "since", "from 1970"),
    ("GET", "/audit", "", {"until": "9999-12-31T23:59:59-12:00"}, 422, "until", "to 9000"),
    ("GET", "/audit", "", {"what": "nothing"}, 422, "what", ""),
    ("DELETE", "/tasks", "", {}, 405, "", "GET, POST"),
    ("POST", "/tasks", "{", {}, 400, "body", "JSON"),
    ("POST", "/tasks", "", {}, 422, "body", ""),
    ("POST", "/tasks", '{"prompt": "a"}', {}, 422, "url", "Field required"),
    ("POST", "/tasks", '{"prompt": "a", "url": "ftp://x"}', {}, 422, "url", "http"),
    ("POST", "/tasks", '{"prompt": "a", "url": "http://x/", "more": 1}', {}, 422, "more", ""),
    ("POST", "/tasks/999/cancel", "", {}, 404, "", ""),
    ("PATCH", "/settings", '{"settings": {"spacing_seconds": -1}}', {}, 422, "spacing_seconds", "0 to 3,600 s"),
    ("PATCH", "/settings", '{"settings": {"spacing_seconds": NaN}}', {}, 422, "spacing_seconds", "finite"),
    ("PATCH", "/settings", '{"settings": {"spacing_seconds": 1e999}}', {}, 422, "", ""),
    ("PATCH", "/settings", '{"settings": {"spacing_seconds": "fast"}}', {}, 422, "spacing_seconds", "0 to 3,600 s"),
    ("PATCH", "/settings", '{"settings": {"agent_mode": "magic"}}', {}, 422, "agent_mode", "hybrid"),
    ("PATCH", "/settings", '{"settings": {"nothing": 1}}', {}, 422, "body", "Choose from"),
    ("PATCH", "/settings", '{"settings": {"spacing_seconds": %s}}' % ("9" * 400), {}, 422, "", ""),
    ("POST", "/settings/history/settings/999/revert", "", {}, 409, "", "not on record"),
    ("POST", "/accounts/999/pause", '{"minutes": 5}', {}, 404, "", "/accounts"),
    ("POST", "/accounts/1/pause", '{"minutes": 0}', {}, 422, "minutes", ""),
    ("POST", "/what-if", '{"settings": {"agent_id": 3}}', {}, 422, "settings.agent_id", "Choose from"),
    ("POST", "/what-if", '{"settings": {"spacing_seconds": -3}}', {}, 422, "spacing_seconds", ""),
    ("POST", "/what-if", '{"settings": {"backoff_seconds": %s}}' % ("[" * 900 + "]" * 900), {}, 422, "", "list of texts or numbers"),
    ("POST", "/test-runs", json.dumps({f"k{number}": 1 for number in range(99)}), {}, 422, "k19", "Remove it"),
    ("POST", "/test-runs", '{"suites": ["all"]}', {}, 422, "suites", "there is no"),
    ("POST", "/test-runs", '{"suites": ["key"]}', {}, 409, "", "/api/v1/test-runs/"),
)


@pytest.mark.django_db
def test_each_error_names_field_and_remedy(admin_program: Program) -> None:
    make_open_run()

    def check(row: tuple[Any, ...]) -> None:
        method, path, body, query, status, field, result = row
        answer = admin_program.raw(method, path, body, **query)
        problem = answer.json()
        assert (answer.status_code, answer["Content-Type"], problem["status"]) == (status, "application/problem+json", status)
        assert problem.keys() == {"type", "title", "status", "detail", "errors"} and problem["detail"]
        assert result in json.dumps(problem, ensure_ascii=False)
        if field:
            assert field in [error["field"] for error in problem["errors"]]
        assert all(error["message"] and error["remedy"] for error in problem["errors"]) and len(problem["errors"]) <= MOST_ERRORS
        if status == 405:
            assert answer["Allow"] == result

    each_row(ROWS, check)


@pytest.mark.django_db
def test_a_body_that_is_too_large_is_refused_unread(admin_program: Program) -> None:
    for path, most in (("/settings/preview", BODY_BYTES), ("/tasks", PAGE_BYTES)):
        answers = [admin_program.raw("POST", path, "[" * length) for length in (most, most + 1)]
        assert [(answer.status_code, answer["Content-Type"]) for answer in answers] == [(code, MEDIA_TYPE) for code in (400, 413)]


@pytest.mark.django_db
def test_a_fault_of_the_panel_is_a_problem_too(admin_program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("monitoring.api.people.who")
    answer = admin_program.call("GET", "/token")
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")


@pytest.mark.django_db(transaction=True)
def test_an_unavailable_database_is_reported(no_database: None, client: Client) -> None:
    answer = client.get(f"{V1}/status", headers={"Authorization": "Bearer mp_" + "a" * 43})
    assert (answer.status_code, answer["Content-Type"], answer["Retry-After"]) == (503, "application/problem+json", "2")
