"""Parses an LLM's reply: its JSON, and the actions on the page's elements that it picks by number."""

import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from agents.common.text import shorten, storable, storable_json
from agents.contract.action_history import Past
from agents.contract.action_repair import named
from agents.contract.action_types import Kind
from agents.contract.actions import FILLS, Action, InvalidAction, repair, select_option, type_text, validate
from agents.contract.limits import MAX_ANSWER
from agents.contract.protocol import Form, Plan, Step
from agents.contract.selectors import Selector, attribute
from agents.contract.task_rules import MAX_STEP, conform, in_exact_form, most_sent, site_of
from agents.page import Element
from agents.page.elements import BUTTONS, TICKED
from agents.page.past import action_in_words
from agents.prompting.page_prompt import Shown
from agents.template.moves import MOST_SELECTORS, breathing

_NUMBER_KEYS, _TEXT_KEYS = ("element", "number", "index", "selector"), ("text", "value", "option", "content", "label")
_LABEL_KEYS = ("text", "label", "element")
# In place of a number: the field that has the focus.
FOCUSED = "focused"
_FOCUSED = attribute("custom", ":focus")
_NUMBER = re.compile(r"\s*\[?\s*(\d{1,5})\s*\]?\s*")
_FILLS = FILLS | {"SelectAction"}
_OWN = {"selector", "x", "sourceSelector"}
_ESCAPED = re.compile(r"&lt;[a-z_]{2,40}&gt;")
MAX_REASONING = 2_000
# A plan of 30 actions has about 6,000 characters. Parsing takes time, and a longer reply is no plan.
MAX_REPLY = 200_000
MAX_TRIES = 200
# A few times as many as are sent.
MAX_ACTIONS = 60
# Notes, and characters that are quoted of the model's text.
MAX_NOTES, MAX_NAMED, MAX_QUOTED = 8, 2, 100


class InvalidReply(ValueError):
    """The reply gives no plan; the message is the reason. `notes`: as in a Plan."""

    def __init__(self, message: str, notes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.notes = notes or (message,)


class Reply(NamedTuple):
    """`actions`: as the model wrote them. `answer`: to the task's question, "" for none."""

    actions: list[object]
    done: bool = False
    reasoning: str = ""
    answer: str = ""


def plan_from_reply(text: str, step: Step, shown: Shown) -> Plan:
    """Each action that can't be run gets a note. Raises InvalidReply when no action is left and the reply neither has an answer nor reports
    the task as done. A one-shot task is not done without actions."""
    reply = parse_reply(text)
    actions, notes = _actions(reply.actions[:MAX_ACTIONS], step, shown)
    is_step, past = step.form is Form.STEP, Past(step.history)
    # The task is done only once all of these actions have run.
    is_done = (reply.done or any(action.type == "DoneAction" for action in actions)) and not notes
    kept = [action for action in actions if action.type != "DoneAction"]
    if not kept and not reply.answer and not (is_done and is_step):
        raise InvalidReply(f"No action can be run. {notes[0]}" if notes else "The reply has no actions.", tuple(notes))
    most = most_actions(step)
    if left := len(kept[most:]) + len(reply.actions[MAX_ACTIONS:]):
        notes.append(f"Only the first {most} of a reply {'are' if most > 1 else 'is'} run, so not: {_named(kept[most:], left, shown)}.")
    kept = kept[:most]
    if is_step:
        kept = list(breathing(kept, after_failure=past.last_failed))
    is_done = (is_done and not left) or bool(reply.answer and not kept)
    return Plan(conform(kept, step), is_done, reply.reasoning, answer=reply.answer, notes=tuple(notes[:MAX_NOTES]))


def _named(dropped: Sequence[Action], count: int, shown: Shown) -> str:
    named = "; ".join(action_in_words(action, shown.page) for action in dropped[:MAX_NAMED])
    return f"{named}; {count - MAX_NAMED} more" if count > MAX_NAMED else named


def most_actions(step: Step) -> int:
    """How many actions of a reply are run; a step's have waits between them."""
    if step.form is Form.ONE_SHOT:
        return most_sent(step)
    return 1 if Past(step.history).is_nameless else min(MAX_STEP // 2, most_sent(step))


def _actions(raws: list[object], step: Step, shown: Shown) -> tuple[list[Action], list[str]]:
    actions, notes, site = list[Action](), list[str](), site_of(step)
    for raw in raws:
        try:
            action = picked(raw, step, shown, is_first=not actions)
            actions.append(action if action.type == "DoneAction" else in_exact_form(action, step, site))
        except InvalidAction as error:
            notes.append(f"{shorten(json.dumps(storable_json(raw), ensure_ascii=False), MAX_QUOTED)}: {error}")
    return actions, notes


def picked(raw: object, step: Step, shown: Shown, *, is_first: bool = True) -> Action:
    """The action that a model means; raises InvalidAction. In a step with a page, elements are picked by number or text: selectors that a
    model wrote itself have never matched. `is_first`: of its reply; actions before it may enable what is disabled now."""
    kind, fields = named(storable_json(raw))
    needs_no_number = step.form is Form.ONE_SHOT or kind.type == "WaitAction"
    if shown.page is None or "selector" not in kind.fields or (needs_no_number and _number(fields) is None):
        action = repair(raw)
        if step.form is Form.STEP and shown.page is not None and _OWN & action.fields.keys():
            raise InvalidAction("element: pick one of the page's numbers.")
        return action
    if kind.type in _FILLS and _is_focus(fields):
        return _typing(fields)(_FOCUSED)
    element = _element(kind, fields, shown, is_first=is_first)
    if not isinstance(element, Element):
        return validate({"type": kind.type, "selector": element})
    make = _filling(element, fields) if kind.type in _FILLS else _pressing(kind.type, element)
    past = Past(step.history)
    for selector in shown.page.selectors(element)[:MOST_SELECTORS]:
        action = make(selector)
        if not past.failed(action):
            return action
    raise InvalidAction("element: every selector for it has failed before.")


def _element(kind: Kind, fields: dict[str, object], shown: Shown, *, is_first: bool) -> Element | Selector:
    """The element that a model picks, or a selector for a text of the page that belongs to no element."""
    number = _number(fields)
    if number is not None:
        if number not in shown.elements:
            raise InvalidAction(f"element: there is no number {number} on the page.")
        return shown.elements[number]
    text = next((value for value in (fields.get(key) for key in _LABEL_KEYS) if isinstance(value, str) and value.strip()), None)
    if kind.type in _FILLS or text is None or shown.page is None:
        raise InvalidAction("element: pick one of the page's numbers.")
    if matches := _called(text, shown.operable) or _called(text, shown.disabled):
        return _only(text, matches, is_first=is_first)
    selector = shown.page.showing(text)
    if selector is None:
        raise InvalidAction(f"text: nothing on the page that can be clicked shows just {shorten(text)!r}.")
    return selector


def _called(text: str, elements: Sequence[Element]) -> list[Element]:
    return [element for element in elements if _folded(text) in {_folded(element.label), _folded(element.text)}]


def _only(text: str, matches: Sequence[Element], *, is_first: bool) -> Element:
    if len(matches) > 1:
        raise InvalidAction(f"text: {len(matches)} elements are called {shorten(text)!r}; pick one by its number.")
    if matches[0].disabled and is_first:
        raise InvalidAction(f"text: {shorten(text)!r} is disabled now; do first what enables it.")
    return matches[0]


def _number(fields: dict[str, object]) -> int | None:
    for value in (fields.get(key) for key in _NUMBER_KEYS):
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 100_000 and value == int(value):
            return int(value)
        if isinstance(value, str) and (match := _NUMBER.fullmatch(value)):
            return int(match[1])
    return None


def _is_focus(fields: dict[str, object]) -> bool:
    return any(isinstance(value, str) and _folded(value) == FOCUSED for value in (fields.get(key) for key in _NUMBER_KEYS))


def _typing(fields: dict[str, object]) -> Callable[[Selector], Action]:
    value = next((value for value in (fields.get(key) for key in _TEXT_KEYS) if isinstance(value, str | int | float)), None)
    if value is None or isinstance(value, bool):
        raise InvalidAction("text: give a text, and the number of a field.")
    text = _ESCAPED.sub(lambda match: html.unescape(match[0]), str(value))
    return lambda selector: type_text(selector, text)


def _filling(element: Element, fields: dict[str, object]) -> Callable[[Selector], Action]:
    if element.role in TICKED:
        return _pressing("ClickAction", element)
    if element.role in BUTTONS:
        raise InvalidAction("text: give a text, and the number of a field.")
    typing = _typing(fields)
    if element.tag != "select":
        return typing
    option = _option(element, typing(_FOCUSED).fields["text"])
    return lambda selector: select_option(selector, option)


def _option(element: Element, text: str) -> str:
    """The option with this text, or the only one that begins with it: long options are shown shortened."""
    start = _folded(text.strip().removesuffix("…").removesuffix("..."))
    matches = [option for option in element.options if start and _folded(option).startswith(start)]
    # An option may be picked by its value, too: the prompt shows some values.
    sent = zip(element.options, element.sent_as, strict=False)
    matches = matches or [option for option, value in sent if start in {_folded(value), _folded(f"{option} ({value})")}]
    for option in matches:
        if _folded(option) == start or len(matches) == 1:
            return option
    shown = " | ".join(shorten(option, MAX_QUOTED) for option in (matches or element.options)[:MAX_NOTES])
    raise InvalidAction(f"text: {'several options begin so' if matches else 'choose one of the options'}: {shown}.")


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _pressing(action_type: str, element: Element) -> Callable[[Selector], Action]:
    made_type = "ClickAction" if action_type == "SubmitAction" and element.role in BUTTONS else action_type
    return lambda selector: validate({"type": made_type, "selector": selector})


def parse_reply(text: str) -> Reply:
    """Reads a JSON list of actions, or an object with actions or tool_calls, anywhere in the text; raises InvalidReply."""
    loose = list[object]()
    for value in _json_values(_without_thinking(text[:MAX_REPLY])):
        if reply := _as_reply(value):
            return reply
        if _is_action(value):
            loose.append(value)
    if not loose:
        raise InvalidReply("The reply has no JSON list of actions.")
    return Reply(loose)


def _without_thinking(text: str) -> str:
    """Without the model's thinking, which may hold drafts. If it does not end, nothing is left."""
    if text.lstrip().startswith(("{", "[")):
        return text
    return re.sub(r"<think>.*?(</think>|\Z)", "", text.rpartition("</think>")[2], flags=re.DOTALL)


def _json_values(text: str) -> Iterator[object]:
    """The objects and lists in a text; raises InvalidReply where one is cut off."""
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
    done, answer = value.get("done") is True, _answer(value.get("answer"))
    if listed is None and not ((done or answer) and not _is_action(value)):
        return None
    reasoning = value.get("reasoning")
    return Reply(listed or [], done, shorten(storable(reasoning), MAX_REASONING) if isinstance(reasoning, str) else "", answer)


def _answer(value: object) -> str:
    """The elements of a list are joined with commas, as callers expect."""
    values = value if isinstance(value, list) else [value]
    texts = (json.dumps(item) if isinstance(item, bool) else str(item).strip() for item in values if isinstance(item, str | int | float))
    return storable(", ".join(filter(None, texts)))[:MAX_ANSWER]


def _is_action(value: object) -> bool:
    try:
        return bool(named(value))
    except InvalidAction:
        return False
