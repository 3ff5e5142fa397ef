"""LLM attempts: opened with the slot that the gate reserves, closed with what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import F

from agents import cooling, costs, gates, governor
from agents.database import answering_transaction
from agents.facts import AttemptEnd
from agents.governor import Decision, Limits
from agents.latency import expected, noted
from agents.ledger import events
from agents.ledger.times import at, maybe_at
from agents.models import Account, Gate, LLMAttempt, Step, Task
from agents.reasons import PauseSource, Purpose, Reason, Verdict
from agents.refusals import RefusalClass

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of one account's gate: `models` are those that may still be tried, in order.

    `max_task_usd`: what the task may cost, 0 for anything; `most_usd`: what one call of a model costs at most.
    """

    account: Account
    limits: Limits
    cut_off: float
    models: tuple[str, ...]
    max_task_usd: float = 0.0
    most_usd: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permit:
    """The gates' decision, and the attempt that was opened where one of them lets it go: by `request`, with `model`.

    `declined`: who was asked before and said no, as JSON: account, reason, retry_at (Unix seconds or None).
    """

    decision: Decision
    decided_at: float
    request: Request | None = None
    model: str = ""
    attempt_uid: str | None = None
    declined: list[dict[str, object]] = field(default_factory=list)


def decide(requests: Sequence[Request], clock: Clock, task: Task | None = None) -> Permit:
    """The first account that can serve in time; if none can, the one that could the soonest says why. To be called in a transaction.

    `task`: whose costs count. The clock is read once the gates are locked, since that may have taken a while.
    """
    rows = gates.locked_all(request.account for request in requests)
    now, refusals, declined = clock(), list[Decision](), list[dict[str, object]]()
    affordable = within_cap(task, requests, now) if task else requests
    if not affordable:
        return Permit(Decision(Reason.COST), now)
    for request in affordable:
        row = rows[request.account.pk]
        gate = gates.read(row)
        model = cooling.ready(gate.cooling, request.models, now)[0]
        decision, moved = governor.decide(gate, request.limits, now, request.cut_off, expected(row.latencies, model, now))
        gates.save(row, moved)
        if decision.slot is not None:
            return Permit(decision, now, request, model, declined=declined)
        refusals.append(decision)
        declined.append({"account": request.account.name, "reason": decision.reason.value, "retry_at": decision.retry_at})
    soonest = min(refusals, key=lambda each: float("inf") if each.retry_at is None else each.retry_at)
    return Permit(soonest, now, declined=declined)


def within_cap(task: Task, requests: Sequence[Request], now: float) -> list[Request]:
    """The requests with those models of which one more call surely keeps to what the task may cost. One query, none without a cap.

    To be called while the gates are locked: then no other step of the task opens an attempt meanwhile.
    """
    if not any(request.max_task_usd for request in requests):
        return list(requests)
    since = at(now - costs.TASK_SECONDS)
    columns = ("model", "verdict", "status", "prompt_tokens", "completion_tokens", "cost")
    found = LLMAttempt.objects.filter(step__task=task, purpose=Purpose.STEP, decided_at__gt=since).order_by("-id")
    calls = [costs.Call(*row) for row in found.values_list(*columns)[: costs.MOST_CALLS]]
    dearest_last = sorted(pair for request in requests for pair in request.most_usd.items())
    most_usd = dict(dearest_last)
    spent = costs.spent(calls, most_usd)
    kept = (replace(request, models=_affordable(request, spent)) for request in requests)
    return [request for request in kept if request.models]


def _affordable(request: Request, spent: float) -> tuple[str, ...]:
    left = request.max_task_usd - spent if request.max_task_usd else math.inf
    return tuple(model for model in request.models if request.most_usd.get(model, 0.0) <= left)


def opened(permit: Permit, *, step: Step | None, number: int, purpose: Purpose = Purpose.STEP) -> Permit:
    """The permit with its attempt on record, where it may go."""
    request, decision = permit.request, permit.decision
    if request is None or decision.slot is None:
        return permit
    attempt = LLMAttempt.objects.create(
        purpose=purpose,
        step=step,
        account=request.account,
        number=number,
        model=permit.model,
        lease=decision.lease,
        decided_at=at(permit.decided_at),
        slot_at=at(decision.slot),
        cut_off_at=at(request.cut_off),
    )
    return replace(permit, attempt_uid=str(attempt.uid))


def open_attempt(request: Request, purpose: Purpose, clock: Clock) -> Permit:
    """Ask one gate for an attempt that belongs to no step. Raises django.db.Error; then nothing may be sent."""
    with answering_transaction():
        return opened(decide([request], clock), step=None, number=1, purpose=purpose)


def close_attempt(end: AttemptEnd, limits: Limits) -> None:
    """The attempt is closed, and its gate moves on. Raises django.db.Error."""
    with answering_transaction():
        end_attempt(end, limits)


def left_late(request: Request, slot: float, sent_at: float) -> None:
    """A request left after its window: push back whoever comes next. Raises django.db.Error."""
    with answering_transaction():
        row = gates.locked(request.account)
        gates.save(row, governor.left_late(gates.read(row), request.limits, slot, sent_at))


def lose_attempts(before: datetime) -> int:
    """Close the attempts whose process died: cut off before this time and still open. Returns how many."""
    return LLMAttempt.objects.filter(verdict=Verdict.OPEN, cut_off_at__lt=before).update(verdict=Verdict.LOST, ended_at=F("cut_off_at"))


def end_attempt(end: AttemptEnd, limits: Limits) -> None:
    """Close an attempt, in the caller's transaction. One that is closed already is left alone."""
    attempt = LLMAttempt.objects.select_related("account").get(uid=end.uid)
    if attempt.verdict not in (Verdict.OPEN, Verdict.LOST):
        # An attempt that was given up for lost may have waited in the spool: what is known counts more.
        return
    _fill(attempt, end)
    attempt.save()
    row = gates.locked(attempt.account)
    _note(row, attempt, end)
    gates.save(row, _after(gates.read(row), attempt, end, limits))


def _note(row: Gate, attempt: LLMAttempt, end: AttemptEnd) -> None:
    """What an answer took, or how long one was waited for in vain; a refusal comes sooner and says nothing of it. And what it told."""
    if end.sent_at is None:
        return
    changed = []
    is_timed = attempt.purpose == Purpose.STEP and (end.accepted or end.ended_at >= attempt.cut_off_at.timestamp())
    if is_timed:
        row.latencies = noted(row.latencies, attempt.model, end.ended_at, end.ended_at - end.sent_at)
        changed.append("latencies")
    if end.quota:
        row.quota = {**end.quota, "at": end.ended_at}
        changed.append("quota")
    if changed:
        row.save(update_fields=changed)


def _fill(attempt: LLMAttempt, end: AttemptEnd) -> None:
    attempt.verdict, attempt.status, attempt.refusal, attempt.detail = end.verdict, end.status, end.refusal, end.detail
    attempt.sent_at, attempt.ended_at = maybe_at(end.sent_at), at(end.ended_at)
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
        return _cooled(gate, attempt, end, kind)
    return gate


def _accepted(gate: governor.Gate, attempt: LLMAttempt, end: AttemptEnd, limits: Limits) -> governor.Gate:
    moved = governor.succeeded(gate, limits, end.sent_at or end.ended_at, end.ended_at, end.published)
    if gate.strikes and not moved.strikes:
        events.recovered(attempt.account, "", gate.blocked_at, end.ended_at)
    warmed = cooling.warmed(moved.cooling, attempt.model)
    if warmed != moved.cooling:
        events.recovered(attempt.account, attempt.model, 0.0, end.ended_at)
    return replace(moved, cooling=warmed)


def _refused(gate: governor.Gate, attempt: LLMAttempt, end: AttemptEnd, limits: Limits, kind: RefusalClass) -> governor.Gate:
    told = None if end.pause is None else (end.pause, PauseSource(end.pause_source))
    moved = governor.refused(gate, limits, end.sent_at or end.ended_at, end.ended_at, told, kind, end.dice)
    if moved is not gate:
        events.account_paused(attempt, end, moved, limits)
    return moved


def _cooled(gate: governor.Gate, attempt: LLMAttempt, end: AttemptEnd, kind: RefusalClass) -> governor.Gate:
    cooled = cooling.cooled(gate.cooling, attempt.model, end.ended_at, end.dice)
    until, times = next((until, times) for model, until, times in cooled if model == attempt.model)
    events.model_cools(attempt, end, kind, until, times)
    return replace(gate, cooling=cooled)
