"""Log analysis: findings from a journal and our own records, with the lines that prove them."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from agents.configuration import default_account
from agents.models import LLMAttempt, RateLimitEvent
from monitoring.models import JournalImport, LogEntry, Result, TestRun
from monitoring.testruns.suites import logs
from monitoring.testruns.suites.findings import Finding
from monitoring.testruns.suites.journal_analysis import Entry, findings
from monitoring.tests.records import make_attempt, make_step

START = datetime(2025, 11, 18, 16, 27, 28, tzinfo=UTC)


def entry(offset: float, kind: str, /, **facts: Any) -> Entry:
    return Entry(START + timedelta(seconds=offset), kind, facts, f"{offset:g} {kind} {facts}")


def findings_by_check(*entries: Entry) -> dict[str, Finding]:
    return {finding.check_name: finding for finding in findings(entries)}


SEED = (entry(0, "rate_limited", wait_seconds=60, attempt=1), entry(25, "timeout", task="test-task-001", seconds=25))


def test_the_two_lines_of_the_first_miner_contradict_each_other() -> None:
    result = findings_by_check(*SEED)
    assert result["contradiction"].meaning == "Backoff (60 s) is longer than the task's deadline (25 s): these tasks got no answer."
    assert result["contradiction"].lines == tuple(entry.line for entry in SEED)
    assert result["contradiction"].verdict == Result.FAIL
    assert result["rate limits"].meaning == "Detected 1 rate limit, 1 with a wait that was logged."
    assert result["backoff"].verdict == Result.OK
    assert result["timeouts"].meaning == "1 task timed out, 1 of them while a backoff was running: validators got no answer."
    assert "No fallback was logged" in result["answers"].meaning


def test_a_request_inside_a_wait_breaks_the_backoff() -> None:
    result = findings_by_check(SEED[0], entry(20, "rate_limited", wait_seconds=60, attempt=1))
    assert result["backoff"].verdict == Result.FAIL
    assert len(result["backoff"].lines) == 2


def test_a_request_in_the_second_in_which_the_wait_ends_is_none() -> None:
    assert findings_by_check(SEED[0], entry(59, "llm_success"))["backoff"].verdict == Result.OK


def test_a_backoff_that_does_not_grow_is_reported() -> None:
    grows = findings_by_check(entry(0, "rate_limited", wait_seconds=60, attempt=1), entry(61, "rate_limited", wait_seconds=120, attempt=2))
    assert grows["ladder"].verdict == Result.OK
    stays = findings_by_check(entry(0, "rate_limited", wait_seconds=60, attempt=1), entry(61, "rate_limited", wait_seconds=60, attempt=2))
    assert stays["ladder"].meaning == "Attempt 2 waited 60 s, no longer than the 60 s before it: the backoff does not grow."


def test_successes_are_counted_since_the_last_rate_limit() -> None:
    result = findings_by_check(entry(0, "llm_success"), entry(5, "rate_limited"), entry(90, "llm_success"), entry(95, "llm_success"))
    assert result["answers"].facts == {"llm": 3, "fallback": 0, "llm_since_last_limit": 2}
    assert result["spacing"].meaning == "The two requests closest to each other are 5 s apart."


def test_errors_are_counted_by_their_class() -> None:
    result = findings_by_check(entry(0, "error", error="KeyError"), entry(1, "error", error="KeyError"), entry(2, "error"))
    assert result["errors"].meaning == "3 errors: KeyError 2, without a class 1."


def test_a_journal_without_a_limit_is_fine_and_an_empty_one_is_skipped() -> None:
    assert findings_by_check(entry(0, "llm_success"))["rate limits"].verdict == Result.OK
    assert findings_by_check()["journal"].verdict == Result.SKIPPED


kinds = st.sampled_from(["rate_limited", "timeout", "llm_success", "fallback", "task", "error"])
waits = st.one_of(st.none(), st.floats(0, 1e6))


@given(st.lists(st.tuples(st.floats(0, 1e6), kinds, waits), max_size=60))
def test_any_journal_gives_findings_with_bounded_proofs(lines: list[tuple[float, str, float | None]]) -> None:
    entries = [
        entry(at, kind, **({} if wait is None else {"wait_seconds": wait, "seconds": wait}))
        for at, kind, wait in sorted(lines, key=lambda line: line[0])
    ]
    for finding in findings(entries):
        assert finding.meaning
        assert len(finding.lines) <= 10


def of_records(**options: Any) -> dict[str, Finding]:
    wanted = TestRun(options=options)
    return {row.check_name: row for part in logs.parts(wanted) for row in logs.run(wanted, part) if isinstance(row, Finding)}


def event(at: datetime, **more: Any) -> RateLimitEvent:
    fields: dict[str, Any] = {"refusal": "edge", "strike": 1, "pause_seconds": 60, "pause_source": "ladder", "prediction_source": "ladder"}
    return RateLimitEvent.objects.create(account=default_account(), started_at=at, block_started_at=at, **{**fields, **more})


@pytest.mark.django_db
def test_our_own_records_answer_the_same_questions() -> None:
    now = timezone.now()
    at = now - timedelta(hours=1)
    make_attempt(make_step(at=at), verdict="refused", status=429, refusal="edge", decided_at=at, sent_at=at)
    event(at, ended_by="succeeded", ended_at=at + timedelta(seconds=61))
    make_attempt(
        make_step(at=at, index=1),
        decided_at=at + timedelta(seconds=61),
        sent_at=at + timedelta(seconds=61),
        ended_at=at + timedelta(seconds=63),
    )
    result = of_records()
    assert result["rate limits"].meaning == "1 request got a 429: rate limit 1."
    assert result["backoff"].meaning == "1 pauses, and no request was sent during any of them."
    assert result["ladder"].verdict == Result.OK
    assert result["spacing"].facts["smallest_gap"] == 61
    assert result["answers"].facts["llm_since_last_limit"] == 1


@pytest.mark.django_db
def test_a_request_sent_during_a_pause_is_found() -> None:
    at = timezone.now() - timedelta(hours=1)
    event(at)
    make_attempt(make_step(at=at), decided_at=at + timedelta(seconds=5), sent_at=at + timedelta(seconds=6))
    result = of_records()
    assert result["backoff"].verdict == Result.FAIL
    assert result["backoff"].lines


@pytest.mark.django_db
def test_a_pause_that_matches_no_backoff_step_is_reported() -> None:
    event(timezone.now() - timedelta(hours=1), pause_seconds=10)
    assert of_records()["ladder"].verdict == Result.WARN


@pytest.mark.django_db
def test_without_records_checks_are_skipped() -> None:
    result = of_records()
    assert result["timeouts"].verdict == Result.SKIPPED
    assert result["answers"].verdict == Result.SKIPPED
    assert not LLMAttempt.objects.exists()


@pytest.mark.django_db
def test_an_imported_journal_is_analysed_completely_and_only_if_chosen() -> None:
    journal = JournalImport.objects.create(name="miner.log", state="succeeded", recorded=2)
    for place, entry in enumerate(SEED):
        LogEntry.objects.create(
            at=entry.at,
            level=30,
            logger="root",
            message=entry.line,
            source="imported",
            kind=entry.kind,
            facts=dict(entry.facts),
            journal=journal,
            digest=bytes([place]),
        )
    assert of_records()["contradiction"].subject == "miner.log"
    assert "contradiction" not in of_records(journals=())
    assert time.time() - journal.requested_at.timestamp() < 3600
