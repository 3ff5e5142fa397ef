"""Reading a page: its interactive elements, finders by role and name, the steadiest selector of each, and an excerpt."""

from __future__ import annotations

from agents.page.elements import Element
from agents.page.excerpt import excerpt
from agents.page.reading import Page, read
from agents.page.records import Record

__all__ = ["Element", "Page", "Record", "excerpt", "read"]
