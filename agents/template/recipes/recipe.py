"""What every recipe offers."""

from __future__ import annotations

from typing import Protocol

from agents.page import Page
from agents.template.intents import Intent
from agents.template.moves import Move
from agents.template.past import Past


class Recipe(Protocol):
    """How one kind of task is done. A recipe is a module with these functions; none of them keeps anything.

    `page` is None for a page that nobody has seen yet: the moves are then by selectors that suit unknown sites.
    """

    @property
    def __name__(self) -> str:
        """What it is called where a plan is explained."""

    def fits(self, intent: Intent) -> bool:
        """Whether the recipe is for this intent."""

    def reach(self, intent: Intent, page: Page | None) -> tuple[Move, ...]:
        """The moves to where the task can be done; none when this page is the place."""

    def act(self, intent: Intent, page: Page | None) -> tuple[Move, ...]:
        """The moves that do the task, the fills before what sends them."""

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """Whether the history and the page show that the task is done."""
