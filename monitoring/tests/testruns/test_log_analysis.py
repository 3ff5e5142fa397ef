"""Log analysis: what a journal and our own records tell, in sentences with the lines that prove them."""

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


def told(*entries: Entry) -> dict[str, Finding]:
    return {finding.check_name: finding for finding in findings(entries)}


SEED = (entry(0, "rate_limited", wait_seconds=60, attempt=1), entry(25, "timeout", task="test-task-001", seconds=25))


def test_the_two_lines_of_the_first_miner_contradict_each_other() -> None:
    found = told(*SEED)
    assert found["contradiction"].meaning == "Backoff (60 s) is longer than the task's deadline (25 s): these tasks got no answer."
    assert found["contradiction"].lines == tuple(each.line for each in SEED)
    assert found["contradiction"].verdict == Result.FAIL
    assert found["rate limits"].meaning == "Detected 1 rate limit, 1 with a wait that was logged."
    assert found["backoff"].verdict == Result.OK
    assert found["timeouts"].meaning == "1 task timed out, 1 of them while a backoff was running: validators got no answer."
    assert "No fallback was logged" in found["answers"].meaning


def test_a_request_inside_a_wait_breaks_the_backoff() -> None:
    found = told(SEED[0], entry(20, "rate_limited", wait_seconds=60, attempt=1))
    assert found["backoff"].verdict == Result.FAIL
    assert len(found["backoff"].lines) == 2


def test_a_request_in_the_second_in_which_the_wait_ends_is_none() -> None:
    assert told(SEED[0], entry(59, "llm_success"))["backoff"].verdict == Result.OK


def test_a_backoff_that_does_not_grow_is_told() -> None:
    grows = told(entry(0, "rate_limited", wait_seconds=60, attempt=1), entry(61, "rate_limited", wait_seconds=120, attempt=2))
    assert grows["ladder"].verdict == Result.OK
    stays = told(entry(0, "rate_limited", wait_seconds=60, attempt=1), entry(61, "rate_limited", wait_seconds=60, attempt=2))
    assert stays["ladder"].meaning == "Attempt 2 waited 60 s, no longer than the 60 s before it: the backoff does not grow."


def test_successes_are_counted_since_the_last_rate_limit() -> None:
    found = told(entry(0, "llm_success"), entry(5, "rate_limited"), entry(90, "llm_success"), entry(95, "llm_success"))
    assert found["answers"].facts == {"llm": 3, "fallback": 0, "llm_since_last_limit": 2}
    assert found["spacing"].meaning == "The two requests closest to each other are 5 s apart."


def test_errors_are_counted_by_their_class() -> None:
    found = told(entry(0, "error", error="KeyError"), entry(1, "error", error="KeyError"), entry(2, "error"))
    assert found["errors"].meaning == "3 errors: KeyError 2, without a class 1."


def test_a_journal_without_a_limit_is_fine_and_an_empty_one_is_skipped() -> None:
    assert told(entry(0, "llm_success"))["rate limits"].verdict == Result.OK
    assert told()["journal"].verdict == Result.SKIPPED


kinds = st.sampled_from(["rate_limited", "timeout", "llm_success", "fallback", "task", "error"])
waits = st.one_of(st.none(), st.floats(0, 1e6))


@given(st.lists(st.tuples(st.floats(0, 1e6), kinds, waits), max_size=60))
def test_any_journal_gives_findings_with_bounded_proofs(lines: list[tuple[float, str, float | None]]) -> None:
    entries = [
        entry(at, kind, **({} if wait is None else {"wait_seconds": wait, "seconds": wait}))
        for at, kind, wait in sorted(lines, key=lambda each: each[0])
    ]
    for finding in findings(entries):
        assert finding.meaning
        assert len(finding.lines) <= 10


def of_records(**options: Any) -> dict[str, Finding]:
    wanted = TestRun(options=options)
    return {each.check_name: each for part in logs.parts(wanted) for each in logs.run(wanted, part) if isinstance(each, Finding)}


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
    found = of_records()
    assert found["rate limits"].meaning == "1 request met a 429: rate limit 1."
    assert found["backoff"].meaning == "1 pauses, and no request was sent during any of them."
    assert found["ladder"].verdict == Result.OK
    assert found["spacing"].facts["smallest_gap"] == 61
    assert found["answers"].facts["llm_since_last_limit"] == 1


@pytest.mark.django_db
def test_a_request_that_was_sent_into_a_pause_is_found() -> None:
    at = timezone.now() - timedelta(hours=1)
    event(at)
    make_attempt(make_step(at=at), decided_at=at + timedelta(seconds=5), sent_at=at + timedelta(seconds=6))
    found = of_records()
    assert found["backoff"].verdict == Result.FAIL
    assert found["backoff"].lines


@pytest.mark.django_db
def test_a_pause_that_fits_no_rung_is_told() -> None:
    event(timezone.now() - timedelta(hours=1), pause_seconds=10)
    assert of_records()["ladder"].verdict == Result.WARN


@pytest.mark.django_db
def test_without_records_nothing_is_claimed() -> None:
    found = of_records()
    assert found["timeouts"].verdict == Result.SKIPPED
    assert found["answers"].verdict == Result.SKIPPED
    assert not LLMAttempt.objects.exists()


@pytest.mark.django_db
def test_an_imported_journal_is_analysed_over_its_whole_span_and_only_when_asked_for() -> None:
    journal = JournalImport.objects.create(name="miner.log", state="succeeded", recorded=2)
    for place, each in enumerate(SEED):
        LogEntry.objects.create(
            at=each.at,
            level=30,
            logger="root",
            message=each.line,
            source="imported",
            kind=each.kind,
            facts=dict(each.facts),
            journal=journal,
            digest=bytes([place]),
        )
    assert of_records()["contradiction"].subject == "miner.log"
    assert "contradiction" not in of_records(journals=())
    assert time.time() - journal.requested_at.timestamp() < 3600
