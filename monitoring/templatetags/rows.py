"""The rows of long tables, a table's all at once: as templates each took 40 to 110 µs, half of a page's time."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from urllib.parse import quote

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from agents.models import AuditEntry, Source
from agents.outcomes import Outcome
from agents.reasons import Purpose, Verdict
from agents.text import shorten
from monitoring.cells import NOTHING, addresses, cell, details, fact, joined, link, number, row, rows, sub, tag, wide
from monitoring.stats.attempts import AttemptRow
from monitoring.stats.charts import BarRow
from monitoring.stats.figures import percent, short
from monitoring.stats.logs import LogRow
from monitoring.stats.steps import StepRow
from monitoring.stats.task_filters import TaskState
from monitoring.stats.tasks import TaskRow
from monitoring.stats.trail import Entry, action_in_words, who_in_words
from monitoring.templatetags.panel import UNKNOWN, badge, level_badge, milliseconds, moment, route_name, source_name, usd
from monitoring.wording import translated

register = template.Library()

PROMPT_SHOWN, DETAIL_SHOWN = 110, 160
BREAK = SafeString("<br>")


@register.filter
def task_rows(tasks: Iterable[TaskRow]) -> SafeString:
    """Of the Tasks page."""
    # What rows have in common is said once, in the language of the page.
    to_task, state, route, source = addresses("task"), cache(_state), cache(_route), cache(source_name)
    steps, took, nobody = _("Steps"), _("Took"), cell(UNKNOWN)
    return rows(
        row(
            f"task-{task.id}",
            cell(moment(task.created_at)),
            wide(
                link(to_task(task.id), shorten(task.prompt, PROMPT_SHOWN)),
                sub(fact(task.project), fact(f"{source(task.source)} {task.caller or ''}".rstrip())),
            ),
            cell(state(task.state)),
            number(task.steps, steps),
            cell(route(newest.route), " ", tag("span", newest.sentence, look="text-secondary")) if newest and newest.route else nobody,
            number(milliseconds(newest.duration_ms) if newest else UNKNOWN, took),
        )
        for task, newest in ((task, task.newest) for task in tasks)
    )


@register.filter
def step_rows(steps: Iterable[StepRow], outcome: str = "") -> SafeString:
    """Of the Steps page, which asks for their `outcome` too, and of the Overview."""
    to_task, route, went, source = addresses("task"), cache(_route), cache(_outcome), cache(source_name)
    under_way, late = cell(badge("open", _("Under way"))), joined(BREAK, badge("late", _("Late")))
    took, place = _("Took"), _("{endpoint}, step {index}")
    return rows(
        row(
            f"step-{step.id}",
            cell(moment(step.received_at)),
            wide(
                link(f"{to_task(step.task_id)}#step-{step.id}", shorten(step.prompt, PROMPT_SHOWN)),
                sub(
                    fact(step.project),
                    fact(place.format(endpoint=step.endpoint, index=step.index)),
                    NOTHING if step.source == Source.VALIDATOR else fact(source(step.source)),
                ),
            ),
            cell(
                route(step.route),
                " ",
                tag("span", step.sentence, look="step-why"),
                joined(" ", went(step.outcome)) if outcome and step.outcome else NOTHING,
            )
            if step.route
            else under_way,
            number(joined(milliseconds(step.duration_ms), late if step.late else NOTHING), took),
        )
        for step in steps
    )


@register.filter
def attempt_rows(attempts: Iterable[AttemptRow]) -> SafeString:
    """Of LLM attempts."""
    to_task, verdict, purpose = addresses("task"), cache(_verdict), cache(_purpose)
    wait, duration, tokens, cost = _("Wait"), _("Duration"), _("Tokens"), _("Cost")
    return rows(
        row(
            f"attempt-{attempt.id}",
            cell(moment(attempt.decided_at)),
            wide(
                link(f"{to_task(attempt.task_id)}#step-{attempt.step_id}", attempt.model) if attempt.task_id else attempt.model,
                sub(fact(attempt.account), NOTHING if attempt.purpose == Purpose.STEP else fact(purpose(attempt.purpose))),
            ),
            cell(verdict(attempt.verdict), _refusal(attempt), look="verdict"),
            number(milliseconds(attempt.wait_ms), wait),
            number(milliseconds(attempt.latency_ms), duration),
            number(_tokens(attempt), tokens),
            number(usd(attempt.cost), cost),
        )
        for attempt in attempts
    )


@register.filter
def log_rows(entries: Iterable[LogRow]) -> SafeString:
    """Of Logs."""
    to_task, level, more, its_step = addresses("task"), cache(level_badge), _("More lines"), _("Its step")
    return rows(
        row(
            f"entry-{entry.id}",
            cell(moment(entry.at)),
            cell(level(entry.level)),
            wide(
                tag("span", entry.message, look="log-message"),
                details(f"entry-{entry.id}-rest", more, tag("pre", entry.rest)) if entry.rest else NOTHING,
                sub(
                    fact(entry.kind),
                    fact(entry.logger),
                    link(f"{to_task(entry.task)}#step-{entry.step}", its_step) if entry.task else NOTHING,
                ),
            ),
            cell(tag("span", entry.source), sub(fact(entry.host), tag("span", entry.process))),
        )
        for entry in entries
    )


@register.filter
def trail_rows(entries: Iterable[Entry]) -> SafeString:
    """Of the Audit."""
    who = cache(who_in_words)
    return rows(
        tag(
            "tr",
            cell(moment(entry.at)),
            cell(who(entry.who)),
            cell(link(entry.address, entry.what) if entry.address else entry.what, look="title-cell"),
            cell(entry.account),
            wide(*(tag("div", each) for each in entry.facts), sub(entry.reason) if entry.reason else NOTHING),
        )
        for entry in entries
    )


@register.filter
def action_rows(entries: Iterable[AuditEntry]) -> SafeString:
    """Of what operators did to accounts."""
    machine, said = _("The machine"), cache(action_in_words)
    return rows(
        row(
            f"audit-{entry.pk}",
            cell(moment(entry.at)),
            cell(entry.by or machine),
            cell(entry.account.name if entry.account else ""),
            wide(tag("strong", said(entry.action)), " ", entry.detail),
        )
        for entry in entries
    )


@register.filter
def bar_rows(bars: Iterable[BarRow]) -> SafeString:
    """Of the charts as a table."""
    steps = reverse("steps")
    return rows(
        tag(
            "tr",
            cell(link(f"{steps}?q={quote(bar.steps)}", moment(bar.at))),
            *(number(f"{count:,}") for count in (bar.llm, bar.template, bar.unanswered, bar.under_way)),
            cell(bar.refusals or UNKNOWN, look="text-nowrap"),
            *(number(milliseconds(each)) for each in (bar.llm_p50, bar.llm_p95, bar.template_p95)),
            *(number(each) for each in (short(bar.tokens), f"{bar.cost:.4f}", percent(bar.paused))),
        )
        for bar in bars
    )


def _state(state: TaskState) -> SafeString:
    return badge(state, state.sentence)


def _route(route: str) -> SafeString:
    return badge(route, route_name(route))


def _outcome(outcome: str) -> SafeString:
    return badge(outcome, translated(Outcome(outcome).sentence))


def _verdict(verdict: str) -> SafeString:
    return badge(verdict, translated(Verdict(verdict).sentence))


def _purpose(purpose: str) -> str:
    return translated(Purpose(purpose).sentence)


def _refusal(attempt: AttemptRow) -> SafeString:
    """What follows an attempt's verdict."""
    status = joined(" ", tag("span", attempt.status, look="num")) if attempt.status else NOTHING
    if not (attempt.refusal_sentence or attempt.detail):
        return status
    detail = joined(" ", tag("code", shorten(attempt.detail, DETAIL_SHOWN))) if attempt.detail else NOTHING
    return joined(status, tag("div", attempt.refusal_sentence, detail, look="text-secondary"))


def _tokens(attempt: AttemptRow) -> str:
    """Of its prompt and its answer."""
    if attempt.prompt_tokens is None:
        return UNKNOWN
    return f"{attempt.prompt_tokens:,} + {'?' if attempt.completion_tokens is None else f'{attempt.completion_tokens:,}'}"
