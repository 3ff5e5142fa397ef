"""The key test's findings in words: what came back, what it means, and what to do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from agents import governor
from agents.facts import AttemptEnd
from agents.models import Account, QuotaReading, RateLimitEvent
from agents.probing import Sent
from agents.reasons import PauseSource, Reason
from agents.refusals import RefusalClass
from monitoring.models import Result
from monitoring.suites.findings import Finding
from monitoring.suites.reach import Reach

CALLED = "Asked {model} for a single token."
# How a class reads as a verdict: what will pass by itself warns, what needs a person fails.
PASSING = frozenset({RefusalClass.CAPACITY, RefusalClass.UPSTREAM})
MEANINGS = {
    RefusalClass.CAPACITY: "The model is full for all its users. It is the model, not you: the key works.",
    RefusalClass.AUTH: "The key was refused.",
    RefusalClass.PAYMENT: "The key works, but the account has no balance.",
    RefusalClass.MODEL: "The model is not listed any more. The key was not judged.",
    RefusalClass.REQUEST: "The provider could not read the request. The key was not judged.",
    RefusalClass.UPSTREAM: "The provider failed. The key was not judged.",
}
REMEDIES = {
    RefusalClass.CAPACITY: "Nothing, or name another model first in the settings.",
    RefusalClass.AUTH: "Check the key in the settings; make a new one if it was revoked or has expired.",
    RefusalClass.PAYMENT: "Top up the account; allow a minute until the provider has seen it.",
    RefusalClass.MODEL: "Choose a model that is listed, in the settings.",
    RefusalClass.REQUEST: "Take out of the account's request options what this provider does not know.",
    RefusalClass.UPSTREAM: "Run the test again in a few minutes.",
}
NOT_SENT = {
    Reason.SPACING: "No slot was free in time: steps use the account. That is no fault.",
    Reason.PROBING: "A step or another probe is looking at the account just now.",
    Reason.MISSED: "The slot was lost to a pause, or to a busy machine.",
}


def obstacle(account: Account, *, has_key: bool, has_models: bool) -> Finding | None:
    """Why there is nothing to test."""
    if not account.enabled:
        return Finding(
            "key", Result.SKIPPED, account.name, meaning="The account is disabled.", next_step="Enable it in the settings to use it."
        )
    if not has_key:
        step = "Enter a key in the settings, or set CHUTES_API_KEY."
        return Finding("key", Result.FAIL, account.name, meaning="No API key is set.", next_step=step)
    if not has_models:
        step = "Name models in the settings, or wait until the worker has read the provider's list."
        return Finding("key", Result.FAIL, account.name, meaning="No model is known.", next_step=step)
    return None


def paused(account: Account, gate: governor.Gate, event: RateLimitEvent | None) -> Finding:
    """A paused account is left alone."""
    why = f"{RefusalClass(event.refusal).sentence} " if event else ""
    since = f"Paused since {_clock(event.block_started_at)}. " if event else ""
    return Finding(
        "key",
        Result.WARN if gate.pause_source is PauseSource.OPERATOR else Result.FAIL,
        account.name,
        done="Nothing was sent: the account is paused.",
        came_back=f"{since}{_expected(event, gate)}",
        meaning=f"{why}Testing now could make the pause longer.",
        next_step="Wait for the reset, or run the test with “Test paused accounts too”.",
        facts={"is_paused": True, **_prediction(event)},
    )


def not_sent(account: Account, sent: Sent) -> Finding:
    """The gate let nothing through."""
    return Finding(
        "key",
        Result.SKIPPED,
        account.name,
        done="Nothing was sent: the gate did not let the test through.",
        meaning=NOT_SENT.get(sent.reason, sent.reason.sentence),
        next_step="Run the test again when fewer steps come in.",
        facts={"reason": sent.reason.value},
    )


def works(account: Account, model: str, end: AttemptEnd) -> Finding:
    """A 200."""
    tokens = f", {end.prompt_tokens} + {end.completion_tokens} tokens" if end.prompt_tokens is not None else ""
    quota = f" {end.quota['used']:g} of {end.quota['total']:g} requests of the day are used." if end.quota and end.quota["total"] else ""
    limit = f" The provider publishes a limit of {end.published:g} a minute." if end.published else ""
    return Finding(
        "key",
        Result.OK,
        account.name,
        done=CALLED.format(model=model),
        came_back=f"Status {end.status} after {_seconds(end):.1f} s{tokens}.{quota}{limit}",
        meaning="The key works.",
        facts={
            "model": model,
            "latency": round(_seconds(end), 3),
            "tokens": [end.prompt_tokens, end.completion_tokens],
            "quota": end.quota,
        },
    )


def limited(account: Account, model: str, end: AttemptEnd, event: RateLimitEvent | None, *, control: RefusalClass | None) -> Finding:
    """The edge turned the call away. `control`: what a made-up key met right after."""
    if control is RefusalClass.AUTH:
        meaning = "Rate limited: a made-up key was told that it is wrong, so this limit is this account's own."
        step = "Wait for the reset. The panel probes by itself."
    elif control is RefusalClass.EDGE:
        meaning = (
            "This may not be your account at all: a made-up key met the very same page. "
            "It can't be told from here whether the account, the header or this machine's address is limited."
        )
        step = "Check the Authorization header, the host in the base URL, and whether other programs use this machine's address."
    else:
        meaning = "Rate limited. Whether it is this account alone can't be told: the control request brought nothing."
        step = "Wait for the reset, and run the test again."
    return Finding(
        "key",
        Result.FAIL,
        account.name,
        done=f"{CALLED.format(model=model)} Then asked the same with a made-up key.",
        came_back=f"{_status(end)} {_expected(event)} The made-up key met: {control.value if control else 'nothing to go by'}.",
        meaning=meaning,
        next_step=step,
        facts={"model": model, "class": end.refusal, "control": control.value if control else None, **_prediction(event)},
    )


def refused(account: Account, model: str, end: AttemptEnd, said: str, event: RateLimitEvent | None) -> Finding:
    """Any other refusal. `said`: the class in words, which knows a wrong host from a wrong key."""
    kind = RefusalClass(end.refusal)
    is_known = kind in MEANINGS and said == kind.sentence
    until = f" {_expected(event)}" if event and event.predicted_at else ""
    return Finding(
        "key",
        Result.WARN if kind in PASSING else Result.FAIL,
        account.name,
        done=CALLED.format(model=model),
        came_back=f"{_status(end)}{until}",
        meaning=MEANINGS[kind] if is_known else said,
        next_step=REMEDIES[kind] if is_known else _remedy(kind),
        facts={"model": model, "class": end.refusal, "status": end.status, **_prediction(event)},
    )


def _remedy(kind: RefusalClass) -> str:
    return "Check the base URL in the settings." if kind is RefusalClass.AUTH else "Wait for the reset, or top up the account."


def unreachable(account: Account, model: str, end: AttemptEnd, found: Reach) -> Finding:
    """Nothing came back, and a look at the network says why."""
    return Finding(
        "key",
        Result.FAIL,
        account.name,
        done=f"{CALLED.format(model=model)} Then looked at the host alone.",
        came_back=end.detail,
        meaning=f"The host can't be reached. {found.words}",
        next_step="Check the base URL, and this machine's network.",
        facts={"model": model, "fault": found.fault},
    )


def failing(account: Account, model: str, end: AttemptEnd) -> Finding:
    """The host is there, and yet no answer came."""
    return Finding(
        "key",
        Result.WARN,
        account.name,
        done=f"{CALLED.format(model=model)} Then looked at the host alone: it takes connections.",
        came_back=end.detail,
        meaning="The host is there, but gave no answer. The key was not judged.",
        next_step="Run the test again in a few minutes.",
        facts={"model": model, "fault": "no answer"},
    )


def models(account: Account, wanted: Sequence[str], listed: Collection[str]) -> Finding:
    """The account's models against the provider's list."""
    missing = [model for model in wanted if model not in listed]
    facts: dict[str, Any] = {"wanted": list(wanted), "missing": missing}
    done, came_back = "Read the provider's public list of models.", f"{len(listed)} models are listed."
    if not missing:
        meaning = f"All {len(wanted)} models of the account are listed." if len(wanted) > 1 else f"{wanted[0]} is listed."
        return Finding("models", Result.OK, account.name, done, came_back, meaning, facts=facts)
    verdict = Result.FAIL if len(missing) == len(wanted) else Result.WARN
    meaning = f"Not listed any more: {', '.join(missing)}."
    return Finding("models", verdict, account.name, done, came_back, meaning, "Choose listed models in the settings.", facts)


def unlisted(account: Account, fault: str) -> Finding:
    """The list could not be read."""
    done, step = "Read the provider's public list of models.", "Check the base URL in the settings."
    return Finding("models", Result.WARN, account.name, done, fault, "Whether the models are still listed is unknown.", step)


def no_admin_key(account: Account) -> Finding:
    """Balance and quotas stay unknown."""
    meaning = "No admin key is set, so balance, quota and caps are unknown."
    step = "Optional: make a key with admin rights at the provider, and enter it as the account's admin key."
    return Finding("admin", Result.SKIPPED, account.name, meaning=meaning, next_step=step)


def admin(account: Account, row: QuotaReading | None) -> Finding:
    """What the admin key could read."""
    done = "Read balance, quota and caps with the admin key."
    if row is None:
        return Finding(
            "admin", Result.SKIPPED, account.name, done, meaning="Another reading is under way.", next_step="Run the test again."
        )
    if row.fault:
        step = "Check the admin key and the Management URL in the settings."
        return Finding("admin", Result.WARN, account.name, done, f"Read at {_clock(row.read_at)}.", row.fault, step)
    told = [f"balance {row.balance:g} USD" if row.balance is not None else ""]
    told.append(f"{row.daily_used:g} of {row.daily_total:g} requests of the day" if row.daily_total and row.daily_used is not None else "")
    came_back = f"Read at {_clock(row.read_at)}: {', '.join(each for each in told if each) or 'nothing that is limited'}."
    return Finding("admin", Result.OK, account.name, done, came_back, "The admin key can read balance and quotas.")


def _seconds(end: AttemptEnd) -> float:
    return end.ended_at - (end.sent_at or end.ended_at)


def _status(end: AttemptEnd) -> str:
    return f"Status {end.status} after {_seconds(end):.1f} s: {end.detail or 'no text'}."


def _expected(event: RateLimitEvent | None, gate: governor.Gate | None = None) -> str:
    if event is None:
        return f"Paused: {gate.pause_source.sentence}." if gate else ""
    if event.predicted_at is None:
        return "When it is back can't be known."
    source = PauseSource(event.prediction_source).sentence
    return f"Expected back at {_clock(event.predicted_at)} ({source}, confidence {event.confidence:.0%})."


def _prediction(event: RateLimitEvent | None) -> dict[str, Any]:
    if event is None:
        return {}
    at = event.predicted_at.isoformat() if event.predicted_at else None
    return {"since": event.block_started_at.isoformat(), "predicted_at": at, "source": event.prediction_source}


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
