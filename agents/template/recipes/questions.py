"""A question: the way to the item that it is about. What is answered is found by `items.answers` on each page."""

from agents.contract.action_history import Past
from agents.page import Page
from agents.template.prompt import Intent
from agents.template.recipes.recipe import Recipe


class Question(Recipe):
    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return False
