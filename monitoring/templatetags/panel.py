"""Template tags and filters for icons, times, durations and states."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from django import template
from django.forms.boundfield import BoundField
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents.common.redaction import redact
from agents.common.text import length, shorten
from agents.contract.action_history import Outcome
from agents.models import JobState, LLMAttempt, Route, Source
from agents.policy.modes import CallerState
from agents.policy.reasons import Verdict
from agents.policy.refusals import RefusalClass, sentence
from monitoring.logs.log_list import level_name
from monitoring.models import HealthState, Result, Severity
from monitoring.reporting import formats
from monitoring.reporting.pagination import CappedCount
from monitoring.tasks.tasks import TaskState
from monitoring.web.navigation import GROUPS

register = template.Library()
register.filter("duration", length)
register.filter("redacted", redact)
register.filter("short", formats.short)
register.filter("shortened", shorten)

ICONS = "monitoring/vendor/tabler-icons-3.52.0/icons.svg"
UNKNOWN = "–"
COLOURS: dict[str, tuple[str, ...]] = {
    "azure": (Route.LLM, TaskState.RUNNING, Verdict.OPEN, "INFO"),
    "purple": (Route.TEMPLATE,),
    "green": (TaskState.ANSWERED, JobState.SUCCEEDED, Verdict.OK, Outcome.WORKED, CallerState.ALLOWED, HealthState.UP, "good"),
    "yellow": (Result.WARN, HealthState.DEGRADED),
    "orange": (TaskState.LATE, Verdict.REFUSED, Outcome.PARTLY, "WARNING"),
    "red": (
        *(TaskState.UNANSWERED, Verdict.FAILED, Verdict.INVALID, Verdict.LOST, CallerState.BLOCKED, Result.FAIL, HealthState.DOWN),
        *("bad", "ERROR", "CRITICAL"),
    ),
    "secondary": (
        *(TaskState.QUEUED, JobState.CANCELLED, Verdict.GIVEN_UP, CallerState.OTHER, Result.SKIPPED, HealthState.UNKNOWN),
        *("", "DEBUG"),
    ),
}
SEVERITIES = {Severity.INFO: "azure", Severity.WARNING: "orange", Severity.CRITICAL: "red"}
TONES: dict[Any, str] = {**{state: colour for colour, states in COLOURS.items() for state in states}, **SEVERITIES}


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', icon_address(name))


@register.simple_tag
def icon_address(name: str) -> str:
    return f"{static(ICONS)}#{name}"


@register.inclusion_tag("_navigation.html", takes_context=True)
def navigation(context: template.Context) -> dict[str, Any]:
    user, match = context["user"], context["request"].resolver_match
    allowed = user.get_all_permissions() | {""}
    groups = {title: [entry for entry in entries if entry.permission in allowed] for title, entries in GROUPS.items()}
    return {"navigation": groups.items(), "route": match.url_name if match else ""}


@register.filter
def control(field: BoundField) -> SafeString:
    kind = getattr(field.field.widget, "input_type", "text")
    classes = {"select": "form-select", "checkbox": "form-check-input"}.get(kind, "form-control")
    return field.as_widget(attrs={"class": f"{classes} is-invalid" if field.errors else classes})


@register.simple_tag
def badge(state: str, label: str) -> SafeString:
    return format_html('<span class="badge tone tone-{}">{}</span>', TONES[state], label)


@register.filter
def refusal_sentence(attempt: LLMAttempt) -> str:
    return sentence(RefusalClass(attempt.refusal), status=attempt.status) if attempt.refusal else ""


@register.filter
def markdown(text: str) -> str:
    """A text on one line, with Markdown's characters escaped."""
    return re.sub(r"[\\`*_<>\[\]|]", r"\\\g<0>", " ".join(text.split()))


@register.filter
def unfenced(line: str) -> str:
    """A line that can't end a fenced block of Markdown."""
    return line.replace("```", "'''")


@register.filter
def in_utc(at: datetime) -> str:
    """A time for a tooltip, which can't be converted to the browser's zone."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %H:%M:%S} UTC"


def _time(at: datetime | float, kind: str, text: str = "{}") -> SafeString:
    """`at`: Unix seconds for times of a gate."""
    utc = at.astimezone(UTC) if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    exact, title = utc.isoformat(timespec="milliseconds")[:23], f"{utc.day} {utc:%b %Y %H:%M:%S} UTC"
    return format_html('<time datetime="{}Z" data-show="{}" title="{}">{}</time>', exact, kind, title, text.format(in_utc(utc)))


@register.filter
def moment(at: datetime | float | None) -> SafeString | str:
    return _time(at, "moment") if at else UNKNOWN


@register.filter
def ago(at: datetime | float | None) -> SafeString | str:
    return _time(at, "ago", "at {}") if at else UNKNOWN


@register.simple_tag(takes_context=True)
def countdown(context: template.Context, until: datetime, now: datetime) -> SafeString:
    """The time left, which the browser counts down. In a live part only the browser writes it, so that the part itself does not change."""
    is_live = context["request"].htmx
    return _time(until, "countdown", "…" if is_live else length((until - now).total_seconds()))


@register.filter
def milliseconds(value: float | None) -> str:
    return UNKNOWN if value is None else formats.milliseconds(value)


@register.filter
def percent(value: float | None) -> str:
    return UNKNOWN if value is None else formats.percent(value)


@register.filter
def capped(count: CappedCount) -> str:
    return f"{count:,}+" if count.is_more else f"{count:,}"


register.filter("svg_number", lambda number: f"{number:.2f}")
register.filter("pretty", lambda value: json.dumps(value, indent=2, ensure_ascii=False, default=str))
register.filter("as_json", lambda value: json.dumps(value, separators=(",", ":")))
register.filter("route_name", lambda route: Route(route).label if route else "Under way")
register.filter("source_name", lambda source: Source(source).label)
register.filter("tone", lambda state: f"tone-{TONES[state]}")
register.filter("level_badge", lambda level: badge(level_name(level), level_name(level)))
register.filter("kilobytes", lambda size: f"{size} B" if size < 1_000 else f"{size / 1_000:,.1f} kB")
register.filter("seconds", lambda value: milliseconds(value * 1000) if value < 60 else length(value))
register.filter("usd", lambda value: UNKNOWN if value is None else f"{value:.6f} USD" if value else "0 USD")
