"""What is left to try after an attempt without a plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.routing import RETRY_LEAST, RETRY_MOST, Candidate, Reach, Tries, retry_pause

TWO = Tries((Candidate(1, ("a", "b")), Candidate(2, ("c",))))


def left(tries: Tries) -> list[tuple[int, tuple[str, ...]]]:
    return [(candidate.account, candidate.models) for candidate in tries.candidates]


def test_a_models_failure_leaves_the_other_models_and_accounts() -> None:
    assert left(TWO.after(1, "a", Reach.MODEL, may_retry=True)) == [(1, ("b",)), (2, ("c",))]


def test_an_accounts_refusal_leaves_the_other_accounts() -> None:
    assert left(TWO.after(1, "a", Reach.ACCOUNT, may_retry=False)) == [(2, ("c",))]


def test_a_request_that_no_provider_can_read_ends_the_step() -> None:
    assert not TWO.after(1, "a", Reach.STEP, may_retry=True).candidates


def test_a_single_model_gets_one_retry_for_a_fault_that_may_pass() -> None:
    again = Tries((Candidate(1, ("a",)),)).after(1, "a", Reach.MODEL, may_retry=True)
    assert (left(again), again.is_retry) == ([(1, ("a",))], True)
    assert not again.after(1, "a", Reach.MODEL, may_retry=True).candidates


@pytest.mark.parametrize(("reach", "may_retry"), [(Reach.MODEL, False), (Reach.ACCOUNT, True)])
def test_what_will_not_pass_is_not_tried_again(reach: Reach, may_retry: bool) -> None:
    after = Tries((Candidate(1, ("a",)),)).after(1, "a", reach, may_retry=may_retry and reach is Reach.MODEL)
    assert not after.candidates


def test_where_there_was_another_model_the_last_one_is_not_tried_twice() -> None:
    tries = Tries((Candidate(1, ("a", "b")),))
    for model in ("a", "b"):
        tries = tries.after(1, model, Reach.MODEL, may_retry=True)
    assert tries == Tries(tried=2)


def test_a_slot_that_was_taken_over_rules_nothing_out() -> None:
    assert left(TWO.after(1, "a", Reach.NOTHING, may_retry=False)) == left(TWO)


@given(st.lists(st.sampled_from([Reach.MODEL, Reach.ACCOUNT, Reach.STEP]), min_size=12, max_size=12), st.booleans())
def test_a_step_always_ends(reaches: list[Reach], may_retry: bool) -> None:
    tries, count = TWO, 0
    for reach in reaches:
        if not tries.candidates:
            break
        first = tries.candidates[0]
        tries, count = tries.after(first.account, first.models[0], reach, may_retry=may_retry), count + 1
    assert not tries.candidates
    assert count <= 4


@given(st.floats(0, 1))
def test_the_pause_before_a_retry_is_short_and_random(dice: float) -> None:
    assert RETRY_LEAST <= retry_pause(dice) <= RETRY_MOST
