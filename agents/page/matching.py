"""How well an element answers to a name: scores instead of exact matches, as texts differ by seed."""

from __future__ import annotations

import re
from functools import lru_cache

from agents.page.elements import Element

_WORD = re.compile(r"[^\W_]+")
_E_MAIL = re.compile(r"\be-(?=mail)", re.I)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Below this an element shares a word with the wanted name and no more.
GOOD_ENOUGH = 0.45
_WEAK_SOURCE = 0.85


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case; camelCase, snake_case and kebab-case come apart, a plural counts as its
    singular, e-mail is one word.
    """
    return tuple(_singular(word.lower()) for word in _WORD.findall(_CAMEL.sub(" ", _E_MAIL.sub("e", text[:400]))))


# A page of hundreds of buttons is asked for dozens of names, several times a step.
@lru_cache(maxsize=8192)
def likeness(wanted: str, said: str) -> float:
    """From 0 (nothing in common) to 1 (the same words): the share of wanted words said, less a little for what is said besides."""
    want, have = words(wanted), words(said)
    if not want or not have:
        return 0.0
    if want == have or "".join(want) == "".join(have):
        return 1.0
    shared = len(set(want) & set(have))
    return 0.75 * shared / len(set(want)) + 0.2 * shared / len(set(have))


def score(element: Element, wanted: str) -> float:
    """The best likeness among label, text, placeholder and name; what only the markup knows counts a little less."""
    said = max(likeness(wanted, text) for text in (element.label, element.text, element.placeholder))
    value = element.value if _is_push(element) else ""
    marked = max(likeness(wanted, text) for text in (element.name, element.hints, value))
    return max(said, marked * _WEAK_SOURCE)


def _is_push(element: Element) -> bool:
    return element.tag == "input" and element.role == "button"


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
