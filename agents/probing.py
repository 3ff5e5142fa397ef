"""Probes: one cheap request, of a single token, finds out whether a paused account works again. Counted and paid apart from steps."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django_q.tasks import async_task

from agents import gates, ledger
from agents.attempt import Attempt
from agents.configuration import provider, rules
from agents.facts import AttemptEnd
from agents.governor import State
from agents.hybrid import Mode
from agents.ledger import Clock, Request, actions
from agents.llm import Prompt
from agents.models import Account, LLMAttempt, Settings
from agents.protocol import Plan
from agents.reasons import Purpose, Reason, Verdict

logger = logging.getLogger(__name__)

JOB, JOB_IF_DUE = "agents.jobs.probe", "agents.jobs.probe_if_due"
# A provider that takes longer than this for one token is no use to a step either.
PATIENCE = 25.0
# A probe may end without a word about the account, such as in a fault of the provider's: the next one by the machine waits this long.
AGAIN_AFTER = timedelta(seconds=60)
PROMPT = Prompt([{"role": "user", "content": "Say OK."}], max_tokens=1, options={})


def ask(account: Account, *, by: str, now: float) -> None:
    """An operator's probe: the pause ends now, and a job sends the probe."""
    with transaction.atomic():
        actions.probe(account, by=by, now=now)
        async_task(JOB, account.pk)


def enqueue_due(now: datetime) -> int:
    """Queue a probe for each account whose pause is over and for which no step came by. Returns how many."""
    settings = Settings.current()
    if not settings.probe_after_pause or settings.agent_mode == Mode.TEMPLATE:
        return 0
    due = [account for account in Account.objects.filter(enabled=True) if is_due(account, now)]
    for account in due:
        async_task(JOB_IF_DUE, account.pk)
    return len(due)


def is_due(account: Account, now: datetime) -> bool:
    """Whether the account's pause is over, and neither a step nor a probe looks whether it works again."""
    gate, at = gates.of(account), now.timestamp()
    if gate.state(at) is not State.PROBING or at < gate.probe_until:
        return False
    since = max(now - AGAIN_AFTER, datetime.fromtimestamp(gate.paused_until, UTC))
    probed = LLMAttempt.objects.filter(account=account, purpose=Purpose.PROBE, decided_at__gte=since)
    return not probed.exclude(verdict=Verdict.GIVEN_UP).exists()


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one request of a single token. `end` None: nothing was sent, for `reason`; `retry_at` (Unix time): when it may be."""

    reason: Reason
    model: str = ""
    end: AttemptEnd | None = None
    retry_at: float | None = None


def send(account: Account, purpose: Purpose, *, clock: Clock = time.time) -> Sent:
    """Send one request of a single token, if the gate lets it. Raises UnreadableKey."""
    known, settings = provider(account), Settings.current()
    obstacles = ((not account.enabled, Reason.DISABLED), (not known.key, Reason.NO_KEY), (not known.models, Reason.NO_MODEL))
    for is_so, reason in obstacles:
        if is_so:
            return Sent(reason)
    limits = rules(settings).limits
    request = Request(account, limits, clock() + PATIENCE, known.models)
    permit = ledger.open_attempt(request, purpose, clock)
    if permit.attempt_uid is None:
        return Sent(permit.decision.reason, retry_at=permit.decision.retry_at)
    result = Attempt(PROMPT, _any_reply, known, request, permit, clock).run()
    end = result.end
    assert end is not None
    if end.accepted:
        # A reply of one token may be empty; that it was given is all that a probe wants to know.
        end = replace(end, verdict=Verdict.OK, detail="")
    ledger.close_attempt(end, limits)
    return Sent(result.reason, permit.model, end)


def _any_reply(_: str) -> Plan:
    return Plan(())
