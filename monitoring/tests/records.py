"""Rows as the miner writes them, for tests of the read side."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from agents.configuration import default_account
from agents.models import Export, LLMAttempt, RateLimitEvent, Route, Source, Step, Task
from agents.policy.reasons import Reason, Verdict
from monitoring.models import Channel, Delivery, Notice, Severity
from monitoring.notifications import sending

CHANNEL_URL = "json://user:pa55word-very-secret@127.0.0.1:9/hook/s3cr3t-path"
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LIMITS = {"mode": "hybrid", "deadline_seconds": 23.5, "spacing_seconds": 5.0, "backoff_seconds": [60.0, 120.0]}
ACTIONS = [{"type": "NavigateAction", "url": "http://localhost:8000/?seed=58"}]


def make_task(*, at: datetime = NOW, **fields: Any) -> Task:
    """A validator's task."""
    values = {
        "key": "task-1",
        "source": Source.VALIDATOR,
        "prompt": "Search for the film 'Arrival'",
        "url": "http://localhost:8000/?seed=58",
    }
    return Task.objects.create(**{"fingerprint": uuid.uuid4().hex, "created_at": at, **values, **fields})


def make_step(task: Task | None = None, *, at: datetime = NOW, duration_ms: float = 10.0, **fields: Any) -> Step:
    """A step that the template answered in time."""
    task = task or make_task(at=at)
    answered_at = at + timedelta(milliseconds=duration_ms)
    values = {
        "source": task.source,
        "endpoint": "/step",
        "form": "step",
        "url": task.url,
        "received_at": at,
        "decided_at": at,
        "deadline_at": at + timedelta(seconds=23.5),
        "answered_at": answered_at,
        "duration_ms": duration_ms,
        "route": Route.TEMPLATE,
        "reason": Reason.PAUSED,
        "limits": LIMITS,
        "actions": ACTIONS,
    }
    return Step.objects.create(task=task, **{**values, **fields})


def make_open_step(task: Task | None = None, **fields: Any) -> Step:
    """A step that is not answered yet."""
    return make_step(task, **{"route": "", "reason": "", "answered_at": None, "actions": [], **fields})


def make_llm_step(task: Task | None = None, **fields: Any) -> Step:
    """A step that the LLM answered."""
    return make_step(task, **{"route": Route.LLM, "reason": Reason.ANSWERED, "duration_ms": 2000.0, **fields})


def make_attempt(step: Step, **fields: Any) -> LLMAttempt:
    """An attempt whose plan was answered."""
    at = step.received_at
    values = {
        "account": default_account(),
        "number": 1,
        "model": "a/model",
        "decided_at": at + timedelta(milliseconds=4),
        "slot_at": at,
        "cut_off_at": step.deadline_at,
        "sent_at": at + timedelta(seconds=1),
        "ended_at": at + timedelta(seconds=2),
        "wait_ms": 1000.0,
        "latency_ms": 1000.0,
        "verdict": Verdict.OK,
        "status": 200,
    }
    return LLMAttempt.objects.create(step=step, **{**values, **fields})


def event_of(*, at: datetime = NOW, pause: float = 60.0, **fields: Any) -> RateLimitEvent:
    """An event of an account that our backoff paused, not saved; its predicted end is the pause's end, or one pause later."""
    until = at + timedelta(seconds=pause)
    values = {
        "refusal": "edge",
        "status": 429,
        "strike": 1,
        "pause_seconds": pause,
        "pause_source": "ladder",
        "started_at": at,
        "block_started_at": at,
        "predicted_at": until,
        "predicted_from": until,
        "predicted_to": until + timedelta(seconds=2 * pause),
        "prediction_source": "ladder",
        "confidence": 0.2,
    }
    return RateLimitEvent(account=fields.pop("account", None) or default_account(), **{**values, **fields})


def make_event(*, at: datetime = NOW, took: float | None = None, **fields: Any) -> RateLimitEvent:
    """Such an event, saved. `took`: seconds until a request succeeded."""
    ended = (
        {}
        if took is None
        else {"ended_by": "succeeded", "ended_at": at + timedelta(seconds=took), "recovered_at": at + timedelta(seconds=took)}
    )
    event = event_of(at=at, **{**ended, **fields})
    event.save()
    return event


def make_channel(name: str = "phone", **fields: Any) -> Channel:
    """A channel for all events, to a receiver that does not exist."""
    channel = Channel(name=name, **{"least_severity": 1, **fields})
    sending.set_url(channel, CHANNEL_URL)
    channel.save()
    return channel


def make_notice(event: str = "llm_paused", subject: str = "default", at: datetime = NOW, **fields: Any) -> Notice:
    """An open notice."""
    values = {"number": 1, "severity": Severity.WARNING, "title": f"LLM paused: account {subject}"}
    return Notice.objects.create(event=event, subject=subject, at=at, **{**values, **fields})


def make_delivery(notice: Notice, channel: Channel, **fields: Any) -> Delivery:
    """A message that was sent at once."""
    values = {"state": Delivery.State.SUCCEEDED, "due_at": notice.at, "ended_at": notice.at, "tries": 1}
    return Delivery.objects.create(notice=notice, channel=channel, **{**values, **fields})


def make_export(**fields: Any) -> Export:
    options = {"mode": "hybrid", "llm_use": "always", "models": ["a/model"], "seconds": 25.0}
    values = {"exported_at": NOW, "version": "0.2.0", "commit": "1234567890ab", "options": options, "files": 98, "size": 650_000}
    return Export.objects.create(**{**values, "digest": uuid.uuid4().hex * 2, "archive": b"packed", **fields})
