"""Strips of looks and of test runs: as templates each took 5 to 57 µs, of which an Overview has hundreds."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from monitoring.cells import addresses
from monitoring.stats.components import Beat
from monitoring.stats.runs import RunRow
from monitoring.templatetags.panel import in_utc, tone

register = template.Library()


@register.filter
def beats(looks: Iterable[Beat], title: str = "") -> SafeString:
    """A bar for each look at a component; with a `title` each tells what it saw."""
    # A state is written once for all looks that saw it.
    bar = cache(lambda state: f'<span class="beat {tone(state)} beat-{state}"')
    if not title:
        return SafeString("".join([f"{bar(look.state)}></span>" for look in looks]))
    label = cache(lambda state: str(state.label))
    told = [(look.state, f"{label(look.state)} · {in_utc(look.at)} · {look.message}") for look in looks]
    return SafeString("".join([f'{bar(state)} title="{escape(words)}"></span>' for state, words in told]))


@register.filter
def run_beats(runs: Iterable[RunRow]) -> SafeString:
    """A bar for each run of the tests, which leads to it."""
    to_run, text = addresses("test_run"), _("Run {number}: {words}, {suites}, {at}")
    return SafeString("".join([_run_beat(run, to_run(run.pk), text) for run in runs]))


def _run_beat(run: RunRow, address: str, text: str) -> str:
    look = f"{tone(run.standing)} beat-{run.standing}"
    words = escape(text.format(number=run.pk, words=run.words, suites=run.suites, at=in_utc(run.asked_at)))
    return f'<a class="beat {look}" href="{address}" title="{words}" aria-label="{words}"></a>'
