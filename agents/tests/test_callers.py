"""Bodies of each generation of callers, as their classes write them, and the answers that these classes accept."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from agents.contract.action_types import CATALOGUE
from agents.contract.actions import validate
from agents.contract.limits import MAX_ACTIONS, MAX_TRAJECTORY
from agents.contract.protocol import PATHS

pytestmark = pytest.mark.django_db(transaction=True)

BODIES: list[dict[str, Any]] = [json.loads(line) for line in (Path(__file__).parent / "callers.jsonl").read_text().splitlines()]
TYPES = {kind.tool: kind.type for kind in CATALOGUE.values()}
PROTOCOL = {"protocol_version", "tool_calls", "content", "reasoning", "done", "error"}
OPTIONAL = {"web_agent_id", "recording", "cost_usd", "input_tokens", "output_tokens", "model_used", "extracted_data"}
# What the contact form needs; later steps find the name filled in.
VALUES = {"Ada Quill", "ada@post.example"}


def rebuilt(actions: Any) -> list[dict[str, Any]]:
    """Parses actions as all callers since 2025 do; those of late 2025 reject the list for one invalid action."""
    assert isinstance(actions, list)
    for action in actions:
        assert action["type"].endswith("Action")
        assert action["type"] not in {"DoneAction"}, "callers of 2025 don't know it"
        assert validate(action).as_action() == action
    return actions


def from_tool_calls(actions: Any) -> list[dict[str, Any]]:
    assert isinstance(actions, list)
    assert all(call.keys() == {"name", "arguments"} and call["name"].startswith("browser.") for call in actions)
    return rebuilt([{"type": TYPES[call["name"]], **call["arguments"]} for call in actions])


def one_shot(reply: dict[str, Any]) -> list[dict[str, Any]]:
    assert isinstance(reply["web_agent_id"], str)
    assert isinstance(reply["recording"], str)
    return whole(rebuilt(reply["actions"]))


def first_steps(reply: dict[str, Any]) -> list[dict[str, Any]]:
    """The first callers of /act read `actions` and ignore tool calls."""
    return rebuilt(reply["actions"])


def tool_calls(reply: dict[str, Any]) -> list[dict[str, Any]]:
    """The strictest class, which forbids other keys."""
    assert reply.keys() == PROTOCOL
    assert isinstance(reply["done"], bool)
    assert all(reply[name] is None or isinstance(reply[name], str) for name in ("content", "reasoning", "error"))
    return from_tool_calls(reply["tool_calls"])


def whole_plan(reply: dict[str, Any]) -> list[dict[str, Any]]:
    return whole(tool_calls(reply))


def trajectory(reply: dict[str, Any]) -> list[dict[str, Any]]:
    assert reply.keys() - {"trajectory"} <= OPTIONAL
    assert float(reply["cost_usd"] or 0) >= 0
    assert int(reply["input_tokens"]) >= int(reply["output_tokens"]) >= 0
    return whole(from_tool_calls(reply["trajectory"]), MAX_TRAJECTORY)


def whole(actions: list[dict[str, Any]], most: int = MAX_ACTIONS) -> list[dict[str, Any]]:
    assert actions[0]["type"] == "NavigateAction"
    assert len(actions) <= most
    return actions


READS: dict[str, Callable[[dict[str, Any]], list[dict[str, Any]]]] = {
    "one shot": one_shot,
    "actions": first_steps,
    "tool calls": tool_calls,
    "whole plan": whole_plan,
    "trajectory": trajectory,
}


@pytest.mark.parametrize("row", BODIES, ids=lambda row: f"{row['since']} {row['path']}: {row['name']}")
def test_each_generation_of_callers_gets_an_answer_that_it_accepts(row: dict[str, Any]) -> None:
    response = Client().post(row["path"], json.dumps(row["body"]), content_type="application/json")
    assert response.status_code == 200
    actions = READS[row["reads"]](response.json())
    body = row["body"]
    if body.get("html") or body.get("snapshot_html"):
        typed = {action["text"] for action in actions if action["type"] == "TypeAction"}
        assert (VALUES - {"Ada Quill"} if body.get("history") else VALUES) <= typed, "the form on the page is filled in"
    assert actions, "an empty list ends the task"


def test_every_path_has_a_recorded_body() -> None:
    assert {row["path"] for row in BODIES} == set(PATHS)
    assert len({(row["since"], row["path"], row["name"]) for row in BODIES}) >= 8
