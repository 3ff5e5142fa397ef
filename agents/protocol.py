"""Callers' JSON to Step, Plan to callers' JSON: the only place that knows the contract's field names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agents.actions import Action


class Form(StrEnum):
    """How a caller wants its answer: a whole list of actions at once, or tool calls step by step."""

    ONE_SHOT = "one_shot"
    STEP = "step"


class BadRequest(ValueError):
    """A request that can't be read: `field` names what is wrong, the text says the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class PastAction:
    """One entry of a step's history. `type` is the canonical action name, "" when it can't be told; `succeeded` None: unknown."""

    type: str
    fields: Mapping[str, Any]
    succeeded: bool | None
    error: str
    url: str


@dataclass(frozen=True, slots=True)
class Step:
    """One request about a task. `page` is the page's HTML, "" when the caller sent none; `timeout_seconds` None: not said."""

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


@dataclass(frozen=True, slots=True)
class Plan:
    """What is answered to one step. `done`: the task needs nothing more."""

    actions: tuple[Action, ...]
    done: bool = False
    reasoning: str = ""
