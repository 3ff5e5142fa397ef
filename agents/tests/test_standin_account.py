"""The hidden account, with time passed in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.standin.account import Account, Verdict, arrive

GAPS = st.lists(st.floats(min_value=0, max_value=30, allow_nan=False), max_size=80)


def verdicts(times: list[float], limit: int, window: float) -> list[Verdict]:
    account, said = Account(), []
    for at in times:
        account, verdict = arrive(account, limit, window, at)
        said.append(verdict)
    return said


def test_requests_up_to_the_limit_pass_and_the_next_is_over_it() -> None:
    assert verdicts([0, 1, 2, 3], limit=3, window=60) == [Verdict.ACCEPTED] * 3 + [Verdict.OVER_LIMIT]


def test_room_is_made_when_the_first_accepted_request_leaves_the_window() -> None:
    assert verdicts([0, 59.9, 60], limit=1, window=60) == [Verdict.ACCEPTED, Verdict.OVER_LIMIT, Verdict.ACCEPTED]


def test_a_limit_of_zero_refuses_everything() -> None:
    assert set(verdicts([0, 100, 1000], limit=0, window=60)) == {Verdict.OVER_LIMIT}


def test_served_counts_only_what_was_let_through() -> None:
    account = Account()
    for at in (0.0, 1.0, 2.0):
        account, _ = arrive(account, 2, 60, at)
    assert account.served == 2


def test_requests_asked_about_out_of_order_count_all_the_same() -> None:
    account = Account()
    for at in (2.0, 1.0, 3.0):
        account, _ = arrive(account, 9, 60, at)
    assert account.accepted == (1.0, 2.0, 3.0)
    assert arrive(account, 2, 60, 61.5)[1] is Verdict.OVER_LIMIT
    assert arrive(account, 2, 60, 62.5)[1] is Verdict.ACCEPTED


@given(GAPS, st.integers(0, 8), st.floats(1, 60))
def test_no_window_ever_holds_more_accepted_requests_than_the_limit(gaps: list[float], limit: int, window: float) -> None:
    times = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    accepted = [at for at, verdict in zip(times, verdicts(times, limit, window), strict=True) if verdict is Verdict.ACCEPTED]
    assert all(sum(at - window < other <= at for other in accepted) <= limit for at in accepted)


@given(GAPS, st.integers(1, 8), st.floats(1, 60))
def test_a_refusal_means_that_the_limit_was_used_up_by_accepted_requests_alone(gaps: list[float], limit: int, window: float) -> None:
    account, at = Account(), 0.0
    for gap in gaps:
        at += gap
        before = [each for each in account.accepted if each > at - window]
        account, verdict = arrive(account, limit, window, at)
        assert (verdict is Verdict.OVER_LIMIT) == (len(before) == limit)
