"""Criteria as prompts state them: in the old wording and in the new one."""

from collections.abc import Iterable

from agents.template.prompt.criteria import Criterion, Operator

NEW = {operator: operator.value for operator in Operator}
# Some prompts use programmers' names.
TERSE = {
    Operator.EQUALS: "=",
    Operator.NOT_EQUALS: "not_equals",
    Operator.CONTAINS: "contains",
    Operator.NOT_CONTAINS: "not_contains",
    Operator.GREATER: "greater_than",
    Operator.LESS: "less_than",
    Operator.GREATER_EQUAL: "greater_equal",
    Operator.LESS_EQUAL: "less_equal",
    Operator.ONE_OF: "in_list",
    Operator.NOT_ONE_OF: "not_in_list",
}


def new_wording(criteria: Iterable[Criterion]) -> str:
    """As in: name equals 'Ann' and year greater than '1994'."""
    return " and ".join(f"{criterion.field} {NEW[criterion.operator]} {_values(criterion)}" for criterion in criteria)


def terse_wording(criteria: Iterable[Criterion]) -> str:
    """As in: first_name not_equals 'Ann', release_year greater_than '1994'."""
    return ", ".join(f"{criterion.field.replace(' ', '_')} {TERSE[criterion.operator]} {_values(criterion)}" for criterion in criteria)


def old_wording(criteria: Iterable[Criterion]) -> str:
    """As in: username:Ann and password:Y. It has equality only, and values without quotes."""
    return " and ".join(f"{criterion.field}:{criterion.value}" for criterion in criteria)


def _values(criterion: Criterion) -> str:
    quoted = [f'"{value}"' if "'" in value else f"'{value}'" for value in criterion.values]
    return f"[{', '.join(quoted)}]" if criterion.operator in {Operator.ONE_OF, Operator.NOT_ONE_OF} else quoted[0]
