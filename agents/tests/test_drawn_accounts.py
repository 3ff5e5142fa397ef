"""Accounts that the pace was not made for: drawn loads, limits, windows, bucket sizes, laws of bans, and what each answer publishes."""

import pytest

from agents.tests.drawn_accounts import FAMILIES, missed, played, scenarios


@pytest.mark.long
@pytest.mark.parametrize("world", [pytest.param("no bans", marks=pytest.mark.slow), "harsh"])
def test_the_learned_pace_does_well_on_accounts_that_it_was_not_made_for(world: str) -> None:
    rows = list(played(world, 1))
    assert len(rows) == len(FAMILIES)
    assert missed(world, rows) == []


def test_what_is_drawn_is_the_same_each_time_and_differs_by_family_and_number() -> None:
    drawn = scenarios("as drawn", 2)
    assert drawn == scenarios("as drawn", 2)
    assert len({repr(each) for each in drawn.values()}) == len(drawn)
