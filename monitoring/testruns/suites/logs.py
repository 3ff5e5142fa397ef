"""Log analysis: of the panel's own records in a period, and of imported journals."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Window
from django.db.models.functions import Lag

from agents.configuration import rules
from agents.models import LLMAttempt, RateLimitEvent, Route, Settings, Source, Step
from agents.policy.backoff import JITTER
from agents.policy.modes import Pacing
from agents.policy.reasons import PauseSource, Reason, Verdict
from agents.policy.refusals import RefusalClass
from monitoring.models import JournalImport, LogEntry, Result, TestRun
from monitoring.testruns.suites import journal_analysis
from monitoring.testruns.suites.findings import Finding
from monitoring.testruns.suites.journal_analysis import Entry

SHOWN_CHARS = 500
OWN = "own"
# Events whose pauses are checked; older ones were checked by earlier runs.
MOST_EVENTS = 500
# Seconds, as a request is recorded as sent a moment later.
TOLERANCE = 0.05


def readable_journals() -> QuerySet[JournalImport]:
    return JournalImport.objects.filter(state=JournalImport.State.SUCCEEDED, recorded__gt=0).order_by("requested_at", "pk")


def parts(test_run: TestRun) -> list[str]:
    journals, chosen = readable_journals(), test_run.options.get("journals")
    return [OWN, *(str(journal.pk) for journal in journals if chosen is None or journal.pk in chosen)]


def run(test_run: TestRun, part: str) -> Iterator[Finding | str]:
    if part == OWN:
        yield "Reading this miner's records"
        name, findings = "this miner", _findings(test_run)
    else:
        journal = JournalImport.objects.get(pk=int(part))
        yield f"Reading the journal {journal.name}"
        name, findings = journal.name, journal_analysis.findings(_entries(journal))
    yield from (replace(finding, subject=name) for finding in findings)


def _entries(journal: JournalImport) -> Iterator[Entry]:
    rows = LogEntry.objects.filter(journal=journal).exclude(kind="").order_by("at", "pk")
    for row in rows.only("at", "kind", "facts", "message", "host", "process").iterator(chunk_size=2_000):
        head = " ".join(part for part in (f"{row.at:%Y-%m-%d %H:%M:%S}", row.host, row.process) if part)
        yield Entry(row.at, row.kind, row.facts, f"{head}: {row.message.partition(chr(10))[0]}"[:SHOWN_CHARS])


def _findings(test_run: TestRun) -> Iterator[Finding]:
    until = test_run.requested_at
    since = until - timedelta(hours=test_run.options.get("hours", 24))
    attempts = LLMAttempt.objects.filter(decided_at__gte=since, decided_at__lt=until)
    paused = RateLimitEvent.objects.filter(model="", started_at__gte=since, started_at__lt=until)
    events = list(paused.order_by("-started_at")[:MOST_EVENTS])
    steps = Step.objects.filter(source=Source.VALIDATOR, received_at__gte=since, received_at__lt=until)
    yield _limits(attempts, f"From {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC.")
    if events:
        yield _backoff(events)
        yield _ladder(events)
    yield _timeouts(steps, until)
    yield _answers(steps, attempts, events)
    yield from _spacing(attempts)
    yield from _errors(attempts)


def _by(rows: QuerySet[Any], column: str) -> dict[str, int]:
    return dict(rows.order_by().values_list(column).annotate(number=Count("id")).order_by("-number"))


def _limits(attempts: QuerySet[LLMAttempt], covered: str) -> Finding:
    kinds = _by(attempts.filter(status=429), "refusal")
    if not kinds:
        return Finding("rate limits", Result.OK, "No request was answered with 429.", came_back=covered)
    parts = ", ".join(f"{RefusalClass(kind).about.label.lower()} {number}" for kind, number in kinds.items() if kind)
    total = sum(kinds.values())
    meaning = f"{total:,} request{'' if total == 1 else 's'} got a 429: {parts}."
    return Finding("rate limits", Result.WARN, meaning, came_back=covered, facts=kinds)


def _backoff(events: list[RateLimitEvent]) -> Finding:
    broken = [
        f"{event.started_at:%Y-%m-%d %H:%M:%S} paused for {event.pause_seconds:.0f} s; sent at {sent:%H:%M:%S.%f}"
        for event in events
        for sent in _sent_during(event)
    ]
    if broken:
        meaning, step = f"{len(broken)} requests were sent while the account was paused.", "Report this with the lines: it must not happen."
        return Finding("backoff", Result.FAIL, meaning, step, lines=tuple(broken[:5]))
    meaning = f"{len(events)} pauses, and no request was sent during any of them."
    return Finding("backoff", Result.OK, meaning, facts={"pauses": len(events)})


def _sent_during(event: RateLimitEvent) -> list[datetime]:
    """Times of requests that were decided and sent within the pause, up to its end by an operator."""
    until = event.started_at + timedelta(seconds=event.pause_seconds - TOLERANCE)
    until = min(until, event.ended_at or until)
    decided = LLMAttempt.objects.filter(account_id=event.account_id, decided_at__gt=event.started_at)
    sent = decided.filter(sent_at__gt=event.started_at, sent_at__lt=until)
    return [at for at in sent.values_list("sent_at", flat=True)[:3] if at]


def _ladder(events: list[RateLimitEvent]) -> Finding:
    pause = rules(Settings.current()).limits.pause
    ours = [event for event in events if event.pause_source == PauseSource.LADDER and event.refusal == RefusalClass.EDGE]
    if not ours:
        return Finding("ladder", Result.SKIPPED, "No pause has its length from the backoff.")
    changed_at = Settings.history.aggregate(newest=Max("history_date"))["newest"]
    judged = [event for event in ours if changed_at is None or event.started_at > changed_at]
    wrong = [
        f"{event.started_at:%Y-%m-%d %H:%M:%S} strike {event.strike}: {event.pause_seconds:.0f} s"
        for event in judged
        if not pause(event.strike) - 1 <= event.pause_seconds <= pause(event.strike) * (1 + JITTER) + 1
    ]
    if wrong:
        meaning = f"{len(wrong)} of {len(judged)} pauses do not match the backoff."
        return Finding("ladder", Result.WARN, meaning, lines=tuple(wrong[:5]))
    older = len(ours) - len(judged)
    skipped = f" {older} are older than the last change of the settings and were not checked." if older else ""
    return Finding("ladder", Result.OK, f"{len(judged)} pauses match the backoff.{skipped}")


def _timeouts(steps: QuerySet[Step], until: datetime) -> Finding:
    late = Q(answered_at__gt=F("deadline_at")) | Q(answered_at=None, deadline_at__lt=until)
    total, missed = steps.count(), steps.filter(late).count()
    if not total:
        return Finding("timeouts", Result.SKIPPED, "No validator's step in this time.")
    if missed:
        meaning = f"{missed:,} of {total:,} steps were late or unanswered."
        return Finding("timeouts", Result.FAIL, meaning, "Open the late steps on the Tasks page.", facts={"late": missed})
    return Finding("timeouts", Result.OK, f"All {total:,} steps were answered in time.", facts={"steps": total})


def _answers(steps: QuerySet[Step], attempts: QuerySet[LLMAttempt], events: list[RateLimitEvent]) -> Finding:
    routes = _by(steps, "route")
    llm, template = routes.get(Route.LLM, 0), routes.get(Route.TEMPLATE, 0)
    if not llm + template:
        return Finding("answers", Result.SKIPPED, "No step was answered in this time.")
    successes = attempts.filter(verdict=Verdict.OK)
    after = (successes.filter(ended_at__gt=events[0].started_at) if events else successes).count()
    since = f" {after:,} LLM successes since the last rate limit." if events else ""
    reasons = list(_by(steps.filter(route=Route.TEMPLATE), "reason").items())[:5]
    reasons_text = "; ".join(f"{number:,}: {Reason(reason).sentence}" for reason, number in reasons if reason)
    meaning = f"The LLM answered {llm:,} steps, the template agent {template:,}.{since}"
    facts = {"llm": llm, "template": template, "llm_since_last_limit": after}
    return Finding("answers", Result.OK if llm else Result.WARN, meaning, came_back=reasons_text, facts=facts)


def _spacing(attempts: QuerySet[LLMAttempt]) -> Iterator[Finding]:
    in_force = Settings.current()
    before = Window(Lag("sent_at"), partition_by=F("account_id"), order_by=F("sent_at").asc())
    sent = attempts.filter(sent_at__isnull=False).annotate(before=before).values_list("before", "sent_at")
    smallest = min(((after - first).total_seconds() for first, after in sent.iterator() if first), default=None)
    if smallest is None:
        return
    verdict, step, spacing = Result.OK, "", in_force.spacing_seconds
    meaning = f"The two requests closest to each other left {smallest:.2f} s apart."
    if in_force.pacing == Pacing.FIXED and spacing > 0:
        if smallest < spacing - TOLERANCE:
            verdict, step = Result.WARN, "If the spacing was shorter earlier in this time, this is no fault."
            meaning += f" The spacing is {spacing:g} s."
        else:
            meaning += f" The spacing of {spacing:g} s was held."
    yield Finding("spacing", verdict, meaning, step, facts={"smallest_gap": round(smallest, 3), "spacing": spacing})


def _errors(attempts: QuerySet[LLMAttempt]) -> Iterator[Finding]:
    kinds = _by(attempts.filter(verdict__in=(Verdict.FAILED, Verdict.INVALID, Verdict.LOST)), "verdict")
    if kinds:
        parts = ", ".join(f"{Verdict(verdict).sentence.lower()} {number}" for verdict, number in kinds.items())
        yield Finding("errors", Result.WARN, f"{sum(kinds.values()):,} LLM attempts brought no plan: {parts}.", facts=kinds)
