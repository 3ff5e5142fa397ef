"""A prompt's intent and criteria, the item that it is about, and values that meet criteria."""

from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.intents import Intent
from agents.template.prompt.measures import PURE_NUMBER, comparable, date_in, number_in, time_in
from agents.template.prompt.operators import ABOVE, BELOW, EXACT, LISTS, OPERATOR, POSITIVE, operator_of
from agents.template.prompt.synonyms import alike, forms_of, meanings_of, names_of
from agents.template.prompt.targets import Target, besides_item, is_itself_chosen, is_of_order, only_opens, target_of, to_choose
from agents.template.prompt.task_kinds import ADDING, CHANGING, Kind, Trait
from agents.template.prompt.values import chosen, example, holds, holds_all, meets, meets_all, only_exclude, without_exclusions

__all__ = [
    "ABOVE", "ADDING", "BELOW", "CHANGING", "EXACT", "LISTS", "OPERATOR", "POSITIVE", "PURE_NUMBER", "Criterion", "Intent", "Kind",
    "Operator", "Target", "Trait", "alike", "besides_item", "chosen", "comparable", "date_in", "example", "forms_of", "holds",
    "holds_all", "is_itself_chosen", "is_of_order", "meanings_of", "meets", "meets_all", "names_of", "number_in", "only_exclude",
    "only_opens",
    "operator_of", "target_of", "time_in", "to_choose", "without_exclusions",
]  # fmt: skip
