"""Reads what a model would read in a miner's messages: the task, its url, and the elements that the page excerpt lists.

No wording is taken for granted: selectors are found as JSON, as XPath, as HTML tags or as `name=value` pairs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

SELECTORS = {"attributeValueSelector", "tagContainsSelector", "xpathSelector"}
URL = r"https?://[^\s\"'<>)\]}\\,]+"
LABELLED_URL = re.compile(rf"\burl\b\W{{0,8}}({URL})", re.IGNORECASE)
LABELLED_TASK = re.compile(r"^\W*(?:the )?(?:user )?(?:task|prompt|goal|instruction)s?\b\W*[:=]\s*(.*\S)", re.IGNORECASE | re.MULTILINE)
ONE_SHOT = re.compile(r"about:blank|one[- ]shot|NavigateAction|whole (?:list|plan)", re.IGNORECASE)
XPATH = re.compile(r"(?<![:\w/])\(?//[a-z*][\w*-]*(?:\[[^\]\n]*\]|/+[\w*-]+|\))*")
TAG = re.compile(r"<(?:input|textarea|select|button|a)\b[^>\n]*>[^<\n]*", re.IGNORECASE)
PAIR = re.compile(r"\b(id|name|placeholder|aria-label|href)\s*=\s*(?:\"([^\"\n']+)\"|'([^'\n\"]+)'|([\w./?=&-]+))", re.IGNORECASE)
IDENTIFIER = re.compile(r"-?[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class Element:
    """One element that the messages name: its selector and the words around it, in lower case. `used`: named more than once."""

    selector: dict[str, Any]
    words: str
    used: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """`url` "" when none is told; `one_shot`: a whole plan is wanted, from a blank page on."""

    task: str
    url: str
    elements: tuple[Element, ...]
    one_shot: bool


def read(texts: Sequence[tuple[str, str]]) -> Situation:
    """The situation that `texts`, pairs of role and text, describe. The system's text counts only where nobody else speaks."""
    text = "\n".join(text for role, text in texts if role not in {"system", "assistant"}) or "\n".join(text for _, text in texts)
    elements = _elements(text)
    return Situation(_task(text), _url(text), elements, not elements or bool(ONE_SHOT.search(text)))


def _url(text: str) -> str:
    labelled = LABELLED_URL.search(text)
    first = re.search(URL, text)
    return labelled.group(1) if labelled else first.group() if first else ""


def _task(text: str) -> str:
    labelled = LABELLED_TASK.search(text)
    return re.split(r'",\s*"', labelled.group(1))[0] if labelled else text


def _elements(text: str) -> tuple[Element, ...]:
    for find in (_json_selectors, _xpaths, _tags, _pairs):
        found = [Element(selector, line.lower()) for line in text.splitlines() for selector in find(line)]
        if found:
            return _once(found)
    return ()


def _once(found: list[Element]) -> tuple[Element, ...]:
    keys = [json.dumps(element.selector, sort_keys=True) for element in found]
    first = {key: element for key, element in reversed(list(zip(keys, found, strict=True)))}
    return tuple(Element(first[key].selector, first[key].words, keys.count(key) > 1) for key in dict.fromkeys(keys))


def _json_selectors(line: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    for brace in re.finditer(r"\{", line):
        try:
            value, _ = decoder.raw_decode(line, brace.start())
        except ValueError:
            continue
        if value.get("type") in SELECTORS and isinstance(value.get("value"), str):
            yield value


def _xpaths(line: str) -> Iterator[dict[str, Any]]:
    return ({"type": "xpathSelector", "value": match.group()} for match in XPATH.finditer(line))


def _tags(line: str) -> Iterator[dict[str, Any]]:
    for tag in TAG.finditer(line):
        yield from list(_pairs(tag.group()))[:1]


def _pairs(line: str) -> Iterator[dict[str, Any]]:
    for match in PAIR.finditer(line):
        attribute, value = match.group(1).lower(), match.group(2) or match.group(3) or match.group(4)
        if attribute != "id" or IDENTIFIER.fullmatch(value):
            yield {"type": "attributeValueSelector", "attribute": attribute, "value": value, "case_sensitive": False}
