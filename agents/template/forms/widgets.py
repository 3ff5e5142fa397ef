"""What is set by presses: calendars, lists of times and options, counters between two buttons, and dialogs with several steps."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice, pairwise, takewhile

from agents.contract.action_history import Past
from agents.contract.actions import Action
from agents.page import PICKER, Element, Page, likeness, words
from agents.template.budget import in_time
from agents.template.forms.filling import answers, by_name, demanded, filled
from agents.template.forms.slots import Slot, option_for, slots
from agents.template.items.matching import best_button, was_pressed
from agents.template.items.navigation import nouns_of
from agents.template.moves import ESCAPE, Move, press
from agents.template.prompt import PURE_NUMBER, Criterion, Intent, Kind, Trait, besides_item, date_in, names_of, time_in, to_choose
from agents.template.prompt.values import holds_all, meets_all, only_exclude
from agents.template.prompt.verbs import BINDS

_LEAST_DAYS = 20  # a month that is shown in part has at least so many days
_MONTH = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (\d{4})\b", re.I)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EARLIER = ("go to previous month", "previous month", "previous", "prev", "chevron left", "arrow left")
_LATER = ("go to next month", "next month", "next", "chevron right", "arrow right")
_CLOCK = re.compile(r"\d\d?:\d\d(?: ?[ap]\.?m\.?)?", re.I)
_LEAST_TIMES = 4  # fewer times are no list to choose from
_MOST_MONTHS = 18  # no day of a task is further away
_MOST_OF_NUMBER = 3  # more words than this are no number
_MOST_SUGGESTED = 12
_MOST_BETWEEN = 8  # controls between a calendar's cells, and between them and the buttons that turn it
_DATED = re.compile(r"\b\d{4}\b")
_UP = frozenset({"increase", "increment", "plus", "add", "more", "raise"})
_SIGNS_UP, _SIGNS_DOWN = frozenset({"+", "＋"}), frozenset({"-", "–", "−", "—"})
# Kinds of guests, which have a counter each below a field for all of them.
_OF_GUESTS = frozenset({"adult", "children", "child", "kid", "infant", "pet", "room", "guest"})
_MOST = 30  # a task has too few steps for more presses
_NAMED = 0.55  # below this likeness a counter shares only a part of its name with the field
_ONWARD = ("next", "next step", "continue", "proceed")
_LEAVES = frozenset({"month", "week", "day", "year", "page", "slide"})  # "Next month" turns a calendar's page and is no step of a form
_STEP = re.compile(r"go to (?:the )?(.+) step", re.I)  # a dialog that shows its steps may call the button to the next one like that step
_NAME_OF = re.compile(r"\b(?!(?:first|last|full|user|your|the|display|a|an|new|enter|type)\b)([a-z]+) name\b", re.I)
_FIRST_FILLED = ("title", "name")


@dataclass(frozen=True, slots=True)
class Calendar:
    """`days`: the month's days that can be pressed."""

    first: date
    days: tuple[tuple[date, Element], ...]
    elements: tuple[Element, ...]


def calendars(page: Page) -> list[Calendar]:
    """The visible calendars in page order; two months side by side are two."""
    shown = [element for element in page.elements if not (element.hidden or element.covered) and element.role in {"button", "option"}]
    numbered = [element for element in shown if re.fullmatch(r"\s*\d\d?\s*", element.label or element.text)]
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


def is_cell(label: str, criteria: Sequence[Criterion]) -> bool:
    """Whether the day and the hour in a label meet the criteria of these."""
    day, minutes = date_in(label), time_in(label)
    hour = "" if minutes is None else str(minutes // 60)
    of_hours = [criterion for criterion in criteria if "hour" in words(criterion.field)]
    of_days = [criterion for criterion in criteria if all(date_in(value) for value in criterion.values)]
    return day is not None and holds_all(of_days, day.isoformat()) and (not of_hours or bool(hour and holds_all(of_hours, hour)))


def cell_chosen(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """Of the cells that are labelled with a day, and for criteria of an hour with an hour, those furthest down the page: before them there
    may be a small calendar. If none meets the criteria, the button before them that leads to others."""
    cells = [element for element in page.usable({"button"}) if date_in(element.label)]
    begins = max((after.place for cell, after in pairwise(cells) if after.place - cell.place > _MOST_BETWEEN), default=0)
    cells = [cell for cell in cells if cell.place >= begins]
    if chosen := next((cell for cell in cells if is_cell(cell.label, criteria)), None):
        return (replace(press(page, chosen), once=True),)
    days = [day for one in criteria for value in one.values if (day := date_in(value))]
    shown = date_in(cells[0].label) if cells else None
    if not shown or not days:
        return ()
    before = [element for element in reversed(page.elements[: cells[0].place]) if not date_in(element.label)]
    button = best_button(before[:_MOST_BETWEEN], ("previous", "prev") if days[0] <= shown else ("next",), 0.7)
    return (replace(press(page, button), repeats=True),) if button else ()


def uncovered(page: Page, past: Past, actions: Sequence[Action]) -> Sequence[Action]:
    """After Escape, where an open calendar may cover what is pressed: many stay open once a day is chosen."""
    selector = actions[0].fields.get("selector") if actions[0].type == "ClickAction" else None
    pressed = page.element(selector) if selector else None
    days = (element for calendar in calendars(page) for _, element in calendar.days)
    is_under = pressed is not None and not pressed.overlay and any(element.overlay for element in days)
    return [ESCAPE, *actions] if is_under and not past.is_stuck([ESCAPE]) else actions


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


def chosen_from_list(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    if at_once := day_chosen(page, criteria) or _suggested(page, criteria):
        return at_once
    # A stated option identifies the list's field; excluded values would fit any list.
    ordered = sorted(by_name(criteria), key=only_exclude)
    by_overlay: dict[int, list[Element]] = defaultdict(list)
    for shown in in_time(page.usable({"option", "button"})):
        if (shown.role == "option" or shown.overlay) and (shown.label or shown.text):
            by_overlay[shown.overlay].append(shown)
    for _, options in in_time(sorted(by_overlay.items(), reverse=True)):  # the list opened last is on top, and last in most markup
        chosen = next((option for unit in ordered if (option := _option(options, unit)) is not None), None)
        if chosen is not None:
            return (press(page, chosen),)
    return ()


def offers_choice(page: Page, intent: Intent) -> bool:
    in_dialog = intent.kind is Kind.CHOOSE and chosen_in_dialog(page, to_choose(intent))
    return bool(chosen_from_list(page, intent.criteria) or in_dialog)


def chosen_in_dialog(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """The button of an open dialog that has such a value and nothing to fill in: it is a list to choose from."""
    inside = [element for element in page.elements if element.layer and element.usable]
    buttons = [element for element in inside if element.role == "button" and element.label]
    if len(buttons) < len(inside):
        return ()
    chosen = next((option for unit in by_name(criteria) if (option := _option(buttons, unit)) is not None), None)
    return (press(page, chosen),) if chosen else ()


def _suggested(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """The suggestion below a filled field that repeats its value: many sites take a place only from there."""
    offered = [Slot(field) for field in page.usable({"textbox", "combobox", PICKER})]
    given = answers(criteria, offered, page) if any(slot.value and not slot.opens for slot in offered) else ()
    for answer in (one for one in given if one.slot.value and not one.slot.opens):
        field, value = answer.slot.element, " ".join(words(answer.slot.value))
        below = takewhile(lambda element: element.role in {"button", "option"}, page.elements[field.place + 1 :])
        shown = (element for element in islice(below, _MOST_SUGGESTED) if element.usable and not element.selected)
        named = ((element, f"{' '.join(words(element.label or element.text))} ") for element in shown)
        repeats = (element for element, label in named if label.startswith((f"{value} ", f"use {value} ")))
        if holds_all(answer.criteria, answer.slot.value) and (suggestion := next(repeats, None)):
            return (replace(press(page, suggestion), once=True),)
    return ()


def _option(options: Sequence[Element], unit: Sequence[Criterion]) -> Element | None:
    texts = [option.label or option.text for option in options]
    days = sum(date_in(text) is not None for text in texts)
    is_dated = all(date_in(value) is not None for criterion in unit for value in criterion.values)
    if 2 * days > len(texts) or (is_dated and not days):
        is_of = is_dated and days > 0
    else:
        # Plain buttons are a list for excluded values only if one of them has such a value.
        excluded = {" ".join(words(value)) for criterion in unit for value in criterion.values if criterion.operator.negative}
        plain = all(option.role != "option" for option in options) and only_exclude(unit)
        is_of = not plain or any(" ".join(words(text)) in excluded for text in texts)
    if not is_of:
        return None
    if all(PURE_NUMBER.fullmatch(value.strip()) for criterion in unit for value in criterion.values):
        # Longer texts contain other numbers, and a time of day is no number.
        texts = [text if len(words(text)) <= _MOST_OF_NUMBER and time_in(text) is None else "" for text in texts]
    elif not is_dated and all(time_in(value) is not None for criterion in unit for value in criterion.values):
        texts = [text if time_in(text) is not None else "" for text in texts]  # the number of a day is no time
    value = option_for([text for text in texts if not days or not is_dated or _DATED.search(text)], unit)
    chosen = options[texts.index(value)] if value is not None else None
    return None if chosen is None or chosen.selected else chosen


@dataclass(frozen=True, slots=True)
class Counter:
    name: str
    count: int
    less: Element
    more: Element


def counted(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """The presses that set the counters of the criteria to the nearest numbers that meet them; or the one that opens the counters."""
    shown, presses = list(_counters(page)), list[Move]()
    for unit in by_name(criteria):
        named = ((_name_likeness(unit[0].field, counter.name), counter) for counter in shown)
        merit, counter = max(named, key=lambda hit: hit[0], default=(0.0, None))
        if counter and merit >= _NAMED and not meets_all(unit, str(counter.count)):
            steps = steps_to(counter.count, unit)
            presses += [replace(press(page, counter.more if steps > 0 else counter.less), repeats=True)] * abs(steps)
    of_guests = [criterion for criterion in criteria if _OF_GUESTS & set(words(criterion.field))]
    return tuple(presses) or (() if shown or not of_guests else _counters_opened(page, of_guests))


def steps_to(count: int, criteria: Sequence[Criterion], least: int = 0) -> int:
    """The difference from the count to the nearest other number that meets the criteria; negative if that is lower."""
    amounts = sorted((amount for amount in range(least, _MOST + 1) if amount != count), key=lambda amount: abs(amount - count))
    return next((amount for amount in amounts if meets_all(criteria, str(amount))), count + 1) - count


def _counters(page: Page) -> Iterator[Counter]:
    buttons = [element for element in page.elements if element.role == "button" and not (element.hidden or element.covered)]
    for less, more in pairwise(buttons):
        if less.text in _SIGNS_DOWN and more.text in _SIGNS_UP and more.group.isdecimal():
            item = page.items.get(more.place) or page.items.get(less.place)
            name = " ".join(word for word in words(more.label) if word not in _UP)
            yield Counter(f"{name} {item.name if item else less.group}", int(more.group), less, more)


def _name_likeness(field: str, name: str) -> float:
    return max(likeness(other, name) * weight for other, weight in names_of(field))


def _counters_opened(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    if answers(criteria, slots(page.elements), page):
        return ()
    pickers = [element for element in page.usable({"button", PICKER}) if not element.href and not element.overlay]
    named = ((max(_name_likeness("guests", text) for text in (picker.label, picker.hints)), picker) for picker in pickers)
    merit, picker = max(named, key=lambda hit: (hit[0], -hit[1].place), default=(0.0, None))
    return (replace(press(page, picker), once=True, opens=True),) if picker and merit >= _NAMED else ()


def wizard(intent: Intent, page: Page, past: Past) -> tuple[Move, ...]:
    """The moves that fill this step and lead to the next, or send the last; none where the top dialog is no such form."""
    inside = [element for element in page.elements if element.layer and not (element.hidden or element.covered)]
    if _is_of_another(inside, intent) or (intent.kind.has(Trait.CHANGES) and not intent.kind.row.sent_by):
        return ()
    # The button to the next step is at the dialog's foot; others may have the same word.
    foot = (element for element in reversed(inside) if _LEAVES.isdisjoint(words(element.label)) and not _STEP.fullmatch(element.label))
    steps = tuple(match[1] for element in inside if (match := _STEP.fullmatch(element.label)))
    names = (*_ONWARD, *steps[1:])  # a button called like the first step leads back to it
    onward = next((element for element in foot if was_named(element, names)), None)
    if onward is None and was_pressed(past, (*_ONWARD[:1], *steps)):
        onward = best_button([element for element in inside if element.usable and _may_send(element, intent)], intent.kind.row.sent_by, 0.6)
    if onward is None:
        return ()
    offered = slots(inside)
    is_item = intent.kind.has(Trait.OF_ITEM) and intent.kind is not Kind.CHOOSE  # the item's criteria are no values for a form
    given = answers(besides_item(intent) or (() if is_item else intent.criteria), offered, page)
    if is_item and not given:
        return ()
    is_shut = not page.elements[onward.place].usable
    fills = filled(page, (*given, *demanded(offered, given, _FIRST_FILLED, page, all_empty=is_shut)))
    is_next = was_named(onward, names)
    return fills if is_shut else (*fills, replace(press(page, onward), repeats=is_next, once=not is_next))


def _is_of_another(inside: Sequence[Element], intent: Intent) -> bool:
    """Whether a field is for the name of another thing than the task's: "team name", where a task is to be added."""
    named = {match[1].lower() for element in inside for text in (element.label, element.placeholder) for match in _NAME_OF.finditer(text)}
    return bool(named) and named.isdisjoint({*words(intent.text), *nouns_of(intent)})


def _may_send(button: Element, intent: Intent) -> bool:
    """Whether it sends only what the task is about: a skill is added to a job without posting the job, a value is only chosen."""
    label = set(words(button.label or button.text)).difference(*map(words, intent.kind.row.sent_by))
    return intent.kind is not Kind.CHOOSE and label <= {*words(intent.head), *nouns_of(intent)}


def was_named(button: Element, names: Sequence[str]) -> bool:
    """A button that confirms may match a synonym of "continue", but sends the form."""
    is_last = BINDS & set(words(button.label or button.text))
    return not is_last and best_button([replace(button, disabled=False)], names, 0.7) is not None
