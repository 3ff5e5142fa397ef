"""The time that planning may take, and loops that end when it is over.

It is kept in a context variable: each of some sixty functions between a plan and its loops would otherwise only pass it on.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar, cast

Item = TypeVar("Item")

# Reading a clock takes about as long as the cheapest of these loops' bodies: it is read once for so many.
ITEMS_A_READING = 16
TEMPLATE_SECONDS = 0.5  # of the processor, for the template's plan: ten times what typical pages take


@dataclass(frozen=True, slots=True)
class TimeBudget:
    """Planning ends when `clock` reaches `ends_at`, both in seconds; without `ends_at` it takes the time that it needs."""

    clock: Callable[[], float] = float
    ends_at: float = math.inf


ENDLESS = TimeBudget()


@dataclass(slots=True)
class Planning:
    """`is_cut_off`: the budget was over before all was read. `made`: what several parts of the plan need and is made once."""

    budget: TimeBudget = ENDLESS
    is_cut_off: bool = False
    made: dict[Hashable, object] = field(default_factory=dict)

    def is_over(self) -> bool:
        self.is_cut_off = self.is_cut_off or self.budget.clock() >= self.budget.ends_at
        return self.is_cut_off


_planning: ContextVar[Planning | None] = ContextVar("planning", default=None)


@contextmanager
def budgeted(budget: TimeBudget) -> Iterator[Planning]:
    made = Planning(budget)
    token = _planning.set(made)
    try:
        yield made
    finally:
        _planning.reset(token)


def in_time(items: Iterable[Item], each: int = ITEMS_A_READING) -> Iterator[Item]:
    """The items as long as the budget in force lasts. The clock is read before the first and then once for `each` items."""
    current = _planning.get()
    if current is None or current.budget is ENDLESS:
        yield from items
        return
    for count, item in enumerate(items):
        if count % each == 0 and current.is_over():
            return
        yield item


def once(make: Callable[[], Item], *key: Hashable) -> Item:
    """What is made under this key, made once a plan. A page is named by its `id`: a plan is about one page, which stays."""
    current = _planning.get()
    if current is None:
        return make()
    if key not in current.made:
        current.made[key] = make()
    return cast("Item", current.made[key])
