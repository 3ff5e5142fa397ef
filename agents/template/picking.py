"""Pressing one of many things on a page that nobody has seen: the first card that meets the conditions, on whichever page of the list."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from agents.actions import Action, InvalidAction, click
from agents.selectors import xpath
from agents.template.site_facts import Item

# Where the thing was opened already, a press that is left over goes to a heading, which does nothing.
_HARMLESS = "//*[self::h1 or self::h2 or self::h3]"


def pressed(item: Item, inside: str, tests: Sequence[str]) -> Action:
    """Press within the first card that meets the conditions, where none does within the first card; as many of them as can be said."""
    here, left = _here(item)
    for most in range(len(tests), 0, -1):
        fitting = item.card + "".join(tests[:most])
        # Asked of the first card alone: browsers would look for a fitting one again for each, which takes them minutes.
        either = f"{fitting}{inside}{here} | ({item.card})[1][not({fitting})]{inside}{here}{left}"
        for expression in (f"({either})[1]", f"({fitting}{inside}{here}{left})[1]"):
            with suppress(InvalidAction):
                return click(xpath(expression))
    return click(xpath(f"({item.card}{inside})[1]"))


def sought(item: Item, inside: str, tests: Sequence[str]) -> list[Action]:
    """Press within a card that meets the conditions or, where this page of the list has none, what leads to the next page.

    Nothing for a list that has one page, or conditions that are too long to say.
    """
    if not (item.next and tests):
        return []
    here, left = _here(item)
    fitting = item.card + "".join(tests)
    with suppress(InvalidAction):
        return [click(xpath(f"({fitting}{inside}{here} | {item.next}{here}[not({fitting})]{left})[1]"))]
    return []


def _here(item: Item) -> tuple[str, str]:
    """A predicate that holds on the list's page alone, and what to press where it doesn't."""
    return (f"[{item.here}]", f" | {_HARMLESS}[not({item.here})]") if item.here else ("", "")
