"""What calls cost, rather too much than too little."""

from decimal import Decimal

import pytest

from agents.policy.costs import ASSUMED, Call, of_tokens, spent
from agents.policy.reasons import Verdict

MOST = {"m": 0.004}


def call(verdict: Verdict, *, status: int | None = 200, tokens: tuple[int, int] | None = None, cost: str | None = None) -> Call:
    prompt, completion = tokens or (None, None)
    return Call("m", verdict, status, prompt, completion, Decimal(cost) if cost else None)


def test_tokens_cost_by_the_price_and_by_the_assumed_one_where_it_is_unknown() -> None:
    assert of_tokens((2.0, 10.0), 1_000_000, 500_000) == 7.0
    assert of_tokens(None, 1_000_000, 1_000_000) == sum(ASSUMED)


def test_a_known_cost_counts_as_it_is() -> None:
    assert spent([call(Verdict.OK, tokens=(9, 9), cost="0.002"), call(Verdict.INVALID, cost="0.001")], MOST) == pytest.approx(0.003)


def test_tokens_without_a_price_count_by_the_assumed_one() -> None:
    assert spent([call(Verdict.OK, tokens=(1000, 100))], MOST) == pytest.approx(0.0013)


@pytest.mark.parametrize("verdict", [Verdict.OPEN, Verdict.LOST, Verdict.INVALID, Verdict.FAILED])
def test_what_may_be_billed_counts_with_all_that_it_can_cost(verdict: Verdict) -> None:
    assert spent([call(verdict, status=None)], MOST) == 0.004


@pytest.mark.parametrize(("verdict", "status"), [(Verdict.REFUSED, 429), (Verdict.FAILED, 503), (Verdict.GIVEN_UP, None)])
def test_what_the_provider_did_not_do_costs_nothing(verdict: Verdict, status: int | None) -> None:
    assert spent([call(verdict, status=status)], MOST) == 0.0
