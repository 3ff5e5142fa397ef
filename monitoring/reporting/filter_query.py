"""Parses filter lines into conditions: `route:template -reason:paused since:2h "free text"`. Pure: reads no rows.

A word with a colon is a condition, `-` in front negates it, anything else is searched for as text. Invalid parts are reported with
their remedy and not applied; nothing raises. Several values of a qualifier mean any of them.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum

from agents.common.text import shorten, storable

TEXT = "text"
# Characters of a filter line, and its conditions, each of which is a lookup in the database.
MAX_QUERY = 1_000
MAX_CONDITIONS = 30
_TOKEN = re.compile(
    r"""(?P<minus>-?)
        (?:(?P<name>[A-Za-z_]+):(?!//))?                 # http://… is an address, not a condition
        (?:"(?P<quoted>(?:[^"\\]|\\.)*)(?:"|\\?\Z)|(?P<bare>\S*))""",
    re.VERBOSE | re.DOTALL,
)
# A value that begins with two slashes is quoted, as after a name it would be parsed as an address.
_PLAIN = re.compile(r"(?!//)[\w.,/@*+][\w.,/@*+-]*")
_AGO = re.compile(r"(\d{1,4})([mhd])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_DAY = re.compile(r"20\d\d-\d\d-\d\d(?:T\d\d:\d\dZ?)?", re.ASCII)


class Kind(StrEnum):
    CHOICE = "choice"
    NAME = "name"
    STATUS = "status"
    ADDRESS = "address"
    TIME = "time"


REMEDIES = {
    Kind.STATUS: "write a status code from 100 to 599, such as 429",
    Kind.ADDRESS: "write an IP address, such as 203.0.113.7",
    Kind.TIME: "write 30m, 2h or 7d, or a time such as 2026-05-04T12:00, with a Z at the end for UTC",
}


@dataclass(frozen=True, slots=True)
class Qualifier:
    """A name before a colon. `values`: of a choice all, of a name those for completion; `about`: for the list of qualifiers."""

    name: str
    kind: Kind
    about: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    name: str
    value: str
    is_negated: bool = False

    def __str__(self) -> str:
        value = self.value if _PLAIN.fullmatch(self.value) else '"' + re.sub(r'(["\\])', r"\\\1", self.value) + '"'
        return f"{'-' if self.is_negated else ''}{'' if self.name == TEXT else f'{self.name}:'}{value}"


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed line. `faults`: sentences about its invalid parts; `text`: as entered."""

    conditions: tuple[Condition, ...] = ()
    faults: tuple[str, ...] = ()
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        return " ".join(map(str, self.conditions))

    def values(self, name: str, *, negated: bool = False) -> list[str]:
        return [condition.value for condition in self.conditions if condition.name == name and condition.is_negated is negated]

    def has(self, *names: str) -> bool:
        return any(condition.name in names for condition in self.conditions)

    def without(self, name: str) -> "Query":
        return Query(tuple(condition for condition in self.conditions if condition.name != name))

    def with_only(self, name: str, value: str) -> "Query":
        return Query((*self.without(name).conditions, Condition(name, value)))


def parse(text: str, qualifiers: Iterable[Qualifier]) -> Query:
    by_name = {qualifier.name: qualifier for qualifier in qualifiers}
    conditions: dict[Condition, None] = {}
    faults: list[str] = []
    for minus, name, value in _tokens(storable(text)[:MAX_QUERY]):
        parsed = _read(name, value, minus, by_name)
        if isinstance(parsed, Condition):
            conditions[parsed] = None
        else:
            faults.append(parsed)
    if len(conditions) > MAX_CONDITIONS:
        faults.append(f"Only the first {MAX_CONDITIONS} conditions are applied: remove some.")
    return Query(tuple(conditions)[:MAX_CONDITIONS], tuple(dict.fromkeys(faults)), text)


def moment(value: str, now: datetime) -> datetime:
    """The time of a time qualifier's value; without a zone, it is in that of `now`."""
    ago = _AGO.fullmatch(value)
    if ago:
        # In UTC, so that a change of the clocks does not matter.
        return now.astimezone(UTC) - int(ago[1]) * _UNITS[ago[2]]
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=now.tzinfo)


def _tokens(text: str) -> Iterator[tuple[bool, str, str]]:
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        match = _TOKEN.match(text, position)
        assert match  # \S* matches anything else
        position = match.end()
        quoted = match["quoted"]
        yield bool(match["minus"]), (match["name"] or "").lower(), match["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def _read(name: str, value: str, is_negated: bool, by_name: Mapping[str, Qualifier]) -> Condition | str:
    if not name and value.strip():
        return Condition(TEXT, value, is_negated)
    if not name:
        return 'A text to search for is empty: write a word, or remove the “-” or “""”.'
    qualifier = by_name.get(name)
    if qualifier is None:
        near = get_close_matches(name, by_name, n=1)
        meant = f"Did you mean {near[0]}:? " if near else ""
        return f"There is no “{shorten(name, 30)}:”. {meant}Write one of {', '.join(by_name)}; for the text itself put it in quotes."
    parsed = _value(qualifier, value)
    if parsed is None:
        return f"{name}: {_remedy(qualifier, value)}."
    if is_negated and qualifier.kind is Kind.TIME:
        return f"{name}: a time can't be negated; write {'until' if name == 'since' else 'since'}: instead."
    return Condition(name, parsed, is_negated)


def _value(qualifier: Qualifier, value: str) -> str | None:
    try:
        match qualifier.kind:
            case Kind.CHOICE:
                return value.lower() if value.lower() in qualifier.values else None
            case Kind.NAME:
                return value if value.strip() else None
            case Kind.STATUS:
                return value if re.fullmatch(r"[1-5]\d\d", value, re.ASCII) else None
            case Kind.ADDRESS:
                return str(ipaddress.ip_address(value))
            case Kind.TIME:
                return value if _AGO.fullmatch(value) or (_DAY.fullmatch(value) and datetime.fromisoformat(value)) else None
    except ValueError:
        return None


def _remedy(qualifier: Qualifier, value: str) -> str:
    if qualifier.kind is Kind.NAME:
        return f"write a name, such as {qualifier.values[0]}" if qualifier.values else "write a name"
    if qualifier.kind is not Kind.CHOICE:
        return REMEDIES[qualifier.kind]
    near = get_close_matches(value.lower(), qualifier.values, n=1)
    values = ", ".join(qualifier.values)
    return f"write {near[0]}? Or one of {values}" if near else f"write one of {values}"
