"""The part of a site that a task is about, by the address that its navigation gives it: addresses are neither restyled nor translated."""

from __future__ import annotations

import re

from agents.page import Page
from agents.page.matching import words
from agents.sites import path_of
from agents.template.intents import Intent
from agents.template.leads import named_alike
from agents.template.moves import Move, press

# What follows these words says which one of the things is meant.
_HEAD = re.compile(r"\b(?:where|whose|that|which|with|to|from|named|called|titled)\b|[,;]", re.I)
_MOST_WORDS = 6


def to_section(intent: Intent, page: Page) -> tuple[Move, ...]:
    """Press the link to the part of the site whose address is named by what the prompt says first; nothing where there is none."""
    said = words(_HEAD.split(intent.words, maxsplit=1)[0])
    here = path_of(page.url).rstrip("/")
    links = [link for link in page.usable({"link"}) if link.href and len(words(link.label)) <= _MOST_WORDS]
    places = [(place, link) for link in links if (place := _place(link.href)) and path_of(link.href).rstrip("/") != here]
    for noun in (*said, *(other for word in said for other in sorted(named_alike(word)))):
        found = next((link for place, link in places if place == noun), None)
        if found is not None:
            return (press(page, found),)
    return ()


def _place(href: str) -> str:
    """The one word that the last part of an address is, in the singular; empty for an item's or the start page's."""
    parts = [part for part in path_of(href).split("/") if part]
    named = words(parts[-1]) if len(parts) == 1 else ()
    return named[0] if len(named) == 1 else ""
