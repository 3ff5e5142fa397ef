"""A page as text for the LLM, within a budget of tokens: numbered controls, and items with their attributes."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice
from typing import NamedTuple

from agents.contract.origins import Site
from agents.contract.protocol import Step
from agents.contract.task_rules import site_of
from agents.page import Element, Page, Record
from agents.page.elements import BUTTONS, FIELDS, PICKER
from agents.page.matching import words
from agents.page.nodes import one_line
from agents.prompting import element_text
from agents.prompting.element_text import cut, says_nothing, shortest_name
from agents.template.items.matching import Verdict, judge
from agents.template.prompt.criteria import Criterion
from agents.template.prompt.intents import Intent, understand
from agents.template.prompt.masking import LONGEST_PROMPT
from agents.template.prompt.targets import target_of
from agents.template.prompt.task_kinds import Trait

# Tokenizers make a token of about four characters of English prose and three of labels and JSON, but of each figure, and of each
# character of some scripts.
CHARACTERS_PER_TOKEN = 3.0


def tokens(text: str) -> int:
    plain = text.encode("ascii", "ignore")
    letters = len(plain.translate(None, b"0123456789"))
    return math.ceil(letters / CHARACTERS_PER_TOKEN) + len(text) - letters


def fitted(text: str, most: int) -> str:
    if tokens(text) <= most:
        return text
    low, high = 0, min(len(text), int(most * CHARACTERS_PER_TOKEN))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens(text[:middle]) < most else (low, middle - 1)
    return f"{text[:low]}…"


# The most that is read of a page.
_MOST_RECORDS, _MOST_TEXT, _MOST_ERRORS = 300, 8_000, 3
_MOST_OF_A_LINE, _MOST_ALIKE, _MOST_OF_A_STAGE, _MOST_DISABLED, _MOST_NUMBERED = 5, 2, 80, 150, 10
# Words that an item shares with the prompt without meeting its criteria, beyond which it is worth no more.
_MOST_SHARED = 2
# From that many items of a page, or controls whose names differ by numbers only, each further one is worth less than all else is.
_ENOUGH, _ITEM_LESS, _CONTROL_LESS = 12, 2.0, 5.0
_FIGURES = re.compile(r"\d+")
# A link that does not begin like this stays on the site: routes, queries, fragments, scripts.
_ELSEWHERE = re.compile(r"(?:[/\\]{2}|(?!javascript:)[a-z][a-z0-9+.-]*:)", re.I)
# Most links: they stay on the site and need no further check.
_ROUTE = re.compile(r"[?#]|/[^/\\\t\n\r]")
# Browsers ignore line ends and tabs in an address, and control characters around it.
_DROPPED, _CONTROLS = dict.fromkeys(map(ord, "\t\n\r")), "".join(map(chr, range(33)))
_NO_CRITERIA = Verdict(0, 0, 0)
# A number before each element, and a comma after it.
_MARK_TOKENS = 3
# Words of nearly every prompt, which distinguish no elements.
_USUAL = frozenset(
    """the and for with where that which this from into please than then not equal contain greater less
    one all any has have are was show page detail""".split()  # noqa: SIM905 (words read best as words)
)
_ITEMS, _TEXT, _NO_SECTION = "ITEMS", "TEXT", "IN NO SECTION"
MARKS = f"on items: {element_text.MET} met, {element_text.NOT_MET} not met, {element_text.NOT_SHOWN} not shown here"
# In tokens: the criteria, and the sentence on what is left out.
MOST_LEGEND, MOST_LEFT = 200, 30


@dataclass(frozen=True, slots=True)
class Shown:
    """`elements`: by their numbers in `text`. `operable`: these, and those left out. `page` None: no page, or a blank one."""

    text: str = ""
    elements: Mapping[int, Element] = field(default_factory=dict)
    page: Page | None = None
    operable: tuple[Element, ...] = ()
    disabled: tuple[Element, ...] = ()

    def described(self, number: int) -> str:
        return f"{number} {element_text.control_text(self.elements[number])}"


class _Line(NamedTuple):
    """`section`: the heading above it. `elements`: those that get a number, which disabled ones do not. `render`: makes the text before the
    elements, and the text of each; called only where there may be room for it. `about` is a part of that text."""

    section: str
    merit: float
    place: tuple[int, bool, int]
    render: Callable[[], tuple[str, Sequence[str]]]
    elements: Sequence[Element] = ()
    about: str = ""

    @property
    def least(self) -> int:
        """The fewest tokens that the line can take."""
        least = tokens(self.about)
        for element in self.elements:
            least += _MARK_TOKENS + tokens(element_text.shortest_text(element))
        return least


def show(step: Step, page: Page | None, budget: int) -> Shown:
    """At most about `budget` tokens: what fits the prompt best, and a count of the rest. Links to other sites are left out."""
    if page is None or page.blank:
        return Shown()
    view = _View(step, page)
    head, lines = view.head(), list(view.lines())
    kept = _chosen(lines, budget - tokens(head) - MOST_LEFT)
    elements, parts, section = dict[int, Element](), list[str](), ""
    for line, text, element_texts in kept:
        parts += [line.section] if line.section != section else []
        section, first = line.section, len(elements) + 1
        elements |= dict(enumerate(line.elements, first))
        parts.append(text + ", ".join(f"{number} {each}" for number, each in enumerate(element_texts, first)))
    text = "\n".join([head, _left(lines, [line for line, *_ in kept], view.collapsed), *parts])
    return Shown(text.strip(), elements, page, tuple(view.operable), tuple(element for element in view.seen if element.disabled))


def _chosen(lines: Sequence[_Line], budget: int) -> list[tuple[_Line, str, Sequence[str]]]:
    """The lines that fit into the budget, in the page's order, each with its texts."""
    kept, sections = list[tuple[_Line, str, Sequence[str]]](), set[str]()
    for line in sorted(lines, key=lambda line: (-line.merit, line.place)):
        cost = 1 if line.section in sections else tokens(line.section) + 2
        if line.least + cost > budget:
            continue
        text, element_texts = line.render()
        cost += tokens(text) + sum(tokens(each) + _MARK_TOKENS for each in element_texts)
        if cost <= budget:
            budget -= cost
            sections.add(line.section)
            kept.append((line, text, element_texts))
    return sorted(kept, key=lambda entry: entry[0].place)


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
    """What of a page is shown for a step. `collapsed`: controls without a line, as others like them have one; set by `lines`."""

    step: Step
    page: Page
    collapsed: int = 0

    @cached_property
    def intent(self) -> Intent:
        return understand(self.step.prompt)

    @cached_property
    def prompt_words(self) -> frozenset[str]:
        return _prompt_words(self.step.prompt, self.intent)

    @cached_property
    def operable(self) -> list[Element]:
        return [element for element in self.seen if not element.disabled and element.place not in self._off_site]

    @cached_property
    def _off_site(self) -> frozenset[int]:
        """The places of the links to other sites."""
        site = site_of(self.step)
        return frozenset(element.place for element in self.seen if element.href and _is_off_site(element.href, site))

    @cached_property
    def seen(self) -> list[Element]:
        """As a person sees them: the topmost dialog first, disabled controls too, nothing behind a dialog."""
        seen = (element for element in self.page.elements if not (element.hidden or element.covered))
        return sorted(seen, key=_order)

    @cached_property
    def stages(self) -> list[tuple[Intent, tuple[Criterion, ...]]]:
        """The stages of the task that are about an item, with its criteria."""
        stages = self.intent.stages
        return [(stage, criteria) for stage in stages if stage.kind.has(Trait.OF_ITEM) and (criteria := target_of(stage).criteria)]

    @cached_property
    def criteria(self) -> list[Criterion]:
        return [criterion for _, criteria in self.stages for criterion in criteria]

    def head(self) -> str:
        page, parts = self.page, [f"Title: {cut(self.page.title, 100)}"] if self.page.title else []
        parts += [f"# {cut(heading, 80)}" for heading in page.headings[:1]]
        parts += [f"The page says: {cut(error, 160)}" for error in page.errors[:_MOST_ERRORS]]
        if page.subject is not None:
            marks = element_text.criteria_marks(judge(self.criteria, page.subject, whole=True))
            parts.append(f"This page is about: {f'[{marks}] ' if marks else ''}{element_text.item_text(page.subject, has_text=False)}")
        if self.criteria and (page.records or page.subject):
            parts.append(self._legend())
        return "\n".join(parts)

    def _legend(self) -> str:
        """What the marks on items stand for, and the prompt's sentences about these items."""
        stages = " … ".join(f'"{cut(stage.head, _MOST_OF_A_STAGE)}"' for stage, _ in self.stages)
        criteria = (f"{at} {one.field} {one.operator} {' or '.join(map(repr, one.values))}" for at, one in enumerate(self.criteria, 1))
        return fitted(f"Criteria of {stages} ({MARKS}): {'; '.join(criteria)}", MOST_LEGEND)

    def lines(self) -> Iterator[_Line]:
        listed = {element.place for _, inside in self._items for element in inside}
        made, seen = list[tuple[float, Verdict, Record, list[Element]]](), set[tuple[str, tuple[str, ...]]]()
        leading = [tuple([element.href for element in inside]) for _, inside in self._items]
        often = Counter(leading)
        for (record, inside), hrefs in zip(self._items, leading, strict=True):
            # A site shows some items in several lists; those with the same links are shown once.
            same = (element_text.item_text(record) if often[hrefs] > 1 else "", hrefs)
            if inside and not (all(hrefs) and same in seen):
                seen.add(same)
                verdict = judge(self.criteria, record) if self.criteria else _NO_CRITERIA
                made.append((self._worth(record, verdict), verdict, record, _once(record, inside)))
        for rank, (merit, verdict, record, inside) in enumerate(sorted(made, key=lambda entry: -entry[0])):
            yield from self._of_record(record, verdict, inside, merit - _ITEM_LESS * max(0, rank - _ENOUGH))
        yield from self._of_elements(element for element in self.seen if element.place not in listed)
        yield from self._texts()

    @cached_property
    def _items(self) -> list[tuple[Record, list[Element]]]:
        """With the controls in each that can be operated."""
        places = {element.place for element in self.operable}
        read = ((record, [element for element in record.elements if element.place in places]) for record in self.page.records)
        pages = self.page.pagination
        leads_on = {pages.next, pages.previous, *pages.numbered.values()}
        items = ((record, inside) for record, inside in islice(read, _MOST_RECORDS) if record.name not in self.page.dialogs)
        return [(record, inside) for record, inside in items if not (leads_on.issuperset(inside) or says_nothing(record, inside))]

    def _worth(self, record: Record, verdict: Verdict) -> float:
        if verdict.fits and verdict.met:
            return 50.0 + 5 * verdict.met
        return 20.0 + 10 * min(_shared(record.text[:400], self.prompt_words), _MOST_SHARED)

    def _texts(self) -> Iterator[_Line]:
        """Those that no item, name or value has."""
        named = {text for element in self.seen for text in (element.label, element.text, element.value)}
        named |= {element.group for element in self.seen if element.role in FIELDS}
        named |= {section.name for section in self.page.sections.values()}
        listed = f" {' '.join((*(record.text for record, _ in self._items), *named, *self.page.errors))} "
        texts = (text for text in self.page.texts(_MOST_TEXT, is_topmost=True) if f" {text} " not in listed)
        for place, text in enumerate(dict.fromkeys(texts), len(self.page.elements)):
            yield _Line(_TEXT, 12 + 8 * _shared(text, self.prompt_words) - place / 1_000, (0, True, place), partial(_render_text, text))

    def _of_elements(self, elements: Iterable[Element]) -> Iterator[_Line]:
        seen, alike, section, off = set[tuple[str, str]](), Counter[tuple[str, ...]](), "", list[Element]()
        for element in elements:
            same, before, section = (element.label, element.href), section, self._section(element)
            if (element.href and same in seen) or element.place in self._off_site:
                continue
            seen.add(same)
            is_off = element.disabled and element.role in BUTTONS
            if not is_off or before != section:
                yield from self._disabled(off, before)
                off.clear()
            if is_off:
                off.append(element)
                continue
            # Of a row of stars each one means something else.
            nth = str(min(element.nth, _MOST_NUMBERED))
            alike[kind := (section, element.role, element.label, nth)] += 1
            if alike[kind] <= _MOST_ALIKE or element.role in FIELDS:
                alike[numbered := (section, _FIGURES.sub("0", element.label))] += 1
                yield self._of_element(element, section, _CONTROL_LESS * max(0, alike[numbered] - _ENOUGH))
            else:
                self.collapsed += 1
        yield from self._disabled(off, section)

    def _disabled(self, elements: Sequence[Element], section: str) -> Iterator[_Line]:
        """Buttons that can't be pressed now, in one line."""
        if len(elements) == 1:
            yield self._of_element(elements[0], section, 0.0)
        elif elements:
            named = ", ".join(f'"{element_text.shortest_name(element.label)}"' for element in elements)
            text = cut(f"disabled buttons: {named}", _MOST_DISABLED)
            yield _Line(section, 20 - elements[0].place / 100, _order(elements[0]), lambda: (f"- {text}", ()))

    def _section(self, element: Element) -> str:
        section, is_in_dialog = self.page.sections[element.place], element.layer > 0
        if section.kind == "item":
            return f"DIALOG {cut(self.page.dialogs[-1], 60)} (open, over the page)" if is_in_dialog and self.page.dialogs else _NO_SECTION
        if section.kind == "page":
            return _NO_SECTION + (" (in the open dialog)" if is_in_dialog else "")
        name = f"{section.kind.upper()} {cut(section.name, 60)}".strip()
        form = "" if section.form is None else f" (in {f'FORM {cut(section.form, 40)}'.strip()})"
        inside = " (in the open dialog)" if is_in_dialog else ""
        return f"{name} (open, over the page)" if section.kind == "dialog" else f"{name}{form}{inside}"

    def _of_element(self, element: Element, section: str, less: float) -> _Line:
        shared = _shared(f"{element.label} {element.text} {element.placeholder} {element.name} {element.group}", self.prompt_words)
        if element.role in FIELDS or element.role == PICKER:
            merit = 60.0 + 10 * shared
        else:
            usual = 20 if element.footer else 40
            merit = (55 if element.submits else usual + 10 if shared else usual) + 10 * shared - element.place / 100
        render = partial(self._render_element, element)
        return _Line(section, merit - less, _order(element), render, () if element.disabled else (element,))

    def _render_element(self, element: Element) -> tuple[str, Sequence[str]]:
        text = element_text.text_of(element, self.criteria, self.prompt_words)
        return (f"- {text}", ()) if element.disabled else ("", (text,))

    def _of_record(self, record: Record, verdict: Verdict, inside: Sequence[Element], merit: float) -> Iterator[_Line]:
        """A line with the controls that fit the prompt best, then lines with the rest."""
        prompt_words = self.prompt_words
        best, rest = inside, list[Element]()
        if len(inside) > _MOST_OF_A_LINE:
            by_merit = sorted(inside, key=lambda element: (-_shared(element.label, prompt_words), element.place))
            best, rest = by_merit[:_MOST_OF_A_LINE], sorted(by_merit[_MOST_OF_A_LINE:], key=lambda element: element.place)
        more = (rest[at : at + _MOST_OF_A_LINE] for at in range(0, len(rest), _MOST_OF_A_LINE))
        for nth, some in enumerate((sorted(best, key=_order) if len(best) > 1 else best, *more)):
            render = partial(self._render_item, record, None if nth else verdict, some)
            about = "" if nth else shortest_name(record.name)
            yield _Line(_ITEMS, merit - nth - record.place / 100, _order(inside[0]), render, some, about)

    def _render_item(self, record: Record, verdict: Verdict | None, some: Sequence[Element]) -> tuple[str, Sequence[str]]:
        """Without a verdict: a line that continues an item."""
        marks = element_text.criteria_marks(verdict) if verdict else ""
        about = element_text.item_text(record) if verdict else f"more of {cut(record.name, 40)}"
        return f"- {f'[{marks}] ' if marks else ''}{about} → ", [
            element_text.text_of(element, self.criteria, self.prompt_words, record.name) for element in some
        ]


def _once(record: Record, inside: Sequence[Element]) -> list[Element]:
    """Without links that lead where another of the item does: of its picture, its name and its button, the button stays."""
    kept = dict[str | int, Element]()
    for element in inside:
        if (key := element.href or element.place) not in kept or kept[key].label in {"", record.name}:
            kept[key] = element
    return list(kept.values())


def _render_text(text: str) -> tuple[str, Sequence[str]]:
    return one_line(text), ()


def _order(element: Element) -> tuple[int, bool, int]:
    return -element.layer, not element.overlay, element.place


def _prompt_words(prompt: str, intent: Intent) -> frozenset[str]:
    pieces = (prompt[at : at + 400] for at in range(0, min(len(prompt), LONGEST_PROMPT), 400))
    return frozenset(word for piece in (*pieces, *intent.chain) for word in words(piece) if len(word) > 2) - _USUAL


def _is_off_site(href: str, site: Site | None) -> bool:
    if _ROUTE.match(href):
        return False
    href = href.translate(_DROPPED).strip(_CONTROLS)
    return site is not None and _ELSEWHERE.match(href) is not None and site.absolute(href) is None


def _shared(text: str, prompt_words: frozenset[str]) -> int:
    return len(prompt_words.intersection(words(text)))
