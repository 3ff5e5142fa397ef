"""Test runs: one at a time, executed once, with progress, cancelled between checks, resumed, and shown as a report."""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import OrmQ

from agents.operator_jobs.leased_job import cancel, dispatch
from agents.tests.queue_of_jobs import work
from monitoring.models import SUITE_TITLES, Result, TestResult, TestRun
from monitoring.testruns.suites import running
from monitoring.testruns.suites.findings import Finding, worst
from monitoring.testruns.suites.report import as_json, as_markdown, report
from monitoring.testruns.suites.running import Suite

pytestmark = pytest.mark.django_db(transaction=True)

State, Trigger = TestRun.State, TestRun.Trigger
FOUND = (
    Finding("key", Result.OK, "The key works.", subject="default", done="Requested a single token.", came_back="Status 200 after 1.2 s."),
    Finding("models", Result.WARN, "Not listed any more: b/model.", "Choose listed models in the settings.", subject="default"),
    Finding("task", Result.FAIL, "No answer to a one-shot task.", "Check the miner's log.", done="POST", lines=("a_line ```",)),
)


def one_subject(_: TestRun) -> list[str]:
    return ["all"]


@pytest.fixture(autouse=True)
def suites(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A suite with the three findings above, which records the run's state at each."""
    seen: list[str] = []

    def run_part(_: TestRun, part: str) -> Iterator[Finding | str]:
        for finding in FOUND:
            yield f"Checking {finding.check_name}"
            seen.append(TestRun.objects.get(state=State.RUNNING).doing)
            yield finding

    def broken(_: TestRun, part: str) -> Iterator[Finding | str]:
        raise RuntimeError("key cpk_" + "0" * 32 + "." + "0" * 32 + "." + "a" * 32)

    monkeypatch.setattr(
        running, "SUITES", {"key": Suite(one_subject, run_part), "api": Suite(one_subject, broken), "logs": Suite(one_subject, run_part)}
    )
    return seen


def start(*names: str, **more: Any) -> TestRun:
    return running.start(names or ("key",), trigger=Trigger.OPERATOR, by="ada", **more)


def test_a_run_is_queued_with_its_job_and_carried_out_once(suites: list[str]) -> None:
    run = start()
    assert (run.state, OrmQ.objects.count()) == (State.QUEUED, 1)
    assert [work(run), work(run)] == [True, False]
    assert (run.state, run.verdict, run.progress, run.doing) == (State.SUCCEEDED, Result.FAIL, 100, "")
    assert list(run.results.order_by("number").values_list("check_name", "verdict")) == [
        ("key", "ok"),
        ("models", "warn"),
        ("task", "fail"),
    ]
    assert suites == ["Checking key", "Checking models", "Checking task"]


def test_a_long_run_takes_several_jobs_and_makes_each_check_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_part(_: TestRun, part: str) -> Iterator[Finding | str]:
        yield Finding("key", Result.OK, subject=part)

    monkeypatch.setattr(running, "SUITES", {"key": Suite(lambda _: ("a", "b", "c"), run_part)})
    monkeypatch.setattr("monitoring.testruns.suites.running.run_parts", partial(running.run_parts, seconds=0.0))
    run = start()
    for jobs in (2, 3):
        assert work(run)
        assert OrmQ.objects.count() == jobs
    assert work(run)
    assert (run.state, list(run.results.order_by("number").values_list("subject", flat=True))) == (State.SUCCEEDED, ["a", "b", "c"])


def test_while_one_is_under_way_another_is_refused_and_names_it() -> None:
    first = start()
    with pytest.raises(running.AlreadyRunning) as caught:
        start()
    assert caught.value.run == first
    work(first)
    assert start().pk != first.pk


def test_a_suite_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(ValueError, match="choose from key, api, logs"):
        start("keys")


def test_a_cancelled_run_stops_before_its_next_check_and_frees_the_place() -> None:
    run = start()
    assert cancel(run)
    assert not work(run)
    assert not cancel(run)
    assert TestResult.objects.count() == 0
    start()


def test_a_run_is_cancelled_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start()

    def run_part(_: TestRun, part: str) -> Iterator[Finding | str]:
        yield FOUND[0]
        cancel(run)
        yield FOUND[1]

    monkeypatch.setattr(running, "SUITES", {"key": Suite(one_subject, run_part)})
    assert not work(run)
    assert (run.state, run.results.count()) == (State.CANCELLED, 1)


def test_a_run_whose_worker_died_restarts_without_duplicates() -> None:
    run = start()
    TestRun.objects.update(state=State.RUNNING, parts_done=1, tries=1, lease_until=timezone.now() - timedelta(seconds=1))
    TestResult.objects.create(run=run, number=1, suite="key", check_name="key", verdict="ok", at=timezone.now())
    assert dispatch(timezone.now()) == 1
    assert work(run)
    assert run.results.count() == len(FOUND)


def test_a_fault_in_a_suite_is_a_result_without_secrets_and_the_run_goes_on() -> None:
    run = start("api", "logs")
    work(run)
    fault, *others = run.results.order_by("number")
    assert (fault.check_name, fault.verdict, len(others)) == ("fault", "fail", len(FOUND))
    assert "RuntimeError" in fault.came_back
    assert "cpk_0" not in fault.came_back + "".join(fault.lines)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [([], "skipped"), (["ok", "skipped"], "ok"), (["ok", "warn"], "warn"), (["warn", "fail", "ok"], "fail"), (["skipped"], "skipped")],
)
def test_the_worst_check_is_the_runs_verdict(verdicts: list[str], expected: str) -> None:
    assert worst([Result(verdict) for verdict in verdicts]) == expected


def report_of(*names: str) -> Any:
    run = start(*names)
    work(run)
    return report(run)


def test_the_report_has_only_the_runs_results() -> None:
    done = report_of("key")
    assert [line.title for line in done.working] == ["API key (default)"]
    assert [line.title for line in done.not_working] == ["Task processing", "Models (default)"]
    assert done.next_steps == ["Check the miner's log."]
    assert done.recommendations == ["Choose listed models in the settings."]
    assert done.conclusion == "Task processing: No answer to a one-shot task. And 1 more."


def test_the_markdown_has_the_sections_of_a_hand_written_report() -> None:
    text = as_markdown(report_of("key"))
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[1:] == [
        "## Test summary",
        "### Test 1: Direct key test",
        "## What works",
        "## What doesn't",
        "## Next steps",
        "## Test logs",
        "## Recommendations",
    ]
    assert "- **API key (default)**: [ok] The key works." in text
    assert "a_line '''" in text, "a line can't end its block"
    assert text.endswith("**Action**: Check the miner's log.\n")


def test_every_suite_has_a_title_and_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert list(running.SUITES) == list(SUITE_TITLES)


def test_the_json_holds_the_same() -> None:
    done = report_of("key")
    value = json.loads(json.dumps(as_json(done), default=str))
    assert value["conclusion"] == done.conclusion
    assert len(value["sections"][0]["lines"]) == len(FOUND)


def run_command(*arguments: str) -> str:
    out = StringIO()
    call_command("run_tests", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_report_and_exits_with_1_on_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as caught:
        run_command("--suite", "key")
    assert caught.value.code == 1
    monkeypatch.setattr(running, "SUITES", {"key": Suite(one_subject, lambda _, part: iter(FOUND[:2]))})
    assert run_command("--suite", "key").startswith("# Integration test results, run ")
    assert json.loads(run_command("--suite", "key", "--json"))["verdict"] == "warn"


def test_the_command_reports_the_active_run() -> None:
    run = start()
    with pytest.raises(CommandError, match=f"Test run {run.pk} is active") as caught:
        run_command("--suite", "key")
    assert caught.value.returncode == 2


def test_the_command_names_a_bad_value() -> None:
    with pytest.raises(CommandError, match="--hours"):
        run_command("--hours", "0")


def test_nothing_to_do_is_not_stated_with_a_recommendation(monkeypatch: pytest.MonkeyPatch) -> None:
    warned = FOUND[1]
    monkeypatch.setattr(running, "SUITES", {"key": Suite(one_subject, lambda _, part: iter([warned]))})
    text = as_markdown(report_of("key"))
    assert warned.next_step in text
    assert "Nothing to do." not in text
    assert "Nothing failed. See the recommendations." in text
