"""A plausible model's answer to the miner's prompt: a plan that is valid by the validators' contract.

Or a folder by which a person or a program plays the model: each prompt and each reply is a file in it.
"""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event, Lock
from typing import Any

from agents.devtools.fake_chutes.completions import ChatRequest

URL = r"https?://[^\s\"'<>)\]}\\,]+"
LABELLED_URL = re.compile(rf"\burl\b\W{{0,8}}({URL})", re.IGNORECASE)
LABELLED_TASK = re.compile(r"^\W*(?:the )?(?:user )?(?:task|prompt|goal|instruction)s?\b\W*[:=\n]\s*(.*\S)", re.IGNORECASE | re.MULTILINE)
ONE_SHOT = re.compile(r"about:blank|empty page|whole (?:plan|task at once)", re.IGNORECASE)
PAST = re.compile(r"\b(?:worked|failed|so far)\b", re.IGNORECASE)
FIELDS = "textbox|searchbox"
ELEMENT = re.compile(rf'(?<![\w"])(\d{{1,4}}) ({FIELDS}|spinbutton|combobox|listbox|button|link|tab|menuitem) "[^"\n]*"(?: \(\w+\))?')
QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"")
LOG_IN = re.compile(r"log ?in|sign ?in")
WORD = re.compile(r"[a-z]{3,}")

Action = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Element:
    """A numbered element of the prompt's page; `text`: its role and label, in lower case."""

    number: int
    role: str
    text: str


def plan(texts: Sequence[tuple[str, str]]) -> str:
    """The JSON text `{"actions": [...]}` that answers `texts`, pairs of role and text."""
    text = "\n".join(text for role, text in texts if role not in {"system", "assistant"})
    lines = text.splitlines()
    past = "\n".join(line for line in lines if PAST.search(line))
    matches = [match for line in lines if not PAST.search(line) for match in ELEMENT.finditer(line)]
    unused = [Element(int(match[1]), match[2], match[0].lower()) for match in matches if match[0].partition(" ")[2] not in past]
    labelled = LABELLED_TASK.search(text)
    task = re.split(r'",\s*"', labelled.group(1))[0] if labelled else text
    if not matches or any(ONE_SHOT.search(part) for role, part in texts if role != "assistant"):
        actions = _whole_plan(task, text)
    else:
        actions = _next_actions(task, unused) if unused else [{"type": "DoneAction"}]
    return json.dumps({"actions": actions})


def _whole_plan(task: str, text: str) -> list[Action]:
    url = LABELLED_URL.search(text) or re.search(f"({URL})", text)
    if url is None:
        return [{"type": "WaitAction", "time_seconds": 1.0}]
    start, first = {"type": "NavigateAction", "url": url.group(1)}, _by_xpath("(//form//input[not(@type='hidden')])[1]")
    if "password" in task.lower():
        name, password = _credential(task, "username"), _credential(task, "password")
        secret, submit = _by_xpath("//input[@type='password']"), _by_xpath("//form//button[@type='submit']")
        typed = [{"type": "TypeAction", **first, "text": name}, {"type": "TypeAction", **secret, "text": password}]
        return [start, *typed, {"type": "ClickAction", **submit}]
    if quoted := _quoted(task):
        return [start, {"type": "TypeAction", **first, "text": quoted}, {"type": "SendKeysIWAAction", "keys": "Enter"}]
    return [start, {"type": "ScrollAction", "down": True}]


def _next_actions(task: str, elements: list[Element]) -> list[Action]:
    fields = [element for element in elements if element.role in FIELDS.split("|")]
    controls = [element for element in elements if element not in fields]
    submit = [{"type": "ClickAction", "element": element.number} for element in controls if element.role == "button"][-1:]
    secrets = [field for field in fields if "password" in field.text]
    if "password" in task.lower() and secrets:
        name, password = _credential(task, "username"), _credential(task, "password")
        names = [{"type": "TypeAction", "element": field.number, "text": name} for field in fields if field not in secrets][:1]
        return [*names, {"type": "TypeAction", "element": secrets[0].number, "text": password}, *submit]
    quoted = _quoted(task)
    if quoted and fields:
        return [{"type": "TypeAction", "element": fields[0].number, "text": quoted}, *submit]
    return [{"type": "ClickAction", "element": _nearest(task, controls or elements).number}]


def _nearest(task: str, elements: list[Element]) -> Element:
    task_words, log_in = set(WORD.findall(task.lower())), bool(LOG_IN.search(task.lower()))

    def likeness(element: Element) -> int:
        return len(task_words & set(WORD.findall(element.text))) + (3 if log_in and LOG_IN.search(element.text) else 0)

    return max(elements, key=likeness)


def _credential(task: str, name: str) -> str:
    """The value that the task states; the caller's placeholder where it states none."""
    placeholder = re.search(rf"<\w*{name}>", task)
    stated = re.search(rf"{name}\s*(?:equals|is|:|=)\s*['\"]?([^\s'\",]+)", task, re.IGNORECASE)
    return placeholder.group() if placeholder else stated.group(1) if stated else f"<{name}>"


def _quoted(task: str) -> str:
    match = QUOTED.search(task)
    return (match.group(1) or match.group(2)) if match else ""


def _by_xpath(value: str) -> Action:
    return {"selector": {"type": "xpathSelector", "value": value}}


# A reply is read once it is complete, which shows by its size not changing any more.
POLL_SECONDS = 0.05
# No step lasts longer. A request for so few tokens is a probe.
LONGEST_SECONDS, PROBE_TOKENS = 180.0, 16


class Folder:
    """Prompts are `0001.prompt.txt` and so on, replies `0001.reply.txt`. Thread-safe."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path, self._lock = path, Lock()
        last = max((int(file.name[:4]) for file in path.glob("[0-9][0-9][0-9][0-9].prompt.txt")), default=0)
        self._numbers = count(last + 1)

    def reply_to(self, chat: ChatRequest, stopping: Event) -> str | None:
        """The reply to a prompt; None for a probe, or without one in time."""
        if chat.max_tokens is not None and chat.max_tokens <= PROBE_TOKENS:
            return None
        with self._lock:
            number = f"{next(self._numbers):04}"
        partly = self._path / f"{number}.partly"
        partly.write_text(_as_text(chat.texts), "utf-8")
        partly.rename(self._path / f"{number}.prompt.txt")
        return self._read(self._path / f"{number}.reply.txt", stopping)

    def _read(self, reply: Path, stopping: Event) -> str | None:
        until, size = time.monotonic() + LONGEST_SECONDS, -1
        while time.monotonic() < until and not stopping.wait(POLL_SECONDS):
            now = reply.stat().st_size if reply.exists() else -1
            if now > 0 and now == size:
                return reply.read_text("utf-8", "replace")
            size = now
        return None


def _as_text(texts: Sequence[tuple[str, str]]) -> str:
    return "\n\n".join(f"=== {role}\n{text}" for role, text in texts) + "\n"
