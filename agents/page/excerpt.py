"""A page in few words, for a language model and for operators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from agents.page.elements import FIELDS, Element
from agents.page.reading import Page
from agents.page.wording import one_line
from agents.selectors import ATTRIBUTE, Selector

_MOST_OPTIONS = 20


def excerpt(page: Page, limit: int) -> str:
    """The reduced page in at most `limit` characters, cut at a line's end.

    Title and headings first, then a line for each element that can be seen (role, label, state, selector), then visible text.
    """
    kept: list[str] = []
    left = limit
    for line in _lines(page, limit):
        if len(line) > left:
            break
        kept.append(line)
        left -= len(line) + 1
    return "\n".join(kept)


def _lines(page: Page, limit: int) -> Iterator[str]:
    if page.title:
        yield f"Title: {page.title}"
    yield from (f"# {heading}" for heading in page.headings)
    yield from (_line(page, element) for element in page.elements if element.usable)
    yield from (f"Text: {text}" for text in islice(page.texts(limit), 400))


def _line(page: Page, element: Element) -> str:
    parts = [element.role, f'"{one_line(element.label, 80)}"', _said(page.selector(element))]
    if element.role in FIELDS and element.value:
        parts.append(f'value "{one_line(element.value, 60)}"')
    if element.options:
        parts.append("options " + " | ".join(one_line(option, 40) for option in element.options[:_MOST_OPTIONS]))
    return " ".join(parts)


def _said(selector: Selector) -> str:
    """The selector as the contract writes it, in one token: `name=query`, `xpath=//form//button`."""
    if selector["type"] == ATTRIBUTE:
        return f"[{selector['attribute']}={selector['value']}]"
    return f"[xpath={selector['value']}]"
