"""An open calendar or list of times: the day or time to press, or the button to the day's month."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from agents.page import Element, Page
from agents.template.items.matching import best_button
from agents.template.moves import Move, press
from agents.template.prompt import Criterion, date_in, holds_all, time_in

# A month that is shown in part has at least so many days.
_LEAST_DAYS = 20
_MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (\d{4})\b", re.I)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EARLIER = ("go to previous month", "previous month", "previous", "prev", "chevron left", "arrow left")
_LATER = ("go to next month", "next month", "next", "chevron right", "arrow right")
_CLOCK = re.compile(r"\d\d?:\d\d(?: ?[ap]\.?m\.?)?", re.I)
# Fewer times are no list to choose from.
_LEAST_TIMES = 4
# No day of a task is further away.
_MOST_MONTHS = 18


@dataclass(frozen=True, slots=True)
class Calendar:
    """`days`: the month's days that can be pressed."""

    first: date
    days: tuple[tuple[date, Element], ...]
    elements: tuple[Element, ...]


def calendars(page: Page) -> list[Calendar]:
    """The visible calendars in page order; two months side by side are two."""
    shown = [element for element in page.elements if not (element.hidden or element.covered) and element.role in {"button", "option"}]
    numbered = [
        element
        for element in shown
        if (element.label or element.text).strip().isdecimal() and len((element.label or element.text).strip()) <= 2
    ]
    months, run = list[list[Element]](), list[Element]()
    for element in numbered:
        if int(element.label or element.text) == 1 and run:
            months.append(run)
            run = []
        run.append(element)
    months.append(run)
    firsts = [date(int(year), _MONTHS.index(name.lower()) + 1, 1) for name, year in _MONTH.findall(_heading(page, shown))]
    whole = [run for run in months if len(run) >= _LEAST_DAYS and int(run[0].label or run[0].text) == 1]
    return [_calendar(first, run, shown) for first, run in zip(firsts, whole, strict=False)]


def _heading(page: Page, shown: Sequence[Element]) -> str:
    groups = dict.fromkeys(element.group for element in shown if _MONTH.search(element.group))
    texts = (text for text in (*page.headings, *page.texts(20_000)) if _MONTH.fullmatch(text.strip()))
    return " ".join(groups or dict.fromkeys(texts))


def _calendar(first: date, run: Sequence[Element], shown: Sequence[Element]) -> Calendar:
    days, last = list[tuple[date, Element]](), 0
    for element in run:
        number = int(element.label or element.text)
        if number <= last:
            break
        last = number
        if element.usable:
            days.append((first.replace(day=number), element))
    return Calendar(first, tuple(days), tuple(shown))


def day_chosen(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """Press the day that meets all criteria of the first date field, else the button towards its month."""
    dated = [criterion for criterion in criteria if all(date_in(value) for value in criterion.values)]
    if not dated or not (shown := calendars(page)):
        return ()
    same = [criterion for criterion in dated if criterion.field == dated[0].field]
    sought = max(day for criterion in same for value in criterion.values if (day := date_in(value)))
    days = [pair for calendar in shown for pair in calendar.days if holds_all(same, pair[0].isoformat())]
    if days:
        # Past days can't be chosen: the day nearest to the stated one is the likeliest.
        nearest = min(days, key=lambda pair: (abs((pair[0] - sought).days), pair[0]))[1]
        return () if nearest.selected else (press(page, nearest),)
    away = (sought.year - shown[0].first.year) * 12 + sought.month - shown[0].first.month
    button = best_button(shown[0].elements, _LATER if away > 0 else _EARLIER, 0.7) if 0 < abs(away) <= _MOST_MONTHS else None
    return (replace(press(page, button), repeats=True),) * abs(away) if button else ()


def time_chosen(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """In a list of times, press the one nearest to the stated one that meets all criteria of the first time field; where only the current
    time is shown, press that, to open the list."""
    timed = [one for one in criteria if all(time_in(value) is not None and not date_in(value) for value in one.values)]
    same = [one for one in timed if one.field == timed[0].field]
    shown = [(element, element.text) for element in page.usable({"button", "option"}) if _CLOCK.fullmatch(element.text)]
    if not same or not (len(shown) == 1 or len(shown) >= _LEAST_TIMES):
        return ()
    if len(shown) == 1:
        return (replace(press(page, shown[0][0]), once=True, opens=True),)
    sought = time_in(same[0].value) or 0
    fitting = [(abs((time_in(text) or 0) - sought), element) for element, text in shown if holds_all(same, text)]
    nearest = min(fitting, key=lambda hit: hit[0], default=(0, None))[1]
    return () if nearest is None or nearest.selected else (press(page, nearest),)
