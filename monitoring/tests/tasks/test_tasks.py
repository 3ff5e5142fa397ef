"""Tasks: filters and paging."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from agents.models import Source, Submission, Task
from monitoring.reporting import pagination
from monitoring.reporting.filter_query import parse
from monitoring.tasks import tasks as stats
from monitoring.tests.reading import HTMX, element_text, rows_of, text_of, tree_of
from monitoring.tests.records import make_attempt, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db

NOW = timezone.now()
BAD = (
    *(
        {"q": text}
        for text in ("status:abc", "route:nothing", "state:lost", "since:yesterday", "until:9999-99-99", "\0", "x" * 999, "nothing:1", '"')
    ),
    {"sort": "x"},
    {"older": "x"},
    {"older": "9" * 17 + "-" + "9" * 18},
    {"newer": "1-1-1"},
    {"older": "1" * 99},
    {"older": "n1.5-1"},
)


def listed(client: Client, query: str = "", **parameters: str) -> list[str]:
    """The prompts that match a filter, in order."""
    return tree_of(client.get("/tasks/", {"q": query, **parameters})).xpath("//tbody/tr/td[2]/a/text()")  # type: ignore[no-any-return]


def test_tasks_are_listed_newest_first_with_their_newest_step(viewer: Client) -> None:
    old = make_task(prompt="old", at=NOW - timedelta(hours=1), project="autocinema", caller="203.0.113.7")
    make_step(old, index=0)
    make_llm_step(old, index=1)
    make_step(make_task(prompt="new", at=NOW))
    rows = rows_of(viewer.get("/tasks/"))
    assert "new" in rows[0]
    assert "old autocinema Validator 203.0.113.7 Answered 2 LLM The LLM answered. 2.00 s" in rows[1]


QUERIES = (
    "route:llm",
    "-route:template",
    "reason:answered",
    "project:autocinema",
    "-project:automail",
    "status:429",
    "-status:200",
    "outcome:failed",
    "-outcome:worked",
    'kind:"Open an item"',
    "source:test",
    "caller:203.0.113.7",
    "ARRIVAL",
    "-another",
    '"Find Arrival"',
    "seed=77",
    "miner:a",
    "-miner:b",
    "c7d1e0a4",
    "since:24h",
    "since:[5 hours ago]",
    "route:llm since:24h status:429 project:autocinema",
    "project:autocinema project:autobooks",
)


@pytest.mark.long
def test_a_filter_shows_matching_rows(viewer: Client) -> None:
    wanted = make_task(
        prompt="Find Arrival",
        url="http://x/?seed=77",
        key="c7d1e0a4-1",
        at=NOW,
        project="autocinema",
        source=Source.TEST,
        caller="203.0.113.7",
        kind="open an item",
    )
    make_attempt(make_llm_step(wanted, at=NOW, outcome="failed", miner="a"), status=429)
    another = make_task(prompt="Another", at=NOW - timedelta(days=3), project="automail")
    make_attempt(make_step(another, at=NOW - timedelta(days=3), outcome="worked", miner="b"))
    queries = [query.replace("[5 hours ago]", f"{NOW - timedelta(hours=5):%Y-%m-%dT%H:%M}") for query in QUERIES]
    assert [query for query in queries if listed(viewer, query) != ["Find Arrival"]] == []
    assert len(listed(viewer)) == 2


def test_times_are_meant_in_the_readers_zone_and_with_a_z_in_utc(viewer: Client) -> None:
    make_task(prompt="wanted", at=datetime(2026, 5, 4, 12, 0, tzinfo=UTC))
    assert listed(viewer, "since:2026-05-04T11:30 until:2026-05-04T12:30") == ["wanted"]
    viewer.cookies["zone"] = "America%2FNew_York"
    assert listed(viewer, "since:2026-05-04T11:30 until:2026-05-04T12:30") == []
    assert listed(viewer, "since:2026-05-04T07:30 until:2026-05-04T08:30") == ["wanted"]
    assert listed(viewer, "since:2026-05-04T11:30Z until:2026-05-04T12:30Z") == ["wanted"]
    viewer.cookies["zone"] = "../../etc/passwd"
    assert listed(viewer, "since:2026-05-04T11:30 until:2026-05-04T12:30") == ["wanted"], "an unknown zone is UTC"


def test_until_shows_earlier_rows(viewer: Client) -> None:
    make_step(make_task(prompt="before", at=NOW - timedelta(days=3)))
    make_step(make_task(prompt="after", at=NOW))
    assert listed(viewer, "until:1d") == ["before"]


def in_each_state() -> None:
    for state in (Submission.State.QUEUED, Submission.State.RUNNING, Submission.State.CANCELLED):
        task = make_task(prompt=state, source=Source.OPERATOR)
        Submission.objects.create(task=task, requested_by="ann", state=state, enqueued_at=NOW)
    make_step(make_task(prompt="answered"))
    make_step(make_task(prompt="late"), duration_ms=30_000)
    make_open_step(make_task(prompt="unanswered"), at=NOW - timedelta(hours=1))
    make_open_step(make_task(prompt="open"), at=NOW, deadline_at=NOW + timedelta(hours=1))


def test_each_state_finds_its_tasks(viewer: Client) -> None:
    in_each_state()
    assert listed(viewer, "state:queued") == ["queued"]
    assert sorted(listed(viewer, "state:running")) == ["open", "running"]
    assert sorted(listed(viewer, "state:answered")) == ["answered", "late"]
    assert listed(viewer, "state:late") == ["late"]
    assert listed(viewer, "state:unanswered") == ["unanswered"]
    assert listed(viewer, "state:cancelled") == ["cancelled"]
    assert sorted(listed(viewer, "state:late state:queued")) == ["late", "queued"]
    assert sorted(listed(viewer, "-state:answered -state:unanswered")) == ["cancelled", "open", "queued", "running"]
    page = text_of(viewer.get("/tasks/"), "//table")
    for label in ("Queued", "Running", "Answered", "Late", "Unanswered"):
        assert label in page


def test_the_tabs_count_each_state_and_keep_the_rest_of_the_filter(viewer: Client) -> None:
    in_each_state()
    tree = tree_of(viewer.get("/tasks/", {"q": "state:late source:validator"}))
    tabs = tree.xpath("//nav[@aria-label='States']/a")
    assert [element_text(tab) for tab in tabs] == ["All 4", "Queued 0", "Running 1", "Answered 2", "Late 1", "Unanswered 1"]
    assert [tab.get("aria-current") for tab in tabs] == [None, None, None, None, "true", None]
    assert tabs[1].get("href") == "/tasks/?q=source%3Avalidator+state%3Aqueued"


@pytest.mark.parametrize(
    ("query", "count"),
    [("", "7 tasks"), ("state:answered", "2 tasks match"), ("-state:late", "6 tasks match"), ("state:late state:queued", "2 tasks match")],
)
def test_the_head_counts_matching_rows_on_every_tab(viewer: Client, query: str, count: str) -> None:
    in_each_state()
    tree = tree_of(viewer.get("/tasks/", {"q": query}))
    assert element_text(tree.xpath("//section[@id='tasks']//p[@role='status']")[0]).startswith(count)
    assert len(tree.xpath("//nav[@aria-label='States']/a[@aria-current]")) == (query in ("", "state:answered"))
    assert element_text(tree.xpath("//nav[@aria-label='States']/a")[0]) == "All 7"


@pytest.mark.parametrize("cap", [1, 2, 6, 7, 8])
def test_capped_counts_are_marked(viewer: Client, monkeypatch: pytest.MonkeyPatch, cap: int) -> None:
    monkeypatch.setattr(stats, "COUNT_CAP", cap)
    in_each_state()
    tabs = tree_of(viewer.get("/tasks/")).xpath("//nav[@aria-label='States']/a")
    shown = dict(zip(("all", "queued", "running", "answered"), (element_text(tab).split()[-1] for tab in tabs), strict=False))
    counts = {"all": 7, "queued": 1, "running": 2, "answered": 2}
    assert shown == {name: f"{cap}+" if count > cap else str(count) for name, count in counts.items()}


def test_the_tabs_omit_counts_that_would_read_all_prompts(viewer: Client) -> None:
    in_each_state()
    tabs = tree_of(viewer.get("/tasks/", {"q": "late"})).xpath("//nav[@aria-label='States']/a")
    assert [element_text(tab) for tab in tabs] == ["All 1", "Queued", "Running", "Answered", "Late", "Unanswered"]


def test_the_oldest_come_first_if_that_order_is_chosen(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 2)
    for number in range(5):
        make_task(prompt=str(number), at=NOW + timedelta(seconds=number // 2))
    tree = tree_of(viewer.get("/tasks/"))
    (address,) = tree.xpath("//th[@aria-sort='descending']/a/@href")
    seen = list[str]()
    while address:
        tree = tree_of(viewer.get(address))
        seen += tree.xpath("//tbody/tr/td[2]/a/text()")
        address = next(iter(tree.xpath("//a[@rel='next']/@href")), "")
    assert seen == list("01234")
    (back,) = tree.xpath("//a[@rel='prev']/@href")
    assert tree_of(viewer.get(back)).xpath("//tbody/tr/td[2]/a/text()") == ["2", "3"]


def test_pages_follow_each_other_without_gap_or_repetition(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 3)
    for number in range(8):  # pairs have the same time, so the id decides
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
    (older,) = tree_of(viewer.get("/tasks/", {"q": "film"})).xpath("//a[@rel='next']/@href")
    assert "q=film" in older


@pytest.mark.parametrize("conditions", BAD, ids=lambda conditions: urlencode(conditions)[:30])
def test_a_filter_that_cannot_be_read_is_never_a_fault(conditions: dict[str, str], viewer: Client) -> None:
    make_step()
    assert viewer.get("/tasks/", conditions).status_code == 200
    assert viewer.get("/tasks/", conditions, headers=HTMX).status_code == 200
    assert viewer.get("/attempts/", conditions).status_code == 200
    assert viewer.get("/callers/", conditions).status_code == 200


def test_a_filter_that_cannot_be_read_is_named_and_not_applied(viewer: Client) -> None:
    make_step()
    response = viewer.get("/tasks/", {"q": "status:abc"})
    assert "Not applied: status: write a status code from 100 to 599, such as 429." in text_of(response)
    assert tree_of(response).xpath("//input[@name='q']/@value") == ["status:abc"]
    assert len(tree_of(response).xpath("//tbody/tr")) == 1


def test_without_a_match_the_page_offers_to_clear_the_filter(viewer: Client) -> None:
    assert "No task matches" in text_of(viewer.get("/tasks/", {"q": "nothing"}))
    assert "Tasks appear here when" in text_of(viewer.get("/tasks/"))


@pytest.mark.long
def test_a_large_count_stops_at_its_cap(viewer: Client) -> None:
    Task.objects.bulk_create(
        Task(fingerprint=str(number), key=str(number), source=Source.VALIDATOR, prompt="x", url="http://x/", created_at=NOW)
        for number in range(10_001)
    )
    page = viewer.get("/tasks/")
    assert "10,000+ tasks" in text_of(page, "//section//*[@role='status']")
    assert "All 10,000+ Queued 0 Running 0 Answered 10,000+ Late 0 Unanswered 0" in text_of(page, "//nav[@aria-label='States']")
    assert "2,000+ tasks match" in text_of(viewer.get("/tasks/", {"q": "-route:llm"}), "//section//*[@role='status']")


def test_an_empty_list_links_operators_to_a_first_task(viewer: Client, operator: Client) -> None:
    for address in ("/tasks/", "/steps/"):
        assert "Create a task" not in text_of(viewer.get(address))
        assert "/tasks/new/" in tree_of(operator.get(address)).xpath("//*[@class='empty-note']/a/@href")


def test_a_new_task_is_offered_to_permitted_users_only(viewer: Client, operator: Client) -> None:
    assert "New task" not in text_of(viewer.get("/tasks/"))
    assert "New task" in text_of(operator.get("/tasks/"))


@pytest.mark.parametrize(
    "query", ["route:llm", "reason:answered", "status:429", "outcome:failed", "-route:template", "-reason:paused", "-status:200"]
)
def test_a_filter_has_the_same_result_if_very_many_steps_match(query: str, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "FEW", 0)
    make_attempt(make_llm_step(make_task(prompt="wanted", at=NOW), at=NOW, outcome="failed"), status=429)
    make_attempt(make_step(make_task(prompt="another", at=NOW), at=NOW))
    assert listed(viewer, query) == ["wanted"]
    assert listed(viewer, f"{query} since:1h state:answered") == ["wanted"]


@pytest.mark.parametrize("is_common", [False, True], ids=["few", "many"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "route:llm",
        "-reason:paused",
        "status:429",
        "outcome:failed",
        "kind:search",
        "project:x",
        "source:test",
        "caller:203.0.113.7",
        "miner:a",
        "since:2h",
    ],
)
def test_no_table_is_read_as_a_whole(query: str, is_common: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("Postgres scans small tables.")
    monkeypatch.setattr(pagination, "FEW", -1 if is_common else 10_000)
    for state in ("", *stats.TaskState):
        query_read = parse(f"{query} {f'state:{state}' if state else ''}", stats.task_qualifiers())
        plan = stats._with_newest(stats.matching_tasks(query_read, NOW)).order_by("-created_at", "-id")[:51].explain()
        scans = [line for line in plan.splitlines() if "SCAN" in line and "INDEX" not in line]
        assert not scans, plan
