"""Add an item to the site's own: a film, a book, a client, a matter, an expense …"""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind
from agents.template.leads import ADDING

RECIPE = FormTask(
    "add_item",
    frozenset({Kind.ADD_ITEM}),
    leads=("add new", "new", "create new", "create", "add", "post"),
    verbs=ADDING,
    sends=("add", "create", "save", "submit", "publish", "post"),
    fills=("name", "title"),
)
