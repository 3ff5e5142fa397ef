"""Rate-limit events: what paused an account or a model, its predicted and actual recovery, and how the pause ended."""

import logging
from typing import Any

from django.db.models import QuerySet

from agents.common import log_context
from agents.contract.step_facts import AttemptEnd
from agents.ledger.gate_rows import at, maybe_at
from agents.models import Account, LLMAttempt, RateLimitEvent
from agents.policy import backoff
from agents.policy.gate import Gate, Limits, next_pause
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass, sentence
from agents.policy.reset_times import Prediction, predicted

logger = logging.getLogger(__name__)

Ended = RateLimitEvent.Ended
BLOCKS_REMEMBERED = 50  # the blocks that a prediction uses: enough for quantiles, and recent


def account_paused(attempt: LLMAttempt, end: AttemptEnd, gate: Gate, limits: Limits) -> None:
    strikes, source, pause = gate.strikes, gate.pause_source, gate.paused_until - gate.paused_at
    _open(attempt, end, "", strikes, source, gate.blocked_at, gate.paused_until, next_pause(gate, limits))
    with log_context.about(log_context.attempt, str(attempt.uid)):
        if end.status == 429:
            wait = limits.pause(strikes) if source is PauseSource.LADDER else pause  # without the jitter
            logger.warning("Chutes API rate limited (429). Exponential backoff: Waiting %.0fs before retry (attempt %d)...", wait, strikes)
        else:
            cause = sentence(RefusalClass(end.refusal), status=end.status)
            logger.warning("Account %s paused for %.0f s: %s", attempt.account.name, pause, cause)


def cooldown_began(attempt: LLMAttempt, end: AttemptEnd, until: float, times: int) -> None:
    before = RateLimitEvent.objects.filter(account=attempt.account, model=attempt.model, ended_by="").first()
    began = before.block_started_at.timestamp() if before and times > 1 else end.ended_at
    _open(attempt, end, attempt.model, times, PauseSource.LADDER, began, until, backoff.LONGEST_COOLDOWN)


def _open(
    attempt: LLMAttempt, end: AttemptEnd, model: str, strike: int, source: PauseSource, began: float, until: float, next_pause: float
) -> None:
    alike = RateLimitEvent.objects.filter(account=attempt.account, model=model, refusal=end.refusal)
    past = _lasted(alike.filter(recovered_at__isnull=False))
    _ended(attempt.account, model, Ended.TIMER, end.ended_at)
    columns: dict[str, Any] = {"account": attempt.account, "model": model, "attempt": attempt, "strike": strike}
    columns |= {"refusal": end.refusal, "status": end.status, "detail": end.detail, "pause_source": source}
    columns |= {"started_at": at(end.ended_at), "block_started_at": at(began), "pause_seconds": until - end.ended_at}
    columns |= _columns(predicted(source, end.ended_at, began, until, next_pause, past))
    RateLimitEvent.objects.create(**columns)


def _columns(prediction: Prediction) -> dict[str, Any]:
    about: dict[str, Any] = {"prediction_source": prediction.source, "confidence": prediction.confidence}
    times = {"predicted_at": prediction.at, "predicted_from": prediction.earliest, "predicted_to": prediction.latest}
    return about | {name: maybe_at(time) for name, time in times.items()}


def moved(account: Account, gate: Gate) -> None:
    """The end of the running pause was learned after its refusal. `gate`: with the new end."""
    prediction = predicted(gate.pause_source, gate.paused_at, gate.blocked_at, gate.paused_until, 0.0, ())
    pause = {"pause_seconds": gate.paused_until - gate.paused_at, "pause_source": gate.pause_source}
    RateLimitEvent.objects.filter(account=account, model="", ended_by="").update(**pause, **_columns(prediction))


def recovered(account: Account, model: str, blocked_at: float, now: float) -> None:
    """A request succeeded: end the open event, and record the time in all events of its block."""
    _ended(account, model, Ended.SUCCEEDED, now)
    events = RateLimitEvent.objects.filter(account=account, model=model)
    newest = events.order_by("-started_at", "-pk").first()
    if newest:
        began = at(blocked_at) if blocked_at else newest.block_started_at
        events.filter(recovered_at=None, block_started_at__gte=began).update(recovered_at=at(now))


def _ended(account: Account, model: str, how: RateLimitEvent.Ended, now: float) -> None:
    RateLimitEvent.objects.filter(account=account, model=model, ended_by="").update(ended_by=how, ended_at=at(now))


def longer_blocks(event: RateLimitEvent) -> int:
    """How many of the blocks behind an event's prediction lasted longer than its own had by then."""
    lasted = (event.started_at - event.block_started_at).total_seconds()
    alike = RateLimitEvent.objects.filter(account=event.account_id, model=event.model, refusal=event.refusal)
    return sum(seconds > lasted for seconds in _lasted(alike.filter(recovered_at__lte=event.started_at)))


def _lasted(events: QuerySet[RateLimitEvent]) -> list[float]:
    """The seconds of the last blocks, newest first."""
    times = events.filter(ended_by=Ended.SUCCEEDED).order_by("-recovered_at").values_list("block_started_at", "recovered_at")
    return [(back - began).total_seconds() for began, back in times[:BLOCKS_REMEMBERED] if back]
