"""The only writer: all facts of an operation at once, each once, and slots that keep the spacing across processes."""

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import Error, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from agents import ledger
from agents.configuration import default_account
from agents.contract.protocol import Form
from agents.contract.protocol import Step as Request
from agents.contract.step_facts import MOST_FAULT, AttemptEnd, Closing, Opening, StepFacts, opening
from agents.database import UNAVAILABLE
from agents.models import Caller, Gate, LLMAttempt, RateLimitEvent, Source, Step, Task
from agents.policy.costs import TASK_SECONDS
from agents.policy.gate import Decision, Limits
from agents.policy.reasons import PauseSource, Reason, Verdict

ROOT = Path(__file__).resolve().parents[3]
NOW = 1_790_000_000.0
LIMITS = Limits(spacing=5.0)
SLOTS = "import django; django.setup(); from agents.tests.ledger.test_ledger import main; main()"

database = pytest.mark.django_db(transaction=True)


def begun(index: int = 0, *, received_at: float = NOW, task_id: str = "t", caller: str | None = "192.0.2.7") -> Opening:
    step = Request("/step", Form.STEP, task_id, "Log out", "http://localhost:8000/?seed=58", index=index)
    return opening(step, source=Source.VALIDATOR, caller=caller, received_at=received_at, deadline_at=received_at + 25, limits={})


def request(cut_off: float = NOW + 23.5, limits: Limits = LIMITS) -> ledger.Request:
    return ledger.Request(default_account(), limits, cut_off, ("m",))


def open_step(opened: Opening, at: float = NOW, **how: Any) -> ledger.Permit:
    return ledger.open_step(opened, [request(**how)], lambda: at)


def ended(permit: ledger.Permit, **facts: Any) -> AttemptEnd:
    assert permit.attempt_uid
    return AttemptEnd(**{"uid": permit.attempt_uid, "verdict": Verdict.OK, "ended_at": NOW + 3, "sent_at": NOW, "accepted": True, **facts})


def closed(opened: Opening, attempt: AttemptEnd | None = None, **facts: Any) -> StepFacts:
    fields = {"route": "template", "reason": Reason.PAUSED, "answered_at": NOW + 3, "duration": 3.0}
    return StepFacts(opened, Closing(**{**fields, **facts}, attempt=attempt))


def refused(permit: ledger.Permit, **facts: Any) -> AttemptEnd:
    return ended(permit, **{"verdict": Verdict.REFUSED, "accepted": False, "status": 429, "refusal": "edge", **facts})


def rows() -> list[int]:
    return [model.objects.count() for model in (Task, Step, LLMAttempt, RateLimitEvent, Caller, Gate)]


@database
def test_write_1_creates_the_step_with_its_decision_and_an_open_attempt_with_its_slot() -> None:
    permit = open_step(begun())
    step, attempt, gate = Step.objects.get(), LLMAttempt.objects.get(), Gate.objects.get()
    assert (step.route, step.reason, step.answered_at) == ("", "", None)
    assert (str(attempt.uid), attempt.verdict, attempt.number, attempt.model) == (permit.attempt_uid, "open", 1, "m")
    assert attempt.slot_at.timestamp() == permit.decision.slot == gate.last_slot_at == NOW


@database
def test_a_step_that_may_not_use_the_llm_is_written_with_the_reason_and_no_attempt() -> None:
    open_step(begun())
    permit = open_step(begun(1), cut_off=NOW + 10)
    assert permit.attempt_uid is None
    step = Step.objects.get(index=1)
    assert (step.reason, step.retry_at and step.retry_at.timestamp()) == ("spacing", NOW + LIMITS.spacing + LIMITS.grace)
    assert LLMAttempt.objects.count() == 1


@database
def test_a_step_whose_refusal_is_known_beforehand_is_written_once_with_its_decision() -> None:
    declined: list[dict[str, object]] = [{"account": "default", "reason": "paused", "retry_at": NOW + 60}]
    permit = ledger.Permit(Decision(Reason.PAUSED, retry_at=NOW + 60), NOW, declined=declined)
    ledger.close_step(closed(begun()), LIMITS, refused=permit)
    step = Step.objects.get()
    assert (step.reason, step.route, step.declined, step.spooled) == ("paused", "template", declined, False)
    assert [moment and moment.timestamp() for moment in (step.decided_at, step.retry_at, step.answered_at)] == [NOW, NOW + 60, NOW + 3]


def capped(cap: float, most: float, *, index: int = 0, at: float = NOW, task_id: str = "t") -> ledger.Permit:
    """Write 1 of a step whose task may cost `cap` USD, and one call `most`."""
    llm_request = ledger.Request(default_account(), Limits(spacing=0), at + 20, ("m",), cap, {"m": most})
    return ledger.open_step(begun(index, received_at=at, task_id=task_id), [llm_request], lambda: at)


@database
def test_a_tasks_cost_includes_open_calls_and_counts_for_that_task_only() -> None:
    assert capped(0.05, 0.03).attempt_uid, "an open call counts at its highest cost"
    assert capped(0.05, 0.03, index=1).decision.reason is Reason.COST
    assert capped(0.05, 0.02, index=2).attempt_uid
    assert capped(0.05, 0.03, task_id="another").attempt_uid
    assert capped(0.0, 9.0, index=3).attempt_uid, "no cap"
    assert capped(0.05, 0.03, index=4, at=NOW + TASK_SECONDS + 1).attempt_uid, "the same task, posted again"


@database
def test_write_1_reads_a_tasks_cost_in_one_query_however_many_calls_it_had() -> None:
    with CaptureQueriesContext(connection) as first:
        capped(1.0, 0.001)
    for index in range(1, 9):
        capped(1.0, 0.001, index=index)
    with CaptureQueriesContext(connection) as ninth:
        capped(1.0, 0.001, index=9)
    costs = [query["sql"] for query in ninth if "completion_tokens" in query["sql"] and query["sql"].startswith("SELECT")]
    assert len(costs) == 1
    assert len(ninth) <= len(first)


@database
def test_where_write_1_fails_nothing_is_written_and_no_slot_is_reserved() -> None:
    opened = begun()
    open_step(opened)
    before = rows(), Gate.objects.get().last_slot_at
    with pytest.raises(Error):
        open_step(opened, at=NOW + 10)
    assert (rows(), Gate.objects.get().last_slot_at) == before


@database
def test_where_write_2_fails_nothing_of_it_is_written() -> None:
    opened = begun()
    permit = open_step(opened)
    before = rows()
    with pytest.raises(Error):
        ledger.close_step(closed(opened, refused(permit), route="llm"), LIMITS)
    assert rows() == before
    assert (LLMAttempt.objects.get().verdict, Gate.objects.get().strikes, Step.objects.get().route) == ("open", 0, "")


@database
@pytest.mark.usefixtures("no_database")
def test_without_the_database_both_writes_raise_an_error() -> None:
    with pytest.raises(OperationalError):
        ledger.open_step(begun(), [], lambda: NOW)
    with pytest.raises(OperationalError):
        ledger.close_step(closed(begun()), LIMITS)


@database
def test_a_step_is_closed_once_however_often_its_facts_are_written() -> None:
    opened = begun()
    whole = closed(opened, refused(open_step(opened)), reason=Reason.REFUSED)
    for _ in range(3):
        ledger.close_step(whole, LIMITS)
    ledger.close_step(replace(whole, closing=replace(whole.closing, reason=Reason.FAILED, done=True)), LIMITS)
    assert (Step.objects.get().reason, Step.objects.get().done) == ("refused", False)
    assert Gate.objects.get().strikes == 1
    assert RateLimitEvent.objects.count() == 1
    assert Caller.objects.get().steps == 1


@database
def test_threads_that_close_the_same_step_at_once_close_it_once() -> None:
    opened = begun()
    whole = closed(opened, refused(open_step(opened)), reason=Reason.REFUSED)
    at_once(8, lambda _: close_until_taken(whole))
    assert rows() == [1, 1, 1, 1, 1, 1]
    assert (Gate.objects.get().strikes, Caller.objects.get().steps) == (1, 1)


@database
def test_a_step_whose_write_1_failed_is_written_whole_and_marked() -> None:
    ledger.close_step(closed(begun(), reason=Reason.DATABASE), LIMITS)
    step = Step.objects.get()
    assert (step.spooled, step.route, step.reason, step.decided_at) == (True, "template", "database", None)


@database
def test_callers_steps_are_counted_by_route_and_lateness() -> None:
    ledger.close_step(closed(begun(0), route="llm", reason=Reason.ANSWERED), LIMITS)
    ledger.close_step(closed(begun(1), answered_at=NOW + 26), LIMITS)
    ledger.close_step(closed(begun(2, received_at=NOW - 50)), LIMITS)
    ledger.close_step(closed(begun(3, caller=None)), LIMITS)
    caller = Caller.objects.get()
    assert (caller.steps, caller.llm_steps, caller.late_steps) == (3, 1, 2)
    assert caller.last_seen_at.timestamp() == NOW


@database
def test_two_callers_with_the_same_id_have_a_task_each_and_one_caller_one() -> None:
    for opened in (begun(), begun(1), begun(caller="192.0.2.8"), begun(task_id="u")):
        ledger.open_step(opened, [], lambda: NOW)
    assert Task.objects.count() == 3


@database
def test_a_model_that_failed_hands_over_to_the_next_in_one_step() -> None:
    opened = begun()
    first = open_step(opened)
    failed = ended(first, verdict=Verdict.FAILED, accepted=False)
    second = ledger.next_attempt(opened, request(), failed, [request()], lambda: NOW + 3)
    assert second.decision.slot == NOW + LIMITS.spacing + LIMITS.grace
    assert list(LLMAttempt.objects.order_by("number").values_list("number", "verdict")) == [(1, "failed"), (2, "open")]
    assert Gate.objects.get().strikes == 0


@database
def test_a_slot_that_was_given_up_frees_its_probe() -> None:
    Gate.objects.create(account=default_account(), strikes=1, paused_at=NOW - 60, paused_until=NOW - 1)
    opened = begun()
    permit = open_step(opened)
    assert Gate.objects.get().probe_until == permit.decision.lease
    assert open_step(begun(1)).decision.reason == Reason.PROBING
    ledger.close_step(closed(opened, ended(permit, verdict=Verdict.GIVEN_UP, sent_at=None, accepted=False)), LIMITS)
    gate = Gate.objects.get()
    assert (gate.probe_until, gate.strikes) == (0.0, 1)
    assert LLMAttempt.objects.get().sent_at is None


@database
def test_attempts_that_were_refused_by_one_violation_are_one_event() -> None:
    openings = [begun(index) for index in range(3)]
    permits = [open_step(opened, limits=Limits(spacing=0)) for opened in openings]
    for number, (opened, permit) in enumerate(zip(openings, permits, strict=True)):
        ledger.close_step(closed(opened, refused(permit, sent_at=NOW + number, ended_at=NOW + 3 + number)), LIMITS)
    assert list(RateLimitEvent.objects.values_list("strike", "ended_by")) == [(1, "")]
    assert Gate.objects.get().paused_until == NOW + 3 + 60


@database
def test_an_account_without_balance_is_paused_until_our_next_check(caplog: pytest.LogCaptureFixture) -> None:
    opened = begun()
    ledger.close_step(closed(opened, refused(open_step(opened), status=402, refusal="payment", pause=300.0)), LIMITS)
    event = RateLimitEvent.objects.get()
    assert (event.refusal, event.pause_seconds, event.pause_source) == ("payment", 300.0, PauseSource.CHECK)
    assert "Account default paused for 300 s: The account has no balance. Top up the account." in caplog.text


def at_once(count: int, act: Any) -> list[Any]:
    """The results of `count` threads that start together."""
    begin = threading.Barrier(count)

    def run(number: int) -> Any:
        begin.wait()
        try:
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def close_until_taken(whole: StepFacts) -> None:
    """Retries while the database is busy, as the spool does."""
    while True:
        try:
            return ledger.close_step(whole, LIMITS)
        except UNAVAILABLE:
            continue


def slot_when_available(number: int) -> float | None:
    """One step's slot. Retries while the database is busy."""
    while True:
        try:
            now = time.time()
            llm_request = request(now + 1_000, Limits(spacing=2.0))
            return ledger.open_step(begun(number, received_at=now, task_id=str(number)), [llm_request], time.time).decision.slot
        except UNAVAILABLE:
            continue


def assert_spaced(slots: list[float]) -> None:
    assert len(slots) == 20
    assert min(later - earlier for earlier, later in pairwise(sorted(slots))) >= 2.0


@database
def test_twenty_threads_at_once_get_slots_that_keep_the_spacing() -> None:
    assert_spaced(at_once(20, slot_when_available))
    assert LLMAttempt.objects.count() == Step.objects.count() == 20


def test_threads_of_two_processes_get_slots_that_keep_the_spacing_on_postgres(postgres_url: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": postgres_url}
    processes = [subprocess.Popen([sys.executable, "-c", SLOTS], cwd=ROOT, env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    slots = [slot for process in processes for slot in json.loads(process.communicate(timeout=300)[0].splitlines()[-1])]
    assert_spaced(slots)
    with psycopg.connect(postgres_url) as ledger_database:
        counted = ledger_database.execute("SELECT count(*), count(DISTINCT slot_at) FROM agents_llmattempt").fetchone()
    assert counted == (20, 20)


def main() -> None:
    """The slots of ten threads as JSON on the last line; run in a process of a test."""
    print(json.dumps(at_once(10, slot_when_available)))  # noqa: T201


def test_a_traceback_keeps_its_end_however_long_it_is() -> None:
    closing = Closing("template", "paused", 0.0, 0.0, fault=f"Traceback {'a line ' * 200_000} ValueError: no")
    assert len(closing.fault) == MOST_FAULT
    assert closing.fault.endswith("ValueError: no")
