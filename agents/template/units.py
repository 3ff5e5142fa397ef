"""What an amount is of where a prompt says it by its unit alone: a comedy of less than 100 minutes, a hotel under $90."""

from __future__ import annotations

import re

from agents.template.implied import NUMBER
from agents.template.measures import number_in

_AMOUNT = re.compile(rf"(?P<number>{NUMBER})(?:k\b)?(?P<unit> [a-z]+)?", re.I)
_OF_UNIT = (
    (re.compile(r" (?:minutes?|mins?|hours?|hrs?)\b", re.I), "duration"),
    (re.compile(r" pages?\b", re.I), "pages"),
    (re.compile(r" stars?\b", re.I), "rating"),
    (re.compile(r"[$€£]| (?:dollars?|usd|euros?)\b", re.I), "price"),
)
_PER_NIGHT = re.compile(r" per night\b", re.I)
_LONG = re.compile(r" long\b", re.I)
# What a prompt compares by an amount that is not of this name: "a hotel under $90" is no field "hotel".
_THING = re.compile(
    r"\b(?:films?|movies?|books?|products?|items?|hotels?|restaurants?|places?|stays?|listings?|pages?|jobs?|cars?|rides?|shows?|ones?|"
    r"anything|something)$"
)
_MONEY = re.compile(r"price|cost|rate|budget|fee|salary|total|amount|balance|revenue|spend|pay")
# A field has one or two words; more of them are what the amount is said of.
_MOST_WORDS = 2


def amount_of(field: str, value: str, rest: str) -> tuple[str, str]:
    """Field and value of an amount: as they are where the field can have it, else as the unit tells, in the value or after it."""
    amount = _AMOUNT.match(value)
    night = _PER_NIGHT.match(rest)
    unit = "price" if night else next((name for pattern, name in _OF_UNIT if amount and pattern.match(_told(amount))), "")
    if not amount or not unit or not _is_no_field(field, unit, rest, per_night=bool(night)):
        return field, value
    return unit, value if unit == "price" else _in_minutes(amount)


def _in_minutes(amount: re.Match[str]) -> str:
    """The number; hours in minutes, in which sites tell how long things take."""
    hours = number_in(amount["number"]) if (amount["unit"] or "").lower().startswith(" h") else None
    return amount["number"] if hours is None else f"{(hours * 60).normalize():f}"


def _told(amount: re.Match[str]) -> str:
    """The sign before the number, else the unit after it."""
    return amount["number"][0] if amount["number"][0] in "$€£" else amount["unit"] or ""


def _is_no_field(field: str, unit: str, rest: str, *, per_night: bool) -> bool:
    if unit == "price" and _MONEY.search(field):
        return False
    if _LONG.match(rest):
        return True
    if unit == "duration" and not field:
        return False
    return per_night or not field or bool(_THING.search(field)) or len(field.split()) > _MOST_WORDS
