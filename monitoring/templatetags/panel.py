"""How the panel's pages write icons, times, durations and states."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

from django import template
from django.forms.boundfield import BoundField
from django.templatetags.static import static
from django.utils.dates import MONTHS_3
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from agents.models import Route, Source
from agents.outcomes import Outcome
from agents.reasons import Verdict
from agents.text import length, shorten
from monitoring.models import Delivery, HealthState, JournalImport, Result, Severity, TestRun
from monitoring.stats import figures
from monitoring.stats.keyset import CappedCount
from monitoring.stats.logs import level_name
from monitoring.stats.task_filters import TaskState
from monitoring.wording import translated

register = template.Library()

ICONS = "monitoring/vendor/tabler-icons-3.52.0/icons.svg"
UNKNOWN = "–"
TONES = {
    Route.LLM: "azure",
    Route.TEMPLATE: "purple",
    TaskState.QUEUED: "secondary",
    TaskState.RUNNING: "azure",
    TaskState.ANSWERED: "green",
    TaskState.LATE: "orange",
    TaskState.UNANSWERED: "red",
    JournalImport.State.DONE: "green",
    Verdict.OPEN: "azure",
    Verdict.OK: "green",
    Verdict.REFUSED: "orange",
    Verdict.FAILED: "red",
    Verdict.INVALID: "red",
    Verdict.GIVEN_UP: "secondary",
    Verdict.LOST: "red",
    Outcome.WORKED: "green",
    Outcome.PARTLY: "orange",
    "good": "green",
    "bad": "red",
    Result.WARN: "yellow",
    Result.FAIL: "red",
    Result.SKIPPED: "secondary",
    TestRun.State.CANCELLED: "secondary",
    HealthState.UP: "green",
    HealthState.DEGRADED: "yellow",
    HealthState.DOWN: "red",
    HealthState.UNKNOWN: "secondary",
    "": "secondary",
    Delivery.State.SENDING: "azure",
    Delivery.State.SENT: "green",
    Delivery.State.DROPPED: "secondary",
    Severity.INFO: "azure",
    Severity.WARNING: "orange",
    Severity.CRITICAL: "red",
}
LEVEL_TONES = {"DEBUG": "secondary", "INFO": "azure", "WARNING": "orange", "ERROR": "red", "CRITICAL": "red"}


@register.filter(name="translated")
def in_language(text: str) -> str:
    """A sentence of the agents in the reader's language."""
    return translated(text)


@register.simple_tag
def icon(name: str) -> SafeString:
    """One icon of the sprite, for the eye alone."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', icon_address(name))


@register.simple_tag
def icon_address(name: str) -> str:
    """Where an icon is, for one that is drawn by hand."""
    return f"{static(ICONS)}#{name}"


@register.filter
def control(field: BoundField) -> SafeString:
    """A form field's control in the panel's look."""
    kind = getattr(field.field.widget, "input_type", "text")
    look = {"select": "form-select", "checkbox": "form-check-input"}.get(kind, "form-control")
    return field.as_widget(attrs={"class": f"{look} is-invalid" if field.errors else look})


@register.filter
def svg_number(value: float) -> str:
    """A number as SVG wants it, whatever the locale."""
    return f"{value:.2f}"


@register.simple_tag
def badge(state: str, words: str) -> SafeString:
    """A state in words, in its colour."""
    # By hand: format_html takes three times as long, and each row of a list has some.
    return SafeString(f'<span class="badge tone tone-{TONES[state]}">{conditional_escape(words)}</span>')


@register.filter
def tone(state: str) -> str:
    """The colour of a state, by the name of its class."""
    return f"tone-{TONES[state]}"


@register.filter
def in_utc(at: datetime) -> str:
    """A time for a tooltip, where no element can show it in the browser's zone."""
    utc = at.astimezone(UTC)
    return f"{_date(utc)} {utc:%H:%M:%S} UTC"


@register.filter
def pretty(value: object) -> str:
    """Facts as JSON to read."""
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


@register.filter
def level_badge(level: int) -> SafeString:
    """A log record's level, in its colour."""
    name = level_name(level)
    return format_html('<span class="badge tone tone-{}">{}</span>', LEVEL_TONES[name], name)


@register.filter
def route_name(route: str) -> str:
    """Who answered."""
    return str(Route(route).label) if route else _("Under way")


@register.filter
def source_name(source: str) -> str:
    """Who set the task."""
    return str(Source(source).label)


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """A time in UTC, which the browser shows in its own zone."""
    return _time(at, "moment") if at else UNKNOWN


@register.filter
def ago(at: datetime | None) -> SafeString | str:
    """A time as the distance from now, which the browser keeps up."""
    return _time(at, "ago", _("at {time}").format(time=in_utc(at))) if at else UNKNOWN


@register.simple_tag(takes_context=True)
def countdown(context: template.Context, until: datetime, now: datetime) -> SafeString:
    """The time left, which the browser counts down. A live part must not change by time alone: there the browser writes it at once."""
    is_live = context["request"].htmx
    return _time(until, "countdown", "…" if is_live else duration((until - now).total_seconds()))


@register.filter
def duration(seconds: float) -> str:
    """A length of time in its two largest units, such as 3 min 12 s."""
    return length(seconds)


@register.filter
def milliseconds(value: float | None) -> str:
    """A duration in ms: 0.4 ms, 85 ms, 1.24 s, 12.4 s, 2 min 3 s."""
    return UNKNOWN if value is None else figures.milliseconds(value)


@register.filter
def seconds(value: float) -> str:
    """A duration in seconds: 85 ms, 1.24 s, 1 min 12 s."""
    return milliseconds(value * 1000) if value < 60 else duration(value)


@register.filter
def percent(value: float | None) -> str:
    """A share; 100 % means all of them and 0 % none."""
    return UNKNOWN if value is None else figures.percent(value)


@register.filter
def usd(value: Decimal | None) -> str:
    """A cost in USD."""
    return UNKNOWN if value is None else f"{value:.6f} USD" if value else "0 USD"


@register.filter
def as_json(value: object) -> str:
    """For a data attribute that a script reads."""
    return json.dumps(value, separators=(",", ":"))


@register.filter
def short(value: float) -> str:
    """A count in few characters."""
    return figures.short(value)


@register.filter
def kilobytes(value: int) -> str:
    """A size in bytes."""
    return f"{value} B" if value < 1_000 else f"{value / 1_000:,.1f} kB"


@register.filter
def shortened(text: str, most: int) -> str:
    """The text in at most so many characters. Django's truncatechars takes fifty times as long: half of what a row of a table takes."""
    return shorten(text, most)


@register.filter
def capped(count: CappedCount) -> str:
    """A count, and whether there are more."""
    return f"{count:,}+" if count.is_more else f"{count:,}"


def _time(at: datetime, kind: str, text: str = "") -> SafeString:
    """`text`: by default the time itself."""
    # By hand: format_html and date_format take five times as long, and a page of log records has a hundred times.
    utc = at.astimezone(UTC)
    exact, date = utc.isoformat(timespec="milliseconds")[:23], _date(utc)
    clock = f"{exact[11:19]} UTC"
    text = conditional_escape(text) if text else f"{date} {clock}"
    return SafeString(f'<time datetime="{exact}Z" data-show="{kind}" title="{date} {utc.year} {clock}">{text}</time>')


def _date(utc: datetime) -> str:
    return f"{utc.day} {MONTHS_3[utc.month].title()}"
