"""What an LLM's reply means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents.actions import Action, InvalidAction
from agents.conventions import conform, permitted
from agents.picks import picked
from agents.protocol import Form, Plan, Step
from agents.repairs import named
from agents.showing import Shown
from agents.template.moves import breathing
from agents.template.past import Past
from agents.text import shorten, storable

MAX_REASONING = 2_000
# A plan of 30 actions has about 6,000 characters. Beyond this a reply is no plan, and looking for one takes time.
MAX_REPLY = 200_000
MAX_TRIES = 200
# Whoever sends more has lost count; a few times what may leave.
MAX_ACTIONS = 60


class InvalidReply(ValueError):
    """A reply from which no plan can be made; the text says why."""


@dataclass(frozen=True, slots=True)
class _Reply:
    actions: list[object]
    done: bool = False
    reasoning: str = ""


def parse_reply(text: str) -> list[object]:
    """The raw actions of a reply: a JSON list, or an object with actions or tool_calls, wherever in the text; raises InvalidReply."""
    return _read(text).actions


def plan_from_reply(text: str, step: Step, shown: Shown) -> Plan:
    """The plan of a reply: picks made to actions on the page's elements, repaired where certain, invalid ones dropped, the task's
    conventions applied. `shown` is what was shown.

    Raises InvalidReply when no action is left and the reply didn't say that the task is done. In one-shot form a task can't be
    done without actions.
    """
    reply = _read(text)
    actions, faults = _actions(reply.actions, step, shown)
    done = reply.done or any(action.type == "DoneAction" for action in actions)
    kept = permitted(actions, step)
    if not kept and not (done and step.form is Form.STEP):
        raise InvalidReply(_why_nothing(actions, faults))
    if step.form is Form.STEP:
        kept = tuple(breathing(kept, after_failure=Past(step.history).last_failed))
    return Plan(conform(kept, step), done=done, reasoning=reply.reasoning)


def _why_nothing(actions: list[Action], faults: list[str]) -> str:
    if faults:
        return f"No action of the reply is valid; the first fault: {faults[0]}"
    left = [action for action in actions if action.type != "DoneAction"]
    return "All actions lead off the task's site or use tools that are not allowed." if left else "The reply has no actions."


def _actions(raw_actions: list[object], step: Step, shown: Shown) -> tuple[list[Action], list[str]]:
    actions, faults = [], []
    for raw in raw_actions[:MAX_ACTIONS]:
        try:
            actions.append(picked(raw, step, shown))
        except InvalidAction as error:
            faults.append(str(error))
    return actions, faults


def _read(text: str) -> _Reply:
    loose: list[object] = []
    for value in _json_values(_without_thinking(text[:MAX_REPLY])):
        reply = _as_reply(value)
        if reply:
            return reply
        if _is_action(value):
            loose.append(value)
    if not loose:
        raise InvalidReply("The reply holds no JSON list of actions.")
    return _Reply(loose)


def _without_thinking(text: str) -> str:
    """The reply after the model's thoughts, which may hold drafts; a thought that never ends hides the rest."""
    if text.lstrip().startswith(("{", "[")):
        return text
    return re.sub(r"<think>.*?(</think>|\Z)", "", text.rpartition("</think>")[2], flags=re.DOTALL)


def _json_values(text: str) -> Iterator[object]:
    """The JSON objects and lists in a text, in order, however it is fenced; raises InvalidReply where one is cut off."""
    decoder, position = json.JSONDecoder(), 0
    for _ in range(MAX_TRIES):
        start = re.compile(r"[\[{]").search(text, position)
        if start is None:
            return
        try:
            value, position = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError) as error:
            if isinstance(error, RecursionError) or _is_cut_off(error, text):
                raise InvalidReply("The reply's JSON is cut off or nests too deep.") from None
            position = start.end()
            continue
        yield value


def _is_cut_off(error: ValueError, text: str) -> bool:
    return isinstance(error, json.JSONDecodeError) and (error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip()))


def _as_reply(value: object) -> _Reply | None:
    if isinstance(value, list):
        return _Reply(value) if any(isinstance(item, dict) for item in value) else None
    if not isinstance(value, dict):
        return None
    listed = next((value[key] for key in ("actions", "tool_calls") if isinstance(value.get(key), list)), None)
    done = value.get("done") is True
    if listed is None and not (done and not _is_action(value)):
        return None
    reasoning = value.get("reasoning")
    return _Reply(listed or [], done, shorten(storable(reasoning), MAX_REASONING) if isinstance(reasoning, str) else "")


def _is_action(value: object) -> bool:
    try:
        return bool(named(value))
    except InvalidAction:
        return False
