"""What is so now that somebody may want to be told: read from the records, each time anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from agents.configuration import accounts, models_of
from agents.forecast import Outcome
from agents.models import RateLimitEvent, Route, Settings, Source, Step
from agents.reasons import PauseSource, Reason
from agents.refusals import RefusalClass
from monitoring.models import Component, HealthState, Result, TestResult, TestRun
from monitoring.notices.events import Condition
from monitoring.stats.quota import quota
from monitoring.suites.registry import TITLES

# Fewer steps than this make no share worth a message.
FEWEST_STEPS = 20
SHARE_OF = timedelta(hours=1)
# A forecast that looks further ahead changes with every reading, and each change would be a message.
NEAR = timedelta(hours=1)
NEWS_OF = {
    RefusalClass.AUTH: "key_refused",
    RefusalClass.PAYMENT: "quota_used_up",
    RefusalClass.DAILY_QUOTA: "quota_used_up",
    RefusalClass.FREE_DAILY: "quota_used_up",
    RefusalClass.SUBSCRIPTION_CAP: "quota_used_up",
}


def conditions(now: datetime) -> Iterator[Condition]:
    """Everything that is so at `now`."""
    settings = Settings.current()
    yield from _paused()
    yield from _running_out(now)
    yield from _models_gone()
    yield from _failed_tests()
    yield from _down()
    yield from _silence(settings, now)
    yield from _low_share(settings, now)


def _paused() -> Iterator[Condition]:
    open_events = RateLimitEvent.objects.filter(model="", ended_by="", account__enabled=True).select_related("account")
    for event in open_events:
        kind = RefusalClass(event.refusal)
        yield Condition(
            NEWS_OF.get(kind, "llm_paused"),
            event.account.name,
            f"LLM paused: account {event.account.name}",
            f"{kind.sentence} {_expected(event)}",
        )


def _expected(event: RateLimitEvent) -> str:
    if event.predicted_at is None:
        return "It comes back when somebody mends it."
    return f"Expected back at {event.predicted_at:%Y-%m-%d %H:%M:%S} UTC ({PauseSource(event.prediction_source).sentence})."


def _running_out(now: datetime) -> Iterator[Condition]:
    """By account: what the Rate limit page warns of, and what is used up before long and before it resets."""
    for known in quota(now):
        near = [meter.sentence for meter in known.meters if meter.outcome is Outcome.RUNS_OUT and _is_near(meter.runs_out_at, now)]
        said = list(dict.fromkeys((*known.warnings, *near)))
        if said:
            yield Condition("quota_forecast", known.account, f"About to be used up: account {known.account}", "\n".join(said))


def _is_near(at: datetime | None, now: datetime) -> bool:
    return at is not None and at - now < NEAR


def _models_gone() -> Iterator[Condition]:
    for account in accounts():
        listed = {entry["id"] for entry in account.catalogue}
        if not listed or not account.enabled:
            continue
        for model in models_of(account):
            if model not in listed:
                body = f"Account {account.name} names it. Choose another in the settings."
                yield Condition("model_gone", f"{account.name} {model}", f"Model gone: {model}", body)


def _failed_tests() -> Iterator[Condition]:
    """By suite, from the newest finished run that carried it out."""
    for suite, title in TITLES.items():
        results = TestResult.objects.filter(suite=suite, run__state=TestRun.State.DONE)
        newest = results.aggregate(run=Max("run_id"))["run"]
        failed = list(results.filter(run_id=newest, verdict=Result.FAIL).order_by("number")[:5]) if newest else []
        if failed:
            body = "\n".join(f"{result.subject or result.check_name}: {result.meaning or result.came_back}" for result in failed)
            yield Condition("test_failed", suite, f"{title} failed", body)


def _down() -> Iterator[Condition]:
    for row in Component.objects.filter(state=HealthState.DOWN):
        yield Condition("component_down", row.name, f"Down: {row.name}", row.message)


def _silence(settings: Settings, now: datetime) -> Iterator[Condition]:
    if not settings.silence_minutes:
        return
    newest = Step.objects.filter(source=Source.VALIDATOR).order_by("-received_at", "-id").values_list("received_at", flat=True).first()
    if newest and now - newest > timedelta(minutes=settings.silence_minutes):
        title = f"No request from validators for {settings.silence_minutes} min"
        yield Condition("silence", "", title, f"The last one came at {newest:%Y-%m-%d %H:%M:%S} UTC.")


def _low_share(settings: Settings, now: datetime) -> Iterator[Condition]:
    if not settings.least_llm_percent:
        return
    # Where the template agent was sure, the settings leave the LLM out: that is no lack of it.
    steps = Step.objects.filter(source=Source.VALIDATOR, received_at__gt=now - SHARE_OF, answered_at__isnull=False).exclude(
        reason=Reason.SURE
    )
    counted = steps.aggregate(total=Count("id"), llm=Count("id", filter=Q(route=Route.LLM)))
    if counted["total"] < FEWEST_STEPS:
        return
    share = 100 * counted["llm"] / counted["total"]
    if share < settings.least_llm_percent:
        body = f"{counted['llm']} of {counted['total']} steps of the last hour. The Overview says why."
        yield Condition("llm_share_low", "", f"The LLM answered {share:.0f} % of the steps", body)
