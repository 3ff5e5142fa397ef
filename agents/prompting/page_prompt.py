"""What an LLM is shown of a page: what can be operated, by number; the items with their attributes; within a budget of tokens."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from agents.contract.origins import Site
from agents.contract.protocol import Step
from agents.contract.task_rules import site_of
from agents.page import Element, Page, Record
from agents.page.elements import FIELDS
from agents.page.matching import words
from agents.page.nodes import one_line
from agents.template.items.matching import judge
from agents.template.prompt.criteria import Criterion
from agents.template.prompt.intents import Intent, target_of, understand
from agents.template.prompt.masking import LONGEST_PROMPT

# Tokenizers make a token of about four characters of English prose and three of labels and JSON, but of each figure, and of each
# character of some scripts.
CHARACTERS_PER_TOKEN = 3.0
_FIGURES = str.maketrans("", "", "0123456789")


def tokens(text: str) -> int:
    plain = sum(map(str.isascii, text)) if not text.isascii() else len(text)
    figures = len(text) - len(text.translate(_FIGURES))
    return math.ceil((plain - figures) / CHARACTERS_PER_TOKEN) + figures + len(text) - plain


def fitted(text: str, most: int) -> str:
    if tokens(text) <= most:
        return text
    low, high = 0, min(len(text), int(most * CHARACTERS_PER_TOKEN))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) < most else (low, middle - 1)
    return f"{text[:low]}…"


_PARTS = FIELDS_PART, ITEMS_PART, PRESSED_PART, TEXT_PART = "FIELDS", "ITEMS", "LINKS AND BUTTONS", "TEXT"
# What a page has beyond these was not read in a second by anybody.
_MOST_RECORDS, _MOST_TEXT, _MOST_ERRORS = 300, 3_000, 3
_MOST_OF_A_RECORD, _MOST_ATTRIBUTES, _MOST_OPTIONS = 5, 8, 12
# Whatever does not begin so stays on the site: routes, queries, fragments, scripts.
_ELSEWHERE = re.compile(r"(?:[/\\]{2}|(?!javascript:)[a-z][a-z0-9+.-]*:)", re.I)
# As browsers read an address: without line ends and tabs anywhere, and without control characters around it.
_DROPPED, _CONTROLS = dict.fromkeys(map(ord, "\t\n\r")), "".join(map(chr, range(33)))
# A number before each element, and a comma after it.
_MARK_TOKENS = 3
# What stands in every prompt and distinguishes no elements.
_USUAL = frozenset(
    """the and for with where that which this from into please than then not equal contain greater less
    one all any has have are was show page detail""".split()  # noqa: SIM905 (words read best as words)
)


@dataclass(frozen=True, slots=True)
class Shown:
    """`elements`: by the numbers that stand in `text`. `page` None: none came along, or a blank one."""

    text: str = ""
    elements: Mapping[int, Element] = field(default_factory=dict)
    page: Page | None = None

    def described(self, number: int) -> str:
        return f"{number} {_named(self.elements[number])}"


@dataclass(frozen=True, slots=True)
class _Line:
    part: str
    merit: float
    place: int
    text: str
    elements: tuple[tuple[Element, str], ...] = ()

    @property
    def tokens(self) -> int:
        return tokens(self.text) + sum(tokens(said) + _MARK_TOKENS for _, said in self.elements) + 1


def show(step: Step, page: Page | None, budget: int) -> Shown:
    """At most about `budget` tokens: what answers to the prompt's words first, the rest cut with a count. Links that lead off the
    task's site are not shown, so that nobody is led there."""
    if page is None or page.blank:
        return Shown()
    parts = [f"Title: {one_line(page.title, 100)}", *(f"# {one_line(heading, 80)}" for heading in page.headings[:1])]
    parts += [f"The page says: {one_line(error, 160)}" for error in page.errors[:_MOST_ERRORS]]
    lines, kept = list(_lines(step, page)), list[_Line]()
    budget -= tokens("\n".join(parts))
    for line in sorted(lines, key=lambda line: (-line.merit, line.place)):
        if line.tokens <= budget:
            budget -= line.tokens
            kept.append(line)
    kept.sort(key=lambda line: line.place)
    # A number before each element, in the page's order within each part.
    elements: dict[int, Element] = {}
    for part in _PARTS:
        shown = list[str]()
        for line in (line for line in kept if line.part == part):
            numbered = [(number, *one) for number, one in enumerate(line.elements, len(elements) + 1)]
            elements |= {number: element for number, element, _ in numbered}
            shown.append(line.text + ", ".join(f"{number} {said}" for number, _, said in numbered))
        left = sum(line.part == part for line in lines) - len(shown)
        shown += [f"({left} more not shown)"] if left else []
        parts += [part, *shown] if shown else []
    return Shown("\n".join(parts).strip(), elements, page)


def _lines(step: Step, page: Page) -> Iterator[_Line]:
    intent, site = understand(step.prompt), site_of(step)
    wanted = _wanted(step.prompt, intent)
    usable = [element for element in page.elements if element.usable and not _leads_away(element, site)]
    reachable = {element.place for element in usable}
    criteria = [one for stage in (intent, *intent.then) for one in target_of(stage).criteria]
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
    of_records = "\n".join(record.text for record in page.records[:_MOST_RECORDS])
    for place, text in enumerate(text for text in page.texts(_MOST_TEXT) if text not in of_records):
        yield _Line(TEXT_PART, 12 + 8 * _shared(text, wanted) - place / 100, place, one_line(text))


def _wanted(prompt: str, intent: Intent) -> frozenset[str]:
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
    inside = [element for element in record.elements if element.place in reachable]
    if not inside:
        return
    verdict = judge(criteria, record)
    merit = 50 + 5 * verdict.met if criteria and verdict.fits and verdict.met else 20 + 10 * _shared(record.text[:400], wanted)
    ranked = sorted(inside, key=lambda element: (-_shared(element.label, wanted), element.place))[:_MOST_OF_A_RECORD]
    shown = tuple((element, _field(element, wanted) if element.role in FIELDS else _named(element)) for element in ranked)
    attributes = [f"{name} {one_line(value, 40)}" for name, value in islice(record.attributes.items(), _MOST_ATTRIBUTES)]
    item = " | ".join([one_line(record.name, 60), *(attributes or [one_line(record.text, 80)])])
    yield _Line(ITEMS_PART, merit - record.place / 100, record.place, f"- {item} → ", shown)


def _named(element: Element) -> str:
    label = one_line(element.label or element.text or element.hints or element.href, 60)
    return f'{element.role} "{label}"' + (" (on)" if element.selected else "")


def _field(element: Element, wanted: frozenset[str]) -> str:
    label = one_line(element.label or element.placeholder or element.name or element.hints, 60)
    parts = [f'{element.role} "{label}"']
    parts += [f"in {one_line(element.group, 40)}"] if element.group else []
    parts += [f"({element.type})"] if element.type not in {"", "text", element.role} else []
    parts += [f'= "{one_line(element.value, 40)}"'] if element.value else []
    if element.options:
        ranked = sorted(element.options, key=lambda option: -_shared(option, wanted))[:_MOST_OPTIONS]
        more = len(element.options) - len(ranked)
        shown = " | ".join(one_line(option, 30) for option in element.options if option in ranked)
        parts.append(f"options: {shown}" + (f" | {more} more" if more else ""))
    return " ".join(parts)
