"""Pages and the API show the same values."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.test import Client

from agents.tests.rows import each_row
from monitoring.models import TestRun
from monitoring.reporting.formats import milliseconds
from monitoring.tests.api.calling import Program
from monitoring.tests.reading import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.long]

# The records' time.
OF_PAGE = "since=2026-05-04T11:00&until=2026-05-04T13:00"
OF_API = {"since": "2026-05-04T11:00:00Z", "until": "2026-05-04T13:00:00Z"}


class Shown(NamedTuple):
    """`texts`: the parts of the API's answer that the page shows, in this order; `query`: of the API."""

    page: str
    path: str
    texts: Callable[[Any], list[str]]
    query: dict[str, str] = {}


def _count(word: str, *names: str) -> Callable[[Any], list[str]]:
    """The number of rows, then some values of each."""
    return lambda answer: [f"{answer['count']} {word}", *(str(row[name]) for row in answer["items"] for name in names)]


def _of_each(*names: str) -> Callable[[Any], list[str]]:
    return lambda answer: [str(row[name]) for row in answer for name in names]


def _settings(answer: Any) -> list[str]:
    return [text for field in answer["fields"] for text in (field["label"], f"Default {field['default']}", field["effect"])]


def _compare(answer: Any) -> list[str]:
    return [f"{answer['total'][side]['steps']}" for side in ("llm", "template")] + [f"{answer['total']['llm']['in_time']:.0f} %"]


ROWS = (
    Shown("/", "/status", lambda answer: [answer["headline"], answer["llm"], answer["remedy"], answer["limit"]]),
    Shown("/rate-limit/", "/accounts", lambda answer: [text for row in answer for text in (row["name"], row["sentence"], *row["belief"])]),
    Shown("/rate-limit/events/", "/events", _count("events", "cause", "sentence", "pause_source", "outcome")),
    Shown("/tasks/", "/tasks", _count("tasks", "prompt", "state")),
    Shown("/tasks/?q=state:answered", "/tasks", _count("task", "prompt"), {"q": "state:answered"}),
    Shown("/steps/?q=route:llm", "/steps", _count("steps", "prompt"), {"q": "route:llm"}),
    Shown("/steps/?q=route:template", "/steps", _count("steps", "prompt", "endpoint", "reason_sentence"), {"q": "route:template"}),
    Shown("/attempts/?sort=longest", "/attempts", _count("attempts", "model", "account", "status"), {"sort": "longest"}),
    Shown(
        f"/figures/?{OF_PAGE}",
        "/figures",
        lambda answer: [text for row in answer["figures"] for text in (row["name"], row["value"])],
        OF_API,
    ),
    Shown(f"/figures/?{OF_PAGE}", "/figures", lambda answer: [milliseconds(answer["total"][name]) for name in ("p50", "p95")], OF_API),
    Shown(f"/compare/?{OF_PAGE}", "/compare", _compare, OF_API),
    Shown("/tests/", "/test-runs", _count("runs", "id", "status", "conclusion", "requested_by")),
    Shown(
        "/tests/{run}/",
        "/test-runs/{run}/report",
        lambda answer: [line["title"] for section in answer["sections"] for line in section["lines"]],
    ),
    Shown("/components/", "/health", lambda answer: [row["name"] for row in answer["components"]]),
    Shown("/components/", "/jobs", _of_each("title")),
    Shown(
        "/callers/",
        "/callers",
        lambda answer: [str(row[name]) for row in answer["items"] for name in ("address", "steps", "attempts_today")],
    ),
    Shown(
        "/notifications/notices/", "/notices", lambda answer: [text for row in answer["items"] for text in (row["title"], row["severity"])]
    ),
    Shown("/notifications/", "/channels", _of_each("name", "least_severity")),
    Shown("/settings/", "/settings", _settings),
    Shown(
        "/audit/",
        "/audit",
        lambda answer: [text for row in answer["items"] for text in (row["by"], row["what"], row["subject"], *row["facts"])],
    ),
)


def test_each_page_shows_what_the_api_answers(records: None, admin: Client, admin_program: Program) -> None:
    run = TestRun.objects.earliest("pk").pk

    def check(shown: Shown) -> None:
        answered = shown.texts(admin_program.get(shown.path.format(run=run), **shown.query))
        page = text_of(admin.get(shown.page.format(run=run)), "//main").lower()
        assert [text for text in answered if text.strip()], "it shows nothing"
        place = 0
        for text in answered:
            result = " ".join(text.lower().rstrip(".").split())
            place = page.find(result, place)
            assert place >= 0, f"{result} is not next"

    each_row(ROWS, check)
