"""What the panel's own records tell of a window: the same questions as of a journal, asked of rows instead of lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Q, Window
from django.db.models.functions import Lag

from agents.configuration import rules
from agents.governor import Pacing
from agents.models import LLMAttempt, RateLimitEvent, Route, Settings, Source, Step
from agents.pauses import JITTER
from agents.reasons import PauseSource, Reason, Verdict
from agents.refusals import RefusalClass
from monitoring.models import Result
from monitoring.stats.standing import CAUSES
from monitoring.suites.findings import Asked, Finding

NAME = "this miner"
# Of so many events the waits are checked one by one; older ones were checked by earlier runs.
MOST_EVENTS = 500
# A request is on its way for a moment before it is noted as sent.
TOLERANCE = 0.05


def findings(asked: Asked) -> Iterator[Finding]:
    """The sentences on the window that is asked for."""
    assert asked.since and asked.until
    span = Q(decided_at__gte=asked.since, decided_at__lt=asked.until)
    attempts = LLMAttempt.objects.filter(span)
    paused = RateLimitEvent.objects.filter(model="", started_at__gte=asked.since, started_at__lt=asked.until)
    events = list(paused.order_by("-started_at")[:MOST_EVENTS])
    steps = Step.objects.filter(source=Source.VALIDATOR, received_at__gte=asked.since, received_at__lt=asked.until)
    window = f"From {asked.since:%Y-%m-%d %H:%M} to {asked.until:%Y-%m-%d %H:%M} UTC."
    yield _limits(attempts.filter(status=429).values_list("refusal").annotate(number=Count("id")).order_by("-number"), window)
    if events:
        yield _backoff(events)
        yield _ladder(events)
    yield _timeouts(steps, asked.until)
    yield _answers(steps, attempts, events)
    yield from _spacing(attempts)
    yield from _errors(attempts)


def _counted(requests: int) -> str:
    return f"{requests:,} request{'' if requests == 1 else 's'} met"


def _limits(counted: Any, window: str) -> Finding:
    kinds: dict[str, int] = dict(counted)
    if not kinds:
        return Finding("rate limits", Result.OK, NAME, came_back=window, meaning="No request met a 429.")
    parts = ", ".join(f"{CAUSES[RefusalClass(kind)]} {number}" for kind, number in kinds.items() if kind)
    return Finding(
        "rate limits", Result.WARN, NAME, came_back=window, meaning=f"{_counted(sum(kinds.values()))} a 429: {parts}.", facts=kinds
    )


def _backoff(events: list[RateLimitEvent]) -> Finding:
    broken = [(event, sent) for event in events for sent in _sent_during(event)]
    if not broken:
        meaning = f"{len(events)} pauses, and no request was sent during any of them."
        return Finding("backoff", Result.OK, NAME, meaning=meaning, facts={"pauses": len(events)})
    lines = tuple(_broken(event, sent) for event, sent in broken[:5])
    meaning = f"{len(broken)} requests were sent while the account was paused."
    return Finding("backoff", Result.FAIL, NAME, "", "", meaning, "Report this with the lines: it must not happen.", lines=lines)


def _broken(event: RateLimitEvent, sent: datetime) -> str:
    return f"{event.started_at:%Y-%m-%d %H:%M:%S} paused for {event.pause_seconds:.0f} s; sent at {sent:%H:%M:%S.%f}"


def _sent_during(event: RateLimitEvent) -> list[datetime]:
    """What was decided and sent within the pause; one that an operator ended was over by then."""
    until = event.started_at + timedelta(seconds=event.pause_seconds - TOLERANCE)
    if event.ended_at:
        until = min(until, event.ended_at)
    sent = LLMAttempt.objects.filter(
        account_id=event.account_id, decided_at__gt=event.started_at, sent_at__gt=event.started_at, sent_at__lt=until
    )
    return [at for at in sent.values_list("sent_at", flat=True)[:3] if at]


def _ladder(events: list[RateLimitEvent]) -> Finding:
    limits = rules(Settings.current()).limits
    ours = [event for event in events if event.pause_source == PauseSource.LADDER and event.refusal == "edge"]
    if not ours:
        return Finding("ladder", Result.SKIPPED, NAME, meaning="No pause came from the ladder: its length was known from elsewhere.")
    changed_at = Settings.history.aggregate(newest=Max("history_date"))["newest"]
    judged = [event for event in ours if changed_at is None or event.started_at > changed_at]
    wrong = [
        event
        for event in judged
        if not limits.pause(event.strike) - 1 <= event.pause_seconds <= limits.pause(event.strike) * (1 + JITTER) + 1
    ]
    if wrong:
        meaning = f"{len(wrong)} of {len(judged)} pauses do not fit their rung of the ladder."
        lines = tuple(f"{event.started_at:%Y-%m-%d %H:%M:%S} strike {event.strike}: {event.pause_seconds:.0f} s" for event in wrong[:5])
        return Finding("ladder", Result.WARN, NAME, meaning=meaning, lines=lines)
    skipped = (
        f" {len(ours) - len(judged)} are older than the last change of the settings and were not judged." if len(judged) < len(ours) else ""
    )
    return Finding("ladder", Result.OK, NAME, meaning=f"{len(judged)} pauses follow the ladder.{skipped}")


def _fits(event: RateLimitEvent, rung: float) -> bool:
    return rung - 1 <= event.pause_seconds <= rung * (1 + JITTER) + 1


def _timeouts(steps: Any, until: datetime) -> Finding:
    late = Q(answered_at__gt=F("deadline_at")) | Q(answered_at=None, deadline_at__lt=until)
    total, missed = steps.count(), steps.filter(late).count()
    if not total:
        return Finding("timeouts", Result.SKIPPED, NAME, meaning="No validator's step came in this time.")
    if missed:
        step = "Open the late steps on the Tasks page."
        return Finding(
            "timeouts", Result.FAIL, NAME, "", "", f"{missed:,} of {total:,} steps were late or unanswered.", step, {"late": missed}
        )
    return Finding("timeouts", Result.OK, NAME, meaning=f"All {total:,} steps were answered in time.", facts={"steps": total})


def _answers(steps: Any, attempts: Any, events: list[RateLimitEvent]) -> Finding:
    routes = dict(steps.values_list("route").annotate(number=Count("id")))
    llm, template = routes.get(Route.LLM, 0), routes.get(Route.TEMPLATE, 0)
    if not llm + template:
        return Finding("answers", Result.SKIPPED, NAME, meaning="No step was answered in this time.")
    newest = max((event.started_at for event in events), default=None)
    after = attempts.filter(verdict=Verdict.OK, ended_at__gt=newest).count() if newest else attempts.filter(verdict=Verdict.OK).count()
    since = f" {after:,} LLM successes since the last rate limit." if newest else ""
    reasons = steps.filter(route=Route.TEMPLATE).values_list("reason").annotate(number=Count("id")).order_by("-number")[:5]
    why = "; ".join(f"{number:,}: {Reason(reason).sentence}" for reason, number in reasons if reason)
    meaning = f"The LLM answered {llm:,} steps, the template agent {template:,}.{since}"
    facts: Mapping[str, Any] = {"llm": llm, "template": template, "llm_since_last_limit": after}
    return Finding("answers", Result.OK if llm else Result.WARN, NAME, came_back=why, meaning=meaning, facts=facts)


def _spacing(attempts: Any) -> Iterator[Finding]:
    in_force = Settings.current()
    before = Window(Lag("sent_at"), partition_by=F("account_id"), order_by=F("sent_at").asc())
    sent = attempts.filter(sent_at__isnull=False).annotate(before=before).values_list("before", "sent_at")
    gaps = ((after - first).total_seconds() for first, after in sent.iterator() if first)
    smallest = min(gaps, default=None)
    if smallest is None:
        return
    meaning = f"The two requests closest to each other left {smallest:.2f} s apart."
    facts = {"smallest_gap": round(smallest, 3), "spacing": in_force.spacing_seconds}
    is_judged = in_force.pacing == Pacing.FIXED and in_force.spacing_seconds > 0
    if is_judged and smallest < in_force.spacing_seconds - TOLERANCE:
        step = "If the spacing was shorter earlier in this time, this is no fault."
        yield Finding("spacing", Result.WARN, NAME, "", "", f"{meaning} The spacing is {in_force.spacing_seconds:g} s.", step, facts)
        return
    held = f" The spacing of {in_force.spacing_seconds:g} s was held." if is_judged else ""
    yield Finding("spacing", Result.OK, NAME, meaning=meaning + held, facts=facts)


def _errors(attempts: Any) -> Iterator[Finding]:
    bad = attempts.filter(verdict__in=(Verdict.FAILED, Verdict.INVALID, Verdict.LOST)).values_list("verdict").annotate(number=Count("id"))
    kinds: dict[str, int] = dict(bad.order_by("-number"))
    if kinds:
        parts = ", ".join(f"{Verdict(verdict).sentence.lower()} {number}" for verdict, number in kinds.items())
        yield Finding("errors", Result.WARN, NAME, meaning=f"{sum(kinds.values()):,} LLM attempts brought no plan: {parts}.", facts=kinds)
