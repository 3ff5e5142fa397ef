"""Times in cron's five fields, in UTC: what they mean, and when the next one is. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from cron_descriptor import FormatException, MissingFieldException, Options, WrongArgumentException, get_description
from croniter import croniter
from django.utils.translation import gettext as _

from agents.phrases import phrase
from monitoring.wording import translated

WANTED = phrase("cron: five fields are wanted, minute, hour, day, month and weekday, such as 7 * * * * or 30 4 * * 1.")
# The library also takes words for dice and for a job's hash, which name no time.
_PLAIN = re.compile(r"[0-9a-zA-Z*,/#-]+")
_DICE = re.compile(r"[rh](\(|/|$)", re.IGNORECASE)


def checked(text: str) -> str:
    """The fields with single spaces between them. Raises ValueError with the remedy, also for a time that never comes."""
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(translated(WANTED))
    if any(not _PLAIN.fullmatch(part) or _DICE.match(part) for part in fields):
        raise ValueError(_("{wanted} “{text}” has signs that name no time.").format(wanted=translated(WANTED), text=text.strip()))
    cron = " ".join(fields)
    try:
        next_after(cron, datetime(2024, 1, 1))  # noqa: DTZ001 -- any moment will do
        in_words(cron)
    except ValueError as error:
        raise ValueError(_("cron: “{cron}” is no time that comes: {error}.").format(cron=cron, error=error)) from None
    return cron


def next_after(cron: str, moment: datetime) -> datetime:
    """The first of its times after `moment`. Raises ValueError where there is none."""
    return croniter(cron, moment).get_next(datetime)  # type: ignore[no-any-return]


def in_words(cron: str) -> str:
    """When that is, in words. Raises ValueError."""
    options = Options()
    options.use_24hour_time_format = True
    try:
        return f"{get_description(cron, options)}, UTC"
    except (FormatException, MissingFieldException, WrongArgumentException) as error:
        raise ValueError(str(error)) from None
