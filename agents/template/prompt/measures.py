"""Numbers, dates and times in values: comparing and moving them, and the field of an amount by its unit."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Context, Decimal

from agents.template.prompt.masking import NUMBER
from agents.template.prompt.task_kinds import ITEMS

PURE_NUMBER = re.compile(r"[$€£]?-?\d[\d,]*(?:\.\d+)?\+?%?")
_NUMBER = re.compile(r"-?\d{1,40}(?:\.\d{1,40})?")
_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")  # as in 2025-07-18, and in 2025-07-18T19:00:00 as well
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED_DATE = re.compile(rf"\b({'|'.join(_MONTHS)})[a-z]*\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})\b", re.I)
_TIME = re.compile(r"^\s*(\d{1,2}):(\d{2})(?::\d{2})?\s*([ap]\.?m\.?)?\s*$", re.I)
_CLOCK = re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]\.?m\b\.?)?", re.I)
_LONGEST = 200
_DAY = 24 * 60
_EXACT = Context(prec=100)  # enough for two numbers of 80 digits, so that nothing is rounded away


def number_in(text: str) -> Decimal | None:
    """The first number of a text, e.g. of "$1,299.50" or "120 minutes"; None where there is none."""
    number = _NUMBER.search(text[:_LONGEST].replace(",", ""))
    return Decimal(number[0]) if number else None


def date_in(text: str) -> date | None:
    """The first date of a text, as "2025-07-18" or "July 18, 2025"."""
    cut = text[:_LONGEST]
    iso, named = _DATE.search(cut), _NAMED_DATE.search(cut)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        return date(int(named[3]), _MONTHS.index(named[1].lower()) + 1, int(named[2])) if named else None
    except ValueError:
        return None


def minutes_in(text: str) -> int | None:
    """The minutes since midnight of a text that is a time of day, as "19:30" or "7:30 PM"."""
    time = _TIME.match(text[:_LONGEST])
    if not time or int(time[1]) > 23 or int(time[2]) > 59:
        return None
    half = (time[3] or "")[:1].lower()
    hour = int(time[1]) % 12 + 12 * (half == "p") if half else int(time[1])
    return hour * 60 + int(time[2])


def time_in(text: str) -> int | None:
    """The minutes since midnight of the first time of day in a text, alone or after a date."""
    clock = _CLOCK.search(text[:_LONGEST])
    return minutes_in(clock[0]) if clock else None


def comparable(value: str, other: str) -> tuple[Decimal | None, Decimal | None]:
    """Both values as numbers of one kind: dates if both are dates, times if both are times, else the numbers in them."""
    days = date_in(value), date_in(other)
    if days[0] and days[1]:
        return Decimal(days[0].toordinal()), Decimal(days[1].toordinal())
    times = minutes_in(value), minutes_in(other)
    if times[0] is not None and times[1] is not None:
        return Decimal(times[0]), Decimal(times[1])
    return number_in(value), number_in(other)


def moved(value: str, by: int) -> str:
    """The value with its date moved by days, its time by minutes or its first number by ones; "" where there is none, or no such day."""
    day, minutes, number = date_in(value), minutes_in(value), number_in(value)
    if day:
        try:
            other = day + timedelta(days=by)
        except OverflowError:
            return ""
        iso = _DATE.search(value[:_LONGEST]) is not None
        pattern, shown = (_DATE, other.isoformat()) if iso else (_NAMED_DATE, f"{other:%B} {other.day}, {other.year:04}")
        return pattern.sub(shown, value, count=1)
    if minutes is not None:
        minutes += by
        if not 0 <= minutes < _DAY:
            return ""
        if re.search(r"[ap]\.?m", value, re.I):
            return f"{(minutes // 60 - 1) % 12 + 1}:{minutes % 60:02} {'PM' if minutes >= _DAY // 2 else 'AM'}"
        return f"{minutes // 60:02}:{minutes % 60:02}"
    return "" if number is None else _with_number(value, _EXACT.add(number, Decimal(by)))


def between(low: str, high: str, count: int) -> Iterator[str]:
    """Up to `count` + 1 numbers between two bounds, evenly; nothing for dates and times, which are moved by their smallest step."""
    ends = number_in(low), number_in(high)
    if ends[0] is None or ends[1] is None or date_in(low) or minutes_in(low) is not None:
        return
    for step in range(1, count + 2):
        share = _EXACT.divide(_EXACT.multiply(_EXACT.subtract(ends[1], ends[0]), Decimal(step)), Decimal(count + 2))
        yield _with_number(low, _EXACT.add(ends[0], share))


def _with_number(value: str, number: Decimal) -> str:
    return _NUMBER.sub(lambda _: f"{number:f}", value[:_LONGEST].replace(",", ""), count=1)


_AMOUNT = re.compile(rf"(?P<number>{NUMBER})(?:k\b)?(?P<unit> [a-z]+)?", re.I)
_OF_UNIT = (
    (re.compile(r" (?:minutes?|mins?|hours?|hrs?)\b", re.I), "duration"),
    (re.compile(r" pages?\b", re.I), "pages"),
    (re.compile(r" stars?\b", re.I), "rating"),
    (re.compile(r"[$€£]| (?:dollars?|usd|euros?)\b", re.I), "price"),
)
_THING = re.compile(rf"\b(?:{ITEMS}|pages?|shows?|ones?|anything|something)$")  # nouns of items, which are no fields: "a hotel under $90"
_MONEY = re.compile(r"price|cost|rate|budget|fee|salary|total|amount|balance|revenue|spend|pay")


def amount_of(field: str, value: str, rest: str) -> tuple[str, str]:
    """Field and value of an amount: unchanged where the field can have it, else by the unit in the value or after it."""
    amount = _AMOUNT.match(value)
    if not amount:
        return field, value
    number, after = amount["number"], amount["unit"] or ""
    sign_or_unit = number[0] if number[0] in "$€£" else after
    per_night = bool(re.match(r" per night\b", rest, re.I))
    unit = "price" if per_night else next((name for pattern, name in _OF_UNIT if pattern.match(sign_or_unit)), "")
    if not unit or not _is_no_field(field, unit, rest, per_night=per_night):
        return field, value
    hours = number_in(number) if after.lower().startswith(" h") else None  # sites state durations in minutes
    return unit, value if unit == "price" else number if hours is None else f"{(hours * 60).normalize():f}"


def _is_no_field(field: str, unit: str, rest: str, *, per_night: bool) -> bool:
    if unit == "price" and _MONEY.search(field):
        return False
    if re.match(r" long\b", rest, re.I):
        return True
    if unit == "duration" and not field:
        return False
    # A field has one or two words; more are the item with the amount.
    return per_night or not field or bool(_THING.search(field)) or len(field.split()) > 2
