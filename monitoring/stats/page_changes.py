"""What has changed on a task's page from one step to the next, as the template agent reads pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from agents.models import Step
from agents.page import Page, changes, read
from agents.redaction import redact
from agents.step_pages import kept
from monitoring.stats.words import action_words

# A text that is longer is cut: it is to be recognised, not read.
LONGEST_TEXT = 160


@dataclass(frozen=True, slots=True)
class PageChanges:
    """The page of a step beside the one of the step before it. `gone`: the indexes of the steps whose page is not kept.

    `lead`: the actions that were sent in between, in words; `came`, `went`: texts, secrets masked; `errors`: those that are new.
    `opened`: the name of the dialog that lies on top now and did not before; `closed`: one that lay there is gone.
    """

    step: Step
    before: Step | None
    gone: tuple[int, ...] = ()
    lead: tuple[str, ...] = ()
    moved_to: str = ""
    errors: tuple[str, ...] = ()
    opened: str = ""
    closed: bool = False
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether both pages are there and nothing has changed."""
        return bool(self.before) and not (self.gone or self.moved_to or self.errors or self.opened or self.closed or self.came or self.went)


def page_changes(pk: int, now: datetime) -> PageChanges | None:
    """What is known of a step's page; None where there is no such step. Reads both pages: not for what is refreshed all the time."""
    step = Step.objects.select_related("task").filter(pk=pk).first()
    if step is None:
        return None
    before = step.task.steps.filter(pk__lt=pk).order_by("-pk").first()
    if before is None:
        return PageChanges(step, None)
    pages = {each.index: _page(each, now) for each in (before, step)}
    gone = tuple(index for index, page in pages.items() if page is None)
    then, since = (pages[each.index] for each in (before, step))
    lead = tuple(action_words(action) for action in before.actions)
    return _compared(step, before, lead, then, since) if then and since else PageChanges(step, before, gone, lead)


def _page(step: Step, now: datetime) -> Page | None:
    asked = kept(step.pk, now)
    return read(asked.page, asked.url) if asked and asked.page else None


def _compared(step: Step, before: Step, lead: tuple[str, ...], then: Page, since: Page) -> PageChanges:
    found = changes(then, since)
    return PageChanges(
        step,
        before,
        lead=lead,
        moved_to=redact(since.url) if found.moved else "",
        errors=_masked(found.errors),
        opened=redact(found.opened.label or "?") if found.opened else "",
        closed=found.closed,
        came=_masked(found.appeared),
        went=_masked(found.gone),
    )


def _masked(texts: Iterable[str]) -> tuple[str, ...]:
    cut = (text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…" for text in texts)
    return tuple(redact(text) for text in cut)
