"""A step answered once more, as a test: by other settings or another model, through the same gate, and to nobody.

No step is written, so no figure counts it; what is sent is on record as attempts with the purpose `test`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from agents import ledger, step_pages, template
from agents.attempt import Attempt, Result
from agents.configuration import Provider, accounts, provider, rules
from agents.governor import Limits
from agents.hybrid import Candidate, Mode, Reach, Tries
from agents.keys import UnreadableKey
from agents.known_sites import known_sites
from agents.ledger import Clock, Request
from agents.llm import Prompt
from agents.models import Account, LLMAttempt, Replay, Route, Settings, Step
from agents.page import read
from agents.prompt import question
from agents.protocol import Plan
from agents.protocol import Step as Asked
from agents.reasons import Purpose, Reason
from agents.replies import plan_from_reply

logger = logging.getLogger(__name__)

JOB = "agents.jobs.replay"
State = Replay.State
UNDER_WAY = (State.QUEUED, State.RUNNING)
# Two of them at once hold up both of the cluster's workers, and its watchdog takes 45 s without a canary for death.
LONGEST_DEADLINE = 35.0
# Longer than any replay takes. A job that no worker took by then is queued again; one that a worker took has lost it.
LEASE = timedelta(seconds=90)
GIVEN_UP_AFTER = timedelta(minutes=15)
GONE = "The page of this step is gone: it is kept for 7 days. Nothing was sent."
NOT_ENDED = "The worker ended before this replay did, or none was running. Look at the worker and ask again."
FAULT = "A fault in the miner ended this replay. The worker's log has its traceback."


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: the plan, by whom, why, and the uids of the attempts."""

    plan: Plan
    route: Route
    reason: Reason
    attempts: tuple[str, ...] = ()


def ask(step: Step, *, way: Replay.Way, account: Account | None, model: str, deadline_seconds: float, by: str) -> Replay:
    """Queue a replay of the step. Where one of it is under way, that one is returned instead."""
    now = timezone.now()
    with transaction.atomic():
        # Whoever asks at the same time waits here.
        Step.objects.select_for_update(no_key=True).get(pk=step.pk)
        running = Replay.objects.filter(step=step, state__in=UNDER_WAY).first()
        if running:
            return running
        asked = Replay.objects.create(
            step=step,
            asked_by=by,
            asked_at=now,
            way=way,
            account=account,
            model=model,
            deadline_seconds=min(deadline_seconds, LONGEST_DEADLINE),
            lease_until=now + LEASE,
        )
        async_task(JOB, asked.pk)
    return asked


def cancel(pk: int) -> bool:
    """Cancel a replay that waits. False where it is over, or a worker has it: what was sent is paid, and its answer comes in seconds."""
    return Replay.objects.filter(pk=pk, state=State.QUEUED).update(state=State.CANCELLED) == 1


def answer(pk: int, clock: Clock = time.time) -> bool:
    """Answer a queued replay. False where another worker has it."""
    lease = timezone.now() + LEASE
    if Replay.objects.filter(pk=pk, state=State.QUEUED).update(state=State.RUNNING, lease_until=lease) != 1:
        return False
    asked, started = Replay.objects.select_related("account").get(pk=pk), time.monotonic()
    try:
        step = step_pages.kept(asked.step_id, timezone.now())
        came = _answered(asked, step, clock) if step else None
    except Exception:
        # Whoever asked is told, and the log has the traceback: a replay that waits for ever tells nobody.
        logger.exception("Replay %s failed.", pk)
        return _end(asked, lease, state=State.FAILED, fault=FAULT)
    if came is None:
        return _end(asked, lease, state=State.FAILED, fault=GONE)
    asked.attempts.set(LLMAttempt.objects.filter(uid__in=came.attempts))
    return _end(
        asked,
        lease,
        state=State.DONE,
        route=came.route,
        reason=came.reason,
        duration_ms=(time.monotonic() - started) * 1000,
        actions=[action.as_action() for action in came.plan.actions],
        done=came.plan.done,
    )


def requeue_overdue(now: datetime) -> int:
    """Queue those again that no worker took, and end those whose worker died: a second might pay twice. Returns how many were queued."""
    overdue = Replay.objects.filter(lease_until__lt=now)
    overdue.filter(state=State.RUNNING).update(state=State.FAILED, fault=NOT_ENDED)
    overdue.filter(state=State.QUEUED, asked_at__lt=now - GIVEN_UP_AFTER).update(state=State.FAILED, fault=NOT_ENDED)
    return sum(_requeue(pk, now) for pk in overdue.filter(state=State.QUEUED).values_list("pk", flat=True))


def _requeue(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        if Replay.objects.filter(pk=pk, state=State.QUEUED, lease_until__lt=now).update(lease_until=now + LEASE) != 1:
            return False
        async_task(JOB, pk)
    return True


def _end(asked: Replay, lease: datetime, **facts: object) -> bool:
    """The last word, if the replay is still this worker's."""
    return Replay.objects.filter(pk=asked.pk, state=State.RUNNING, lease_until=lease).update(**facts) == 1


def _answered(asked: Replay, step: Asked, clock: Clock) -> Answer:
    """The answer, as the runner would make it: the template's plan first, then the LLM where the gate lets it."""
    in_force = rules(Settings.current())
    mode = {Replay.Way.TEMPLATE: Mode.TEMPLATE, Replay.Way.MODEL: Mode.LLM}.get(Replay.Way(asked.way), in_force.mode)
    page = read(step.page, step.url) if step.page else None
    fallback = template.plain(step) if mode is Mode.LLM else template.plan(step, page, known_sites())
    if mode is Mode.TEMPLATE:
        return Answer(fallback, Route.TEMPLATE, Reason.MODE)
    put = question(step, page)
    prompt = Prompt(put.messages, task_id=step.task_id)
    offers, reason = _offers(asked)
    read_reply = partial(plan_from_reply, step=step, shown=put.shown)
    ask_account = partial(_attempt, prompt, read_reply, in_force.limits, clock() + asked.deadline_seconds, clock)
    return _tried(offers, reason, fallback, ask_account)


def _offers(asked: Replay) -> tuple[list[tuple[Account, Provider]], Reason]:
    """Who may be asked, with the models to try; and why nobody, where nobody may."""
    found, reason = [], Reason.NO_MODEL
    for account in [asked.account] if asked.account else accounts():
        try:
            known = provider(account)
        except UnreadableKey:
            reason = Reason.NO_KEY
            continue
        known = replace(known, models=(asked.model,)) if asked.model else known
        if account.enabled and known.key and known.models:
            found.append((account, known))
        else:
            reason = Reason.DISABLED if not account.enabled else Reason.NO_KEY if not known.key else Reason.NO_MODEL
    return found, reason


Ask = Callable[[Account, Provider, tuple[str, ...]], tuple[Result, str, str]]


def _tried(offers: Sequence[tuple[Account, Provider]], reason: Reason, fallback: Plan, ask_account: Ask) -> Answer:
    known, uids = {account.pk: (account, provider) for account, provider in offers}, list[str]()
    tries = Tries(tuple(Candidate(account.pk, provider.models) for account, provider in offers))
    while tries.candidates and not tries.is_retry:
        candidate = tries.candidates[0]
        result, model, uid = ask_account(*known[candidate.account], candidate.models)
        uids += [uid] if uid else []
        if result.plan:
            return Answer(result.plan, Route.LLM, Reason.ANSWERED, tuple(uids))
        reason = result.reason
        tries = tries.after(candidate.account, model, result.reach, may_retry=False)
    return Answer(fallback, Route.TEMPLATE, reason, tuple(uids))


def _attempt(
    prompt: Prompt,
    read_reply: Callable[[str], Plan],
    limits: Limits,
    cut_off: float,
    clock: Clock,
    account: Account,
    known: Provider,
    models: tuple[str, ...],
) -> tuple[Result, str, str]:
    """One attempt, if the account's gate lets it: what came of it, of which model, and its uid; "" where nothing was opened."""
    request = Request(account, limits, cut_off, models)
    permit = ledger.open_attempt(request, Purpose.TEST, clock)
    if permit.attempt_uid is None:
        return Result(permit.decision.reason, reach=Reach.ACCOUNT), "", ""
    result = Attempt(prompt, read_reply, known, request, permit, clock).run()
    assert result.end is not None
    ledger.close_attempt(result.end, limits)
    return result, permit.model, permit.attempt_uid
