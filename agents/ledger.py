"""The only writer of steps, attempts, events and gates: all facts of one moment in one transaction."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import F, Value
from django.db.models.functions import Greatest

from agents import cooling, gates, governor
from agents.database import answering_transaction
from agents.facts import AttemptEnd, Opening, StepFacts
from agents.governor import Decision, Limits
from agents.latency import expected, noted
from agents.models import Account, Caller, Gate, LLMAttempt, RateLimitEvent, Route, Step, Task
from agents.reasons import PauseSource, Reason, Verdict
from agents.refusals import RefusalClass, sentence

logger = logging.getLogger(__name__)

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Request:
    """What a step asks of the gate: `models` are those it may still try, in order."""

    account: Account
    limits: Limits
    cut_off: float
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Permit:
    """The gate's decision on one request, and the attempt that was opened for it where it may go, with its model."""

    decision: Decision
    decided_at: float
    model: str = ""
    attempt_uid: str | None = None


def open_step(opening: Opening, request: Request | None, reason: Reason, clock: Clock) -> Permit:
    """Write 1: the step with its decision and, where the gate lets it, an open attempt with its reserved slot.

    Without a `request` the LLM is not asked, for `reason`. The clock is read once the gate is locked, since that may have taken a while.
    Raises django.db.Error; then nothing was written and nothing may be sent.
    """
    with answering_transaction():
        permit = _decide(request, clock) if request else Permit(Decision(reason), clock())
        step = _create_step(opening, permit.decision, permit.decided_at)
        return _opened(step, request, permit, number=1)


def next_attempt(opening: Opening, ended: AttemptEnd, request: Request, clock: Clock) -> Permit:
    """One attempt ended without a word about the account; ask for the next. Raises django.db.Error, as `open_step` does."""
    with answering_transaction():
        _end_attempt(ended, request.limits)
        step = Step.objects.get(uid=opening.uid)
        return _opened(step, request, _decide(request, clock), number=step.attempts.count() + 1)


def close_step(facts: StepFacts, limits: Limits) -> None:
    """Write 2: the attempt and the step are closed, the gate moves on, an event is opened or resolved.

    Writes the step first where Write 1 failed. Idempotent: a step that is closed already is left alone. Raises django.db.Error.
    """
    with answering_transaction():
        if not _close(facts) and not _create_closed(facts):
            return
        if facts.closing.attempt:
            _end_attempt(facts.closing.attempt, limits)
        _count_caller(facts)


def left_late(request: Request, slot: float, sent_at: float) -> None:
    """A request left after its window: push back whoever comes next. Raises django.db.Error."""
    with answering_transaction():
        row = gates.locked(request.account)
        gates.save(row, governor.left_late(gates.read(row), request.limits, slot, sent_at))


def lose_attempts(before: datetime) -> int:
    """Close the attempts whose process died: cut off before this time and still open. Returns how many."""
    return LLMAttempt.objects.filter(verdict=Verdict.OPEN, cut_off_at__lt=before).update(verdict=Verdict.LOST, ended_at=F("cut_off_at"))


def _decide(request: Request, clock: Clock) -> Permit:
    row = gates.locked(request.account)
    now, gate = clock(), gates.read(row)
    model = cooling.ready(gate.cooling, request.models, now)[0]
    decision, moved = governor.decide(gate, request.limits, now, request.cut_off, expected(row.latencies, model, now))
    gates.save(row, moved)
    return Permit(decision, now, model)


def _opened(step: Step, request: Request | None, permit: Permit, *, number: int) -> Permit:
    """The permit with its attempt on record."""
    if request is None or permit.decision.slot is None:
        return permit
    attempt = LLMAttempt.objects.create(
        step=step,
        account=request.account,
        number=number,
        model=permit.model,
        lease=permit.decision.lease,
        decided_at=_at(permit.decided_at),
        slot_at=_at(permit.decision.slot),
        cut_off_at=_at(request.cut_off),
    )
    return replace(permit, attempt_uid=str(attempt.uid))


def _end_attempt(end: AttemptEnd, limits: Limits) -> None:
    attempt = LLMAttempt.objects.select_related("account").get(uid=end.uid)
    if attempt.verdict not in (Verdict.OPEN, Verdict.LOST):
        # An attempt that was given up for lost may have waited in the spool: what is known counts more.
        return
    _fill(attempt, end)
    attempt.save()
    row = gates.locked(attempt.account)
    _note_latency(row, attempt, end)
    gates.save(row, _after(gates.read(row), attempt, end, limits))


def _note_latency(row: Gate, attempt: LLMAttempt, end: AttemptEnd) -> None:
    """What an answer took, or how long one was waited for in vain. A refusal comes sooner than an answer and says nothing of it."""
    if end.sent_at is not None and (end.accepted or end.ended_at >= attempt.cut_off_at.timestamp()):
        row.latencies = noted(row.latencies, attempt.model, end.ended_at, end.ended_at - end.sent_at)
        row.save(update_fields=["latencies"])


def _fill(attempt: LLMAttempt, end: AttemptEnd) -> None:
    attempt.verdict, attempt.status, attempt.refusal, attempt.detail = end.verdict, end.status, end.refusal, end.detail
    attempt.sent_at, attempt.ended_at = _time(end.sent_at), _at(end.ended_at)
    attempt.wait_ms = ((end.sent_at or end.ended_at) - attempt.decided_at.timestamp()) * 1000
    attempt.latency_ms = (end.ended_at - end.sent_at) * 1000 if end.sent_at else None
    attempt.prompt_tokens, attempt.completion_tokens = end.prompt_tokens, end.completion_tokens
    attempt.cost, attempt.reply = Decimal(end.cost) if end.cost else None, end.reply


def _after(gate: governor.Gate, attempt: LLMAttempt, end: AttemptEnd, limits: Limits) -> governor.Gate:
    """The gate after an attempt, with the rate-limit event that goes with the change."""
    if end.sent_at is None:
        return governor.released(gate, attempt.lease)
    if end.accepted:
        return _accepted(gate, attempt, end, limits)
    kind = RefusalClass(end.refusal) if end.refusal else None
    if kind and kind.pauses_account:
        return _refused(gate, attempt, end, limits, kind)
    gate = governor.released(gate, attempt.lease)
    if kind in (RefusalClass.CAPACITY, RefusalClass.MODEL):
        return replace(gate, cooling=cooling.cooled(gate.cooling, attempt.model, end.ended_at, end.dice))
    return gate


def _accepted(gate: governor.Gate, attempt: LLMAttempt, end: AttemptEnd, limits: Limits) -> governor.Gate:
    moved = governor.succeeded(gate, limits, end.sent_at or end.ended_at, end.ended_at, end.published)
    if gate.strikes and not moved.strikes:
        _end_event(attempt.account, RateLimitEvent.Ended.SUCCEEDED, end.ended_at)
    return replace(moved, cooling=cooling.warmed(moved.cooling, attempt.model))


def _refused(gate: governor.Gate, attempt: LLMAttempt, end: AttemptEnd, limits: Limits, kind: RefusalClass) -> governor.Gate:
    told = None if end.pause is None else (end.pause, PauseSource(end.pause_source))
    moved = governor.refused(gate, limits, end.sent_at or end.ended_at, end.ended_at, told, kind, end.dice)
    if moved is not gate:
        _end_event(attempt.account, RateLimitEvent.Ended.REFUSED, None)
        _open_event(attempt, end, moved, limits)
    return moved


def _open_event(attempt: LLMAttempt, end: AttemptEnd, gate: governor.Gate, limits: Limits) -> None:
    pause = gate.paused_until - gate.paused_at
    RateLimitEvent.objects.create(
        account=attempt.account,
        attempt=attempt,
        refusal=end.refusal,
        status=end.status,
        detail=end.detail,
        strike=gate.strikes,
        pause_seconds=pause,
        pause_source=gate.pause_source,
        started_at=_at(gate.paused_at),
        predicted_recovery_at=_at(gate.paused_until),
    )
    _warn(attempt, end, gate, pause, limits)


def _warn(attempt: LLMAttempt, end: AttemptEnd, gate: governor.Gate, pause: float, limits: Limits) -> None:
    if end.status == 429:
        wait = limits.pause(gate.strikes) if gate.pause_source is PauseSource.LADDER else pause
        logger.warning("Chutes API rate limited (429). Exponential backoff: Waiting %.0fs before retry (attempt %d)...", wait, gate.strikes)
    else:
        said = sentence(RefusalClass(end.refusal), status=end.status)
        logger.warning("Account %s paused for %.0f s: %s", attempt.account.name, pause, said)


def _end_event(account: Account, how: RateLimitEvent.Ended, recovered_at: float | None) -> None:
    RateLimitEvent.objects.filter(account=account, ended_by="").update(ended_by=how, recovered_at=_time(recovered_at))


def _create_step(opening: Opening, decision: Decision | None = None, decided_at: float | None = None) -> Step:
    """The step, still open. Without a decision it comes from the spool: the database was busy when it was due."""
    task, _ = Task.objects.get_or_create(
        fingerprint=opening.fingerprint,
        defaults={
            "key": opening.key,
            "source": opening.source,
            "caller": opening.caller,
            "prompt": opening.prompt,
            "url": opening.task_url,
            "project": opening.project,
            "created_at": _at(opening.received_at),
        },
    )
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
        received_at=_at(opening.received_at),
        deadline_at=_at(opening.deadline_at),
        decided_at=_time(decided_at),
        reason=decision.reason if decision and decision.slot is None else "",
        retry_at=_time(decision.retry_at) if decision else None,
        limits=opening.limits,
        spooled=decision is None,
    )


def _close(facts: StepFacts) -> bool:
    """Close the open step. False where there is none."""
    closing = facts.closing
    answer = {name: getattr(closing, name) for name in ("route", "reason", "actions", "done", "fault")}
    times = {"answered_at": _at(closing.answered_at), "duration_ms": closing.duration * 1000}
    return bool(Step.objects.filter(uid=facts.opening.uid, answered_at=None).update(**answer, **times))


def _create_closed(facts: StepFacts) -> bool:
    """The step that Write 1 could not write. False where it is there and closed already."""
    if Step.objects.filter(uid=facts.opening.uid).exists():
        return False
    _create_step(facts.opening)
    return _close(facts)


def _count_caller(facts: StepFacts) -> None:
    address, seen_at = facts.opening.caller, _at(facts.opening.received_at)
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


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else _at(seconds)
