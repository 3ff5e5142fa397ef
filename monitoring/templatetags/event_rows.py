"""The rows of rate-limit events, a table's all at once: as templates each took 260 µs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from django import template
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from agents.text import length
from monitoring.cells import NOTHING, addresses, cell, details, fact, filled, joined, link, number, row, rows, sub, tag, wide
from monitoring.stats.band import Span
from monitoring.stats.events import EventRow
from monitoring.stats.predictions import Expectation
from monitoring.templatetags.panel import moment
from monitoring.wording import translated

register = template.Library()

Say = Callable[[str], str]
BETWEEN = SafeString("–<wbr>")


@register.filter
def event_rows(events: Iterable[EventRow]) -> SafeString:
    """Of Rate-limit events and of the page Rate limit."""
    # Each text is translated once, in the language of the page.
    say, to_task = cache(gettext), addresses("task")
    return rows(_row(each, to_task, say) for each in events)


@register.filter
def pause_rows(pauses: Iterable[Span]) -> SafeString:
    """Of an account's newest pauses."""
    to, cause = _("to"), cache(lambda cause: capfirst(translated(cause)))
    return rows(
        tag("tr", cell(moment(each.start)), cell(moment(each.end), label=to), number(length(each.seconds)), cell(cause(each.cause)))
        for each in pauses
    )


def _row(told: EventRow, to_task: Callable[[int], str], _: Say) -> SafeString:
    event = told.event
    return row(
        f"event-{event.pk}",
        cell(moment(event.started_at)),
        wide(
            tag("strong", capfirst(told.cause)),
            joined(" ", tag("span", event.status, look="num")) if event.status else NOTHING,
            sub(
                tag("span", event.account.name),
                tag("span", event.model or _("whole account")),
                tag("span", _("no. {strike} in a row").format(strike=event.strike)),
            ),
            details(
                f"event-{event.pk}-more",
                _("More"),
                _paragraph(told.sentence),
                _paragraph(tag("code", event.detail)) if event.detail else NOTHING,
                _paragraph(filled(_("The block began {at}."), at=moment(event.block_started_at)), " ", _attempt(told, to_task, _)),
            ),
        ),
        cell(_pause(told), label=_("Pause")),
        cell(_predicted(told.predicted, _), label=_("Predicted")),
        cell(moment(event.recovered_at), sub(told.outcome.words) if told.outcome else NOTHING, label=_("Back")),
        cell(told.ended, sub(moment(event.ended_at)) if event.ended_at else NOTHING),
    )


def _pause(told: EventRow) -> SafeString:
    """How long the pause is, and how that is known."""
    return joined(tag("span", length(told.event.pause_seconds), look="num"), sub(tag("span", told.pause_source, look="text-nowrap")))


def _paragraph(*content: object) -> SafeString:
    return tag("p", *content, look="mb-1")


def _attempt(told: EventRow, to_task: Callable[[int], str], _: Say) -> SafeString:
    """Which attempt met the block."""
    attempt = told.event.attempt
    if attempt is None:
        return joined(_("Its attempt is no longer on record."))
    of: object = attempt.get_purpose_display()
    if told.step:
        task, step = told.step
        of = joined(_("Attempt {number} of").format(number=attempt.number), " ", link(f"{to_task(task)}#step-{step}", _("a task's step")))
    return joined(of, _(", model {model}.").format(model=attempt.model))


def _predicted(expected: Expectation, _: Say) -> SafeString:
    """When the account was expected back, and how that was known."""
    if expected.at is None:
        return joined(_("Unknown"))
    span = tag("span", moment(expected.earliest), BETWEEN, moment(expected.latest)) if expected.earliest != expected.latest else NOTHING
    return joined(moment(expected.at), sub(span, fact(", ".join(filter(None, (expected.source, expected.sureness))))))
