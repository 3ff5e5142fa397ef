"""What people would put into a field that a prompt says nothing of, or only what it must not be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from agents.page import Page
from agents.page.matching import likeness
from agents.template.measures import date_in, number_in
from agents.template.slots import Slot

# Without a clock: far enough ahead to lie in the future of any page that shows no date.
_LATER = date(2030, 6, 17)
_DAYS_AHEAD = 7
_MOST_TEXT = 20_000
# What a field is for, by the names that it goes by; several values, so that one of them is none that is excluded.
_POOLS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("email", "e-mail", "recipient", "to", "cc"), ("jo.miller@example.com", "pat.quick@example.org")),
    (("phone", "telephone", "mobile", "tel"), ("+1 555 010 4477", "+1 555 019 2268")),
    (("website", "url", "link"), ("https://www.example.com", "https://www.example.org/more")),
    (("first name", "given name"), ("Jo", "Pat")),
    (("last name", "surname"), ("Miller", "Quick")),
    (("name", "full name", "your name", "display name", "author"), ("Jo Miller", "Pat Quick")),
    (("username", "user name"), ("jomiller", "patquick")),
    (("card number", "card", "credit card"), ("4242424242424242", "5555555555554444")),
    (("expiry", "expiration", "mm/yy", "exp date"), ("12/30", "11/31")),
    (("cvv", "cvc", "security code"), ("123", "456")),
    (("zip", "zip code", "postal code", "postcode"), ("90210", "10001")),
    (("address", "street"), ("1 Main Street", "22 Oak Avenue")),
    (("city", "town", "location"), ("Springfield", "Riverton")),
    (("country",), ("United States", "Canada")),
    (("subject", "topic"), ("A question", "Some information")),
    (("rating", "stars", "score"), ("5", "4", "3")),
    (("year",), ("2020", "2019")),
    (("guests", "people", "quantity", "number of people", "adults"), ("2", "3")),
    (("duration", "minutes", "page count", "pages"), ("120", "95")),
    (("hours", "price", "amount", "budget", "rate", "cost"), ("20", "25")),
    (
        ("message", "comment", "review", "content", "body", "question"),
        ("Thank you, this is very well made.", "Good work, we like it a lot."),
    ),
    (("description", "notes", "bio", "about", "summary", "reason"), ("A few words on this.", "Some more details.")),
    (("title",), ("Something new", "Another one")),
)
_TYPED = {"email": 0, "tel": 1, "url": 2}
_WORDS = ("Sample", "Quick", "Bamdyz")
_NUMBERS = ("1", "2", "3", "4", "5")
_TIMES = ("10:00", "14:30", "19:00")
_SURE = 0.6
# A number may be typed into a search too, so it tells nothing.
_MADE_UP = frozenset(value for _, values in _POOLS for value in values if not value.isdigit())


def plausible(slot: Slot, page: Page | None, meant: str = "") -> Iterator[str]:
    """Values for a field that takes free input, the likeliest first. `meant` is what the prompt calls it, "" for nothing."""
    kind = slot.element.type
    if kind in {"date", "datetime-local", "month", "week"} or _is_date(slot):
        yield from (day.isoformat() for day in _days(slot, page))
    elif kind == "time":
        yield from _TIMES
    else:
        pool = _POOLS[_TYPED[kind]][1] if kind in _TYPED else _pool(slot, meant)
        yield from pool
        yield from _NUMBERS if kind in {"number", "range"} else _WORDS


def is_made_up(text: str) -> bool:
    """Whether a text is one of those that are put in where a prompt says none."""
    return text in _MADE_UP


def _is_date(slot: Slot) -> bool:
    element = slot.element
    return element.type == "text" and ("yyyy" in element.placeholder.lower() or slot.likeness("date") > 0.8)


def _pool(slot: Slot, meant: str) -> tuple[str, ...]:
    said = [likeness(name, meant) if meant else 0.0 for names, _ in _POOLS for name in names[:1]]
    if max(said) >= _SURE:
        return _POOLS[said.index(max(said))][1]
    scored = [(max(slot.likeness(name) for name in names), -rank) for rank, (names, _) in enumerate(_POOLS)]
    best, rank = max(scored)
    if best >= _SURE:
        return _POOLS[-rank][1]
    return _POOLS[20][1] if slot.element.tag == "textarea" else ()


def _days(slot: Slot, page: Page | None) -> Iterator[date]:
    """Days that a field takes: from its earliest one, else after the latest that the page shows."""
    least, most = date_in(slot.element.least), date_in(slot.element.most)
    start = least or max((day for day in _shown(page) if day.year < _LATER.year + 5), default=_LATER)
    for ahead in (_DAYS_AHEAD, 1, 2, 14):
        day = start + timedelta(days=ahead)
        if most is None or day <= most:
            yield day


def _shown(page: Page | None) -> Iterator[date]:
    for text in page.texts(_MOST_TEXT) if page else ():
        day = date_in(text) if number_in(text) is not None else None
        if day:
            yield day
