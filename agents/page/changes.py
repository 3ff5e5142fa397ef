"""What has changed on a page since the step before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

from agents.page.reading import Page
from agents.page.signs import Dialog

_MOST_TEXTS = 40
_READ = 20_000


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference of two readings. `moved`: another path or query. `appeared` and `gone`: texts, names of elements included.

    `errors` are new ones, `opened` is the dialog that lies on top now and did not before, `closed`: one that lay there is gone.
    """

    moved: bool
    appeared: tuple[str, ...]
    gone: tuple[str, ...]
    errors: tuple[str, ...]
    opened: Dialog | None
    closed: bool

    @property
    def any(self) -> bool:
        return self != _NONE


_NONE = Changes(moved=False, appeared=(), gone=(), errors=(), opened=None, closed=False)


def changes(before: Page, after: Page) -> Changes:
    """What is on the page `after` that was not on `before`, and the other way round."""
    old, new = _texts(before), _texts(after)
    was, top = before.dialog_on_top, after.dialog_on_top
    known = set(before.errors)
    return Changes(
        moved=_where(before.url) != _where(after.url),
        appeared=tuple(new - old)[:_MOST_TEXTS],
        gone=tuple(old - new)[:_MOST_TEXTS],
        errors=tuple(text for text in after.errors if text not in known),
        opened=top if top is not None and (was is None or was.label != top.label) else None,
        closed=was is not None and top is None,
    )


def _texts(page: Page) -> Counter[str]:
    return Counter([*page.texts(_READ), *page.headings, *(one.label for one in page.elements if not one.hidden and one.label)])


def _where(url: str) -> tuple[str, str]:
    parts = urlsplit(url) if "[" not in url else None
    return (parts.path.rstrip("/"), parts.query) if parts else (url, "")
