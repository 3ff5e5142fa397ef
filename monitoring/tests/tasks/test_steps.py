"""Steps: filters, orders, paging, export."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from agents.models import Source, Step
from agents.policy.reasons import Reason
from monitoring.reporting import pagination
from monitoring.reporting.filter_query import parse
from monitoring.reporting.pagination import Order
from monitoring.tasks import steps as stats
from monitoring.tasks.steps import StepState, matching_steps, step_qualifiers
from monitoring.tests.reading import rows_of, text_of, tree_of
from monitoring.tests.records import make_attempt, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db

NOW = timezone.now()
AGO = NOW - timedelta(hours=3)


def listed(client: Client, query: str = "", **parameters: str) -> list[str]:
    """The prompts of the listed steps, in order."""
    tree = tree_of(client.get("/steps/", {"q": query, **parameters}))
    return [link.text for link in tree.xpath("//tbody/tr/td[2]/a")]


def test_steps_are_listed_newest_first_with_why_and_how_their_actions_went(viewer: Client) -> None:
    make_step(make_task(prompt="older", project="autobooks"), at=AGO)
    step = make_llm_step(make_task(prompt="newer"), at=NOW, index=3, outcome="partly")
    page = viewer.get("/steps/")
    newer, older = rows_of(page)
    assert newer.endswith("newer /step, step 3 LLM The LLM answered. Partly executed 2.00 s")
    assert older.endswith("older autobooks /step, step 0 Template The account is paused. 10 ms")
    assert f"/tasks/{step.task_id}/#step-{step.pk}" in tree_of(page).xpath("//tbody//a/@href")
    assert "2 steps, newest first" in text_of(page, "//section//*[@role='status']")


@pytest.mark.parametrize("is_common", [False, True], ids=["few", "many"])
@pytest.mark.parametrize(
    "query",
    [
        "route:llm",
        "-route:template",
        "reason:answered",
        "outcome:failed",
        "project:autobooks",
        "-project:autozone",
        "kind:search",
        "status:429",
        "-status:200",
        "source:test",
        "since:2h",
        "wanted",
        "-another",
        "miner:a",
        "-miner:b",
        "route:llm reason:answered project:autobooks kind:search status:429 source:test since:2h wanted",
    ],
)
def test_a_filter_shows_matching_rows(query: str, is_common: bool, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "FEW", 0 if is_common else 2_000)
    wanted = make_task(prompt="wanted", project="autobooks", kind="search", source=Source.TEST)
    make_attempt(make_llm_step(wanted, at=NOW, outcome="failed", miner="a"), status=429)
    another = make_task(prompt="another", project="autozone", kind="cart")
    make_attempt(make_step(another, at=AGO, outcome="worked", miner="b"), status=200)
    assert listed(viewer, query) == ["wanted"]
    assert listed(viewer) == ["wanted", "another"]


def test_each_state_finds_its_steps(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    make_step(make_task(prompt="in time"), at=AGO)
    make_step(make_task(prompt="late"), at=AGO, duration_ms=60_000)
    make_open_step(make_task(prompt="running"), at=now)
    make_open_step(make_task(prompt="unanswered"), at=AGO)
    for few in (0, 2_000):
        monkeypatch.setattr(pagination, "FEW", few)
        assert [listed(viewer, f"state:{state}") for state in StepState] == [[state.value] for state in StepState]
        assert set(listed(viewer, "state:late state:unanswered")) == {"late", "unanswered"}
        assert set(listed(viewer, "-state:late")) == {"in time", "running", "unanswered"}


def test_the_steps_of_a_bar_are_those_that_came_in_it_whenever_their_task_began(viewer: Client) -> None:
    task = make_task(prompt="begun before", at=AGO)
    make_step(task, at=AGO)
    make_step(task, at=NOW - timedelta(minutes=20), index=1)
    (bar,) = tree_of(viewer.get("/?range=1h")).xpath("//*[@id='figures-table']//tbody/tr[td[3]='1']/td/a/@href")
    assert [row.split("/step, ")[1] for row in rows_of(viewer.get(bar))] == ["step 1 Template The account is paused. 10 ms"]


def test_each_order_pages_through_all(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 2)
    for number, duration in enumerate((10.0, 30.5, 20.0, 30.5)):
        make_step(make_task(prompt=str(number)), at=NOW + timedelta(seconds=number), duration_ms=duration)
    make_open_step(make_task(prompt="4"), at=NOW + timedelta(seconds=4))
    Step.objects.filter(route="").update(duration_ms=None)
    for order, expected in {"newest": "43210", "oldest": "01234", "longest": "3120", "of no kind": "43210"}.items():
        address, seen = f"/steps/?sort={order}", ""
        while address:
            tree = tree_of(viewer.get(address))
            seen += "".join(link.text for link in tree.xpath("//tbody/tr/td[2]/a"))
            address = next(iter(tree.xpath("//a[@rel='next']/@href")), "")
        assert seen == expected, order


def test_without_a_match_the_page_offers_to_clear_the_filter_and_reports_faults(viewer: Client) -> None:
    assert "Every request about a task appears here" in text_of(viewer.get("/steps/"))
    assert "No step matches" in text_of(viewer.get("/steps/", {"q": "route:llm"}))
    assert "route: write one of" in text_of(viewer.get("/steps/", {"q": "route:nobody"}))


def test_filtered_rows_are_exported_without_secrets(viewer: Client) -> None:
    make_step(make_task(prompt="=1+1 cpk_0123456789abcdef0123456789"), at=NOW, reason=Reason.PAUSED)
    make_llm_step(at=NOW)
    answer = viewer.get("/steps/export/", {"q": "reason:paused", "format": "jsonl"})
    (line,) = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    result = json.loads(line)
    assert (result["route"], result["reason"], result["late"], result["duration_ms"]) == ("template", "paused", False, 10.0)
    assert "0123456789abcdef" not in line
    answer = viewer.get("/steps/export/", {"q": "reason:paused", "format": "csv"})
    assert "'=1+1" in b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert viewer.get("/steps/export/", {"q": "since:soon"}).status_code == 400


def test_the_llms_longest_steps_are_read_off_the_order_itself(viewer: Client) -> None:
    make_step(make_task(prompt="not the LLM's"), at=NOW, duration_ms=9_000)
    for number in range(3):
        make_llm_step(make_task(prompt=str(number)), at=NOW, duration_ms=1_000 * (number + 1))
    assert listed(viewer, "route:llm", sort="longest") == ["2", "1", "0"]
    if connection.vendor == "sqlite":
        matching = matching_steps(parse("route:llm", step_qualifiers()), NOW, Order.LONGEST)
        assert "TEMP B-TREE" not in matching.only("pk").order_by("-duration_ms", "-id")[:51].explain()


@pytest.mark.parametrize("is_common", [False, True], ids=["few", "many"])
@pytest.mark.parametrize(
    "query",
    ["", "route:llm", "-reason:paused", "status:429", "outcome:failed", "kind:search", "project:x", "source:test", "miner:a", "since:2h"],
)
def test_no_table_is_read_as_a_whole(query: str, is_common: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("Postgres scans small tables.")
    monkeypatch.setattr(pagination, "FEW", -1 if is_common else 10_000)
    for state in ("", *StepState):
        for order in ("-received_at", "-duration_ms"):
            query_read = parse(f"{query} {f'state:{state}' if state else ''}", step_qualifiers())
            plan = matching_steps(query_read, NOW).only("pk").order_by(order, "-id")[:51].explain()
            assert not [line for line in plan.splitlines() if "SCAN" in line and "INDEX" not in line], plan
