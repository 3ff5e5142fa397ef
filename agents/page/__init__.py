"""Reading a page: what can be operated, which items it shows, what went wrong, how to select each element, and an excerpt."""

from __future__ import annotations

from agents.page.changes import Changes, changes
from agents.page.elements import Element
from agents.page.excerpt import excerpt
from agents.page.reading import Page, read
from agents.page.records import Record
from agents.page.signs import Choice, Dialog, Pagination

__all__ = ["Changes", "Choice", "Dialog", "Element", "Page", "Pagination", "Record", "changes", "excerpt", "read"]
