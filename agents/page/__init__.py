"""Reading a page: what can be operated, which items it shows, what went wrong, how to select each element, and an excerpt."""

from agents.page.elements import BUTTONS, CHECKED, FIELDS, OPTIONS, PICKER, TEXT_FIELDS, TICKED, Element
from agents.page.matching import likeness, word_set, words
from agents.page.reading import Page, read
from agents.page.records import Record
from agents.page.sections import Section
from agents.page.summary import changes, excerpt

__all__ = [
    "BUTTONS", "CHECKED", "FIELDS", "OPTIONS", "PICKER", "TEXT_FIELDS", "TICKED", "Element", "Page", "Record", "Section", "changes",
    "excerpt", "likeness", "read", "word_set", "words",
]  # fmt: skip
