"""Callers' JSON to Step, Plan to callers' JSON: the only place that knows the contract's field names."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agents.actions import Action, repair, scroll, wait
from agents.catalogue import kind_of
from agents.repairs import named
from agents.selectors import InvalidAction
from agents.sites import split_http
from agents.text import storable, storable_json

PROTOCOL_VERSION = "1.0"
# A task has at most 12 steps, and agents read the last actions first: what lies further back is cut.
MAX_HISTORY = 100
MAX_ID = 200
MAX_PROJECT = 200
# Browsers carry longer addresses, but no site of a task does, and every row keeps one.
MAX_URL = 8_000
MAX_INDEX = 1_000_000
# The first lines of a browser's error say what happened; the rest is its call log.
MAX_ERROR = 2_000
# A day: enough for "no limit", and small enough to be added to any time.
_LONGEST = 86_400
_PAGES = ("html", "snapshot_html", "clean_html")
# What a browser shows before its first page, or instead of one. Callers put their own host into it: about://localhost/blank.
NO_PAGE = ("about:", "chrome-error:", "data:")


class Form(StrEnum):
    """How a caller wants its answer: a whole list of actions at once, or tool calls step by step."""

    ONE_SHOT = "one_shot"
    STEP = "step"


PATHS = {"/solve_task": Form.ONE_SHOT, "/solve_task_at_once": Form.ONE_SHOT, "/act": Form.STEP, "/step": Form.STEP}


class BadRequest(ValueError):
    """A request that can't be read: `field` names what is wrong, the text says the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class PastAction:
    """One entry of a step's history. `type` is the canonical action name, "" when it can't be told; `succeeded` None: unknown.

    `number`: as the caller counts, by steps or by actions; None where it does not.
    """

    type: str
    fields: Mapping[str, Any]
    succeeded: bool | None
    error: str
    url: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One request about a task. `page` is the page's HTML, "" when the caller sent none; `timeout_seconds` None: not said.

    `allowed_tools`: names like "browser.click", empty: all. `url` may be about:blank in steps.
    """

    endpoint: str
    form: Form
    task_id: str
    prompt: str
    url: str
    page: str = ""
    index: int = 0
    history: tuple[PastAction, ...] = ()
    project: str = ""
    timeout_seconds: float | None = None
    allowed_tools: frozenset[str] = frozenset()
    wants_reasoning: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is answered to one step. `done`: the task needs nothing more.

    `confidence`: how sure the template agent is of its plan, from 0 to 1; `confidence_why` says why in a sentence.
    """

    actions: tuple[Action, ...]
    done: bool = False
    reasoning: str = ""
    confidence: float = 0.0
    confidence_why: str = ""


def parse(endpoint: str, body: bytes) -> Step:
    """The step that a caller asks for at one of `PATHS`; raises BadRequest for what can't be answered, and forgives all else."""
    form = PATHS[endpoint]
    request = _object(body)
    return Step(
        endpoint=endpoint,
        form=form,
        task_id=_task_id(request, form),
        prompt=_prompt(request),
        url=_url(request, form),
        page=next((storable(page) for name in _PAGES if isinstance(page := request.get(name), str) and page), ""),
        index=_index(request),
        history=_history(request.get("history")),
        project=_short_text(request.get("web_project_id"), MAX_PROJECT),
        timeout_seconds=_timeout(request.get("timeout_seconds")),
        allowed_tools=_tools(request.get("allowed_tools")) or _tools(request.get("tools")),
        wants_reasoning=request.get("include_reasoning") is True,
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("body", "The body is not JSON; send a JSON object.") from None
    if not isinstance(request, dict):
        raise BadRequest("body", "The body must be a JSON object.")
    return request


def _task_id(request: dict[str, Any], form: Form) -> str:
    names = ("id", "task_id") if form is Form.ONE_SHOT else ("task_id", "id")
    name = next((name for name in names if request.get(name) is not None), names[0])
    value = request.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**MAX_ID:
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_ID:
        raise BadRequest(name, f"{name} must be a text of 1 to {MAX_ID} characters.")
    return storable(value.strip())


def _prompt(request: dict[str, Any]) -> str:
    prompt = request.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise BadRequest("prompt", "prompt must be a non-empty text that says what to do.")
    return storable(prompt)


def _url(request: dict[str, Any], form: Form) -> str:
    url = request.get("url")
    if isinstance(url, str) and _is_address(storable(url.strip()), form):
        return storable(url.strip())
    raise BadRequest("url", f"url must be an absolute http or https URL with a host, of up to {MAX_URL} characters.")


def _is_address(url: str, form: Form) -> bool:
    if len(url) > MAX_URL or any(letter.isspace() or not letter.isprintable() for letter in url):
        return False
    return split_http(url) is not None or (form is Form.STEP and url.lower().startswith(NO_PAGE))


def _index(request: dict[str, Any]) -> int:
    index = request.get("step_index")
    if index is None:
        return 0
    if isinstance(index, float) and index.is_integer():
        index = int(index)
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index <= MAX_INDEX:
        raise BadRequest("step_index", f"step_index must be a whole number from 0 to {MAX_INDEX}.")
    return index


def _timeout(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        return None
    return float(min(value, _LONGEST))


def _short_text(value: object, length: int) -> str:
    return storable(value)[:length] if isinstance(value, str) else ""


def _tools(value: object) -> frozenset[str]:
    """Canonical tool names of a list of names or tool definitions. Unknown names stay: a list of them allows nothing we have."""
    names = [_tool_name(item) for item in value] if isinstance(value, list) else []
    return frozenset(kind.tool if (kind := kind_of(name)) else name for name in names if name)


def _tool_name(item: object) -> str:
    if isinstance(item, dict):
        function = item.get("function")
        item = function.get("name") if isinstance(function, dict) else item.get("name")
    return _short_text(item, MAX_ID).strip()


def _history(value: object) -> tuple[PastAction, ...]:
    items = [storable_json(item) for item in value[-MAX_HISTORY:]] if isinstance(value, list) else []
    return tuple(_past(item) for item in items if isinstance(item, dict))


def _past(item: dict[str, Any]) -> PastAction:
    action_type, fields = _past_action(item)
    outcomes = (item.get("success"), item.get("exec_ok"))
    return PastAction(
        type=action_type,
        fields=fields,
        succeeded=next((outcome for outcome in outcomes if isinstance(outcome, bool)), None),
        error=_short_text(item.get("error"), MAX_ERROR),
        url=_short_text(item.get("url"), MAX_URL),
        number=next((number for name in ("step", "index") if (number := _number(item.get(name))) is not None), None),
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INDEX else None


def _past_action(item: dict[str, Any]) -> tuple[str, Mapping[str, Any]]:
    action = item.get("action")
    if isinstance(action, str):
        text = item.get("text")
        action = {"type": action, **({"text": text} if isinstance(text, str) else {})}
    try:
        done = repair(action)
    except InvalidAction:
        return _as_far_as_known(action)
    return done.type, done.fields


def _as_far_as_known(action: object) -> tuple[str, Mapping[str, Any]]:
    """What an action that is not complete, or not ours, says all the same."""
    try:
        kind, fields = named(action)
    except InvalidAction:
        return "", {}
    return kind.type, {name: value for name, value in fields.items() if value is not None}


# What changes nothing that matters, best first.
_STAND_INS = (wait(1), *(repair({"type": name}) for name in ("ScreenshotAction", "IdleAction")), scroll("down"))


def render(step: Step, plan: Plan, *, agent_id: str) -> dict[str, Any]:
    """The answer in the form of the step's endpoint. Callers read an empty list that isn't done as an end, so a short wait stands in."""
    if step.form is Form.ONE_SHOT:
        return {"actions": [action.as_action() for action in plan.actions], "web_agent_id": agent_id, "recording": ""}
    actions = plan.actions or (() if plan.done else (_stand_in(step.allowed_tools),))
    return {
        "protocol_version": PROTOCOL_VERSION,
        "tool_calls": [action.as_tool_call() for action in actions],
        "content": None,
        "reasoning": plan.reasoning or None if step.wants_reasoning else None,
        "done": plan.done,
        "error": None,
    }


def _stand_in(allowed: frozenset[str]) -> Action:
    """The first harmless action that is allowed. Where none is, the wait: a refused call costs a step, an empty list the task."""
    return next((action for action in _STAND_INS if action.tool in allowed), _STAND_INS[0])
