"""The edge's counters and bans, with time and random numbers as arguments."""

from itertools import accumulate
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.simulation.provider import Edge, EdgeVerdict, banned, pass_edge
from agents.simulation.scenario import BanLaw, Counter, Hidden, Law, OnHit

OK, OVER, BANNED = EdgeVerdict.ACCEPTED, EdgeVerdict.OVER_LIMIT, EdgeVerdict.BANNED
NO_BANS = BanLaw(strikes=0)
GAPS = st.lists(st.floats(0, 30), max_size=60)


def verdicts_at(hidden: Hidden, times: list[float], edge: Edge | None = None, seed: int = 0) -> list[EdgeVerdict]:
    edge, rng, verdicts = edge or Edge(), Random(seed), []
    for at in times:
        edge, verdict = pass_edge(edge, hidden, at, rng)
        verdicts.append(verdict)
    return verdicts


def after(hidden: Hidden, times: list[float], edge: Edge | None = None) -> Edge:
    edge = edge or Edge()
    for at in times:
        edge, _ = pass_edge(edge, hidden, at, Random(0))
    return edge


def test_a_refused_request_does_not_use_up_the_limit() -> None:
    assert verdicts_at(Hidden(limit=1, ban=NO_BANS), [0, 59, 60]) == [OK, OVER, OK]


def test_a_leaky_bucket_accepts_the_burst_at_once_and_then_one_request_a_leak() -> None:
    hidden = Hidden(limit=60, counter=Counter.LEAKY, burst=2, ban=NO_BANS)
    assert verdicts_at(hidden, [0, 0, 0, 0, 1, 1, 60, 60, 60, 60]) == [OK, OK, OK, OVER, OK, OVER, OK, OK, OK, OVER]


def test_the_last_strike_starts_a_ban_that_looks_like_the_limit_from_outside() -> None:
    hidden = Hidden(limit=1, ban=BanLaw(strikes=2, base=100))
    assert verdicts_at(hidden, [0, 1, 2, 3, 101.9, 102]) == [OK, OVER, OVER, BANNED, BANNED, OK]


def test_each_new_ban_doubles_up_to_the_cap_and_starts_over_after_a_while() -> None:
    hidden = Hidden(limit=0, ban=BanLaw(strikes=1, base=10, cap=30, forget=50))
    edge, lengths, now = Edge(), [], 0.0
    for rest in (0.0, 0.0, 0.0, 60.0):
        now += rest
        edge = after(hidden, [now], edge)
        assert edge.ban
        lengths.append(edge.ban.seconds)
        now = edge.ban.until
    assert lengths == [10, 20, 30, 10]


def test_a_constant_law_bans_for_the_base_each_time() -> None:
    hidden = Hidden(limit=0, ban=BanLaw(strikes=1, base=10, law=Law.CONSTANT))
    assert verdicts_at(hidden, [0, 9, 10, 19, 20]) == [OVER, BANNED, OVER, BANNED, OVER]


@pytest.mark.parametrize(
    ("on_hit", "grace", "until"),
    [(OnHit.NONE, 0, 100), (OnHit.RESTART, 0, 150), (OnHit.RESTART, 1, 100), (OnHit.ESCALATE, 0, 250), (OnHit.ESCALATE, 1, 100)],
)
def test_a_hit_changes_a_ban_by_its_law_after_the_grace(on_hit: OnHit, grace: int, until: float) -> None:
    hidden = Hidden(ban=BanLaw(on_hit=on_hit, hit_grace=grace))
    edge = after(hidden, [50], banned(Edge(), 0, 100))
    assert edge.ban
    assert (edge.ban.until, edge.ban.untouched_until) == (until, 100)


def test_escalation_stops_at_the_cap() -> None:
    hidden = Hidden(ban=BanLaw(on_hit=OnHit.ESCALATE, cap=150))
    edge = after(hidden, [50, 60, 70], banned(Edge(), 0, 100))
    assert edge.ban and edge.ban.until == 70 + 150


def test_each_balancer_counts_for_itself() -> None:
    verdicts = verdicts_at(Hidden(limit=10, balancers=3, ban=NO_BANS), [float(n) / 10 for n in range(200)])
    assert verdicts.count(OK) == 30


@given(GAPS, st.integers(0, 8), st.floats(1, 60))
def test_a_window_never_holds_more_accepted_requests_than_the_limit(gaps: list[float], limit: int, window: float) -> None:
    times = list(accumulate(gaps))
    verdicts = verdicts_at(Hidden(limit=limit, window=window, ban=NO_BANS), times)
    accepted = [at for at, verdict in zip(times, verdicts, strict=True) if verdict is OK]
    assert all(sum(at - window < other <= at for other in accepted) <= limit for at in accepted)


@given(GAPS, st.integers(1, 30), st.integers(0, 10))
def test_a_leaky_bucket_never_lets_more_than_burst_and_rate_through(gaps: list[float], limit: int, burst: int) -> None:
    times = list(accumulate(gaps))
    verdicts = verdicts_at(Hidden(limit=limit, counter=Counter.LEAKY, burst=burst, ban=NO_BANS), times)
    accepted = [at for at, verdict in zip(times, verdicts, strict=True) if verdict is OK]
    for first, start in enumerate(accepted):
        for last, end in enumerate(accepted[first:]):
            assert last + 1 <= burst + 1 + (end - start) * limit / 60 + 1e-6


@given(GAPS, st.sampled_from(list(OnHit)), st.integers(0, 3))
def test_during_a_ban_nothing_is_accepted_and_its_untouched_end_never_moves(gaps: list[float], on_hit: OnHit, grace: int) -> None:
    hidden, edge = Hidden(ban=BanLaw(on_hit=on_hit, hit_grace=grace)), banned(Edge(), 0, 600)
    for at in accumulate(gaps):
        is_banned = edge.is_banned(at)
        edge, verdict = pass_edge(edge, hidden, at, Random(0))
        assert (verdict is BANNED) == is_banned
        if is_banned:
            assert edge.ban and edge.ban.untouched_until == 600 <= edge.ban.until
