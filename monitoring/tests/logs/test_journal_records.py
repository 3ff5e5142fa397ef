"""Records of a log: the lines of one, its time, its meaning and its identity."""

import logging
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tests.rows import rows
from monitoring.logs import journal
from monitoring.logs.journal import MOST_LINES, Calendar, Kind, Record, Records, first_year, meaning, text_lines

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HEAD = "Nov 18 16:27:28 autoppia-miner python3[133676]: "
LIMITED = "WARNING:root:Chutes API rate limited (429). Exponential backoff: Waiting 60s before retry (attempt 1)..."
TRACEBACK = ["Traceback (most recent call last):", '  File "x.py", line 1, in f', "    g()", "a.b.OddError: bad"]


def records_of(lines: list[str], *, year: int = 2026, now: datetime = NOW) -> list[Record]:
    records = Records(Calendar(year, UTC, now), now)
    return [*records.read(lines), *records.end()]


@rows(
    ("message", "kind", "facts"),
    [
        (LIMITED.partition(":root:")[2], "rate_limited", {"wait_seconds": 60.0, "attempt": 1}),
        ("Chutes API rate limited (429). Retry-After header says wait 30s...", "rate_limited", {"wait_seconds": 30.0}),
        ("Exponential backoff: Waiting 12.5s after rate limit error (attempt 3)...", "rate_limited", {"wait_seconds": 12.5, "attempt": 3}),
        ("Still rate limited after 2 retries. Waiting 180s before next attempt...", "rate_limited", {"wait_seconds": 180.0}),
        ("Chutes API rate limited (attempt 2/3). Waiting 120s and retrying...", "rate_limited", {"wait_seconds": 120.0, "attempt": 2}),
        ('HTTP Request: POST https://x/v1/chat/completions "HTTP/1.1 429 Too Many Requests"', "rate_limited", {}),
        ("Account default paused for 3600 s: the day's quota is used up", "rate_limited", {"account": "default", "wait_seconds": 3600.0}),
        ("Task test-task-001 timed out after 25 seconds", "timeout", {"task": "test-task-001", "seconds": 25.0}),
        ("Task a1 timed out after 90 seconds - generating fallback actions", "timeout", {"task": "a1", "seconds": 90.0}),
        ("agent.solve_task timed out after 30.0s for task a-1 (test request: False)", "timeout", {"task": "a-1", "seconds": 30.0}),
        ("Chutes API rate limited, falling back to template agent", "fallback", {}),
        ("Empty actions returned for task a-1, generating fallback actions", "fallback", {"task": "a-1"}),
        ("The database refuses (locked). The template agent answers.", "fallback", {}),
        ("Chutes API SUCCESS after 2 retries! Increased request spacing to 6.0s", "llm_success", {"retries": 2}),
        ("Chutes LLM generated 7 actions", "llm_success", {"actions": 7}),
        ('HTTP Request: POST https://x/v1/chat/completions "HTTP/1.1 200 OK"', "llm_success", {}),
        ("solve_task called: id=a-1, prompt_length=12", "task", {"task": "a-1", "event": "started"}),
        ("Processing task a-1: Book a table", "task", {"task": "a-1", "event": "started"}),
        ("RETURNING RESPONSE: task_id=a-1, actions_count=4, first_action=x", "task", {"task": "a-1", "actions": 4, "event": "finished"}),
        ("Task a-1 completed in 3.2s", "task", {"task": "a-1", "seconds": 3.2, "event": "finished"}),
        ('127.0.0.1:1 - "POST /act HTTP/1.1" 200', "task", {"status": 200, "event": "finished"}),
        ("Rate limit window likely reset, clearing error counter", "", {}),
        ("Processing task: Book a flight", "", {}),
        ("429 actions, 12 limits", "", {}),
        ('"GET /health HTTP/1.1" 200', "", {}),
    ],
)
def test_a_line_has_its_kind_and_facts(message: str, kind: str, facts: dict[str, Any]) -> None:
    assert meaning(message, logging.INFO) == (kind, facts)


def test_from_error_up_a_line_means_an_error_at_least() -> None:
    assert meaning("It broke", logging.ERROR)[0] is Kind.ERROR
    assert meaning("Error processing task a-1: it broke", logging.ERROR)[0] is Kind.ERROR
    assert meaning("Task a-1 timed out after 25 seconds", logging.ERROR)[0] is Kind.TIMEOUT
    assert meaning("\n".join(["It broke", *TRACEBACK]), logging.INFO) == (Kind.ERROR, {"error": "a.b.OddError"})


@given(st.text(max_size=2_000), st.integers(0, 60))
def test_no_message_is_a_fault(message: str, level: int) -> None:
    meaning(message, level)


def test_ordinary_lines_are_counted_only() -> None:
    records = Records(Calendar(2026, UTC, NOW), NOW)
    notes = ["-- Boot 0123abcd --", "-- Journal begins at Mon 2026-01-05. --", "-- No entries --"]
    lines = [HEAD + "INFO:root:nothing", HEAD + LIMITED, *notes, ""]
    (record,) = [*records.read(lines), *records.end()]
    assert (record.at, record.level, record.logger) == (datetime(2026, 11, 18, 16, 27, 28, tzinfo=UTC), 30, "root")
    assert (record.host, record.process) == ("autoppia-miner", "python3[133676]")
    assert (records.lines, records.unread, records.first_at) == (6, 0, record.at)


@pytest.mark.parametrize("head", ["", HEAD], ids=["as one message", "line by line"])
def test_a_traceback_belongs_to_the_record_before(head: str) -> None:
    (record, other) = records_of([HEAD + "INFO:root:odd", *(head + line for line in TRACEBACK), HEAD + LIMITED])
    assert record.message == "\n".join(["odd", *TRACEBACK])
    assert (record.kind, record.level, dict(record.facts)) == (Kind.ERROR, 40, {"error": "a.b.OddError"})
    assert other.kind is Kind.RATE_LIMITED


def test_another_process_ends_a_traceback() -> None:
    other = "Nov 18 16:27:28 autoppia-miner sshd[1]: "
    (record,) = records_of([HEAD + TRACEBACK[0], other + "  hello", HEAD + "INFO:root:x"])
    assert record.message == TRACEBACK[0]


def test_lines_before_the_first_record_and_endless_records_are_not_parsed() -> None:
    records = Records(Calendar(2026, UTC, NOW), NOW)
    listed = [*records.read(["garbage", HEAD + LIMITED, *["more"] * (MOST_LINES + 5), "Nov 99 16:27:28 h p[1]: x"]), *records.end()]
    assert len(listed[0].message.splitlines()) == MOST_LINES + 1
    assert records.unread == 7
    assert records.samples == ["garbage", *["more"] * 5, "Nov 99 16:27:28 h p[1]: x"]


def test_a_line_without_a_time_has_that_of_the_line_before() -> None:
    first, second = records_of([HEAD + LIMITED, "WARNING:api.endpoints:Task a-1 timed out after 25 seconds"])
    assert second.at == first.at
    (alone,) = records_of(["WARNING:api.endpoints:Task a-1 timed out after 25 seconds"])
    assert alone.at == NOW


def test_true_repeats_are_kept_apart_and_are_the_same_in_every_reading() -> None:
    lines = [HEAD + LIMITED, HEAD + LIMITED, HEAD.replace(":28 ", ":29 ") + LIMITED]
    digests = [record.digest for record in records_of(lines)]
    assert len(set(digests)) == 3
    assert [record.digest for record in records_of(lines, now=NOW + timedelta(days=1))] == digests
    assert {len(digest) for digest in digests} == {16}


def test_the_same_moment_in_another_form_is_the_same_record() -> None:
    iso = "2026-11-18T17:27:28+01:00 autoppia-miner python3[133676]: "
    assert records_of([HEAD + LIMITED])[0].digest == records_of([iso + LIMITED])[0].digest


# Times


def moments(texts: list[str], *, year: int, zone: Any = UTC, now: datetime = NOW) -> list[str | None]:
    calendar = Calendar(year, zone, now)
    return [moment.isoformat(sep=" ") if (moment := calendar.moment(text)) else None for text in texts]


@rows(
    ("text", "expected"),
    [
        ("Nov 18 16:27:28", "2026-11-18 16:27:28+00:00"),
        ("Nov  8 16:27:28.5", "2026-11-08 16:27:28.500000+00:00"),
        ("2026-11-18 16:27:28,123", "2026-11-18 16:27:28.123000+00:00"),
        ("2026-11-18T16:27:28+0100", "2026-11-18 15:27:28+00:00"),
        ("2026-11-18T16:27:28.123456789+01:00", "2026-11-18 15:27:28.123456+00:00"),
        ("2026-11-18 16:27:28 UTC", "2026-11-18 16:27:28+00:00"),
        ("Tue 2026-11-18 16:27:28 CET", "2026-11-18 16:27:28+00:00"),
        ("1763483248.123456", "2025-11-18 16:27:28.123456+00:00"),
        ("Feb 29 16:27:28", None),
        ("Foo 18 16:27:28", None),
        ("2026-13-18 16:27:28", None),
    ],
)
def test_a_time_is_read_as_it_is_written(text: str, expected: str | None) -> None:
    assert moments([text], year=2026) == [expected]


def test_a_zone_is_for_times_that_name_none() -> None:
    result = moments(["Jul 18 16:27:28", "2026-11-18 16:27:28", "2026-11-18T16:27:28Z"], year=2026, zone=ZoneInfo("Europe/Berlin"))
    assert result == ["2026-07-18 14:27:28+00:00", "2026-11-18 15:27:28+00:00", "2026-11-18 16:27:28+00:00"]


def test_months_that_go_back_begin_a_new_year_and_disorder_does_not() -> None:
    result = moments(["Dec 31 23:59:59", "Jan  1 00:00:01", "Dec 31 23:59:59", "Jan  1 00:00:02", "Feb  3 00:00:00"], year=2025)
    assert [str(moment)[:10] for moment in result] == ["2025-12-31", "2026-01-01", "2025-12-31", "2026-01-01", "2026-02-03"]
    assert [str(moment)[:4] for moment in moments(["Nov 20 00:00:00", "Nov 10 00:00:00"], year=2026)] == ["2026", "2026"], "not the future"


@pytest.mark.parametrize(
    ("head", "tail", "year"),
    [
        ("Nov 18 16:27:28", "Nov 18 16:27:53", 2026),
        ("Nov 20 00:00:00", "Nov 30 00:00:00", 2025),
        ("Dec 30 00:00:00", "Jan  2 00:00:00", 2025),
        ("Nov 30 00:00:00", "Jan  2 00:00:00", 2025),
        ("Feb 29 00:00:00", "Feb 29 00:00:00", 2024),
        ("2020-01-01 00:00:00", "2020-01-02 00:00:00", 2026),
    ],
)
def test_the_first_lines_year_is_such_that_the_last_lies_in_the_past(head: str, tail: str, year: int) -> None:
    assert first_year([head], [tail], NOW, UTC) == year


# Bytes


@given(st.binary(max_size=300))
def test_each_line_becomes_text_whatever_its_bytes(data: bytes) -> None:
    lines = list(text_lines(BytesIO(data)))
    assert len(lines) == len(data.removesuffix(b"\n").split(b"\n")) - (data == b"")
    assert not any("\0" in line or "\n" in line for line in lines)


def test_odd_bytes_become_text() -> None:
    assert list(text_lines(BytesIO(b"caf\xe9\r\nna\xc3\xafve\0\n"))) == ["caf\xe9", "na\xefve\ufffd"]


def test_of_a_line_of_a_megabyte_the_beginning_is_read_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LONGEST_LINE", 1_000)
    assert list(text_lines(BytesIO(b"a" * 1_050_000 + b"\nnext\n"))) == ["a" * 1_000, "next"]
