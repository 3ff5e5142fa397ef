"""What the management host's answers mean: the forms that were seen, and every odd one as unknown with a sentence."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.quotas import ME, PATHS, QUOTAS, SUBSCRIPTION, USAGE, Failed, Reading, cap_ends_at, reading
from agents.tests.rows import rows

NOW = 1_790_000_000.0
SOON = "2026-09-21T16:00:00+00:00"
SOON_AT = datetime(2026, 9, 21, 16, tzinfo=UTC).timestamp()
FULL: dict[str, Any] = {
    ME: {"username": "ann", "user_id": "u", "balance": 12.5},
    QUOTAS: [{"chute_id": "*", "quota": 300, "effective_date": "2026-08-01"}],
    USAGE: {"quota": 300, "used": 181.0},
    SUBSCRIPTION: {
        "subscription": True,
        "four_hour": {"usage": 0.75, "cap": 1.0, "remaining": 0.25, "reset_at": SOON},
        "monthly": {"usage": 12.0, "cap": 20.0, "remaining": 8.0, "reset_at": "2026-10-01T00:00:00Z"},
    },
}
ODD: list[Any] = [None, [], "", "soon", 7, True, math.nan, {}, [None], {"balance": "12.5", "quota": "300", "used": "1"}]
NUMBERS = st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["12.5", "unlimited", SOON, ""])
OBJECTS = st.dictionaries(st.sampled_from(["balance", "quota", "used", "cap", "usage", "remaining", "reset_at", "*", "chute_id"]), NUMBERS)
ANSWERS = NUMBERS | OBJECTS | st.lists(OBJECTS, max_size=3) | st.fixed_dictionaries({}, optional={"four_hour": OBJECTS, "monthly": OBJECTS})


def read(path: str, answer: object) -> Reading:
    return reading({path: answer}, NOW)


def window(**fields: Any) -> Reading:
    return read(SUBSCRIPTION, {"four_hour": {**FULL[SUBSCRIPTION]["four_hour"], **fields}, "monthly": {"uncapped": True}})


def test_all_four_answers_make_one_reading_without_a_fault() -> None:
    assert reading(FULL, NOW) == Reading(
        balance=12.5,
        daily_total=300,
        daily_used=181,
        is_subscribed=True,
        four_hour_cap=1,
        four_hour_used=0.75,
        four_hour_reset_at=SOON_AT,
        monthly_cap=20,
        monthly_used=12,
        monthly_reset_at=datetime(2026, 10, 1, tzinfo=UTC).timestamp(),
    )


def test_nothing_left_and_nothing_used_are_known() -> None:
    found = reading({ME: {"balance": 0}, USAGE: {"quota": 0, "used": 0.0}}, NOW)
    assert (found.balance, found.daily_total, found.daily_used, found.faults) == (0, 0, 0, ())


def test_an_unlimited_quota_has_no_total_and_no_fault() -> None:
    found = reading({QUOTAS: {"*": 0}, USAGE: {"quota": "unlimited", "used": 3}}, NOW)
    assert (found.is_unlimited, found.daily_total, found.daily_used, found.faults) == (True, None, 3, ())


@pytest.mark.parametrize("quotas", [[{"chute_id": "x", "quota": 1}, {"chute_id": "*", "quota": 300}], {"*": 300}])
def test_the_list_of_quotas_has_the_total_where_the_usage_cannot_be_read(quotas: object) -> None:
    found = reading({QUOTAS: quotas, USAGE: Failed("the management host answered with 500")}, NOW)
    assert (found.daily_total, found.daily_used) == (300, None)
    assert found.faults == ("Daily quota unknown: the management host answered with 500.",)


def test_an_account_without_quotas_of_its_own_is_no_fault() -> None:
    assert read(QUOTAS, {}) == Reading()


def test_one_part_unreadable_leaves_the_others() -> None:
    found = reading({**FULL, ME: Failed("the answer is no JSON")}, NOW)
    assert (found.balance, found.daily_used, found.four_hour_cap) == (None, 181, 1)
    assert found.faults == ("Balance unknown: the answer is no JSON.",)


def test_a_fault_of_every_part_is_reported_once() -> None:
    found = reading({path: Failed("this key cannot read quotas: it needs an admin key", is_common=True) for path in PATHS}, NOW)
    assert found == Reading(faults=("This key cannot read quotas: it needs an admin key.",))


@rows("odd", ODD)
@rows("path", [ME, USAGE, SUBSCRIPTION])
def test_an_odd_form_is_unknown_with_a_sentence(path: str, odd: object) -> None:
    found = read(path, odd)
    assert "unknown" in found.faults[0]
    assert (found.balance, found.daily_total, found.daily_used, found.four_hour_cap) == (None,) * 4


@rows("value", ["12.5", math.nan, math.inf, -math.inf, 10**400, True, None, [1]])
def test_a_balance_that_is_no_number_is_unknown(value: object) -> None:
    assert read(ME, {"balance": value}).balance is None


@given(st.dictionaries(st.sampled_from(PATHS), ANSWERS))
def test_no_answer_whatever_raises(answers: dict[str, object]) -> None:
    found = reading(answers, NOW)
    numbers = [value for name in Reading.__slots__ if isinstance(value := getattr(found, name), float)]
    assert all(map(math.isfinite, numbers))
    json.dumps(found.faults)


@pytest.mark.parametrize("reset_at", [None, "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "soon", math.nan, True, {}])
def test_a_reset_that_cannot_be_meant_is_unknown_and_the_rest_of_its_window_is_not(reset_at: object) -> None:
    found = window(reset_at=reset_at)
    assert (found.four_hour_used, found.four_hour_reset_at, found.faults) == (0.75, None, ())


def test_what_is_used_follows_from_what_remains() -> None:
    assert window(usage=None).four_hour_used == 0.75
    assert window(usage=None, remaining=None).faults == ("Subscription unknown in part: the 4-hour window does not state cap and usage.",)


def test_an_account_without_a_subscription_has_no_caps_and_no_fault() -> None:
    assert read(SUBSCRIPTION, {"subscription": False}) == Reading(is_subscribed=False)


def test_a_reached_cap_ends_with_its_window() -> None:
    assert cap_ends_at(window(usage=1.0)) == SOON_AT
    assert cap_ends_at(window()) is None
    assert cap_ends_at(window(usage=1.0, reset_at=None)) is None


def test_with_both_windows_used_up_the_later_end_counts_and_an_unknown_one_leaves_it_unknown() -> None:
    both = Reading(four_hour_cap=1, four_hour_used=1, four_hour_reset_at=5, monthly_cap=9, monthly_used=9.5, monthly_reset_at=8)
    assert cap_ends_at(both) == 8
    assert cap_ends_at(Reading(four_hour_cap=1, four_hour_used=1, four_hour_reset_at=5, monthly_cap=9, monthly_used=9)) is None
