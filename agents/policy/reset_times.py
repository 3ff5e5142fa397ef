"""When a refusal is over: as the provider states it, by the calendar of its limits, or by how long earlier blocks took."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from agents.policy.reasons import PauseSource

DAY = 86_400.0
FOUR_HOURS = 14_400.0
# The longest reported ban; a longer Retry-After is shortened to it.
LONGEST_RETRY = DAY
# Quotas are daily: a reset after the day after tomorrow is not a daily one.
FURTHEST_RESET = 2 * DAY
# The provider keeps quotas in a cache of 60 s: a reset that has just passed takes effect that much later.
CACHED = 60.0
# Beyond the year 5138 in seconds, before 1973 in milliseconds: what is larger is in milliseconds.
FIRST_MILLISECONDS = 1e11
# With fewer earlier blocks as long as this one nothing is predicted from them; HALF_SURE of them give half the highest confidence.
FEWEST, HALF_SURE, SUREST = 3, 4, 0.9
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9

_RESET = re.compile(r'"quota_reset_timestamp"\s*:\s*(?:"([^"]*)"|(-?[\d.eE+-]+))')


def period_ends_at(period: float, now: float) -> float:
    """The next 00:00 UTC, or the next of 00:00, 04:00, 08:00 … UTC, plus the time of the provider's cache."""
    return ((now - CACHED) // period + 1) * period + CACHED


def retry_at(header: str, now: float) -> float | None:
    """By a Retry-After in seconds or as an HTTP date; at most a day ahead. None where it names no later time."""
    wait = _number(header)
    if wait is None:
        try:
            wait = _utc(parsedate_to_datetime(header)) - now
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return now + min(wait, LONGEST_RETRY) if 0 < wait < math.inf else None


def quota_resets_at(detail: str, now: float) -> float | None:
    """The `quota_reset_timestamp` in a refusal's detail. None where it is implausible."""
    match = _RESET.search(detail)
    reset = moment(match[1] or match[2] or "") if match else None
    if reset is None or not now - CACHED < reset <= now + FURTHEST_RESET:
        return None
    return reset if reset > now else reset + CACHED


def moment(text: str) -> float | None:
    """An ISO time, Unix seconds or milliseconds. None for anything else."""
    number = _number(text)
    if number is not None:
        return number / 1000 if number >= FIRST_MILLISECONDS else number
    try:
        return _utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _utc(moment: datetime) -> float:
    """A time without a zone is meant in UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True, slots=True)
class Prediction:
    """The account is expected back `at`, most likely between `earliest` and `latest`. All None: unknown. `confidence`: 0 to 1."""

    source: PauseSource
    confidence: float
    at: float | None = None
    earliest: float | None = None
    latest: float | None = None


def predicted(
    source: PauseSource, now: float, blocked_at: float, paused_until: float, next_pause: float, past: Sequence[float]
) -> Prediction:
    """`next_pause`: of the pause that would follow if the next probe is refused; `past`: how long earlier blocks of this kind took."""
    if source is PauseSource.CHECK:
        return Prediction(source, 0.0)
    if source.is_stated:
        return Prediction(source, source.confidence, paused_until, paused_until, paused_until + CACHED)
    longer = sorted(seconds for seconds in past if seconds > now - blocked_at)
    if len(longer) < FEWEST:
        return Prediction(source, source.confidence, paused_until, paused_until, paused_until + next_pause)
    # Nothing is sent before the pause is over, so nothing can be observed earlier.
    low, middle, high = (max(paused_until, blocked_at + longer[math.ceil(part * len(longer)) - 1]) for part in (LOW, MIDDLE, HIGH))
    return Prediction(PauseSource.HISTORY, round(SUREST * len(longer) / (len(longer) + HALF_SURE), 2), middle, low, high)
