"""The page of a test run: progress while it runs, then its report, and the files."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Heartbeat
from monitoring.models import TestRun
from monitoring.testruns.suites.report import as_markdown, report
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import NOW
from monitoring.tests.status_records import make_open_run, make_result, make_run

pytestmark = pytest.mark.django_db

STATUS = "//*[@id='test-run']//*[@role='status']"


def make_full_run() -> TestRun:
    run = make_run("fail", suites=["key", "api"])
    make_result(run, "ok", facts={"latency": 1.2})
    make_result(run, "warn", "models", meaning="Not listed: b/model.", next_step="Choose listed models.")
    make_result(
        run, "fail", "task", suite="api", subject="", meaning="No answer.", next_step="Check the log.", lines=["<b>one</b>", "line two"]
    )
    return run


def test_while_it_runs_the_page_shows_progress_and_results(operator: Client) -> None:
    run = make_open_run(suites=["key", "api"])
    make_result(run)
    response = operator.get(f"/tests/{run.pk}/")
    tree = tree_of(response)
    part = tree.get_element_by_id("test-run")
    assert (part.get("hx-get"), part.get("hx-trigger")) == (f"/tests/{run.pk}/", "tick from:body")
    assert tree.xpath("//progress/@value") == ["40"]
    assert "Running Posting a step to http://x" in text_of(response, STATUS)
    assert "OK API key (default) The key works." in text_of(response, "//*[@aria-labelledby='test-1']")
    to_come = text_of(response, "//*[@aria-labelledby='test-2']")
    assert "To come" in to_come and "No result yet." in to_come and "Skipped" not in to_come
    assert tree.xpath("//button[@form='cancel']")
    assert tree.xpath("//form[@id='cancel']/@action") == [f"/tests/{run.pk}/cancel/"]


def test_a_viewer_is_offered_no_cancel(viewer: Client) -> None:
    assert tree_of(viewer.get(f"/tests/{make_open_run().pk}/")).xpath("//button[@form='cancel'] | //form[@id='cancel']") == []


def test_a_run_that_waits_for_a_silent_worker_shows_that(viewer: Client) -> None:
    run = make_open_run(state="queued", doing="")
    assert "The worker is not running, so the run does not start." in text_of(viewer.get(f"/tests/{run.pk}/"))
    Heartbeat.objects.create(name="worker here/1", beaten_at=timezone.now())
    page = text_of(viewer.get(f"/tests/{run.pk}/"))
    assert "Waits for a worker." in page
    assert "silent" not in page


def test_the_report_is_a_page(viewer: Client) -> None:
    response = viewer.get(f"/tests/{make_full_run().pk}/")
    assert "Failed Task processing: No answer. And 1 more." in text_of(response, STATUS)
    assert text_of(response, "//*[@aria-labelledby='works']") == "What works API key (default) : The key works."
    assert "Failed Task processing : No answer. Warning Models (default)" in text_of(response, "//*[@aria-labelledby='works-not']")
    assert text_of(response, "//*[@aria-labelledby='steps']") == "Next steps Check the log."
    assert text_of(response, "//*[@aria-labelledby='advice']") == "Recommendations Choose listed models."
    assert "<b>one</b> line two" in text_of(response, "//*[@aria-labelledby='proofs']")
    assert tree_of(response).get_element_by_id("test-run").get("hx-get") is None


def test_each_result_expands_to_request_response_meaning_and_facts(viewer: Client) -> None:
    folds = tree_of(viewer.get(f"/tests/{make_full_run().pk}/")).xpath("//details[@class='result']")
    first = " ".join(" ".join(folds[0].itertext()).split())
    assert "What was done Requested one token. What came back Status 200. What it means The key works." in first
    assert '"latency": 1.2' in first
    assert "What to do next Choose listed models." in " ".join(folds[1].itertext())


def test_the_page_shows_changed_verdicts(viewer: Client) -> None:
    before = make_run()
    make_result(before, "ok")
    run = make_run("fail", at=NOW + timedelta(hours=1))
    make_result(run, "fail")
    assert f"Worse API key (default) : OK in run {before.pk}" in text_of(viewer.get(f"/tests/{run.pk}/"))
    assert "Worse" not in text_of(viewer.get(f"/tests/{before.pk}/"))


def test_the_markdown_is_the_reports_own_as_a_file(viewer: Client) -> None:
    run = make_full_run()
    response = viewer.get(f"/tests/{run.pk}/report.md")
    assert response.content.decode() == as_markdown(report(run))
    assert response["Content-Type"] == "text/markdown; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="test-run-{run.pk}.md"'


def test_the_json_holds_facts_and_conclusion(viewer: Client) -> None:
    run = make_full_run()
    answer = json.loads(viewer.get(f"/tests/{run.pk}/report.json").content)
    assert (answer["pk"], answer["verdict"], answer["conclusion"]) == (run.pk, "fail", "Task processing: No answer. And 1 more.")
    assert answer["sections"][0]["lines"][0]["facts"] == {"latency": 1.2}


@pytest.mark.parametrize("address", ["/tests/99/", "/tests/99/report.md", "/tests/99/report.json"])
def test_an_unknown_run_is_not_found(address: str, viewer: Client) -> None:
    assert viewer.get(address).status_code == 404


def test_a_cancelled_run_keeps_its_results(viewer: Client) -> None:
    run = make_run("", state="cancelled")
    make_result(run)
    assert "Cancelled The results until then are below." in text_of(viewer.get(f"/tests/{run.pk}/"), STATUS)
    assert "The key works." in text_of(viewer.get(f"/tests/{run.pk}/"))
