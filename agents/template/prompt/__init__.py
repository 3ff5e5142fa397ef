"""A prompt's intent and criteria, the item that it is about, and values that meet criteria."""

from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.intents import Intent
from agents.template.prompt.targets import Target, besides_item, only_opens, target_of, to_choose
from agents.template.prompt.task_kinds import Kind
from agents.template.prompt.task_rows import Trait
from agents.template.prompt.values import example, holds, meets

__all__ = [
    "Criterion", "Intent", "Kind", "Operator", "Target", "Trait", "besides_item", "example", "holds", "meets", "only_opens", "target_of",
    "to_choose",
]  # fmt: skip
