"""From what is so now to notices, one a change of state, and their deliveries to the channels that want them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Max

from agents.models import RateLimitEvent
from agents.text import length
from monitoring.models import Channel, Delivery, Notice
from monitoring.notices.conditions import conditions
from monitoring.notices.events import EVENTS, Condition
from monitoring.suites.registry import TITLES


def notice(now: datetime) -> list[Notice]:
    """Write down what has changed since the last look. Returns the new notices."""
    made = keep(list(conditions(now)), now)
    _remind(now)
    return made


def keep(current: Iterable[Condition], now: datetime) -> list[Notice]:
    """New notices for what has become so, and for what is over; safe against others who look at the same time."""
    is_so = {(each.event, each.subject): each for each in current}
    open_ones = {(each.event, each.subject): each for each in Notice.objects.filter(over_at=None, event__in=_LASTING)}
    begun = [_new(each.event, each.subject, each.title, each.body, now) for key, each in is_so.items() if key not in open_ones]
    ended = [_over(each, now) for key, each in open_ones.items() if key not in is_so]
    return [each for each in (*begun, *ended) if each]


# Events that are so for a while; the others are told once and are over with that.
_LASTING = [name for name, event in EVENTS.items() if event.over or name in ("quota_forecast", "model_gone", "llm_share_low")]


def _over(old: Notice, now: datetime) -> Notice | None:
    if not Notice.objects.filter(pk=old.pk, over_at=None).update(over_at=now):
        return None
    event = EVENTS[old.event].over
    if not event:
        return None
    subject = TITLES.get(old.subject, old.subject) if old.event == "test_failed" else old.subject
    title = f"{EVENTS[event].label}{f': {subject}' if subject else ''}"
    return _new(event, old.subject, title, _how_long(old, now), now)


def _how_long(old: Notice, now: datetime) -> str:
    words = f"It took {length((now - old.at).total_seconds())}. Before: {old.title}."
    return f"{words} {_how_back(old)}".strip() if EVENTS[old.event].over == "llm_back" else words


def _how_back(old: Notice) -> str:
    """How a pause ended, in the words of its event."""
    event = (
        RateLimitEvent.objects.filter(account__name=old.subject, model="", started_at__gte=old.at - timedelta(hours=1))
        .order_by("-started_at")
        .first()
    )
    return f"{event.get_ended_by_display()}." if event and event.ended_by else ""


def _new(event: str, subject: str, title: str, body: str, now: datetime) -> Notice | None:
    """The notice with its deliveries; None where somebody else wrote it just now."""
    before = Notice.objects.filter(event=event, subject=subject).aggregate(last=Max("number"))["last"] or 0
    known = EVENTS[event]
    fields = {"severity": known.severity, "at": now, "title": title[:200], "body": body, "over_at": None if event in _LASTING else now}
    try:
        with transaction.atomic():
            made = Notice.objects.create(event=event, subject=subject, number=before + 1, **fields)
            Delivery.objects.bulk_create(
                [_delivery(made, channel, now) for channel in Channel.objects.filter(enabled=True) if wants(channel, made)]
            )
    except IntegrityError:
        return None
    return made


def wants(channel: Channel, made: Notice) -> bool:
    """Whether a channel is set to this kind of news."""
    return made.severity >= channel.least_severity and (not channel.events or made.event in channel.events)


def tell_test(channel: Channel, now: datetime) -> Delivery:
    """A message to one channel, at its button: at once, whatever its quiet hours."""
    title, body = "Test of this channel", "If you read this, notifications of the miner's panel arrive here."
    with transaction.atomic():
        Channel.objects.select_for_update().get(pk=channel.pk)  # a second press of the button waits, and gets the next number
        last = Notice.objects.filter(event="channel_test", subject=channel.name).aggregate(last=Max("number"))["last"] or 0
        made = Notice.objects.create(
            event="channel_test", subject=channel.name, number=last + 1, severity=1, at=now, title=title, body=body, over_at=now
        )
        return Delivery.objects.create(notice=made, channel=channel, due_at=now)


def _delivery(made: Notice, channel: Channel, now: datetime) -> Delivery:
    return Delivery(notice=made, channel=channel, due_at=after_quiet(channel, now))


def after_quiet(channel: Channel, now: datetime) -> datetime:
    """`now`, or the end of the quiet hours that it falls into; times of day in the channel's zone, which may go over midnight."""
    if channel.quiet_from is None or channel.quiet_to is None or channel.quiet_from == channel.quiet_to:
        return now
    local = now.astimezone(ZoneInfo(channel.zone))
    if not _is_within(local.time(), channel.quiet_from, channel.quiet_to):
        return now
    end = local.replace(hour=channel.quiet_to.hour, minute=channel.quiet_to.minute, second=0, microsecond=0)
    # Wall clock: the night in which the clocks are changed is an hour shorter or longer.
    return (end if end > local else end + timedelta(days=1)).astimezone(UTC)


def _is_within(at: time, begin: time, end: time) -> bool:
    return begin <= at < end if begin < end else at >= begin or at < end


def _remind(now: datetime) -> None:
    """Reminders of what is still so, to channels that want them."""
    for channel in Channel.objects.filter(enabled=True, resend_minutes__gt=0):
        lasting = Delivery.objects.filter(channel=channel, notice__over_at=None).values("notice")
        told = lasting.annotate(last=Max("due_at"), times=Max("repeat"))
        for row in told.filter(last__lte=now - timedelta(minutes=channel.resend_minutes)):
            again = {"notice_id": row["notice"], "channel": channel, "repeat": row["times"] + 1}
            Delivery.objects.get_or_create(**again, defaults={"due_at": after_quiet(channel, now)})
