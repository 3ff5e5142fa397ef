"""What a fair model answers: a plan for the prompt, valid by the validators' contract."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from agents.standin.reading import Element, Situation, read

FIELD = re.compile(r"<input|<textarea|//input|//textarea|\b(?:input|textbox|textarea|text|search ?box|password|email|field|placeholder)\b")
BUTTON = re.compile(r"\b(?:button|submit|link)\b|<button|<a\b|//button|//a\b|type=\W?submit")
PASSWORD = re.compile(r"password")
SUBMIT = re.compile(r"submit|button")
QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"")
ACCOUNT_WORDS = re.compile(r"log ?in|sign ?in|login")
FIRST_FIELD = {"selector": {"type": "xpathSelector", "value": "(//form//input[not(@type='hidden')])[1]"}}
PASSWORD_FIELD = {"selector": {"type": "xpathSelector", "value": "//input[@type='password']"}}
SUBMIT_BUTTON = {"selector": {"type": "xpathSelector", "value": "//form//button[@type='submit']"}}

Action = dict[str, Any]


def plan(texts: Sequence[tuple[str, str]]) -> str:
    """The JSON text `{"actions": [...]}` that answers `texts`, pairs of role and text."""
    return json.dumps({"actions": actions(read(texts))})


def actions(situation: Situation) -> list[Action]:
    """At least one action for the situation."""
    if situation.one_shot:
        return _whole_plan(situation)
    unused = [element for element in situation.elements if not element.used]
    return _next_actions(situation.task, unused) if unused else [{"type": "DoneAction"}]


def _whole_plan(situation: Situation) -> list[Action]:
    if not situation.url:
        return [{"type": "WaitAction", "time_seconds": 1.0}]
    start = {"type": "NavigateAction", "url": situation.url}
    if "password" in situation.task.lower():
        name, secret = _credentials(situation.task)
        return [start, _type(FIRST_FIELD, name), _type(PASSWORD_FIELD, secret), _click(SUBMIT_BUTTON)]
    if wanted := _quoted(situation.task):
        return [start, _type(FIRST_FIELD, wanted), {"type": "SendKeysIWAAction", "keys": "Enter"}]
    return [start, {"type": "ScrollAction", "down": True}]


def _next_actions(task: str, elements: list[Element]) -> list[Action]:
    fields = [element for element in elements if FIELD.search(element.words) and not BUTTON.search(element.words)]
    others = [element for element in elements if element not in fields]
    secrets = [field for field in fields if PASSWORD.search(field.words)]
    if "password" in task.lower() and secrets:
        return _log_in(task, [field for field in fields if field not in secrets], secrets[0], others)
    wanted = _quoted(task)
    if wanted and fields:
        return [_type(fields[0].target, wanted), *_submit(others)]
    return [_click(_nearest(task, others or elements).target)]


def _log_in(task: str, names: list[Element], secret: Element, others: list[Element]) -> list[Action]:
    name, password = _credentials(task)
    first = [_type(names[0].target, name)] if names else []
    return [*first, _type(secret.target, password), *_submit(others)]


def _submit(elements: list[Element]) -> list[Action]:
    buttons = [element for element in elements if SUBMIT.search(element.words)]
    return [_click(buttons[-1].target)] if buttons else []


def _nearest(task: str, elements: list[Element]) -> Element:
    """The element that shares most words with the task; the first of several."""
    words = set(re.findall(r"[a-z]{3,}", task.lower()))
    log_in = bool(ACCOUNT_WORDS.search(task.lower()))

    def likeness(element: Element) -> int:
        shared = len(words & set(re.findall(r"[a-z]{3,}", element.words)))
        return shared + (3 if log_in and ACCOUNT_WORDS.search(element.words) else 0)

    return max(elements, key=likeness)


def _credentials(task: str) -> tuple[str, str]:
    """The user's name and password as the task words them; the caller's placeholders where it words none."""
    return _credential(task, "username", "<username>"), _credential(task, "password", "<password>")


def _credential(task: str, name: str, placeholder: str) -> str:
    if found := re.search(rf"<\w*{name}>", task):
        return found.group()
    worded = re.search(rf"{name}\s*(?:equals|is|:|=)\s*['\"]?([^\s'\",]+)", task, re.IGNORECASE)
    return worded.group(1) if worded else placeholder


def _quoted(task: str) -> str:
    found = QUOTED.search(task)
    return (found.group(1) or found.group(2)) if found else ""


def _type(target: dict[str, Any], text: str) -> Action:
    return {"type": "TypeAction", **target, "text": text}


def _click(target: dict[str, Any]) -> Action:
    return {"type": "ClickAction", **target}
