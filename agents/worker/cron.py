"""Entries of the table of schedules, and times as cron's five fields in UTC. Pure."""

import re
from datetime import datetime
from typing import NamedTuple

from cron_descriptor import FormatException, MissingFieldException, Options, WrongArgumentException, get_description
from croniter import croniter

EXPECTED = "cron: must have five fields, minute, hour, day, month and weekday, such as 7 * * * * or 30 4 * * 1."
# The library also accepts random times and hashes, which are no times.
_PLAIN = re.compile(r"[0-9a-zA-Z*,/#-]+")
_RANDOM = re.compile(r"[rh](\(|/|$)", re.IGNORECASE)


class Entry(NamedTuple):
    """`every`: seconds after the end of the last run, or the name of a setting; else `cron`, five fields in UTC.

    `function`: gets the time, and may return a sentence for the Health page. `time_limit`: seconds.
    """

    name: str
    function: str
    every: float | str = 0.0
    cron: str = ""
    time_limit: int = 120


def checked(text: str) -> str:
    """The fields, separated by single spaces. Raises ValueError with the remedy, also for a date that does not exist."""
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(EXPECTED)
    if any(not _PLAIN.fullmatch(part) or _RANDOM.match(part) for part in fields):
        raise ValueError(f"{EXPECTED} “{text.strip()}” has invalid characters.")
    cron = " ".join(fields)
    try:
        next_after(cron, datetime(2024, 1, 1))  # noqa: DTZ001 -- any moment will do
        in_words(cron)
    except ValueError as error:
        raise ValueError(f"cron: “{cron}” is not a valid time: {error}.") from None
    return cron


def next_after(cron: str, moment: datetime) -> datetime:
    """The first of its times after `moment`. Raises ValueError where there is none."""
    return croniter(cron, moment).get_next(datetime)  # type: ignore[no-any-return]


def in_words(cron: str) -> str:
    options = Options()
    options.use_24hour_time_format = True
    try:
        return f"{get_description(cron, options)}, UTC"
    except (FormatException, MissingFieldException, WrongArgumentException) as error:
        raise ValueError(str(error)) from None
