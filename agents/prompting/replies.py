"""What an LLM's reply means: its JSON, and the actions on the page's elements that it picks by number."""

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from agents.common.text import shorten, storable, storable_json
from agents.contract.action_history import Past
from agents.contract.action_repair import named
from agents.contract.actions import FILLS, Action, InvalidAction, repair, select_option, type_text, validate
from agents.contract.protocol import Form, Plan, Step
from agents.contract.selectors import Selector
from agents.contract.task_rules import conform, permitted
from agents.page import Element
from agents.page.elements import BUTTONS, TICKED
from agents.prompting.page_prompt import Shown
from agents.template.moves import MOST_SELECTORS, breathing

_NUMBER_KEYS, _TEXT_KEYS = ("element", "number", "index", "selector"), ("text", "value", "option", "content", "label")
_NUMBER = re.compile(r"\s*\[?\s*(\d{1,5})\s*\]?\s*")
_FILLS = FILLS | {"SelectAction"}
_ESCAPED = re.compile(r"&lt;[a-z_]{2,40}&gt;")
MAX_REASONING = 2_000
# A plan of 30 actions has about 6,000 characters. Beyond this a reply is no plan, and parsing one takes time.
MAX_REPLY = 200_000
MAX_TRIES = 200
# Whoever sends more has lost count; a few times what may leave.
MAX_ACTIONS = 60


class InvalidReply(ValueError):
    """No plan can be made of it; the text says why."""


class Reply(NamedTuple):
    """`actions`: as the model wrote them."""

    actions: list[object]
    done: bool = False
    reasoning: str = ""


def plan_from_reply(text: str, step: Step, shown: Shown) -> Plan:
    """Invalid actions are dropped, the task's rules applied. Raises InvalidReply when none is left and the reply didn't say that the task
    is done, which no one-shot task can be then."""
    reply = parse_reply(text)
    actions, faults = list[Action](), list[str]()
    for raw in reply.actions[:MAX_ACTIONS]:
        try:
            actions.append(picked(raw, step, shown))
        except InvalidAction as error:
            faults.append(str(error))
    done = reply.done or any(action.type == "DoneAction" for action in actions)
    kept = permitted(actions, step)
    if not kept and not (done and step.form is Form.STEP):
        if faults:
            raise InvalidReply(f"No action of the reply is valid; the first fault: {faults[0]}")
        if any(action.type != "DoneAction" for action in actions):
            raise InvalidReply("All actions lead off the task's site or use tools that are not allowed.")
        raise InvalidReply("The reply has no actions.")
    if step.form is Form.STEP:
        kept = tuple(breathing(kept, after_failure=Past(step.history).last_failed))
    return Plan(conform(kept, step), done=done, reasoning=reply.reasoning)


def picked(raw: object, step: Step, shown: Shown) -> Action:
    """The action that a model means; raises InvalidAction. Where a page was shown in step form, elements are picked by number alone: a
    selector of the model's own was never seen to match."""
    kind, fields = named(storable_json(raw))
    number = _number(fields) if "selector" in kind.fields else None
    if number is None:
        action = repair(raw)
        if step.form is Form.STEP and shown.page is not None and {"selector", "x", "sourceSelector"} & action.fields.keys():
            raise InvalidAction("element: pick one of the page's numbers.")
        return action
    element = shown.elements.get(number)
    if element is None or shown.page is None:
        raise InvalidAction(f"element: there is no number {number} on the page.")
    make = _filling(element, fields) if kind.type in _FILLS else _pressing(kind.type, element)
    past = Past(step.history)
    for selector in shown.page.selectors(element)[:MOST_SELECTORS]:
        action = make(selector)
        if not past.failed(action):
            return action
    raise InvalidAction("element: every way to it has failed before.")


def _number(fields: dict[str, object]) -> int | None:
    for value in (fields.get(key) for key in _NUMBER_KEYS):
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 100_000 and value == int(value):
            return int(value)
        if isinstance(value, str) and (found := _NUMBER.fullmatch(value)):
            return int(found[1])
    return None


def _filling(element: Element, fields: dict[str, object]) -> Callable[[Selector], Action]:
    if element.role in TICKED:
        return _pressing("ClickAction", element)
    said = next((value for value in (fields.get(key) for key in _TEXT_KEYS) if isinstance(value, str | int | float)), None)
    if said is None or isinstance(said, bool) or element.role in BUTTONS:
        raise InvalidAction("text: give a text, and the number of a field.")
    text = _ESCAPED.sub(lambda found: html.unescape(found[0]), str(said))
    if element.tag != "select":
        return lambda selector: type_text(selector, text)
    for option in element.options:
        if _folded(option) == _folded(text):
            return lambda selector: select_option(selector, option)
    raise InvalidAction("text: choose one of the options.")


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _pressing(action_type: str, element: Element) -> Callable[[Selector], Action]:
    made_type = "ClickAction" if action_type == "SubmitAction" and element.role in BUTTONS else action_type
    return lambda selector: validate({"type": made_type, "selector": selector})


def parse_reply(text: str) -> Reply:
    """A JSON list of actions, or an object with actions or tool_calls, wherever in the text; raises InvalidReply."""
    loose = list[object]()
    for value in _json_values(_without_thinking(text[:MAX_REPLY])):
        if reply := _as_reply(value):
            return reply
        if _is_action(value):
            loose.append(value)
    if not loose:
        raise InvalidReply("The reply holds no JSON list of actions.")
    return Reply(loose)


def _without_thinking(text: str) -> str:
    """Thoughts may hold drafts; one that never ends hides the rest."""
    if text.lstrip().startswith(("{", "[")):
        return text
    return re.sub(r"<think>.*?(</think>|\Z)", "", text.rpartition("</think>")[2], flags=re.DOTALL)


def _json_values(text: str) -> Iterator[object]:
    """Objects and lists, however the text is fenced; raises InvalidReply where one is cut off."""
    decoder, position = json.JSONDecoder(), 0
    for _ in range(MAX_TRIES):
        start = re.compile(r"[\[{]").search(text, position)
        if start is None:
            return
        try:
            value, position = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError) as error:
            is_cut = isinstance(error, json.JSONDecodeError) and (error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip()))
            if is_cut or isinstance(error, RecursionError):
                raise InvalidReply("The reply's JSON is cut off or nests too deep.") from None
            position = start.end()
        else:
            yield value


def _as_reply(value: object) -> Reply | None:
    if isinstance(value, list):
        return Reply(value) if any(isinstance(item, dict) for item in value) else None
    if not isinstance(value, dict):
        return None
    listed = next((value[key] for key in ("actions", "tool_calls") if isinstance(value.get(key), list)), None)
    done = value.get("done") is True
    if listed is None and not (done and not _is_action(value)):
        return None
    reasoning = value.get("reasoning")
    return Reply(listed or [], done, shorten(storable(reasoning), MAX_REASONING) if isinstance(reasoning, str) else "")


def _is_action(value: object) -> bool:
    try:
        return bool(named(value))
    except InvalidAction:
        return False
