"""The words of texts, and how alike two texts are."""

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_E_MAIL = re.compile(r"\be-(?=mail)", re.I)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# A page has up to 1,500 elements, each with up to six different texts, which are compared with dozens of names, several times a step.
_TEXTS = 16_384


@lru_cache(maxsize=_TEXTS)
def words(text: str) -> tuple[str, ...]:
    """In lower case; camelCase, snake_case and kebab-case come apart, a plural counts as its singular, e-mail is one word."""
    parts = [word.lower() for word in _WORD.findall(_CAMEL.sub(" ", _E_MAIL.sub("e", text[:400])))]
    return tuple(word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word for word in parts)


def word_set(text: str) -> frozenset[str]:
    """Of a table: the words as they stand."""
    return frozenset(text.split())


@lru_cache(maxsize=_TEXTS)
def forms(text: str) -> frozenset[str]:
    """The words of a text, and all of them in one: two texts with no form in common have nothing in common."""
    parts = words(text)
    return frozenset((*parts, "".join(parts))) if parts else frozenset()


@lru_cache(maxsize=_TEXTS)
def likeness(wanted: str, text: str) -> float:
    """From 0 (nothing in common) to 1 (the same words): the share of wanted words found, less a little for further words."""
    if forms(wanted).isdisjoint(forms(text)):
        return 0.0
    want, have = words(wanted), words(text)
    if want == have or "".join(want) == "".join(have):
        return 1.0
    shared = len(set(want) & set(have))
    return 0.75 * shared / len(set(want)) + 0.2 * shared / len(set(have))
