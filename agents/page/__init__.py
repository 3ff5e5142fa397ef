"""Reading a page: what can be operated, which items it shows, what went wrong, how to select each element, and an excerpt."""

from agents.page.elements import Element
from agents.page.reading import Page, read
from agents.page.records import Record
from agents.page.sections import Section
from agents.page.summary import changes, excerpt

__all__ = ["Element", "Page", "Record", "Section", "changes", "excerpt", "read"]
