"""A table's rows are one test: it names each row that fails, and no empty table passes."""

import pytest

from agents.tests.rows import each_row, rows


def test_every_row_is_run_and_each_failing_one_is_named() -> None:
    seen = []

    @rows("number, limit", [(1, 2), (3, 2), (5, 2), (0, 1)])
    def check(number: int, limit: int) -> None:
        seen.append(number)
        assert number < limit

    with pytest.raises(pytest.fail.Exception) as failed:
        check()
    assert seen == [1, 3, 5, 0]
    assert "2 of 4 rows fail" in str(failed.value)
    assert "(3, 2)" in str(failed.value) and "(5, 2)" in str(failed.value) and "(0, 1)" not in str(failed.value)


def test_an_empty_table_fails() -> None:
    with pytest.raises(AssertionError, match="no row"):
        each_row([], lambda _: None)


@rows("first, second", [("a", "a"), ("b", "b")])
def test_fixtures_are_given_beside_the_rows(first: str, second: str, request: pytest.FixtureRequest) -> None:
    assert first == second
    assert request.node.name == "test_fixtures_are_given_beside_the_rows"
