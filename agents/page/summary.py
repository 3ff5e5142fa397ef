"""A page as a short text, and what has changed on it since the step before."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from agents.page.elements import FIELDS
from agents.page.nodes import one_line
from agents.page.reading import Page

_MOST_OPTIONS, _MOST_TEXTS, _COMPARED = 20, 40, 20_000


def excerpt(page: Page, limit: int) -> str:
    """The page in at most `limit` characters, cut at a line's end: title, headings, a line for each usable element, texts."""
    kept, left = list[str](), limit
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
    for element in page.elements:
        if element.usable:
            line = f'{element.role} "{one_line(element.label, 80)}"'
            if element.role in FIELDS and element.value:
                line += f' value "{one_line(element.value, 60)}"'
            if element.options:
                line += " options " + " | ".join(one_line(option, 40) for option in element.options[:_MOST_OPTIONS])
            yield line
    yield from (f"Text: {text}" for text in islice(page.texts(limit), 400))


@dataclass(frozen=True, slots=True)
class Changes:
    """`moved`: to another path or query. `appeared` and `gone`: texts, names of elements included. `errors` are new ones. `opened` is the
    name of the dialog that lies on top now and did not before, `closed`: one that lay there is gone."""

    moved: bool
    appeared: tuple[str, ...]
    gone: tuple[str, ...]
    errors: tuple[str, ...]
    opened: str | None
    closed: bool


def changes(before: Page, after: Page) -> Changes:
    old, new = (
        Counter(
            [*page.texts(_COMPARED), *page.headings, *(element.label for element in page.elements if not element.hidden and element.label)]
        )
        for page in (before, after)
    )
    was, top = (page.dialogs[-1] if page.dialogs else None for page in (before, after))
    return Changes(
        moved=_where(before.url) != _where(after.url),
        appeared=tuple(new - old)[:_MOST_TEXTS],
        gone=tuple(old - new)[:_MOST_TEXTS],
        errors=tuple(text for text in after.errors if text not in before.errors),
        opened=top if top != was else None,
        closed=was is not None and top is None,
    )


def _where(url: str) -> tuple[str, str]:
    parts = urlsplit(url) if "[" not in url else None
    return (parts.path.rstrip("/"), parts.query) if parts else (url, "")
