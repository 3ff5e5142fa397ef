"""What an LLM is shown of a page: what can be operated, by number; the items with their attributes; within a budget of tokens."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

from agents.contract.origins import Site
from agents.contract.protocol import Step
from agents.contract.task_rules import site_of
from agents.page import Element, Page, Record
from agents.page.elements import FIELDS
from agents.page.matching import words
from agents.page.nodes import one_line
from agents.prompting import page_words
from agents.prompting.page_words import called, cut
from agents.template.items.matching import Verdict, judge
from agents.template.prompt.criteria import Criterion
from agents.template.prompt.intents import Intent, target_of, understand
from agents.template.prompt.masking import LONGEST_PROMPT
from agents.template.prompt.task_rows import Trait

# Tokenizers make a token of about four characters of English prose and three of labels and JSON, but of each figure, and of each
# character of some scripts.
CHARACTERS_PER_TOKEN = 3.0


def tokens(text: str) -> int:
    plain = text.encode("ascii", "ignore")
    words = len(plain.translate(None, b"0123456789"))
    return math.ceil(words / CHARACTERS_PER_TOKEN) + len(text) - words


def fitted(text: str, most: int) -> str:
    if tokens(text) <= most:
        return text
    low, high = 0, min(len(text), int(most * CHARACTERS_PER_TOKEN))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) < most else (low, middle - 1)
    return f"{text[:low]}…"


# What a page has beyond these was not read in a second by anybody.
_MOST_RECORDS, _MOST_TEXT, _MOST_ERRORS = 300, 3_000, 3
_MOST_OF_A_LINE, _MOST_ALIKE, _MOST_OF_A_STAGE = 5, 2, 80
# Whatever does not begin so stays on the site: routes, queries, fragments, scripts.
_ELSEWHERE = re.compile(r"(?:[/\\]{2}|(?!javascript:)[a-z][a-z0-9+.-]*:)", re.I)
# Most links: what stays on the site without a closer look.
_ROUTE = re.compile(r"[?#]|/[^/\\\t\n\r]")
# As browsers read an address: without line ends and tabs anywhere, and without control characters around it.
_DROPPED, _CONTROLS = dict.fromkeys(map(ord, "\t\n\r")), "".join(map(chr, range(33)))
_NO_CRITERIA = Verdict(0, 0, 0)
# A number before each element, and a comma after it.
_MARK_TOKENS = 3
# What stands in every prompt and distinguishes no elements.
_USUAL = frozenset(
    """the and for with where that which this from into please than then not equal contain greater less
    one all any has have are was show page detail""".split()  # noqa: SIM905 (words read best as words)
)
_ITEMS, _TEXT = "ITEMS", "TEXT"
MARKS = f"on items: {page_words.MET} met, {page_words.NOT_MET} not met, {page_words.NOT_SHOWN} not shown here"
# In tokens: of the criteria, and of the sentence on what is left out.
MOST_LEGEND, MOST_LEFT = 200, 30


@dataclass(frozen=True, slots=True)
class Shown:
    """`elements`: by the numbers that stand in `text`. `operable`: these and those for which there was no room. `page` None: none came
    along, or a blank one."""

    text: str = ""
    elements: Mapping[int, Element] = field(default_factory=dict)
    page: Page | None = None
    operable: tuple[Element, ...] = ()

    def described(self, number: int) -> str:
        return f"{number} {page_words.named(self.elements[number])}"


class _Line(NamedTuple):
    """`section`: under what it stands on the page. `elements`: what gets a number; a disabled one stands in the text. `worded`: the text
    before them, and what is said of each, made only where there may be room for it; `about` is in that text."""

    section: str
    merit: float
    place: tuple[int, bool, int]
    worded: Callable[[], tuple[str, Sequence[str]]]
    elements: Sequence[Element] = ()
    about: str = ""

    @property
    def least(self) -> int:
        """The fewest tokens that it takes, whatever is said besides."""
        least = tokens(self.about)
        for one in self.elements:
            least += _MARK_TOKENS + tokens(page_words.beginning(one))
        return least


def show(step: Step, page: Page | None, budget: int) -> Shown:
    """At most about `budget` tokens: what answers to the prompt's words first, the rest cut with a count. Links that lead off the
    task's site are not shown, so that nobody is led there."""
    if page is None or page.blank:
        return Shown()
    view = _View(step, page)
    head, lines = view.head(), list(view.lines())
    kept = _chosen(lines, budget - tokens(head) - MOST_LEFT)
    elements, parts, section = dict[int, Element](), list[str](), ""
    for line, text, said in kept:
        parts += [line.section] if line.section != section else []
        section, first = line.section, len(elements) + 1
        elements |= dict(enumerate(line.elements, first))
        parts.append(text + ", ".join(f"{number} {one}" for number, one in enumerate(said, first)))
    text = "\n".join([head, _left(lines, [line for line, *_ in kept], view.collapsed), *parts])
    return Shown(text.strip(), elements, page, tuple(view.operable))


def _chosen(lines: Sequence[_Line], budget: int) -> list[tuple[_Line, str, Sequence[str]]]:
    """In the page's order, each with its words."""
    kept, sections = list[tuple[_Line, str, Sequence[str]]](), set[str]()
    for line in sorted(lines, key=lambda line: (-line.merit, line.place)):
        cost = 1 if line.section in sections else tokens(line.section) + 2
        if line.least + cost > budget:
            continue
        text, said = line.worded()
        cost += tokens(text) + sum(tokens(one) + _MARK_TOKENS for one in said)
        if cost <= budget:
            budget -= cost
            sections.add(line.section)
            kept.append((line, text, said))
    return sorted(kept, key=lambda one: one[0].place)


def _left(lines: Sequence[_Line], kept: Sequence[_Line], collapsed: int) -> str:
    def counts(some: Sequence[_Line]) -> tuple[int, int, int]:
        sections = Counter([line.section for line in some])
        return sum([len(line.elements) for line in some]), sections[_ITEMS], sections[_TEXT]

    there, shown = counts(lines), counts(kept)
    named = zip((collapsed, 0, 0), there, shown, ("controls", "items", "texts"), strict=True)
    left = [f"{count} {name}" for more, all_, some, name in named if (count := more + all_ - some)]
    return f"(Left out, as they fit the task least: {', '.join(left)}.)" if left else "(All that can be operated is listed.)"


@dataclass
class _View:
    """What of a page is shown for a step. `collapsed`: controls that have no line, as others like them have; known after `lines`."""

    step: Step
    page: Page
    collapsed: int = 0

    @cached_property
    def intent(self) -> Intent:
        return understand(self.step.prompt)

    @cached_property
    def wanted(self) -> frozenset[str]:
        return _wanted(self.step.prompt, self.intent)

    @cached_property
    def operable(self) -> list[Element]:
        return [element for element in self._seen if not element.disabled and element.place not in self._away]

    @cached_property
    def _away(self) -> frozenset[int]:
        """The places of the links that lead off the task's site."""
        site = site_of(self.step)
        return frozenset(element.place for element in self._seen if element.href and _leads_away(element.href, site))

    @cached_property
    def _seen(self) -> list[Element]:
        """As a person sees them: the dialog on top first, what is disabled too, nothing behind a dialog."""
        seen = (element for element in self.page.elements if not (element.hidden or element.covered))
        return sorted(seen, key=_order)

    @cached_property
    def stages(self) -> list[tuple[Intent, tuple[Criterion, ...]]]:
        """What is about an item, with the item's criteria."""
        stages = (self.intent, *self.intent.then)
        return [(stage, found) for stage in stages if stage.kind.has(Trait.OF_ITEM) and (found := target_of(stage).criteria)]

    @cached_property
    def criteria(self) -> list[Criterion]:
        return [one for _, found in self.stages for one in found]

    def head(self) -> str:
        page, parts = self.page, [f"Title: {cut(self.page.title, 100)}"] if self.page.title else []
        parts += [f"# {cut(heading, 80)}" for heading in page.headings[:1]]
        parts += [f"The page says: {cut(error, 160)}" for error in page.errors[:_MOST_ERRORS]]
        if page.subject is not None:
            marks = page_words.marks(judge(self.criteria, page.subject, whole=True))
            parts.append(f"This page is about: {f'[{marks}] ' if marks else ''}{page_words.item(page.subject)}")
        if self.criteria and (page.records or page.subject):
            parts.append(self._legend())
        return "\n".join(parts)

    def _legend(self) -> str:
        """What the marks on items stand for, with the prompt's own words for what is to be done with the item."""
        stages = " … ".join(f'"{cut(stage.head, _MOST_OF_A_STAGE)}"' for stage, _ in self.stages)
        criteria = (f"{at} {one.field} {one.operator} {' or '.join(map(repr, one.values))}" for at, one in enumerate(self.criteria, 1))
        return fitted(f"Criteria of {stages} ({MARKS}): {'; '.join(criteria)}", MOST_LEGEND)

    def lines(self) -> Iterator[_Line]:
        places, records = {element.place for element in self.operable}, self.page.records[:_MOST_RECORDS]
        insides = [[element for element in record.elements if element.place in places] for record in records]
        leading = [tuple([element.href for element in inside]) for inside in insides]
        often, seen = Counter(leading), set[tuple[str, tuple[str, ...]]]()
        for record, inside, hrefs in zip(records, insides, leading, strict=True):
            # A site shows some items in several of its lists; what leads to the same place is shown once.
            same = (page_words.item(record) if often[hrefs] > 1 else "", hrefs)
            if inside and not (all(hrefs) and same in seen):
                seen.add(same)
                yield from self._of_record(record, inside)
        listed = {element.place for inside in insides for element in inside}
        yield from self._of_elements(element for element in self._seen if element.place not in listed)
        yield from self._texts([*records, *([self.page.subject] if self.page.subject else [])])

    def _texts(self, records: Iterable[Record]) -> Iterator[_Line]:
        named = {text for one in self._seen for text in (one.label, one.group, one.value)}
        named |= {section.name for section in self.page.sections.values()}
        listed = "\n".join((*(record.text for record in records), *named, *self.page.errors))
        texts = (text for text in self.page.texts(_MOST_TEXT) if text not in listed)
        for place, text in enumerate(texts, len(self.page.elements)):
            yield _Line(_TEXT, 12 + 8 * _shared(text, self.wanted) - place / 1_000, (0, True, place), partial(_text_worded, text))

    def _of_elements(self, elements: Iterable[Element]) -> Iterator[_Line]:
        seen, alike, section = set[tuple[str, str]](), defaultdict[tuple[str, str, str], int](int), ""
        for element in elements:
            same, section = (element.label, element.href), self._section(element) or section
            if (element.href and same in seen) or element.place in self._away:
                continue
            seen.add(same)
            alike[kind := (section, element.role, element.label)] += 1
            if alike[kind] <= _MOST_ALIKE or element.role in FIELDS:
                yield self._of_element(element, section)
            else:
                self.collapsed += 1

    def _section(self, element: Element) -> str:
        """ "" for what belongs to none, such as a disabled control."""
        if (found := self.page.sections.get(element.place)) is None:
            return ""
        if found.kind == "page":
            return "IN NO SECTION"
        name = f"{found.kind.upper()} {cut(found.name, 60)}".strip()
        form = "" if found.form is None else f" (in {f'FORM {cut(found.form, 40)}'.strip()})"
        return f"{name} (open, over the page)" if found.kind == "dialog" else f"{name}{form}"

    def _of_element(self, element: Element, section: str) -> _Line:
        said = f"{element.label} {element.text} {element.placeholder} {element.name} {element.group}"
        shared = _shared(said, self.wanted)
        if element.role in FIELDS:
            merit = 60.0 + 10 * shared
        else:
            merit = (55 if element.submits else 30 if shared else 20) + 10 * shared - element.place / 100
        worded = partial(self._worded, element)
        return _Line(section, merit, _order(element), worded, () if element.disabled else (element,))

    def _worded(self, element: Element) -> tuple[str, Sequence[str]]:
        said = page_words.worded(element, self.criteria, self.wanted)
        return (f"- {said}", ()) if element.disabled else ("", (said,))

    def _of_record(self, record: Record, inside: Sequence[Element]) -> Iterator[_Line]:
        """A line with what fits best of it, and where it has more, lines with the rest."""
        wanted = self.wanted
        verdict = judge(self.criteria, record) if self.criteria else _NO_CRITERIA
        merit = 50 + 5 * verdict.met if verdict.fits and verdict.met else 20 + 10 * _shared(record.text[:400], wanted)
        best, rest = inside, list[Element]()
        if len(inside) > _MOST_OF_A_LINE:
            by_merit = sorted(inside, key=lambda element: (-_shared(element.label, wanted), element.place))
            best, rest = by_merit[:_MOST_OF_A_LINE], sorted(by_merit[_MOST_OF_A_LINE:], key=lambda element: element.place)
        more = (rest[at : at + _MOST_OF_A_LINE] for at in range(0, len(rest), _MOST_OF_A_LINE))
        for nth, some in enumerate((sorted(best, key=_order) if len(best) > 1 else best, *more)):
            worded = partial(self._item_worded, record, None if nth else verdict, some)
            yield _Line(_ITEMS, merit - nth - record.place / 100, _order(inside[0]), worded, some, "" if nth else called(record.name))

    def _item_worded(self, record: Record, verdict: Verdict | None, some: Sequence[Element]) -> tuple[str, Sequence[str]]:
        """Of a line that goes on with an item, without a verdict, only what it is called."""
        marks = page_words.marks(verdict) if verdict else ""
        about = page_words.item(record) if verdict else f"more of {cut(record.name, 40)}"
        return f"- {f'[{marks}] ' if marks else ''}{about} → ", [page_words.worded(one, self.criteria, self.wanted) for one in some]


def _text_worded(text: str) -> tuple[str, Sequence[str]]:
    return one_line(text), ()


def _order(element: Element) -> tuple[int, bool, int]:
    return -element.layer, not element.overlay, element.place


def _wanted(prompt: str, intent: Intent) -> frozenset[str]:
    pieces = (prompt[at : at + 400] for at in range(0, min(len(prompt), LONGEST_PROMPT), 400))
    said = {word for piece in (*pieces, *intent.chain) for word in words(piece)}
    return frozenset(word for word in said if len(word) > 2) - _USUAL


def _leads_away(href: str, site: Site | None) -> bool:
    if _ROUTE.match(href):
        return False
    href = href.translate(_DROPPED).strip(_CONTROLS)
    return site is not None and _ELSEWHERE.match(href) is not None and site.absolute(href) is None


def _shared(text: str, wanted: frozenset[str]) -> int:
    return len(wanted.intersection(words(text)))
