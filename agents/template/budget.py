"""The time limit of planning, and loops that end when it is over.

It is a context variable: otherwise some sixty functions between a plan and its loops would have to pass it on."""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

Item = TypeVar("Item")

ITEMS_A_READING = 16  # reading the clock takes about as long as the cheapest of these loops' bodies, so it is read once for this many items
TEMPLATE_SECONDS = 0.5  # of the processor, for the template's plan: ten times what typical pages take


@dataclass(slots=True)
class TimeBudget:
    """Planning ends when `clock` reaches `ends_at`, both in seconds; without `ends_at` it is unlimited. `is_cut_off`: it ended before all
    was read. `values`: computed once for several parts of the plan."""

    clock: Callable[[], float] = float
    ends_at: float = math.inf
    is_cut_off: bool = field(default=False, init=False)
    values: dict[Hashable, object] = field(default_factory=dict, init=False)

    def is_over(self) -> bool:
        self.is_cut_off = self.is_cut_off or self.clock() >= self.ends_at
        return self.is_cut_off


ENDLESS = TimeBudget()
_planning: ContextVar[TimeBudget | None] = ContextVar("planning", default=None)


@contextmanager
def budgeted(budget: TimeBudget) -> Iterator[TimeBudget]:
    """A copy of the budget, current for the plan that is made in this context."""
    current = replace(budget)
    token = _planning.set(current)
    try:
        yield current
    finally:
        _planning.reset(token)


def in_time(items: Iterable[Item], each: int = ITEMS_A_READING) -> Iterator[Item]:
    """The items, until the current budget is over. The clock is read before the first and then once for `each` items."""
    current = _planning.get()
    if current is None or math.isinf(current.ends_at):
        yield from items
        return
    for count, item in enumerate(items):
        if count % each == 0 and current.is_over():
            return
        yield item


def once(make: Callable[[], Item], *key: Hashable) -> Item:
    """The value of this key, computed once per plan. A page's key is its `id`: a plan has one page, which outlives it."""
    current = _planning.get()
    if current is None:
        return make()
    if key not in current.values:
        current.values[key] = make()
    return cast("Item", current.values[key])
