"""Rate-limit events: what paused an account or a model, when it is expected back, when it came back, and how that ended."""

from __future__ import annotations

import logging

from django.db.models import QuerySet

from agents import cooling, governor, log_context
from agents.facts import AttemptEnd
from agents.governor import Limits
from agents.ledger.times import at, maybe_at
from agents.models import Account, LLMAttempt, RateLimitEvent
from agents.reasons import PauseSource
from agents.recovery import Prediction, predicted
from agents.refusals import RefusalClass, sentence

logger = logging.getLogger(__name__)

Ended = RateLimitEvent.Ended
# The blocks that a prediction looks back on: enough for its quantiles, and not last month's provider.
BLOCKS_REMEMBERED = 50


def account_paused(attempt: LLMAttempt, end: AttemptEnd, gate: governor.Gate, limits: Limits) -> None:
    """A refusal paused the account: `gate` is the gate after it."""
    next_pause = limits.pause(gate.strikes + 1)
    past = blocks(attempt.account, "", RefusalClass(end.refusal))
    prediction = predicted(gate.pause_source, gate.paused_at, gate.blocked_at, gate.paused_until, next_pause, past)
    _ended(attempt.account, "", Ended.TIMER, gate.paused_at)
    _open(attempt, end, prediction, model="", strike=gate.strikes, source=gate.pause_source, until=gate.paused_until, began=gate.blocked_at)
    with log_context.about(log_context.attempt, str(attempt.uid)):
        _warn(attempt, end, gate, limits)


def model_cools(attempt: LLMAttempt, end: AttemptEnd, kind: RefusalClass, until: float, times: int) -> None:
    """A refusal made one model cool, for the `times`-th time in a row."""
    before = RateLimitEvent.objects.filter(account=attempt.account, model=attempt.model, ended_by="").first()
    began = before.block_started_at.timestamp() if before and times > 1 else end.ended_at
    past = blocks(attempt.account, attempt.model, kind)
    prediction = predicted(PauseSource.LADDER, end.ended_at, began, until, cooling.LONGEST, past)
    _ended(attempt.account, attempt.model, Ended.TIMER, end.ended_at)
    _open(attempt, end, prediction, model=attempt.model, strike=times, source=PauseSource.LADDER, until=until, began=began)


def recovered(account: Account, model: str, blocked_at: float, now: float) -> None:
    """A request succeeded: the open event ends, and all events of its block learn when that was."""
    _ended(account, model, Ended.SUCCEEDED, now)
    newest = RateLimitEvent.objects.filter(account=account, model=model).order_by("-started_at", "-pk").first()
    if newest is None:
        return
    began = at(blocked_at) if blocked_at else newest.block_started_at
    block = RateLimitEvent.objects.filter(account=account, model=model, recovered_at=None, block_started_at__gte=began)
    block.update(recovered_at=at(now))


def retold(account: Account, gate: governor.Gate) -> None:
    """The running pause's end was learned after its refusal: `gate` is the gate with the new end."""
    told = predicted(gate.pause_source, gate.paused_at, gate.blocked_at, gate.paused_until, 0.0, ())
    RateLimitEvent.objects.filter(account=account, model="", ended_by="").update(
        pause_seconds=gate.paused_until - gate.paused_at,
        pause_source=gate.pause_source,
        predicted_at=maybe_at(told.at),
        predicted_from=maybe_at(told.earliest),
        predicted_to=maybe_at(told.latest),
        prediction_source=told.source,
        confidence=told.confidence,
    )


def ended_by_operator(account: Account, now: float) -> None:
    """An operator's word ended what was open."""
    RateLimitEvent.objects.filter(account=account, ended_by="").update(ended_by=Ended.OPERATOR, ended_at=at(now))


def blocks(account: Account, model: str, kind: RefusalClass) -> list[float]:
    """How many seconds the last blocks of this kind took, newest first."""
    return _lasted(RateLimitEvent.objects.filter(account=account, model=model, refusal=kind, recovered_at__isnull=False))


def longer_blocks(event: RateLimitEvent) -> int:
    """How many of the blocks that an event's prediction could look back on had lasted longer than its own had by then."""
    lasted = (event.started_at - event.block_started_at).total_seconds()
    alike = RateLimitEvent.objects.filter(account=event.account_id, model=event.model, refusal=event.refusal)
    return sum(seconds > lasted for seconds in _lasted(alike.filter(recovered_at__lte=event.started_at)))


def _lasted(events: QuerySet[RateLimitEvent]) -> list[float]:
    times = events.filter(ended_by=Ended.SUCCEEDED).order_by("-recovered_at").values_list("block_started_at", "recovered_at")
    return [(back - began).total_seconds() for began, back in times[:BLOCKS_REMEMBERED] if back]


def _open(
    attempt: LLMAttempt, end: AttemptEnd, told: Prediction, *, model: str, strike: int, source: PauseSource, until: float, began: float
) -> None:
    RateLimitEvent.objects.create(
        account=attempt.account,
        model=model,
        attempt=attempt,
        refusal=end.refusal,
        status=end.status,
        detail=end.detail,
        strike=strike,
        pause_seconds=until - end.ended_at,
        pause_source=source,
        started_at=at(end.ended_at),
        block_started_at=at(began),
        predicted_at=maybe_at(told.at),
        predicted_from=maybe_at(told.earliest),
        predicted_to=maybe_at(told.latest),
        prediction_source=told.source,
        confidence=told.confidence,
    )


def _ended(account: Account, model: str, how: RateLimitEvent.Ended, now: float) -> None:
    RateLimitEvent.objects.filter(account=account, model=model, ended_by="").update(ended_by=how, ended_at=at(now))


def _warn(attempt: LLMAttempt, end: AttemptEnd, gate: governor.Gate, limits: Limits) -> None:
    pause = gate.paused_until - gate.paused_at
    if end.status == 429:
        wait = limits.pause(gate.strikes) if gate.pause_source is PauseSource.LADDER else pause
        logger.warning("Chutes API rate limited (429). Exponential backoff: Waiting %.0fs before retry (attempt %d)...", wait, gate.strikes)
    else:
        said = sentence(RefusalClass(end.refusal), status=end.status)
        logger.warning("Account %s paused for %.0f s: %s", attempt.account.name, pause, said)
