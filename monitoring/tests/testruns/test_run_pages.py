"""Tests: starting a run, the history of runs, changes, trend and cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from agents.configuration import default_account
from agents.models import LLMAttempt, Source
from agents.operator_jobs.leased_job import cancel
from monitoring.models import JournalImport, TestRun
from monitoring.reporting.pagination import Place
from monitoring.testruns import runs as stats
from monitoring.testruns.runs import changed, costs, runs, trend
from monitoring.tests.reading import HTMX, text_of, tree_of
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_task
from monitoring.tests.status_records import make_open_run, make_result, make_run

pytestmark = pytest.mark.django_db

ALL = {"suites": ["key", "api", "logs"], "hours": "24"}


def listed(client: Client, **conditions: str) -> list[int]:
    """The ids of the listed runs."""
    rows = tree_of(client.get("/tests/", conditions)).xpath("//section[@aria-labelledby='history']//tbody/tr/@id")
    return [int(row.removeprefix("run-")) for row in rows]


def test_an_operator_starts_the_chosen_tests_and_sees_the_run(operator: Client) -> None:
    response = operator.post("/tests/", {"suites": ["logs", "key"], "hours": "1.5", "bypass_pause": "on"})
    run = TestRun.objects.get()
    assert response["Location"] == f"/tests/{run.pk}/"
    assert (run.suites, run.trigger, run.requested_by) == (["key", "logs"], "operator", "one-of-operators")
    assert run.options == {"hours": 1.5, "bypass_pause": True}
    assert OrmQ.objects.count() == 1


def test_the_journals_that_are_analysed_can_be_chosen(operator: Client) -> None:
    imports = JournalImport.objects
    one, other = (imports.create(name=name, state="succeeded", started_at=NOW, recorded=2) for name in ("a.log", "b.log"))
    unread = imports.create(name="c.log", state="running", started_at=NOW)
    assert tree_of(operator.get("/tests/")).xpath("//form[@id='start']//input[@name='journals'][@checked]/@value") == [
        str(one.pk),
        str(other.pk),
    ]
    assert "is not read yet" in text_of(operator.post("/tests/", {**ALL, "journals": [unread.pk]}), "//form[@id='start']")
    operator.post("/tests/", {**ALL, "journals": [other.pk]})
    assert TestRun.objects.get().options["journals"] == [other.pk]


def test_the_form_offers_all_tests_and_a_day(operator: Client) -> None:
    tree = tree_of(operator.get("/tests/"))
    assert tree.xpath("//form[@id='start']//input[@name='suites'][@checked]/@value") == ["key", "api", "logs"]
    assert tree.xpath("//form[@id='start']//input[@name='hours']/@value") == ["24"]
    assert tree.xpath("//form[@id='start']//input[@name='bypass_pause'][@checked]") == []


def test_a_viewer_is_offered_no_start(viewer: Client) -> None:
    assert tree_of(viewer.get("/tests/")).xpath("//form[@id='start']") == []


@pytest.mark.parametrize(
    ("posted", "text"),
    [
        ({**ALL, "suites": []}, "tests: choose at least one."),
        ({**ALL, "suites": ["keys"]}, "tests: there is no “keys”."),
        ({**ALL, "hours": "soon"}, "Enter a number."),
        ({**ALL, "hours": "0"}, "greater than or equal to 0.1"),
        ({**ALL, "hours": "nan"}, "Enter a number."),
        ({**ALL, "hours": "1e9"}, "less than or equal to 8784"),
    ],
)
def test_an_invalid_run_is_reported_and_not_started(posted: dict[str, Any], text: str, operator: Client) -> None:
    assert text in text_of(operator.post("/tests/", posted), "//form[@id='start']")
    assert not TestRun.objects.exists()


def test_a_second_start_is_refused_with_a_link_to_the_active_run(operator: Client) -> None:
    operator.post("/tests/", ALL)
    run = TestRun.objects.get()
    response = operator.post("/tests/", ALL)
    assert response.status_code == 409
    assert f"test run {run.pk} is active" in text_of(response)
    assert tree_of(response).xpath(f"//main//a[@href='/tests/{run.pk}/']")
    assert TestRun.objects.count() == 1


def test_a_run_under_way_is_shown_on_top(viewer: Client) -> None:
    run = make_open_run()
    card = text_of(viewer.get("/tests/"), "//section[@aria-label='Under way']")
    assert f"Running Test run {run.pk} Posting a step to http://x 40 %" in card


def test_an_empty_history_explains_itself(viewer: Client, operator: Client) -> None:
    assert "No test has run yet. The first one comes by a schedule" in text_of(viewer.get("/tests/"))
    assert "No test has run yet. Run the tests above" in text_of(operator.get("/tests/"))
    assert tree_of(viewer.get("/tests/")).xpath("//nav[starts-with(@aria-label, 'The last')]") == []


def test_a_row_shows_the_conclusion_of_its_run(viewer: Client) -> None:
    run = make_run("fail", seconds=72)
    make_result(run, "warn", "models", meaning="Not listed: b/model.")
    make_result(run, "fail", meaning="Limited by the provider.")
    row = text_of(viewer.get("/tests/"), f"//tr[@id='run-{run.pk}']")
    assert row.startswith(f"Run {run.pk} Failed API key (default): Limited by the provider. And 1 more. Direct key test Operator, ada")
    assert row.endswith("1 min 12 s")


def test_the_strip_links_the_last_fifty_runs_with_labels_oldest_first(viewer: Client) -> None:
    made = [make_run("fail" if number == 51 else "ok", at=NOW + timedelta(minutes=number)) for number in range(52)]
    strip = tree_of(viewer.get("/tests/")).xpath("//nav[@aria-label='The last 50 runs, oldest first']/a")
    assert [link.get("href") for link in strip] == [f"/tests/{run.pk}/" for run in made[2:]]
    assert strip[-1].get("title") == f"Run {made[-1].pk}: Failed, Direct key test, 4 May 12:51:00 UTC"
    assert "OK 49 Failed 1" in text_of(viewer.get("/tests/"), "//section[@aria-label='Verdicts of the last runs']")


@pytest.mark.parametrize(
    "conditions",
    [{"suite": "api"}, {"verdict": "fail"}, {"trigger": "schedule"}, {"range": "24h"}, {"suite": "api", "verdict": "fail", "range": "7d"}],
)
def test_a_filter_shows_matching_rows(conditions: dict[str, str], viewer: Client) -> None:
    wanted = make_run("fail", at=timezone.now(), suites=["key", "api"], trigger="schedule")
    make_run("ok", at=timezone.now() - timedelta(days=40))
    assert listed(viewer, **conditions) == [wanted.pk]
    assert len(listed(viewer)) == 2


def test_a_run_without_a_verdict_is_found_by_its_state(viewer: Client) -> None:
    cancelled, lost = make_run("", state="cancelled"), make_run("", state="failed")
    assert listed(viewer, verdict="cancelled") == [cancelled.pk]
    assert listed(viewer, verdict="failed") == [lost.pk]


def test_a_filter_that_can_not_be_read_is_named_and_not_applied(viewer: Client) -> None:
    run = make_run()
    assert listed(viewer, suite="nothing") == [run.pk]
    assert "Test is not applied: Select a valid choice." in text_of(viewer.get("/tests/", {"suite": "nothing"}))
    assert viewer.get("/tests/", {"older": "x", "range": "\x00"}).status_code == 200


def test_without_a_match_the_page_offers_to_clear_the_filter(viewer: Client) -> None:
    make_run()
    assert "No run matches" in text_of(viewer.get("/tests/", {"verdict": "fail"}))


def test_pages_follow_each_other_without_gap_or_repetition(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "PAGE_SIZE", 3)
    made = [make_run(at=NOW + timedelta(seconds=number // 2)).pk for number in range(8)]
    address, seen = "/tests/?suite=key", list[str]()
    while address:
        tree = tree_of(viewer.get(address))
        seen += tree.xpath("//section[@aria-labelledby='history']//tbody/tr/@id")
        address = next(iter(tree.xpath("//a[@rel='next']/@href")), "")
    assert seen == [f"run-{pk}" for pk in reversed(made)]


def test_the_page_shows_changes_since_the_previous_run_of_the_same_check(viewer: Client) -> None:
    first = make_run(at=NOW)
    make_result(first, "ok")
    make_result(first, "fail", "task", suite="api", subject="http://x")
    make_result(make_run("skipped", at=NOW + timedelta(hours=1)), "skipped")
    newest = make_run("fail", at=NOW + timedelta(hours=2))
    make_result(newest, "fail")
    make_result(newest, "ok", subject="another")
    make_result(newest, "ok", "task", suite="api", subject="http://x")
    assert [(change.title, change.is_better, change.before_pk) for change in changed(newest.pk)] == [
        ("API key (default)", False, first.pk),
        ("Task processing (http://x)", True, first.pk),
    ]
    card = text_of(viewer.get("/tests/"), "//section[@aria-labelledby='changed']")
    assert f"What changed in run {newest.pk} Worse API key (default) : OK in run {first.pk} , now Failed" in card


def test_a_later_run_is_no_run_before() -> None:
    first = make_run()
    make_result(first, "ok")
    make_result(make_run(at=NOW + timedelta(hours=1)), "fail")
    assert changed(first.pk) == []


def test_the_trend_shows_durations_and_who_answered_the_live_test(viewer: Client) -> None:
    short, long = make_run(seconds=2), make_run(seconds=8, at=NOW + timedelta(hours=1))
    make_result(long, "ok", "task by", suite="api", facts={"route": "llm"})
    make_result(long, "warn", "step by", suite="api", facts={"route": "template"})
    make_result(short, "skipped", "task by", suite="api")
    points = trend(runs({}, Place()).strip)
    assert [(point.run.pk, point.height, point.llm_share) for point in points] == [(short.pk, 25.0, None), (long.pk, 100.0, 50.0)]
    table = tree_of(viewer.get("/tests/")).xpath("//details[@id='trend-table']//tbody/tr")
    assert [" ".join(row.itertext()) for row in table] == [f"{long.pk} 8.00 s 50 %", f"{short.pk} 2.00 s –"]


def test_the_cost_of_tests_is_shown_by_kind(viewer: Client) -> None:
    now = timezone.now()
    make_attempt(make_llm_step(make_task(source=Source.TEST), at=now), prompt_tokens=900, completion_tokens=100, cost="0.002")
    make_attempt(make_llm_step(make_task(), at=now), prompt_tokens=7, completion_tokens=7, cost="1")
    ended = {"sent_at": now, "ended_at": now, "verdict": "ok"}
    for age, tokens in ((1, 12), (29, 12), (31, 5_000)):
        at = now - timedelta(days=age)
        fields = {
            "number": 1,
            "model": "a/model",
            "slot_at": at,
            "cut_off_at": at,
            **ended,
            "prompt_tokens": tokens,
            "completion_tokens": 1,
        }
        LLMAttempt.objects.create(purpose="test", account=default_account(), decided_at=at, cost="0.001", **fields)
    result = costs(now)
    assert [(cost.label, cost.attempts, cost.tokens, str(cost.usd)[:6]) for cost in result] == [
        ("Direct key tests", 2, 26, "0.0020"),
        ("Live tests' steps", 1, 1_000, "0.0020"),
    ]
    make_run()
    assert "Direct key tests: 2 LLM attempts · 26 tokens · 0.002000 USD" in text_of(viewer.get("/tests/"))


def test_before_any_request_the_cost_section_shows_that(viewer: Client) -> None:
    make_run()
    assert "Tests have sent nothing to the LLM." in text_of(viewer.get("/tests/"))


def test_a_live_part_that_has_not_changed_is_not_sent_again(viewer: Client) -> None:
    run = make_open_run()
    for address in ("/tests/", f"/tests/{run.pk}/"):
        first = viewer.get(address, headers=HTMX)
        assert viewer.get(address, headers={**HTMX, "If-None-Match": first["ETag"]}).status_code == 304
        TestRun.objects.filter(pk=run.pk).update(progress=run.progress + 1)
        assert viewer.get(address, headers={**HTMX, "If-None-Match": first["ETag"]}).status_code == 200
        TestRun.objects.filter(pk=run.pk).update(progress=run.progress)


def test_cancelling_stops_a_run_and_one_that_is_over_stays_as_it_is(operator: Client) -> None:
    run = make_open_run()
    assert operator.post(f"/tests/{run.pk}/cancel/")["Location"] == f"/tests/{run.pk}/"
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert "The run has already ended." in text_of(operator.post(f"/tests/{run.pk}/cancel/", follow=True))
    assert not cancel(run)
