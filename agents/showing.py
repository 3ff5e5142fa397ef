"""What an LLM is shown of a page: what can be operated, by number; the items with their attributes; within a budget of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from agents.conventions import site_of
from agents.page import Element, Page, Record
from agents.page.elements import FIELDS
from agents.page.matching import words
from agents.page.wording import one_line
from agents.protocol import Step
from agents.sites import Site
from agents.template.criteria import Criterion
from agents.template.intents import Intent, understand
from agents.template.judging import judge
from agents.template.masking import LONGEST_PROMPT
from agents.template.quest import quest_of
from agents.tokens import tokens

FIELDS_PART, ITEMS_PART, PRESSED_PART, TEXT_PART = "FIELDS", "ITEMS", "LINKS AND BUTTONS", "TEXT"
_PARTS = (FIELDS_PART, ITEMS_PART, PRESSED_PART, TEXT_PART)
# What a page has beyond these was not read in a second by anybody.
_MOST_RECORDS = 300
_MOST_TEXT = 3_000
_MOST_OF_A_RECORD = 5
_MOST_ATTRIBUTES = 8
_MOST_OPTIONS = 12
_MOST_ERRORS = 3
# Whatever does not begin so stays on the site: routes, queries, fragments, scripts.
_ELSEWHERE = re.compile(r"(?:[/\\]{2}|(?!javascript:)[a-z][a-z0-9+.-]*:)", re.I)
# As browsers read an address: without line ends and tabs anywhere, and without control characters around it.
_DROPPED = dict.fromkeys(map(ord, "\t\n\r"))
_CONTROLS = "".join(map(chr, range(33)))
# A number before each element, and a comma after it.
_MARK_TOKENS = 3
# What stands in every prompt and tells no element from another.
_USUAL = frozenset(
    """the and for with where that which this from into please than then not equal contain greater less
    one all any has have are was show page detail""".split()  # noqa: SIM905 (words read best as words)
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as an LLM is shown it. `elements`: by the numbers that stand in `text`. `page` None: none came along, or a blank one."""

    text: str = ""
    elements: Mapping[int, Element] = field(default_factory=dict)
    page: Page | None = None

    def described(self, number: int) -> str:
        """An element as the text shows it: its number, role and label."""
        return f"{number} {_named(self.elements[number])}"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that may be shown, in one part of the text: the more merit, the sooner."""

    part: str
    merit: float
    place: int
    text: str
    elements: tuple[tuple[Element, str], ...] = ()

    @property
    def tokens(self) -> int:
        return tokens(self.text) + sum(tokens(said) + _MARK_TOKENS for _, said in self.elements) + 1


def show(step: Step, page: Page | None, budget: int) -> Shown:
    """The page in at most about `budget` tokens: what answers to the prompt's words first, the rest cut with a count.

    Links that lead off the task's site are not shown, so that nobody is led there.
    """
    if page is None or page.blank:
        return Shown()
    head = "\n".join(_head(page))
    lines = list(_lines(step, page))
    kept = _kept(lines, budget - tokens(head))
    text, elements = _numbered(kept, lines)
    return Shown(f"{head}\n{text}".strip(), elements, page)


def _head(page: Page) -> Iterator[str]:
    yield f"Title: {one_line(page.title, 100)}"
    yield from (f"# {one_line(heading, 80)}" for heading in page.headings[:1])
    yield from (f"The page says: {one_line(error, 160)}" for error in page.errors[:_MOST_ERRORS])


def _kept(lines: Iterable[_Line], budget: int) -> list[_Line]:
    kept = []
    for line in sorted(lines, key=lambda line: (-line.merit, line.place)):
        if line.tokens <= budget:
            budget -= line.tokens
            kept.append(line)
    return sorted(kept, key=lambda line: line.place)


def _numbered(kept: list[_Line], lines: list[_Line]) -> tuple[str, dict[int, Element]]:
    """The text with a number before each element, in the page's order within each part; and the elements by number."""
    elements: dict[int, Element] = {}
    parts: list[str] = []
    for part in _PARTS:
        shown = [line for line in kept if line.part == part]
        told = []
        for line in shown:
            marks = []
            for element, said in line.elements:
                elements[len(elements) + 1] = element
                marks.append(f"{len(elements)} {said}")
            told.append(line.text + ", ".join(marks))
        left = sum(line.part == part for line in lines) - len(shown)
        told += [f"({left} more not shown)"] if left else []
        parts += [part, *told] if told else []
    return "\n".join(parts), elements


def _lines(step: Step, page: Page) -> Iterator[_Line]:
    intent, site = understand(step.prompt), site_of(step)
    wanted = _wanted(step.prompt, intent)
    usable = [element for element in page.elements if element.usable and not _leads_away(element, site)]
    reachable = {element.place for element in usable}
    criteria = [one for stage in (intent, *intent.then) for one in quest_of(stage).criteria]
    records = [line for record in page.records[:_MOST_RECORDS] for line in _of_record(record, criteria, wanted, reachable)]
    yield from records
    listed = {element.place for line in records for element, _ in line.elements}
    seen: set[tuple[str, str]] = set()
    for element in usable:
        same = (element.label, element.href)
        if element.place in listed or (element.href and same in seen):
            continue
        seen.add(same)
        yield _of_element(element, wanted)
    told = "\n".join(record.text for record in page.records[:_MOST_RECORDS])
    for place, text in enumerate(text for text in page.texts(_MOST_TEXT) if text not in told):
        yield _Line(TEXT_PART, 12 + 8 * _shared(text, wanted) - place / 100, place, one_line(text))


def _wanted(prompt: str, intent: Intent) -> frozenset[str]:
    """The words of the prompt that may tell elements apart."""
    pieces = (prompt[at : at + 400] for at in range(0, min(len(prompt), LONGEST_PROMPT), 400))
    said = {word for piece in (*pieces, *intent.chain) for word in words(piece)}
    return frozenset(word for word in said if len(word) > 2) - _USUAL


def _leads_away(element: Element, site: Site | None) -> bool:
    href = element.href.translate(_DROPPED).strip(_CONTROLS)
    return site is not None and _ELSEWHERE.match(href) is not None and site.absolute(href) is None


def _shared(text: str, wanted: frozenset[str]) -> int:
    return len(wanted.intersection(words(text)))


def _of_element(element: Element, wanted: frozenset[str]) -> _Line:
    said = f"{element.label} {element.text} {element.placeholder} {element.name} {element.group}"
    shared, on_top = _shared(said, wanted), 100 * element.layer
    if element.role in FIELDS:
        return _Line(FIELDS_PART, 60 + 10 * shared + on_top, element.place, "", ((element, _field(element, wanted)),))
    merit = (55 if element.submits else 30 if shared else 20) + 10 * shared + on_top
    return _Line(PRESSED_PART, merit - element.place / 100, element.place, "", ((element, _named(element)),))


def _of_record(record: Record, criteria: list[Criterion], wanted: frozenset[str], reachable: set[int]) -> Iterator[_Line]:
    """The item with what can be operated in it; nothing for one in which nothing can be."""
    inside = [element for element in record.elements if element.place in reachable]
    if not inside:
        return
    verdict = judge(criteria, record)
    merit = 50 + 5 * verdict.met if criteria and verdict.fits and verdict.met else 20 + 10 * _shared(record.text[:400], wanted)
    ranked = sorted(inside, key=lambda element: (-_shared(element.label, wanted), element.place))[:_MOST_OF_A_RECORD]
    shown = tuple((element, _field(element, wanted) if element.role in FIELDS else _named(element)) for element in ranked)
    yield _Line(ITEMS_PART, merit - record.place / 100, record.place, f"- {_item(record)} → ", shown)


def _item(record: Record) -> str:
    told = [f"{name} {one_line(value, 40)}" for name, value in islice(record.attributes.items(), _MOST_ATTRIBUTES)]
    return " | ".join([one_line(record.name, 60), *(told or [one_line(record.text, 80)])])


def _named(element: Element) -> str:
    label = one_line(element.label or element.text or element.hints or element.href, 60)
    return f'{element.role} "{label}"' + (" (on)" if element.selected else "")


def _field(element: Element, wanted: frozenset[str]) -> str:
    label = one_line(element.label or element.placeholder or element.name or element.hints, 60)
    parts = [f'{element.role} "{label}"']
    parts += [f"in {one_line(element.group, 40)}"] if element.group else []
    parts += [f"({element.type})"] if element.type not in {"", "text", element.role} else []
    parts += [f'= "{one_line(element.value, 40)}"'] if element.value else []
    parts += [f"options: {_options(element, wanted)}"] if element.options else []
    return " ".join(parts)


def _options(element: Element, wanted: frozenset[str]) -> str:
    ranked = sorted(element.options, key=lambda option: -_shared(option, wanted))[:_MOST_OPTIONS]
    more = len(element.options) - len(ranked)
    return " | ".join(one_line(option, 30) for option in element.options if option in ranked) + (f" | {more} more" if more else "")
