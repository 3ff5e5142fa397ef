"""Cron's five fields: which are accepted, their meaning and their next time."""

from datetime import UTC, datetime

import pytest

from agents.tests.rows import rows
from agents.worker import cron


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("7 * * * *", "2026-05-04T12:07:00", "2026-05-04T13:07:00"),
        ("7 * * * *", "2026-05-04T12:06:59", "2026-05-04T12:07:00"),
        ("23 */6 * * *", "2026-05-04T23:59:00", "2026-05-05T00:23:00"),
        ("30 4 * * mon", "2026-05-04T12:00:00", "2026-05-11T04:30:00"),
        ("0 0 29 2 *", "2026-05-04T12:00:00", "2028-02-29T00:00:00"),
        ("30 2 * * *", "2026-03-29T00:00:00", "2026-03-29T02:30:00"),  # an hour that Europe's clocks leave out
    ],
)
def test_the_next_time_is_the_first_one_after_a_moment_in_utc(text: str, after: str, expected: str) -> None:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    assert cron.next_after(cron.checked(text), moment) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@rows(
    "text",
    [
        "",
        "* * * *",
        "* * * * * *",
        "@hourly",
        "61 * * * *",
        "*/0 * * * *",
        "0 0 30 2 *",
        "R * * * *",
        "h(3) * * * *",
        "H * * * *",
        "soon it will be time",
        "7 * * * \x00",
        "? ? ? ? ?",
    ],
)
def test_an_invalid_time_is_refused_with_the_fields_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^cron: "):
        cron.checked(text)


def test_spaces_are_normalised() -> None:
    assert cron.checked("  7  *\t* * * ") == "7 * * * *"


def test_times_are_described() -> None:
    assert cron.in_words("7 * * * *") == "At 7 minutes past the hour, UTC"
    assert cron.in_words("30 4 * * 1") == "At 04:30, only on Monday, UTC"
