"""The generations of callers: which endpoint each uses, and what it sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.catalogue import CATALOGUE
from agents.demo.browser import Browser
from agents.demo.tasks import Task

STEP_SECONDS = 25.0
TYPES = {kind.tool: kind.type for kind in CATALOGUE.values()}
VIEWPORT = {"viewport_width": 1920, "viewport_height": 1080, "screen_width": 1920, "screen_height": 1080, "device_pixel_ratio": 1.0}


@dataclass(frozen=True, slots=True)
class Ran:
    """One tool call that was run. `url`: the page after it; `at`: wall-clock s; `error` "": it went well."""

    name: str
    arguments: Mapping[str, Any]
    url: str
    at: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """One generation. `one_shot`: wants the whole plan; `runs_all`: runs every call of a step, not the first alone."""

    path: str
    since: str
    one_shot: bool = False
    runs_all: bool = True


CALLERS = (
    Caller("/solve_task", "2025-03", one_shot=True),
    Caller("/solve_task_at_once", "2026-02", one_shot=True),
    Caller("/act", "2026-01", runs_all=False),
    Caller("/step", "2026-03"),
)


def one_shot_body(caller: Caller, browser: Browser) -> dict[str, Any]:
    """What a caller of whole plans posts."""
    task = browser.task
    body = {
        "id": task.id,
        "is_web_real": False,
        "web_project_id": task.site.project,
        "url": task.url,
        "prompt": task.prompt,
        "specifications": VIEWPORT,
        "relevant_data": {},
        "should_record": False,
        "original_prompt": task.prompt,
    }
    return {**body, "html": browser.html, "clean_html": browser.html, "screenshot": ""} if caller.since < "2026" else body


def step_body(caller: Caller, browser: Browser, history: Sequence[Ran], index: int) -> dict[str, Any]:
    """What a caller of single steps posts for step `index`, with what it ran so far."""
    shared = _shared(browser.task, browser.url, index)
    if caller.path == "/act":
        entries = [_old_entry(number, ran) for number, ran in enumerate(history)]
        own = {"snapshot_html": browser.html, "web_project_id": browser.task.site.project, "state_in": {}, "allowed_tools": []}
        return {**shared, **own, "history": entries, "timeout_seconds": STEP_SECONDS}
    entries = [_entry(number, ran) for number, ran in enumerate(history)]
    return {**shared, "html": browser.html, "history": entries, "tools": []}


def _shared(task: Task, url: str, index: int) -> dict[str, Any]:
    return {
        "protocol_version": "1.0",
        "task_id": task.id,
        "prompt": task.prompt,
        "url": url,
        "step_index": index,
        "include_reasoning": False,
    }


def _entry(number: int, ran: Ran) -> dict[str, Any]:
    action = {"type": TYPES.get(ran.name, ran.name), **ran.arguments}
    return {"index": number, "action": action, "success": not ran.error, "error": ran.error or None, "url": ran.url, "timestamp": ran.at}


def _old_entry(number: int, ran: Ran) -> dict[str, Any]:
    return {
        "step": number,
        "action": TYPES.get(ran.name, ran.name),
        "text": ran.arguments.get("text"),
        "exec_ok": not ran.error,
        "error": ran.error or None,
    }
