"""When a refusal is over: what the provider wrote about it, and the calendar by which its limits reset.

All times are Unix seconds; what makes no sense is None, so that the next best source is asked.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

DAY = 86_400.0
FOUR_HOURS = 14_400.0
# The longest ban that anybody reported; a longer word is taken for this one.
LONGEST_RETRY = DAY
# Quotas are daily: a reset further ahead than the day after tomorrow is no reset of a day.
FURTHEST_RESET = 2 * DAY
# The provider keeps quotas in a cache of 60 s: a reset that has just passed counts again that much later.
CACHED = 60.0
# Beyond the year 5138 in seconds, before 1973 in milliseconds: what is larger is in milliseconds.
FIRST_MILLISECONDS = 1e11

_RESET = re.compile(r'"quota_reset_timestamp"\s*:\s*(?:"([^"]*)"|(-?[\d.eE+-]+))')


def day_ends_at(now: float) -> float:
    """The next 00:00 UTC, when the provider has seen it too."""
    return _next(DAY, now)


def four_hours_end_at(now: float) -> float:
    """The next of 00:00, 04:00, 08:00 … UTC, at which a subscription's window begins."""
    return _next(FOUR_HOURS, now)


def _next(period: float, now: float) -> float:
    """A refusal that comes while the provider's cache is still of the day before is over with the cache."""
    return ((now - CACHED) // period + 1) * period + CACHED


def retry_at(header: str, now: float) -> float | None:
    """The time that a Retry-After says, in seconds or as an HTTP date; at most a day ahead. None where it names no later time."""
    seconds = _number(header)
    wait = seconds if seconds is not None else _date(header) - now
    return now + min(wait, LONGEST_RETRY) if 0 < wait < math.inf else None


def quota_resets_at(detail: str, now: float) -> float | None:
    """The `quota_reset_timestamp` in a refusal's detail: an ISO time, Unix seconds or milliseconds. None where it can't be meant."""
    found = _RESET.search(detail)
    reset = moment(found[1] or found[2] or "") if found else None
    if reset is None or not now - CACHED < reset <= now + FURTHEST_RESET:
        return None
    return reset if reset > now else reset + CACHED


def moment(text: str) -> float | None:
    """The Unix time that `text` names: an ISO time, Unix seconds or milliseconds. None for anything else."""
    number = _number(text)
    if number is not None:
        return number / 1000 if number >= FIRST_MILLISECONDS else number
    try:
        return _utc(datetime.fromisoformat(text.strip())).timestamp()
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(text: str) -> float:
    try:
        return _utc(parsedate_to_datetime(text)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return math.nan


def _utc(moment: datetime) -> datetime:
    """A time without a zone is meant in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
