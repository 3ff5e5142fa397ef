"""When a line was written: times as logs write them, some without a year, most without a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
A_DAY = timedelta(days=1)

_SHORT = re.compile(r"([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?", re.ASCII)
_ISO = re.compile(r"(?:[A-Z][a-z]{2} )?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?", re.ASCII)


class Calendar:
    """Turns times into moments, one line after the other. `year`: of the first line that names none; `zone`: of those without one.

    Where such a line goes back by more than a day, the year after has begun, unless that lies in the future of `now`: then lines are in
    disorder.
    """

    def __init__(self, year: int, zone: tzinfo, now: datetime) -> None:
        self._year, self._zone, self._latest = year, zone, now + A_DAY
        self._before: datetime | None = None
        self._text, self._moment = "", datetime.min.replace(tzinfo=UTC)

    def moment(self, text: str) -> datetime | None:
        """The moment in UTC; None where there is no such date."""
        if text != self._text:
            try:
                found = self._without_year(text) or _with_year(text, self._zone)
            except (ValueError, OverflowError):
                return None
            if found is None:
                return None
            self._text, self._moment = text, found
        return self._moment

    def _without_year(self, text: str) -> datetime | None:
        match = _SHORT.match(text)
        if match is None:
            return None
        before = self._before
        found = _in_year(match, self._year, self._zone)
        if before and found < before - A_DAY:
            later = _in_year(match, self._year + 1, self._zone)
            if later <= self._latest:
                self._year, found = self._year + 1, later
        elif before and found > before + A_DAY:
            # 31 December among the first lines of January
            earlier = _in_year(match, self._year - 1, self._zone)
            if before - A_DAY <= earlier:
                return earlier
        self._before = found
        return found


def first_year(head: list[str], tail: list[str], now: datetime, zone: tzinfo) -> int:
    """The year of a file's first line. `head`, `tail`: the times of its first and last lines, as written; the last lie in the past.

    A file that is longer than a year cannot be told from a shorter one: say its year.
    """
    first, last = (next((match for text in texts if (match := _SHORT.match(text))), None) for texts in (head, tail[::-1]))
    if first is None or last is None:
        return now.year
    year = _latest_past(last, now, zone)
    try:
        return year if _in_year(first, year, zone) <= _in_year(last, year, zone) + A_DAY else year - 1
    except ValueError:
        return year


def _latest_past(match: re.Match[str], now: datetime, zone: tzinfo) -> int:
    # 29 February may be up to eight years back.
    for year in range(now.year, now.year - 9, -1):
        try:
            if _in_year(match, year, zone) <= now + A_DAY:
                return year
        except ValueError:
            continue
    return now.year


def _in_year(match: re.Match[str], year: int, zone: tzinfo) -> datetime:
    month, day, hour, minute, second, fraction = match.groups()
    microsecond = int(f"{fraction or '':0<6.6}")
    local = datetime(year, MONTHS.get(month, 0), int(day), int(hour), int(minute), int(second), microsecond, tzinfo=zone)
    return local.astimezone(UTC)


def _with_year(text: str, zone: tzinfo) -> datetime | None:
    match = _ISO.fullmatch(text.rstrip()) or _ISO.match(text)
    if match is None:
        return datetime.fromtimestamp(float(text), UTC)
    day, clock, fraction, offset = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}.{fraction or '':0<6.6}{'+00:00' if offset in ('Z', 'UTC', 'GMT') else offset or ''}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
