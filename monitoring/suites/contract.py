"""Whether an answer keeps the validators' contract: every fault in a sentence that names the field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from agents.actions import Action, InvalidAction, validate
from agents.catalogue import CATALOGUE

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TOOLS = {kind.tool: kind.type for kind in CATALOGUE.values()}
# Every fault is worth a line, but a list of a thousand broken actions is told by its first ones.
MOST_FAULTS = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """What an answer holds. `faults` empty: it keeps the contract."""

    faults: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    done: bool = False


def check_task(body: bytes, url: str) -> Checked:
    """The answer to a one-shot task that starts at `url`."""
    answer, fault = _object(body)
    if fault:
        return Checked((fault,))
    raw = answer.get("actions")
    if not isinstance(raw, list):
        return Checked(("actions: is not a list.",))
    if not raw:
        return Checked(("actions: the list is empty, so the task scores nothing.",))
    actions, faults = _actions([(f"actions[{place}]", each) for place, each in enumerate(raw)])
    faults += list(_navigation(actions, url, must_start=not faults))
    if not isinstance(answer.get("web_agent_id"), str):
        faults.append("web_agent_id: is missing.")
    return Checked(tuple(faults[:MOST_FAULTS]), tuple(actions))


def check_step(body: bytes, url: str) -> Checked:
    """The answer to a step on the page `url`."""
    answer, fault = _object(body)
    if fault:
        return Checked((fault,))
    calls, done = answer.get("tool_calls"), answer.get("done")
    faults = [] if isinstance(done, bool) else ["done: is missing; callers then drop the whole answer."]
    if not isinstance(calls, list):
        return Checked((*faults, "tool_calls: is not a list."))
    if not calls and done is not True:
        faults.append("tool_calls: the list is empty, and done is not true: the step is wasted.")
    named = [_named(f"tool_calls[{place}]", call) for place, call in enumerate(calls)]
    faults += [each for each in named if isinstance(each, str)]
    actions, more = _actions([each for each in named if not isinstance(each, str)])
    faults += more + list(_navigation(actions, url, must_start=False))
    return Checked(tuple(faults[:MOST_FAULTS]), tuple(actions), done is True)


def _object(body: bytes) -> tuple[Mapping[str, Any], str]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        kind = "HTML" if body.lstrip()[:1] == b"<" else "no JSON"
        return {}, f"body: is {kind}, where a JSON object is wanted."
    return (answer, "") if isinstance(answer, dict) else ({}, "body: is no JSON object.")


def _named(place: str, call: object) -> tuple[str, dict[str, Any]] | str:
    if not isinstance(call, dict) or not isinstance(call.get("arguments"), dict):
        return f"{place}: is no tool call with a name and arguments."
    kind = _TOOLS.get(str(call.get("name")))
    return (place, {"type": kind, **call["arguments"]}) if kind else f"{place}.name: “{call.get('name')}” is no tool."


def _actions(named: list[tuple[str, Any]]) -> tuple[list[Action], list[str]]:
    actions, faults = [], []
    for place, raw in named:
        try:
            actions.append(validate(raw))
        except InvalidAction as error:
            faults.append(f"{place}.{error}")
    return actions, faults


def _navigation(actions: list[Action], url: str, *, must_start: bool) -> Iterator[str]:
    wanted, seed = urlsplit(url), parse_qs(urlsplit(url).query).get("seed")
    if must_start and (not actions or actions[0].type != "NavigateAction" or "url" not in actions[0].fields):
        yield "actions[0]: is no NavigateAction to the task's URL, though the browser starts at a blank page."
    for place, action in enumerate(actions):
        target = action.fields.get("url")
        if action.type != "NavigateAction" or not isinstance(target, str):
            continue
        if parse_qs(urlsplit(target).query).get("seed") != seed:
            yield f"actions[{place}].url: does not carry the task's seed {seed[0] if seed else '(none)'}, so the task scores nothing."
        if urlsplit(target).hostname not in {wanted.hostname, *LOOPBACK}:
            yield f"actions[{place}].url: leaves the task's host {wanted.hostname}."
