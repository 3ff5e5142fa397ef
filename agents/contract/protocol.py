"""Parses callers' JSON into a Step and writes a Plan as their JSON. Only this module uses the contract's field names."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agents.common.text import storable, storable_json
from agents.contract import limits
from agents.contract.action_repair import named
from agents.contract.action_types import kind_of
from agents.contract.actions import Action, repair
from agents.contract.origins import split_http
from agents.contract.selectors import InvalidAction

_PAGES = ("html", "snapshot_html", "clean_html")
_ENTRY = ("action", "text", "success", "exec_ok", "error", "url", "step", "index")
# URLs of a browser without a page. Callers put their own host into them: about://localhost/blank.
NO_PAGE = ("about:", "chrome-error:", "data:")


class Form(StrEnum):
    ONE_SHOT = "one_shot"
    STEP = "step"


FIND_TRAJECTORY = "/find_trayectory"  # as its callers spell it
# The form of requests and answers by path. A step may still be planned as a one-shot task: see `parse`.
PATHS = {
    "/solve_task": Form.ONE_SHOT,
    "/solve_task_at_once": Form.ONE_SHOT,
    FIND_TRAJECTORY: Form.ONE_SHOT,
    "/act": Form.STEP,
    "/step": Form.STEP,
}


class BadRequest(ValueError):
    """`field`: what is wrong; the message names the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class PastAction:
    """`type`: the canonical name, "" for an unknown action; `number`: the caller's own, of steps or of actions. By our records: `words`,
    the action as text, "" for a wait of our own, None without a record; `effect`: what it changed, "" for unknown; `is_completed`: the
    caller left its selector out; `learned`: the id of the learned solution that it followed, and how many of its actions were done then."""

    type: str
    fields: Mapping[str, Any]
    succeeded: bool | None
    error: str
    url: str
    number: int | None = None
    words: str | None = None
    effect: str = ""
    is_completed: bool = False
    learned: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Step:
    """`page`: HTML, "" when the caller sent none. `allowed_tools`: names like "browser.click", empty for all. `url`: may be about:blank in
    steps. `wants_actions`: the caller is too old for tool calls. `cuts`: a sentence for each part of the request that was left out for its
    size. By our records: `start`, the task's first URL, "" for unknown; `notes`, what of the previous reply was not sent or not run, and
    why."""

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
    wants_actions: bool = False
    cuts: tuple[str, ...] = ()
    start: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """`done`: the task is complete. `answer`: to a question, else "". `confidence`: of the template agent in its plan, from 0 to 1.
    `notes`: a sentence for each part of an LLM's reply that is left out, and why. `solution`: the id of the learned solution that it
    follows, 0 for none; `reached`: how many of its actions are done once each of these has run, empty where that is not known."""

    actions: tuple[Action, ...]
    done: bool = False
    reasoning: str = ""
    answer: str = ""
    confidence: float = 0.0
    confidence_why: str = ""
    notes: tuple[str, ...] = ()
    solution: int = 0
    reached: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """The LLM usage of an answer: tokens and USD of all attempts; `model`: the one that made the plan, None for the template."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    model: str | None = None


def parse(endpoint: str, body: bytes) -> Step:
    """The step of a request to one of `PATHS`; raises BadRequest only for what can't be answered."""
    form, request, cuts = PATHS[endpoint], _json_object(body), list[str]()
    url, page, index, history = _url(request, form), _page(request, cuts), _index(request), _history(request.get("history"), cuts)
    return Step(
        endpoint=endpoint,
        form=Form.ONE_SHOT if page == "" and index == 0 and not history and split_http(url) else form,
        task_id=_task_id(request, form),
        prompt=_prompt(request),
        url=url,
        page=page,
        index=index,
        history=history,
        project=_short_text(request.get("web_project_id"), limits.MAX_PROJECT),
        timeout_seconds=_timeout(request.get("timeout_seconds")),
        allowed_tools=_tools(request.get("allowed_tools"), cuts) or _tools(request.get("tools"), cuts),
        wants_reasoning=request.get("include_reasoning") is True,
        # The first bodies of /act have none of what came with tool calls.
        wants_actions=endpoint == "/act" and "web_project_id" in request and not {"protocol_version", "state_in"} & request.keys(),
        cuts=tuple(cuts),
    )


def _json_object(body: bytes) -> dict[str, Any]:
    if _has_too_many_values(body):
        message = f"The body holds more than {limits.MAX_JSON_VALUES:,} JSON values. Send fewer fields and a shorter history."
        raise BadRequest("body", message)
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        # A number of more than 4,300 digits is refused, too: Python reads no longer ones, as that takes quadratic time.
        raise BadRequest("body", "The body is not JSON; send a JSON object.") from None
    if not isinstance(request, dict):
        raise BadRequest("body", "The body must be a JSON object.")
    return request


def _has_too_many_values(body: bytes) -> bool:
    """Without those inside of texts."""
    if sum(map(body.count, (b"[", b"{", b","))) <= limits.MAX_JSON_VALUES:
        return False
    bare = body.replace(rb"\\", b"").replace(rb"\"", b"")
    if bare.count(b'"') // 2 > limits.MAX_JSON_VALUES * 2:
        return True
    outside = b"".join(bare.split(b'"')[::2])
    return sum(map(outside.count, (b"[", b"{", b","))) > limits.MAX_JSON_VALUES


def _task_id(request: dict[str, Any], form: Form) -> str:
    names = ("id", "task_id") if form is Form.ONE_SHOT else ("task_id", "id")
    name = next((name for name in names if request.get(name) is not None), names[0])
    value = request.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**limits.MAX_ID:
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > limits.MAX_ID:
        raise BadRequest(name, f"{name} must be a text of 1 to {limits.MAX_ID} characters.")
    return storable(value.strip())


def _prompt(request: dict[str, Any]) -> str:
    prompt = request.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise BadRequest("prompt", "prompt must be a non-empty text that says what to do.")
    _check_bytes("prompt", prompt, limits.MAX_PROMPT)
    return storable(prompt)


def _url(request: dict[str, Any], form: Form) -> str:
    url = request.get("url")
    if isinstance(url, str):
        url = url.strip()
        _check_bytes("url", url, limits.MAX_URL)
        url = storable(url)
        is_clean = url.isprintable() and not any(map(str.isspace, url))
        if is_clean and (split_http(url) is not None or (form is Form.STEP and url.lower().startswith(NO_PAGE))):
            return url
    raise BadRequest("url", f"url must be an absolute http or https URL with a host, of up to {limits.MAX_URL:,} bytes.")


def _check_bytes(field: str, text: str, limit: int) -> None:
    # A character takes at least a byte, so a text that is far too long need not be encoded.
    if len(text) > limit or len(text.encode("utf-8", "replace")) > limit:
        raise BadRequest(field, f"{field} is longer than {limit:,} bytes ({limit // 1024} kB). Send a shorter {field}.")


def _page(request: dict[str, Any], cuts: list[str]) -> str:
    page = next((page for name in _PAGES if isinstance(page := request.get(name), str) and page), "")
    if len(page) > limits.MAX_PAGE:
        cuts.append(f"Page: its first {limits.MAX_PAGE:,} of {len(page):,} characters were read.")
    return storable(page[: limits.MAX_PAGE])


def _index(request: dict[str, Any]) -> int:
    index = request.get("step_index")
    number = 0 if index is None else _number(int(index) if isinstance(index, float) and index.is_integer() else index)
    if number is None:
        raise BadRequest("step_index", f"step_index must be a whole number from 0 to {limits.MAX_INDEX}.")
    return number


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= limits.MAX_INDEX else None


def _timeout(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        return None
    return float(min(value, limits.MAX_TIMEOUT))


def _short_text(value: object, length: int) -> str:
    return storable(value[:length]) if isinstance(value, str) else ""


def _tools(value: object, cuts: list[str]) -> frozenset[str]:
    """Canonical names. Unknown names are kept, as an empty set would allow every tool."""
    if not isinstance(value, list):
        return frozenset()
    if len(value) > limits.MAX_TOOLS:
        cuts.append(f"Tools: the first {limits.MAX_TOOLS} of {len(value):,} were read.")
    names = [_tool_name(item) for item in value[: limits.MAX_TOOLS]]
    return frozenset(kind.tool if (kind := kind_of(name)) else name for name in names if name)


def _tool_name(item: object) -> str:
    if isinstance(item, dict):
        function = item.get("function")
        item = function.get("name") if isinstance(function, dict) else item.get("name")
    return _short_text(item, limits.MAX_ID).strip()


def _history(value: object, cuts: list[str]) -> tuple[PastAction, ...]:
    if not isinstance(value, list):
        return ()
    taken, left = list[object](), limits.MAX_HISTORY_CHARS
    for entry in reversed(value[-limits.MAX_HISTORY :]):
        item = _trimmed(entry) if isinstance(entry, dict) else None
        left -= _size(item)
        if left < 0:
            break
        taken.append(storable_json(item))
    if len(taken) < len(value):
        cuts.append(f"History: the last {len(taken)} of {len(value):,} entries were read.")
    return tuple(_past(item) for item in reversed(taken) if isinstance(item, dict))


def _trimmed(entry: dict[str, Any]) -> dict[str, Any]:
    most = {"error": limits.MAX_ERROR, "url": limits.MAX_URL}
    kept = ((name, entry[name]) for name in _ENTRY if name in entry)
    return {name: value[: most[name]] if name in most and isinstance(value, str) else value for name, value in kept}


def _size(value: object) -> int:
    """The characters of all texts in a value; one with too many values counts as too large."""
    size, left, todo = 0, limits.MAX_PAST_VALUES, [value]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            size += len(part)
        elif isinstance(part, dict | list):
            left -= len(part)
            if left < 0:
                return limits.MAX_HISTORY_CHARS + 1
            todo += part if isinstance(part, list) else [*part, *part.values()]
    return size


def _past(item: dict[str, Any]) -> PastAction:
    succeeded = next((outcome for name in ("success", "exec_ok") if isinstance(outcome := item.get(name), bool)), None)
    number = next((number for name in ("step", "index") if (number := _number(item.get(name))) is not None), None)
    error, url = _short_text(item.get("error"), limits.MAX_ERROR), _short_text(item.get("url"), limits.MAX_URL)
    return PastAction(*_past_action(item), succeeded, error, url, number)


def _past_action(item: dict[str, Any]) -> tuple[str, Mapping[str, Any]]:
    action = item.get("action")
    if isinstance(action, str):
        text = item.get("text")
        action = {"type": action, **({"text": text} if isinstance(text, str) else {})}
    try:
        done = repair(action)
    except InvalidAction:
        # An incomplete or unknown action may still have a type and fields.
        try:
            kind, fields = named(action)
        except InvalidAction:
            return "", {}
        return kind.type, {name: value for name, value in fields.items() if value is not None}
    return done.type, done.fields


# Actions without a lasting effect, the best first.
_WAIT = {"type": "wait", "time_seconds": 1}
_HARMLESS = tuple(map(repair, (_WAIT, {"type": "screenshot"}, {"type": "idle"}, {"type": "scroll", "down": True})))


def render(step: Step, plan: Plan, *, agent_id: str, use: Usage | None = None) -> dict[str, Any]:
    """The answer in the form of the step's path. The answer to a question is `extracted_data`."""
    extracted: dict[str, Any] = {"extracted_data": plan.answer} if plan.answer else {}
    if step.endpoint == FIND_TRAJECTORY:
        trajectory = [action.as_tool_call() for action in plan.actions]
        return {"trajectory": trajectory, "web_agent_id": agent_id, **_used(use or Usage()), **extracted}
    if PATHS.get(step.endpoint, step.form) is Form.ONE_SHOT:
        return {"actions": [action.as_action() for action in plan.actions], "web_agent_id": agent_id, "recording": "", **extracted}
    actions, done = plan.actions, is_done(step, plan)
    if not actions and not done:
        # A wait where no harmless action is allowed: a refused call costs one step, but an empty list ends the task.
        actions = (next((action for action in _HARMLESS if action.tool in step.allowed_tools), _HARMLESS[0]),)
    reply = tool_calls(actions, done=done, reasoning=plan.reasoning or None if step.wants_reasoning else None, content=plan.answer or None)
    if step.endpoint == "/act":
        # Its callers of March 2026 reject a reply with other keys, except `actions`.
        extracted = {"actions": [action.as_action() for action in actions]} if step.wants_actions else {}
    return reply | extracted


def is_done(step: Step, plan: Plan) -> bool:
    """A step that is planned as a one-shot task is done with its plan, unless that only opens the page."""
    is_whole = step.form is Form.ONE_SHOT and PATHS.get(step.endpoint) is Form.STEP
    return plan.done or (is_whole and len(plan.actions) > 1)


def _used(use: Usage) -> dict[str, Any]:
    return {"cost_usd": use.cost_usd, "input_tokens": use.input_tokens, "output_tokens": use.output_tokens, "model_used": use.model}


def tool_calls(
    actions: Sequence[Action] = _HARMLESS[:1], *, done: bool = False, reasoning: str | None = None, content: str | None = None
) -> dict[str, Any]:
    """The answer to a step; by default a wait, for steps that were not read."""
    calls = [action.as_tool_call() for action in actions]
    return {"protocol_version": "1.0", "tool_calls": calls, "content": content, "reasoning": reasoning, "done": done, "error": None}
