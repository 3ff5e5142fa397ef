"""A calendar that lies open over a page: the day to press, or the way to its month."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from agents.page import Element, Page
from agents.template.items.matching import best_button
from agents.template.moves import Move, press
from agents.template.prompt import Criterion, holds
from agents.template.prompt.measures import date_in

# Of a month that is shown in part no days are missing in its middle.
_LEAST_DAYS = 20
_MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (\d{4})\b", re.I)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EARLIER = ("go to previous month", "previous month", "previous", "prev", "chevron left", "arrow left")
_LATER = ("go to next month", "next month", "next", "chevron right", "arrow right")
# Further away no day of a task is.
_MOST_MONTHS = 18


@dataclass(frozen=True, slots=True)
class Calendar:
    """`days`: the buttons of the month's days that can be pressed."""

    first: date
    days: tuple[tuple[date, Element], ...]
    elements: tuple[Element, ...]


def calendars(page: Page) -> list[Calendar]:
    """Those that are shown, in page order; two months side by side are two."""
    shown = [one for one in page.elements if not (one.hidden or one.covered) and one.role in {"button", "option"}]
    numbered = [one for one in shown if (one.label or one.text).strip().isdecimal() and len((one.label or one.text).strip()) <= 2]
    months, run = list[list[Element]](), list[Element]()
    for one in numbered:
        if int(one.label or one.text) == 1 and run:
            months.append(run)
            run = []
        run.append(one)
    months.append(run)
    firsts = [date(int(year), _MONTHS.index(name.lower()) + 1, 1) for name, year in _MONTH.findall(_heading(page, shown))]
    whole = [run for run in months if len(run) >= _LEAST_DAYS and int(run[0].label or run[0].text) == 1]
    return [_calendar(first, run, shown) for first, run in zip(firsts, whole, strict=False)]


def _heading(page: Page, shown: Sequence[Element]) -> str:
    groups = dict.fromkeys(one.group for one in shown if _MONTH.search(one.group))
    texts = (text for text in (*page.headings, *page.texts(20_000)) if _MONTH.fullmatch(text.strip()))
    return " ".join(groups or dict.fromkeys(texts))


def _calendar(first: date, run: Sequence[Element], shown: Sequence[Element]) -> Calendar:
    days, last = list[tuple[date, Element]](), 0
    for one in run:
        number = int(one.label or one.text)
        if number <= last:
            break
        last = number
        if one.usable:
            days.append((first.replace(day=number), one))
    return Calendar(first, tuple(days), tuple(shown))


def day_chosen(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """Press the day that meets all criteria on dates of one name; else what leads towards its month."""
    dated = [one for one in criteria if all(date_in(value) for value in one.values)]
    if not dated or not (shown := calendars(page)):
        return ()
    wanted = [one for one in dated if one.field == dated[0].field]
    sought = max(day for one in wanted for value in one.values if (day := date_in(value)))
    days = [pair for calendar in shown for pair in calendar.days if all(holds(one, pair[0].isoformat()) for one in wanted)]
    if days:
        # Days that are over can't be chosen: the nearest to the one that is named is the likeliest.
        found = min(days, key=lambda pair: (abs((pair[0] - sought).days), pair[0]))[1]
        return () if found.selected else (press(page, found),)
    away = (sought.year - shown[0].first.year) * 12 + sought.month - shown[0].first.month
    button = best_button(shown[0].elements, _LATER if away > 0 else _EARLIER, 0.7) if 0 < abs(away) <= _MOST_MONTHS else None
    return (replace(press(page, button), repeats=True),) * abs(away) if button else ()
