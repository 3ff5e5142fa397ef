"""The belief about a limit is recorded at a refusal, at the end of a block, and at intervals while requests succeed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents import ledger
from agents.ledger.estimates import EVERY
from agents.models import Gate, LimitEstimate
from agents.policy import belief
from agents.policy.gate import Limits
from agents.policy.modes import Pacing
from agents.policy.pacing import Pace
from agents.tests.ledger.test_ledger import NOW, begun, ended, open_step, refused

pytestmark = pytest.mark.django_db
AUTO = Limits(spacing=5.0, pacing=Pacing.AUTO)


def answered(after: float, limits: Limits = AUTO, *, accepted: bool = True) -> int:
    """A step's attempt, `after` seconds from the first one. Returns the number of queries of its end."""
    at = NOW + after
    permit = open_step(begun(received_at=at), at=at, cut_off=at + 23.5, limits=limits)
    assert permit.decision.slot is not None
    sent_at = permit.decision.slot
    end = (ended if accepted else refused)(permit, sent_at=sent_at, ended_at=sent_at + 1)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        ledger.close_attempt(end, limits)
    return len(queries)


def occasions() -> list[tuple[float, str]]:
    return [(row.at.timestamp() - NOW, row.occasion) for row in LimitEstimate.objects.order_by("at")]


def test_successes_are_recorded_every_five_minutes_and_cost_no_query_in_between() -> None:
    first = answered(0)
    between = [answered(30.0 * number) for number in range(1, 10)]
    assert occasions() == [(1, "accepted")]
    assert set(between) == {first - 1}
    assert answered(EVERY) == first
    assert occasions() == [(1, "accepted"), (EVERY + 1, "accepted")]


def test_a_refusal_a_refused_probe_and_the_blocks_end_are_recorded_at_once() -> None:
    for number in range(3):
        answered(number * 20.0)
    answered(60, accepted=False)
    for accepted in (False, True):
        answered(Gate.objects.get().paused_until - NOW, accepted=accepted)
    assert [occasion for _, occasion in occasions()] == ["accepted", "refused", "probed", "recovered"]
    row = LimitEstimate.objects.get(occasion="refused")
    assert row.sent == 3, "those of its minute, and itself"
    gate = Gate.objects.get()
    assert gate.estimated_at == LimitEstimate.objects.latest("at").at.timestamp()


def test_a_record_has_the_belief_and_the_pace_in_force() -> None:
    answered(0)
    answered(20, accepted=False)
    row, pace = LimitEstimate.objects.latest("at"), Pace.from_json(Gate.objects.get().pace)
    at = row.at.timestamp()
    assert (row.low, row.middle, row.high) == belief.quantiles(pace.belief, at)
    assert row.pace == round(pace.level(at, 1.0), 1) > 0


@pytest.mark.parametrize(("spacing", "pace"), [(5.0, 11.8), (0.0, None)])
def test_a_fixed_pace_is_its_spacing(spacing: float, pace: float | None) -> None:
    answered(0, Limits(spacing=spacing))
    assert LimitEstimate.objects.get().pace == pace


def test_results_that_do_not_depend_on_the_limit_are_not_recorded() -> None:
    permit = open_step(begun())
    ledger.close_attempt(refused(permit, sent_at=NOW, ended_at=NOW + 1, refusal="capacity", status=503), AUTO)
    permit = open_step(begun(1), at=NOW + 30, cut_off=NOW + 50)
    ledger.close_attempt(ended(permit, sent_at=None, verdict="given_up", accepted=False, ended_at=NOW + 31), AUTO)
    permit = open_step(begun(2), at=NOW + 60, cut_off=NOW + 80)
    ledger.close_attempt(refused(permit, sent_at=NOW + 60, ended_at=NOW + 61, refusal="auth", status=401), AUTO)
    assert occasions() == []
