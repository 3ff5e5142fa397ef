"""Steps: written with the gates' decision before anything is sent, closed with what was answered."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db.models import F, Value
from django.db.models.functions import Greatest

from agents import gates
from agents.database import answering_transaction
from agents.facts import AttemptEnd, Opening, StepFacts
from agents.governor import Decision, Limits
from agents.ledger import outcomes
from agents.ledger.attempts import Clock, Permit, Request, decide, end_attempt, opened
from agents.ledger.times import at, maybe_at
from agents.models import Caller, Route, Step, Task
from agents.reasons import Reason


def open_step(opening: Opening, requests: Sequence[Request], reason: Reason, clock: Clock) -> Permit:
    """Write 1: the step with its decision and, where a gate lets it, an open attempt with its reserved slot.

    Without `requests` the LLM is not asked, for `reason`. Raises django.db.Error; then nothing was written and nothing may be sent.
    """
    with answering_transaction():
        task = _task(opening)
        permit = decide(requests, clock, task) if requests else Permit(Decision(reason), clock())
        step = _create_step(opening, task, permit)
        return opened(permit, step=step, number=1)


def next_attempt(opening: Opening, before: Request, ended: AttemptEnd, requests: Sequence[Request], clock: Clock) -> Permit:
    """The attempt of `before` brought no plan; ask for the next. Raises django.db.Error, as `open_step` does."""
    with answering_transaction():
        gates.locked_all([before.account, *(request.account for request in requests)])
        end_attempt(ended, before.limits)
        step = Step.objects.select_related("task").get(uid=opening.uid)
        return opened(decide(requests, clock, step.task), step=step, number=step.attempts.count() + 1)


def close_step(facts: StepFacts, limits: Limits) -> None:
    """Write 2: the attempt and the step are closed, the gate moves on, an event is opened or resolved.

    How the actions of the step before went is noted, too. Writes the step first where Write 1 failed. Idempotent: a step that is
    closed already is left alone. Raises django.db.Error.
    """
    note_outcome = outcomes.told(facts.opening)
    with answering_transaction():
        if not _close(facts) and not _create_closed(facts):
            return
        if note_outcome:
            note_outcome()
        if facts.closing.attempt:
            end_attempt(facts.closing.attempt, limits)
        _count_caller(facts)


def _task(opening: Opening) -> Task:
    """The step's task, made with its first step."""
    return Task.objects.get_or_create(
        fingerprint=opening.fingerprint,
        defaults={
            "key": opening.key,
            "source": opening.source,
            "caller": opening.caller,
            "prompt": opening.prompt,
            "url": opening.task_url,
            "project": opening.project,
            "kind": opening.kind,
            "created_at": at(opening.received_at),
        },
    )[0]


def _create_step(opening: Opening, task: Task, permit: Permit | None = None) -> Step:
    """The step, still open. Without a permit it comes from the spool: the database was busy when it was due."""
    decision = permit.decision if permit else None
    return Step.objects.create(
        uid=uuid.UUID(opening.uid),
        task=task,
        source=opening.source,
        endpoint=opening.endpoint,
        form=opening.form,
        index=opening.index,
        url=opening.url,
        page_bytes=opening.page_bytes,
        page_excerpt=opening.page_excerpt,
        history_size=opening.history_size,
        received_at=at(opening.received_at),
        deadline_at=at(opening.deadline_at),
        decided_at=at(permit.decided_at) if permit else None,
        reason=decision.reason if decision and decision.slot is None else "",
        retry_at=maybe_at(decision.retry_at) if decision else None,
        declined=permit.declined if permit else [],
        limits=opening.limits,
        confidence=opening.confidence,
        confidence_why=opening.confidence_why,
        spooled=permit is None,
    )


def _close(facts: StepFacts) -> bool:
    """Close the open step. False where there is none."""
    closing = facts.closing
    answer = {name: getattr(closing, name) for name in ("route", "reason", "actions", "done", "fault")}
    times = {"answered_at": at(closing.answered_at), "duration_ms": closing.duration * 1000}
    return bool(Step.objects.filter(uid=facts.opening.uid, answered_at=None).update(**answer, **times))


def _create_closed(facts: StepFacts) -> bool:
    """The step that Write 1 could not write. False where it is there and closed already."""
    if Step.objects.filter(uid=facts.opening.uid).exists():
        return False
    _create_step(facts.opening, _task(facts.opening))
    return _close(facts)


def _count_caller(facts: StepFacts) -> None:
    address, seen_at = facts.opening.caller, at(facts.opening.received_at)
    if address is None:
        return
    counts = {
        "last_seen_at": Greatest("last_seen_at", Value(seen_at)),
        "steps": F("steps") + 1,
        "llm_steps": F("llm_steps") + int(facts.closing.route == Route.LLM),
        "late_steps": F("late_steps") + int(facts.closing.answered_at > facts.opening.deadline_at),
    }
    known = Caller.objects.filter(address=address)
    if not known.update(**counts):
        Caller.objects.get_or_create(address=address, defaults={"first_seen_at": seen_at, "last_seen_at": seen_at})
        known.update(**counts)
