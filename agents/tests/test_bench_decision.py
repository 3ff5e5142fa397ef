"""The cost of a decision does not grow with the gate's history: a bounded row, and a fixed number of queries."""

import json
import time
import timeit
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.ledger import gate_rows
from agents.models import Gate as Row
from agents.models import LLMAttempt, Step
from agents.policy.belief import MINUTE, MOST
from agents.policy.gate import Gate, Limits
from agents.policy.modes import Pacing
from agents.policy.pacing import ANSWERED
from bench.decision import SENDS, START, prepared, seen
from bench.measure import in_turn, show_times

pytestmark = pytest.mark.long

database = pytest.mark.django_db(transaction=True)
# A pace's other fields, and each send as Python writes a Unix time, with its comma.
REST, SEND = 6_000, 22


def length(gate: Gate) -> int:
    return len(json.dumps(gate.pace.as_json()))


def queries(work: Any) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        work()
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("pacing", list(Pacing))
def test_what_the_gate_keeps_is_bounded_after_many_sends(pacing: Pacing) -> None:
    gate, now = seen(Limits(pacing=pacing), SENDS)
    most = MOST / MINUTE * (MINUTE + ANSWERED) + 1
    assert len(gate.pace.sends) <= most
    assert gate.pace.sends[0] >= now - 2 * MINUTE
    assert length(gate) <= REST + SEND * most
    assert now - START > 4 * MINUTE
    early, _ = seen(Limits(pacing=pacing), 600)
    assert length(gate) <= length(early) + REST


def test_the_bench_takes_the_longest_window_that_the_automatic_pace_can_keep() -> None:
    gate, now = seen(Limits(pacing=Pacing.AUTO), SENDS)
    assert gate.pace.level(now, 1.0) == MOST
    assert len(gate.pace.sends) >= MOST


@database
@pytest.mark.parametrize("pacing", list(Pacing))
def test_a_decision_costs_as_many_queries_after_thousands_of_sends_as_after_one(pacing: Pacing) -> None:
    old, young = prepared(pacing), prepared(pacing, 1)
    counts = [len(queries(case.decide)) for case in (old, young)]
    assert counts == [counts[0]] * 2
    gate_queries = [sql for sql in queries(old.decide) if "agents_gate" in sql]
    assert [sql.split()[0] for sql in gate_queries] == ["SELECT", "UPDATE"]
    assert len(json.dumps(Row.objects.get(account=old.account).pace)) <= length(gate_rows.of(old.account)) + 1


@database
def test_an_automatic_decision_with_its_write_takes_at_most_three_times_the_processor_time_of_a_fixed_one() -> None:
    cases = [prepared(pacing) for pacing in (Pacing.FIXED, Pacing.AUTO)]
    for case in cases:
        for _ in range(int(MOST)):  # until all slots of a minute have holders
            case.decide()
    fixed, automatic = (min(timeit.repeat(case.decide, timer=time.thread_time, repeat=200, number=1)) for case in cases)
    assert automatic <= 3 * fixed


@database
def test_the_first_write_opens_step_and_attempt_at_the_slot_that_the_gate_reserved() -> None:
    case = prepared(Pacing.AUTO)
    before = case.now
    case.open_step()
    case.open_step()
    step, attempt = Step.objects.last(), LLMAttempt.objects.last()
    assert step and attempt
    assert attempt.step == step and attempt.slot_at.timestamp() == pytest.approx(case.now, abs=1e-5)
    assert gate_rows.of(case.account).last_slot_at == case.now > before


def test_cases_are_measured_equally_often_and_those_above_the_promise_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[str] = []
    seconds = in_turn({"bare": lambda: calls.append("bare"), "decision": lambda: calls.append("decision")}, 4)
    assert [len(some) for some in seconds.values()] == [calls.count("bare"), calls.count("decision")]
    assert calls[:4] == ["bare", "decision", "decision", "bare"]
    show_times({"bare": [0.001] * 9, "decision": [0.0019] * 9, "slow": [0.003] * 9}, "bare", 2.0)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].split() == ["decision", "1.900ms", "1.900ms", "1.900ms", "1.90"]
    assert lines[-1].endswith("3.00  MISSED: above 2 ms")
