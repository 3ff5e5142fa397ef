"""Questions: `next_step` moves towards the item, and `items.answers` reads the answer on each page."""

from agents.contract.action_history import Past
from agents.page import Page
from agents.template.prompt import Intent
from agents.template.recipes.recipe import Recipe


class Question(Recipe):
    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return False
