"""The only writer of steps, attempts, events and gates: all facts of an operation in one transaction.

Steps and attempts are written with the gate's decision and slot before anything is sent, and closed with the result. Each function
raises django.db.Error; then nothing was written, and nothing may be sent.
"""

import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F

from agents.contract.action_history import judge
from agents.contract.earlier import Earlier, chain
from agents.contract.step_facts import AttemptEnd, Opening, StepFacts
from agents.database import answering, answering_transaction
from agents.ledger import daily_use, estimates, events, gate_rows, rows_of
from agents.ledger.gate_rows import at, maybe_at
from agents.models import Account, Gate, LLMAttempt, Step, Task
from agents.policy import backoff, costs, gate, late, latency
from agents.policy.callers import Claim, Sender
from agents.policy.costs import Caps, Used
from agents.policy.gate import Decision, Limits
from agents.policy.latency import Sample, recent
from agents.policy.reasons import PauseSource, Purpose, Reason, Verdict
from agents.policy.refusals import Reaction, RefusalClass

Clock = Callable[[], float]

# Refusals after which a task's other steps use no LLM.
ENDS_TASK = frozenset(kind for kind in RefusalClass if kind.reaction is Reaction.TASK)
# Refusals that show how well a model answers; "": attempts without a refusal.
OF_THE_MODEL = {"", *(kind.value for kind in RefusalClass if kind.reaction is Reaction.RETRY)}
LONGEST_AGO = 3_600.0  # a task lasts three minutes; its id may be used again days later for another one


@dataclass(frozen=True, slots=True)
class Request:
    """`models`: those that may be tried, in order; `max_task_usd`: 0 for no limit; `most_usd`: the most that one call costs."""

    account: Account
    limits: Limits
    cut_off: float
    models: tuple[str, ...]
    max_task_usd: float = 0.0
    most_usd: Mapping[str, float] = field(default_factory=dict)
    caps: Caps = field(default_factory=Caps)
    sender: Sender = field(default_factory=Sender)

    def most(self, model: str) -> float:
        return self.most_usd.get(model, 0.0)


@dataclass(frozen=True, slots=True)
class Permit:
    """A decision with the attempt that was opened, if any. `declined`: accounts that refused before, as JSON: account, reason, retry_at.

    `recent`: results of the model's last attempts; `then`: the same for the models that may be tried after it.
    """

    decision: Decision
    decided_at: float
    request: Request | None = None
    model: str = ""
    attempt_uid: str | None = None
    declined: list[dict[str, object]] = field(default_factory=list)
    recent: Sequence[Sample] = ()
    then: Sequence[Sequence[Sample]] = ()


def open_step(opening: Opening, requests: Sequence[Request], clock: Clock) -> Permit:
    """Write 1: the step with its decision and, where a gate permits it, an open attempt."""
    with answering_transaction():
        task = _task(opening)
        permit = decide(requests, clock, task)
        _open_attempt(permit, _create_step(opening, task, permit), number=1)
        return permit


def next_attempt(opening: Opening, before: Request, ended: AttemptEnd, requests: Sequence[Request], clock: Clock) -> Permit:
    with answering_transaction():
        gate_rows.locked_all([before.account, *(request.account for request in requests)])
        _end_attempt(ended, before.limits)
        return _next_decision(opening, requests, clock)[0]


def decide_again(opening: Opening, requests: Sequence[Request], clock: Clock) -> Permit:
    """For a step that waited: its record gets the new decision."""
    with answering_transaction():
        permit, step = _next_decision(opening, requests, clock)
        Step.objects.filter(pk=step.pk).update(**_decision(permit))
        return permit


def _next_decision(opening: Opening, requests: Sequence[Request], clock: Clock) -> tuple[Permit, Step]:
    step = Step.objects.select_related("task").get(uid=opening.uid)
    permit = decide(requests, clock, step.task)
    _open_attempt(permit, step, number=step.attempts.count() + 1)
    return permit, step


def open_attempt(requests: Sequence[Request], purpose: Purpose, clock: Clock) -> Permit:
    """Request an attempt that belongs to no step."""
    with answering_transaction():
        permit = decide(requests, clock)
        _open_attempt(permit, None, number=1, purpose=purpose)
        return permit


def renew(permit: Permit, clock: Clock) -> Permit:
    """For an attempt that missed its slot: the permit with a new decision, which is recorded where it has a slot."""
    request, uid = permit.request, permit.attempt_uid
    assert request is not None and uid is not None
    with answering_transaction():
        row = gate_rows.locked(request.account)
        state, now, expected = gate_rows.read(row), clock(), latency.expected(permit.recent)
        decision, moved = late.renewed(state, request.limits, permit.decision, permit.decided_at, now, request.cut_off, expected)
        gate_rows.save(row, moved, state)
        if decision.slot is not None:
            LLMAttempt.objects.filter(uid=uid).update(slot_at=at(decision.slot), lease=decision.lease)
    return replace(permit, decision=decision)


def preview(requests: Sequence[Request], clock: Clock) -> Permit:
    """The decision that would be made now, read without a lock. Opens no attempt."""
    with answering():
        rows = [gate_rows.row_of(request.account) for request in requests]
    now = clock()
    states = map(gate_rows.read, rows)
    decisions = [_decided(*each, "", now, may_take=True)[0] for each in zip(requests, rows, states, strict=True)]
    return Permit(_best(decisions), now, declined=list(map(_declined, requests, decisions)))


def _best(decisions: Sequence[Decision]) -> Decision:
    """The first decision to send; else one to wait; else the one with the earliest retry."""
    return min(decisions, key=lambda each: (each.slot is None, not each.may_wait, math.inf if each.retry_at is None else each.retry_at))


def decide(requests: Sequence[Request], clock: Clock, task: Task | None = None) -> Permit:
    """Chooses the first account that can serve in time; else the best refusal gives the reason. In a transaction.

    `task`: its cost cap applies. The clock is read after the gates are locked, since that may take a while.
    """
    rows = gate_rows.locked_all(request.account for request in requests)
    now = clock()
    affordable = _within_task_cap(task, requests, now) if task else requests
    if not affordable:
        return Permit(Decision(Reason.COST), now)
    within_day = _within_daily_caps(affordable, now)
    uid = str(uuid.uuid4())
    # A free slot of any account is preferred to one that another step has to give up.
    for may_take in (False, True):
        refusals, declined = list[Decision](), list[dict[str, object]]()
        for request in within_day:
            decision = Decision(Reason.CAP, retry_at=costs.next_day(now))
            if request.models:
                row = rows[request.account.pk]
                state = gate_rows.read(row)
                decision, moved, models = _decided(request, row, state, uid, now, may_take=may_take)
                gate_rows.save(row, moved, state)
                if decision.slot is not None:
                    some, *then = _recent(replace(request, models=models), within_day, rows, now)
                    return Permit(decision, now, request, models[0], uid, declined, some, then if task else ())
            refusals.append(decision)
            declined.append(_declined(request, decision))
    return Permit(_best(refusals), now, declined=declined)


def _declined(request: Request, decision: Decision) -> dict[str, object]:
    return {"account": request.account.name, "reason": decision.reason.value, "retry_at": decision.retry_at}


def _decided(
    request: Request, row: Gate, state: gate.Gate, uid: str, now: float, *, may_take: bool
) -> tuple[Decision, gate.Gate, tuple[str, ...]]:
    """The gate's decision, the gate after it, and the models in the order in which they are tried. `state`: as read from the row."""
    sender = request.sender
    ordered = latency.ordered(row.latencies, request.models, now, request.cut_off - now)
    models = backoff.ready(state.cooldowns, ordered, now)
    expected, claimant = latency.expected(recent(row.latencies, models[0], now)), Claim(uid, sender.name, sender.is_allowed)
    decision, moved = gate.decide(state, request.limits, now, request.cut_off, expected, claimant, may_take=may_take)
    return decision, moved, models


def _recent(chosen: Request, requests: Sequence[Request], rows: Mapping[int, Gate], now: float) -> list[Sequence[Sample]]:
    """Results of the last attempts of the models that may be tried, in order: of the chosen account, then of others without a pause."""
    others = [request for request in requests if request.account.pk != chosen.account.pk and rows[request.account.pk].paused_until <= now]
    return [recent(rows[request.account.pk].latencies, model, now) for request in (chosen, *others) for model in request.models]


def _within_daily_caps(requests: Sequence[Request], now: float) -> list[Request]:
    """The requests with the models of which one more call keeps to today's caps of account and caller. One query."""
    sender = requests[0].sender
    by_account, by_sender = daily_use.today([request.account for request in requests], sender.address, now)
    kept = list[Request]()
    for request in requests:
        costly, used = request.most, by_account.get(request.account.pk, Used())
        fitting = (model for model in request.models if costs.allows(request.caps, used, costly(model)))
        kept.append(replace(request, models=tuple(model for model in fitting if costs.allows(sender.caps, by_sender, costly(model)))))
    return kept


def _within_task_cap(task: Task, requests: Sequence[Request], now: float) -> Sequence[Request]:
    """The requests with the models of which one more call keeps to the task's cap, ours and the provider's. One query.

    While the gates are locked no other step of the task opens an attempt.
    """
    since = at(now - costs.TASK_SECONDS)
    calls = [costs.Call(*row) for row in rows_of.calls(task.pk, since)]
    if any(call.refusal in ENDS_TASK for call in calls):
        return []
    most_usd = dict(sorted(pair for request in requests for pair in request.most_usd.items()))  # by model, on the dearest account
    spent = costs.spent(calls, most_usd)
    kept = list[Request]()
    for request in requests:
        left = request.max_task_usd - spent if request.max_task_usd else math.inf
        models = tuple(model for model in request.models if request.most(model) <= left)
        kept += [replace(request, models=models)] if models else []
    return kept


def _open_attempt(permit: Permit, step: Step | None, *, number: int, purpose: Purpose = Purpose.STEP) -> None:
    request, slot = permit.request, permit.decision.slot
    if request is None or permit.attempt_uid is None or slot is None:
        return
    columns: dict[str, Any] = {"uid": permit.attempt_uid, "purpose": purpose, "step": step, "account": request.account, "number": number}
    columns |= {"model": permit.model, "lease": permit.decision.lease, "reserved_usd": request.most(permit.model)}
    columns |= {"decided_at": at(permit.decided_at), "slot_at": at(slot), "cut_off_at": at(request.cut_off)}
    attempt = rows_of.insert_attempt(LLMAttempt(**columns))
    daily_use.opened(attempt, request.sender.address, permit.decided_at)


def close_attempt(end: AttemptEnd, limits: Limits) -> None:
    with answering_transaction():
        _end_attempt(end, limits)


def left_late(request: Request, slot: float, sent_at: float) -> None:
    """A request was sent after its slot had closed: postpone the next slot."""
    with answering_transaction():
        row = gate_rows.locked(request.account)
        state = gate_rows.read(row)
        gate_rows.save(row, gate.left_late(state, request.limits, slot, sent_at), state)


def lose_attempts(before: datetime) -> int:
    """Close the attempts whose process died: open, with a cut-off before this time. Returns how many."""
    return LLMAttempt.objects.filter(verdict=Verdict.OPEN, cut_off_at__lt=before).update(verdict=Verdict.LOST, ended_at=F("cut_off_at"))


def _end_attempt(end: AttemptEnd, limits: Limits) -> None:
    (attempt,) = rows_of.attempt(uuid.UUID(end.uid))
    if attempt.verdict not in (Verdict.OPEN, Verdict.LOST):  # facts of a lost attempt may have waited in the spool
        return
    for name in ("verdict", "status", "refusal", "detail", "prompt_tokens", "completion_tokens", "reply"):
        setattr(attempt, name, getattr(end, name))
    attempt.sent_at, attempt.ended_at = maybe_at(end.sent_at), at(end.ended_at)
    attempt.wait_ms = ((end.sent_at or end.ended_at) - attempt.decided_at.timestamp()) * 1000
    attempt.latency_ms = (end.ended_at - end.sent_at) * 1000 if end.sent_at else None
    attempt.cost = Decimal(end.cost) if end.cost else None
    attempt.cut_off_at = attempt.ended_at if end.is_cut else attempt.cut_off_at
    rows_of.save_attempt(attempt)
    row = gate_rows.locked(attempt.account)
    daily_use.ended(attempt, end)
    if end.sent_at is not None and attempt.purpose == Purpose.STEP and end.refusal in OF_THE_MODEL:
        is_usable = None if end.is_cut else end.verdict == Verdict.OK
        row.latencies = latency.noted(row.latencies, attempt.model, end.ended_at, end.ended_at - end.sent_at, is_usable)
    if end.quota:
        row.quota = {**end.quota, "at": end.ended_at}
    before = gate_rows.read(row)
    after = _after(before, attempt, end, limits)
    if end.sent_at is not None:
        estimates.note(row, before, after, limits, end.sent_at, end.ended_at)
    gate_rows.save(row, after)


def _after(state: gate.Gate, attempt: LLMAttempt, end: AttemptEnd, limits: Limits) -> gate.Gate:
    if end.sent_at is None:
        return late.given_up(state, limits, str(attempt.uid), attempt.lease)
    if end.accepted:
        moved = gate.succeeded(state, limits, end.sent_at, end.ended_at, end.published, (end.quota or {}).get("used"))
        if state.strikes and not moved.strikes:
            events.recovered(attempt.account, "", state.blocked_at, end.ended_at)
        warmed = backoff.warmed(moved.cooldowns, attempt.model)
        if warmed != moved.cooldowns:
            events.recovered(attempt.account, attempt.model, 0.0, end.ended_at)
        return replace(moved, cooldowns=warmed)
    kind = RefusalClass(end.refusal) if end.refusal else None
    if kind and kind.pauses_account:
        stated = None if end.pause is None else (end.pause, PauseSource(end.pause_source))
        moved = gate.refused(state, limits, end.sent_at, end.ended_at, stated, kind, end.jitter)
        if moved is not state:
            events.account_paused(attempt, end, moved, limits)
        return moved
    state = gate.released(state, attempt.lease) if kind else gate.failed(state, attempt.lease, end.ended_at)
    if kind and kind.reaction is Reaction.COOLDOWN:
        cooled = backoff.cooled(state.cooldowns, attempt.model, end.ended_at, end.jitter)
        until, times = next((until, times) for model, until, times in cooled if model == attempt.model)
        events.cooldown_began(attempt, end, until, times)
        return replace(state, cooldowns=cooled)
    return state


def close_step(facts: StepFacts, limits: Limits, earlier: Sequence[Earlier] | None = None, refused: Permit | None = None) -> None:
    """Write 2: closes the attempt and the step, advances the gate, opens or resolves an event.

    Records outcome and effect of the previous step. `earlier`: the task's earlier steps, None if not read yet. `refused`: the decision
    against the LLM of a step without Write 1. Creates the step where Write 1 failed. A closed step does not change.
    """
    opening, closing = facts.opening, facts.closing
    if earlier is None:
        earlier = earlier_steps(opening.fingerprint, opening.index, opening.history_size, opening.received_at)
    before, outcome = _outcome_before(opening, earlier)
    with answering_transaction():
        answer = {name: getattr(closing, name) for name in _AS_CLOSED}
        answer |= {"answered_at": at(closing.answered_at), "duration_ms": closing.duration * 1000}
        if refused:
            _create_step(opening, _task(opening), refused, answer)
        elif not Step.objects.filter(uid=opening.uid, answered_at=None).update(**answer):
            if Step.objects.filter(uid=opening.uid).exists():
                return
            _create_step(opening, _task(opening), None, answer)
        if outcome:
            # Only the first step after it reports a step's outcome.
            Step.objects.filter(pk=before, outcome="").update(**outcome)
        if closing.attempt:
            _end_attempt(closing.attempt, limits)
        if opening.caller is not None:
            rows_of.count_caller(opening.caller, facts)


def add_excerpts(excerpts: Mapping[int, str]) -> None:
    for pk, text in excerpts.items():
        if text:
            Step.objects.filter(pk=pk).update(page_excerpt=text)


def _task(opening: Opening) -> Task:
    is_first = not opening.index and not opening.history_size
    if not is_first and (rows := rows_of.task(opening.fingerprint)):
        return rows[0]
    fields = {name: getattr(opening, name) for name in ("key", "source", "caller", "prompt", "project", "kind")}
    fields |= {"url": opening.task_url, "created_at": at(opening.received_at)}
    # Where another step of the task inserted it first, that row. One statement; a savepoint around an insert takes three.
    return rows_of.insert_task(Task(fingerprint=opening.fingerprint, **fields))


NOT_ANSWERED: Mapping[str, Any] = {}
# Columns with the same names in a closing.
_AS_CLOSED = ("route", "reason", "actions", "done", "answer", "fault", "words", "seen", "notes", "asked")
# Columns with the same names in an opening.
_AS_OPENED = {field.name for field in fields(Opening)} & {field.name for field in Step._meta.fields}  # noqa: SLF001 -- as Django documents it


def _create_step(opening: Opening, task: Task, permit: Permit | None, answer: Mapping[str, Any] = NOT_ANSWERED) -> Step:
    """Without a permit it is from the spool: the database was busy when it was due."""
    columns: dict[str, Any] = {name: getattr(opening, name) for name in _AS_OPENED} | {"uid": uuid.UUID(opening.uid), "spooled": not permit}
    columns |= {"received_at": at(opening.received_at), "deadline_at": at(opening.deadline_at)}
    return rows_of.insert_step(Step(task=task, **{**columns, **(_decision(permit) if permit else {}), **answer}))


def _decision(permit: Permit) -> dict[str, Any]:
    columns: dict[str, Any] = {"decided_at": at(permit.decided_at), "retry_at": maybe_at(permit.decision.retry_at)}
    return columns | {"declined": permit.declined, "reason": permit.decision.reason if permit.decision.slot is None else ""}


def earlier_steps(fingerprint: str, index: int, history_size: int, received_at: float) -> tuple[Earlier, ...]:
    """The earlier steps of this run of the task, oldest first. One bounded query, outside of any transaction.

    Reads the next lower step numbers by an index of the table. A condition on time would make SQLite read all steps of that hour.
    """
    if not (index or history_size):
        return ()
    with answering():
        rows = rows_of.lower_steps(fingerprint, index) if index else rows_of.unnumbered_steps(fingerprint)
    columns = (dict(zip(rows_of.RECALLED, row, strict=True)) for row in rows)
    steps = [Earlier(**{**row, "received_at": row["received_at"].timestamp()}) for row in columns]
    return chain([step for step in steps if 0 < received_at - step.received_at < LONGEST_AGO], index, history_size)


def _outcome_before(opening: Opening, earlier: Sequence[Earlier]) -> tuple[int, dict[str, Any]]:
    """The previous step's id, and its columns for outcome and effect; empty where nothing is to be recorded."""
    before = earlier[-1] if earlier else None
    if before is None or before.outcome:
        return 0, {}
    columns: dict[str, Any] = {"effect": opening.effect_before, "seen": {}} if opening.effect_before else {}
    judged = judge(before.actions, before.index, before.history_size, opening.reported) if opening.reported else None
    if judged:
        columns |= {"outcome": judged.outcome, "worked": list(judged.worked), "caller_error": judged.error}
    return before.pk, columns
