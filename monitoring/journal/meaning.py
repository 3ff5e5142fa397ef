"""What a log line tells of, and the facts in it: one table, for imported lines and for our own."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from monitoring.journal.lines import TRACEBACK


class Kind(StrEnum):
    """What a line tells of, by the names under which rows keep it."""

    ORDINARY = ""
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    TASK = "task"
    FALLBACK = "fallback"
    LLM_SUCCESS = "llm_success"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A line's kind and facts: numbers as numbers, names as text."""

    kind: Kind = Kind.ORDINARY
    facts: Mapping[str, Any] = field(default_factory=dict)


ORDINARY = Meaning()

_TASK = r"(?P<task>[\w.:/-]*\w)"
_NUMBER = r"\d+(?:\.\d+)?"
_SECONDS = rf"(?P<seconds>{_NUMBER}) ?s"
_WAIT = rf"wait(?:ing)? (?:for )?(?P<wait_seconds>{_NUMBER}) ?s"
# The first that is found counts. A named group is a fact; one named as the table's third column says is added as it stands there.
_TABLE: tuple[tuple[Kind, str, Mapping[str, Any]], ...] = (
    (Kind.TIMEOUT, rf"\btask {_TASK} timed out after {_SECONDS}", {}),
    (Kind.TIMEOUT, rf"timed out after {_SECONDS}(?:econds)? for task {_TASK}", {}),
    (Kind.FALLBACK, r"fall(?:ing|s|en)? ?back to (?:the )?template|fell back to (?:the )?template|using template fallback", {}),
    (Kind.FALLBACK, rf"returned for task {_TASK}, generating fallback actions", {}),
    (Kind.FALLBACK, r"the template agent answers|a plain answer goes out", {}),
    (Kind.RATE_LIMITED, rf"rate.?limited \(attempt (?P<attempt>\d+).*?\b{_WAIT}", {}),
    (Kind.RATE_LIMITED, rf"rate.?limited\b.*?\b{_WAIT}(?:.*?\battempt (?P<attempt>\d+))?", {}),
    (Kind.RATE_LIMITED, rf"backoff: {_WAIT}(?:.*?\battempt (?P<attempt>\d+))?", {}),
    (Kind.RATE_LIMITED, rf"\baccount (?P<account>[\w-]+) paused for (?P<wait_seconds>{_NUMBER}) s", {}),
    (Kind.RATE_LIMITED, r"\brate.?limited\b|\(429\)|(?:status|http/[\d.]+|http|error|code)[ :=\"]{1,2}429\b|429 too many", {}),
    (Kind.LLM_SUCCESS, r"chutes api success(?: after (?P<retries>\d+))?", {}),
    (Kind.LLM_SUCCESS, r"\bllm generated (?P<actions>\d+) actions", {}),
    (Kind.LLM_SUCCESS, r"\bllm (?:call |request )?succe(?:ss|eded)", {}),
    (Kind.LLM_SUCCESS, r"/chat/completions\S* \"?http/[\d.]+ 200", {}),
    (Kind.TASK, rf"\bsolve_task called: id={_TASK}", {"event": "started"}),
    (Kind.TASK, rf"(?:processing|received|starting|new) task:? (?=\S*[\d-]){_TASK}", {"event": "started"}),
    (Kind.TASK, rf"\btask {_TASK} (?:started|received|accepted)\b", {"event": "started"}),
    (Kind.TASK, rf"returning response: task_id={_TASK}, actions_count=(?P<actions>\d+)", {"event": "finished"}),
    (Kind.TASK, rf"\btask {_TASK} (?:completed|finished|done|solved|succeeded)\b(?:.*? in {_SECONDS})?", {"event": "finished"}),
    (Kind.TASK, r"\"post /(?:solve_task(?:_at_once)?|act|step)[ ?][^\"]*\"\W{1,3}(?P<status>\d{3})", {"event": "finished"}),
)
PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE), fixed) for kind, pattern, fixed in _TABLE)
# A line without any of these words can match nothing above: most lines are ordinary, and this is five times as quick.
_HINT = re.compile(r"limited|backoff|429|timed out|back|template|answer|paused|success|succeed|llm|completions|task|post /", re.IGNORECASE)
_NUMBERS = {"seconds": float, "wait_seconds": float, "attempt": int, "actions": int, "retries": int, "status": int}
_EXCEPTION = re.compile(
    r"^(?P<error>[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Timeout|Refused|Warning|[A-Z]\w+))(?::|$)", re.MULTILINE
)
# What an error that only speaks of it is not: "Error processing task …".
_WENT_WELL = (Kind.TASK, Kind.LLM_SUCCESS)
# Long lines tell early what they are; this keeps the search linear.
_LOOKED_AT = 1_000


def meaning(message: str, level: int) -> Meaning:
    """What a message means. Anything from ERROR up means an error at least."""
    head = message[:_LOOKED_AT].partition("\n")[0]
    told = _told(head) if _HINT.search(head) else ORDINARY
    if told.kind and not (level >= logging.ERROR and told.kind in _WENT_WELL):
        return told
    if level >= logging.ERROR or TRACEBACK in message:
        return Meaning(Kind.ERROR, _error(message))
    return ORDINARY


def _told(head: str) -> Meaning:
    for kind, pattern, fixed in PATTERNS:
        match = pattern.search(head)
        if match:
            return Meaning(kind, {**fixed, **_facts(match)})
    return ORDINARY


def _facts(match: re.Match[str]) -> dict[str, Any]:
    return {name: _number(name, text) for name, text in match.groupdict().items() if text is not None}


def _number(name: str, text: str) -> Any:
    kind = _NUMBERS.get(name)
    return kind(text) if kind else text


def _error(message: str) -> dict[str, Any]:
    """The class of the exception that a traceback ends with."""
    _, found, traceback = message.rpartition(TRACEBACK)
    names = [match["error"] for match in _EXCEPTION.finditer(traceback)] if found else []
    return {"error": names[-1]} if names else {}
