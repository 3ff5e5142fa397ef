"""Detects conditions, and makes a notice of each change, with deliveries to the channels that have its event."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q

from agents.accounts.status import account_statuses
from agents.common.redaction import redact
from agents.common.text import length
from agents.configuration import accounts, models_of
from agents.hybrid import spool
from agents.models import RateLimitEvent, Route, Settings, Source, Step, UnknownCall
from agents.policy.reasons import PauseSource, Reason
from agents.policy.refusals import RefusalClass
from monitoring.models import (
    EVENTS,
    SUITE_TITLES,
    Channel,
    Component,
    Delivery,
    HealthState,
    Notice,
    Result,
    Severity,
    TestResult,
    TestRun,
)
from monitoring.notifications import maintenance
from monitoring.ratelimit.quota import quota
from monitoring.retention.storage import space_now, uses

LASTING = [name for name, event in EVENTS.items() if event.over is not None]
FEWEST_STEPS = 20  # with fewer, the LLM's share is chance
SHARE_OF = timedelta(hours=1)
# Seconds. Forecasts further ahead change with every reading, and each change would be a message.
NEAR = 3600.0
MOST_NEW_PATHS = 3  # a day
MOST_SUMMED = 50  # lines of each kind in the summary after maintenance
LOST_LATELY = timedelta(hours=1)  # the condition lasts this long after a loss


class Condition(NamedTuple):
    event: str
    subject: str
    title: str
    body: str = ""
    severity: Severity | None = None  # None: its event's
    about: frozenset[str] = frozenset()  # further events: channels that have one of these receive it too


def notice(now: datetime) -> None:
    """Record changes since the last call, and queue reminders of lasting conditions; during maintenance nothing is queued."""
    keep(conditions(now), now)
    if maintenance.active(now):
        return
    _sum_up_maintenance(now)
    for channel in Channel.objects.filter(enabled=True, resend_minutes__gt=0):
        lasting = Delivery.objects.filter(channel=channel, notice__over_at=None).values("notice")
        sent = lasting.annotate(last=Max("due_at"), times=Max("repeat"))
        for row in sent.filter(last__lte=now - timedelta(minutes=channel.resend_minutes)):
            again = {"notice_id": row["notice"], "channel": channel, "repeat": row["times"] + 1}
            Delivery.objects.get_or_create(**again, defaults={"due_at": after_quiet(channel, now)})


def keep(current: Iterable[Condition], now: datetime) -> None:
    """Record notices for new and for ended conditions. Safe if other processes do the same."""
    by_key = {(condition.event, condition.subject): condition for condition in current}
    open_notices = {(condition.event, condition.subject): condition for condition in Notice.objects.filter(over_at=None, event__in=LASTING)}
    for key, condition in by_key.items():
        if key not in open_notices:
            _new(condition, now)
    for key, notice in open_notices.items():
        # The update finds no row if another process has recorded the end.
        if key not in by_key and Notice.objects.filter(pk=notice.pk, over_at=None).update(over_at=now) and EVENTS[notice.event].over:
            _new(_end(notice, now), now)


def _end(notice: Notice, now: datetime) -> Condition:
    event = EVENTS[notice.event].over or ""
    subject = SUITE_TITLES.get(notice.subject, notice.subject) if notice.event == "test_failed" else notice.subject
    body = f"It took {length((now - notice.at).total_seconds())}. Before: {notice.title}."
    if event == "llm_back":
        since = notice.at - timedelta(hours=1)
        pauses = RateLimitEvent.objects.filter(account__name=notice.subject, model="", started_at__gte=since).order_by("-started_at")
        if (pause := pauses.first()) and pause.ended_by:
            body = f"{body} {pause.get_ended_by_display()}."
    return Condition(event, notice.subject, f"{EVENTS[event].label}{f': {subject}' if subject else ''}", body)


def _new(condition: Condition, now: datetime) -> None:
    with suppress(IntegrityError), transaction.atomic():
        made = _create(condition, now)
        if maintenance.active(now):
            return
        channels = Channel.objects.filter(enabled=True, least_severity__lte=made.severity)
        events = {made.event, *condition.about}
        receivers = (channel for channel in channels if not channel.events or events & set(channel.events))
        Delivery.objects.bulk_create(Delivery(notice=made, channel=channel, due_at=after_quiet(channel, now)) for channel in receivers)


def make_test(channel: Channel, now: datetime) -> Delivery:
    """A test message to a channel, sent at once, even in its quiet hours."""
    body = "If you read this, notifications of the miner's panel arrive here."
    with transaction.atomic():
        Channel.objects.select_for_update().get(pk=channel.pk)  # a second press of the button waits for the lock, and gets the next number
        made = _create(Condition("channel_test", channel.name, "Test of this channel", body), now)
        return Delivery.objects.create(notice=made, channel=channel, due_at=now)


def _create(condition: Condition, now: datetime) -> Notice:
    event, subject = condition.event, condition.subject
    last = Notice.objects.filter(event=event, subject=subject).aggregate(last=Max("number"))["last"] or 0
    texts = {"title": redact(condition.title)[:200], "body": redact(condition.body)}
    times = {"at": now, "over_at": None if event in LASTING else now}
    severity = condition.severity or EVENTS[event].severity
    return Notice.objects.create(event=event, subject=subject, number=last + 1, severity=severity, **texts, **times)


def _sum_up_maintenance(now: datetime) -> None:
    """After the windows' end, one message about conditions that began in them and last, and those sent before that ended in them."""
    windows = maintenance.claim_ended(now)
    if not windows:
        return
    start = min(window.starts_at for window in windows)
    lasting = Notice.objects.filter(event__in=LASTING).order_by("at", "id")
    left = list(lasting.filter(over_at=None, at__gte=start)[:MOST_SUMMED])
    ended = list(lasting.filter(at__lt=start, over_at__gte=start)[:MOST_SUMMED])
    if not left and not ended:
        return
    lines = [f"Since {notice.at:%H:%M} UTC: {notice.title}" for notice in left] + [f"No longer: {notice.title}" for notice in ended]
    title = "Maintenance is over, " + (f"{len(left)} ongoing: {', '.join(notice.title for notice in left)}" if left else "all is well")
    severity = Severity(max((notice.severity for notice in left), default=Severity.INFO))
    about = frozenset(notice.event for notice in (*left, *ended))
    _new(Condition("maintenance_over", "", title, "\n".join(lines), severity, about), now)


def after_quiet(channel: Channel, now: datetime) -> datetime:
    """`now`, or the end of the channel's quiet hours if it is within them; they may include midnight."""
    begin, end = channel.quiet_from, channel.quiet_to
    if begin is None or end is None or begin == end:
        return now
    local = now.astimezone(ZoneInfo(channel.zone))
    at = local.time()
    if not (begin <= at < end if begin < end else at >= begin or at < end):
        return now
    until = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
    # In wall-clock time: in the night of a clock change they are an hour shorter or longer.
    return (until if until > local else until + timedelta(days=1)).astimezone(UTC)


def conditions(now: datetime) -> list[Condition]:
    settings = Settings.current()
    return [condition for detect in DETECTORS for condition in detect(settings, now)]


def _paused(_: Settings, now: datetime) -> Iterator[Condition]:
    for status in account_statuses(now.timestamp()):
        event, recovery = status.event, "It needs an operator."
        if not event or not status.account.enabled:
            continue
        if event.predicted_at:
            recovery = f"Expected back at {event.predicted_at:%Y-%m-%d %H:%M:%S} UTC ({PauseSource(event.prediction_source).sentence})."
        refusal, name = RefusalClass(event.refusal), status.account.name
        yield Condition(refusal.about.notice, name, f"LLM paused: account {name}", f"{status.cause_sentence} {recovery}")


def _running_out(_: Settings, now: datetime) -> Iterator[Condition]:
    for row in quota(now):
        near = [meter.forecast.sentence for meter in row.meters if meter.runs_out_at and meter.runs_out_at - now.timestamp() < NEAR]
        if sentences := list(dict.fromkeys((*row.warnings, *near))):
            yield Condition("quota_forecast", row.account.name, f"About to be used up: account {row.account}", "\n".join(sentences))


def _models_gone(_: Settings, now: datetime) -> Iterator[Condition]:
    for account in accounts():
        listed = {entry["id"] for entry in account.catalogue}
        for model in models_of(account) if listed and account.enabled else ():
            if model not in listed:
                body = f"Account {account.name} names it. Choose another in the settings."
                yield Condition("model_gone", f"{account.name} {model}", f"Model gone: {model}", body)


def _failed_tests(_: Settings, now: datetime) -> Iterator[Condition]:
    """By suite, from the newest finished run of it."""
    for suite, title in SUITE_TITLES.items():
        results = TestResult.objects.filter(suite=suite, run__state=TestRun.State.SUCCEEDED)
        newest = results.aggregate(run=Max("run_id"))["run"]
        failed = results.filter(run_id=newest, verdict=Result.FAIL).order_by("number")[:5] if newest else ()
        if lines := [f"{result.subject or result.check_name}: {result.meaning or result.came_back}" for result in failed]:
            yield Condition("test_failed", suite, f"{title} failed", "\n".join(lines))


def _down(_: Settings, now: datetime) -> Iterator[Condition]:
    for row in Component.objects.filter(state=HealthState.DOWN):
        yield Condition("component_down", row.name, f"Down: {row.name}", row.message)


def _silence(settings: Settings, now: datetime) -> Iterator[Condition]:
    minutes = settings.silence_minutes
    if not minutes:
        return
    newest = Step.objects.filter(source=Source.VALIDATOR).order_by("-received_at", "-id").values_list("received_at", flat=True).first()
    if newest and now - newest > timedelta(minutes=minutes):
        body = f"The last one came at {newest:%Y-%m-%d %H:%M:%S} UTC."
        yield Condition("silence", "", f"No request from validators for {minutes} min", body)


def _low_share(settings: Settings, now: datetime) -> Iterator[Condition]:
    """Without steps of which the template agent was sure, as they use no LLM by the settings."""
    if not settings.least_llm_percent:
        return
    answered = Step.objects.filter(source=Source.VALIDATOR, received_at__gt=now - SHARE_OF, answered_at__isnull=False)
    counted = answered.exclude(reason=Reason.SURE).aggregate(total=Count("id"), llm=Count("id", filter=Q(route=Route.LLM)))
    total, llm = counted["total"], counted["llm"]
    if total >= FEWEST_STEPS and 100 * llm / total < settings.least_llm_percent:
        body = f"{llm} of {total} steps of the last hour. See the reasons on Overview."
        yield Condition("llm_share_low", "", f"The LLM answered {100 * llm / total:.0f} % of the steps", body)


def _storage(_: Settings, now: datetime) -> Iterator[Condition]:
    space, lost_at = space_now(), spool.lost_at()
    if space.is_low:
        body = (
            f"{space.in_mb.free:,} MB are free. Until {space.in_mb.least:,} MB are, only facts are recorded: no pages, excerpts or replies."
        )
        yield Condition("disk_low", "", "Little free disk space", body)
    for use in uses():
        if use.is_exceeded:
            body = f"{use.used_mb:,} MB of {use.budget_mb:,} MB. More is stored than the worker deletes, or the worker does not run."
            yield Condition("budget_exceeded", use.setting, f"Over its budget: {use.label}", body)
    if lost_at is not None and now.timestamp() - lost_at < LOST_LATELY.total_seconds():
        body = f"Neither the database nor the data folder took them. In all, the facts of {spool.lost():,} steps are lost on this machine."
        yield Condition("facts_lost", "", "Facts of steps were lost", body)


def _new_paths(_: Settings, now: datetime) -> Iterator[Condition]:
    """Unknown paths that resemble a task, the first ones of a UTC day, so that guessed paths cause few messages."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for row in UnknownCall.objects.filter(is_task=True, first_seen_at__gte=today).order_by("first_seen_at", "id")[:MOST_NEW_PATHS]:
        called = f"{row.method} {row.path}"
        body = "It resembles a task, and was answered with 404. Callers may have a new contract. The Callers page counts such calls."
        yield Condition("new_path", called, f"A new path is called: {called}", body)


DETECTORS = (_paused, _running_out, _models_gone, _failed_tests, _down, _silence, _low_share, _new_paths, _storage)
