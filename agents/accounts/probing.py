"""Probes: a request for a single token shows whether a paused account works again. Counted apart from steps."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db import transaction

from agents import ledger
from agents.configuration import rules, usable
from agents.contract.protocol import Plan
from agents.contract.step_facts import AttemptEnd
from agents.hybrid.runner import Attempt
from agents.ledger import Clock, Request, actions, gate_rows
from agents.llm.client import Prompt
from agents.models import Account, AccountJob, LLMAttempt, Settings
from agents.operator_jobs import leased_job
from agents.policy import costs
from agents.policy.gate import GateState
from agents.policy.modes import Mode
from agents.policy.reasons import Purpose, Reason, Verdict

# A provider that takes longer for one token, in seconds, is of no use to a step either.
PATIENCE = 25.0
# A probe may end without a result for the account, such as in a fault of the provider: the next automatic one waits this long.
AGAIN_AFTER = timedelta(seconds=60)
# "Say OK." with what a model's chat template adds.
MOST_PROMPT_TOKENS = 200
PROMPT = Prompt([{"role": "user", "content": "Say OK."}], max_tokens=1, options={})


def start(account: Account, *, by: str, now: float) -> None:
    with transaction.atomic():
        actions.probe(account, by=by, now=now)
        leased_job.start(AccountJob, account=account, kind=AccountJob.Kind.PROBE, requested_by=by)


def start_due(now: datetime) -> int:
    """Start a probe of each account whose pause is over and that no step has probed. Returns how many were started."""
    settings = Settings.current()
    if not settings.probe_after_pause or settings.agent_mode == Mode.TEMPLATE:
        return 0
    due = [account for account in Account.objects.filter(enabled=True) if is_due(account, now)]
    for account in due:
        leased_job.start(AccountJob, account=account, kind=AccountJob.Kind.PROBE_IF_DUE)
    return len(due)


def is_due(account: Account, now: datetime) -> bool:
    """Whether the account's pause is over, and neither a step nor a probe is checking the account."""
    gate, at = gate_rows.of(account), now.timestamp()
    if gate.state(at) is not GateState.PROBING or at < gate.probe_until:
        return False
    since = max(now - AGAIN_AFTER, datetime.fromtimestamp(gate.paused_until, UTC))
    probed = LLMAttempt.objects.filter(account=account, purpose=Purpose.PROBE, decided_at__gte=since)
    return not probed.exclude(verdict=Verdict.GIVEN_UP).exists()


@dataclass(frozen=True, slots=True)
class Sent:
    """`end` None: nothing was sent, for `reason`; `retry_at`: the earliest time for another try, in Unix seconds."""

    reason: Reason
    model: str = ""
    end: AttemptEnd | None = None
    retry_at: float | None = None


def send(account: Account, purpose: Purpose, *, clock: Clock = time.time) -> Sent:
    provider = usable(account)
    if isinstance(provider, Reason):
        return Sent(provider)
    in_force = rules(Settings.current())
    most_usd = {model: costs.of_tokens(provider.prices.get(model), MOST_PROMPT_TOKENS, 1) for model in provider.models}
    request = Request(account, in_force.limits, clock() + PATIENCE, provider.models, most_usd=most_usd, caps=in_force.caps)
    permit = ledger.open_attempt([request], purpose, clock)
    if permit.attempt_uid is None:
        return Sent(permit.decision.reason, retry_at=permit.decision.retry_at)
    result = Attempt(PROMPT, lambda _: Plan(()), provider, request, permit, clock).run()
    end = result.end
    assert end is not None
    if end.accepted:
        # A reply of one token may be empty.
        end = replace(end, verdict=Verdict.OK, detail="")
    ledger.close_attempt(end, in_force.limits)
    return Sent(result.reason, permit.model, end)
