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
LABELLED_TASK = re.compile(r"^\W*(?:the )?(?:user )?(?:task|prompt|goal|instruction)s?\b\W*[:=\n]\s*(.*\S)", re.IGNORECASE | re.MULTILINE)
ONE_SHOT = re.compile(r"about:blank|one[- ]shot|(?:empty|blank) page|whole (?:list|plan|task at once)", re.IGNORECASE)
PAST = re.compile(r"\b(?:worked|failed|succe\w+|exec_ok|clicked|typed|so far)\b", re.IGNORECASE)
XPATH = re.compile(r"(?<![:\w/])\(?//[a-z*][\w*-]*(?:\[[^\]\n]*\]|/+[\w*-]+|\))*")
ROLES = "textbox|searchbox|spinbutton|combobox|listbox|button|link|tab|menuitem"
NUMBERED = re.compile(rf'(?<![\w"])(\d{{1,4}}) (?:{ROLES}) "[^"\n]*"(?: \(\w+\))?')
TAG = re.compile(r"<(?:input|textarea|select|button|a)\b[^>\n]*>[^<\n]*", re.IGNORECASE)
ATTRIBUTES = ("id", "name", "placeholder", "aria-label", "href", "type", "value")
PAIR = re.compile(rf"(?<![\w@?&-])({'|'.join(ATTRIBUTES)})=(?:\"([^\"\n']+)\"|'([^'\n\"]+)'|([^\s\"'\],>]+))", re.IGNORECASE)
IDENTIFIER = re.compile(r"-?[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class Element:
    """One element that the messages name: how an action names it, and the words around it, in lower case. `used`: it was acted on before.

    `target` is `{"element": 3}` where the messages number the elements, else `{"selector": {…}}`.
    """

    target: dict[str, Any]
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
    asked = "\n".join(text for role, text in texts if role != "assistant")
    return Situation(_task(text), _url(text), elements, not elements or bool(ONE_SHOT.search(asked)))


def _url(text: str) -> str:
    labelled = LABELLED_URL.search(text)
    first = re.search(URL, text)
    return labelled.group(1) if labelled else first.group() if first else ""


def _task(text: str) -> str:
    labelled = LABELLED_TASK.search(text)
    return re.split(r'",\s*"', labelled.group(1))[0] if labelled else text


def _elements(text: str) -> tuple[Element, ...]:
    lines = text.splitlines()
    past = "\n".join(line for line in lines if PAST.search(line))
    numbered = [found for line in lines if not PAST.search(line) for found in NUMBERED.finditer(line)]
    if numbered:
        return tuple(Element({"element": int(found[1])}, found[0].lower(), found[0] in past) for found in numbered)
    for find in (_json_selectors, _listed):
        found = [(selector, line) for line in lines if not PAST.search(line) for selector in find(line)]
        if found:
            return tuple(Element({"selector": selector}, line.lower(), selector["value"] in past) for selector, line in found)
    return ()


def _listed(line: str) -> Iterator[dict[str, Any]]:
    """One selector of a line that lists an element, one of each tag in a line of HTML."""
    for part in [tag.group() for tag in TAG.finditer(line)] or [line]:
        path = XPATH.search(part)
        if path:
            yield {"type": "xpathSelector", "value": path.group()}
        else:
            yield from sorted(_pairs(part), key=lambda selector: ATTRIBUTES.index(selector["attribute"]))[:1]


def _json_selectors(line: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    for brace in re.finditer(r"\{", line):
        try:
            value, _ = decoder.raw_decode(line, brace.start())
        except ValueError:
            continue
        if value.get("type") in SELECTORS and isinstance(value.get("value"), str):
            yield value


def _pairs(line: str) -> Iterator[dict[str, Any]]:
    for match in PAIR.finditer(line):
        attribute, value = match.group(1).lower(), match.group(2) or match.group(3) or match.group(4)
        if attribute != "id" or IDENTIFIER.fullmatch(value):
            yield {"type": "attributeValueSelector", "attribute": attribute, "value": value}
