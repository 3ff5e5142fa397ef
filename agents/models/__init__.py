"""What is on record. One file a subject; import from here."""

from agents.models.accounts import Account, Gate, QuotaReading
from agents.models.choices import Route, Source
from agents.models.queue import Heartbeat, Submission, WhatIf
from agents.models.records import AuditEntry, Caller, LLMAttempt, RateLimitEvent, Step, Task
from agents.models.replays import Replay, StepPage
from agents.models.settings import Settings

__all__ = [
    "Account",
    "AuditEntry",
    "Caller",
    "Gate",
    "Heartbeat",
    "LLMAttempt",
    "QuotaReading",
    "RateLimitEvent",
    "Replay",
    "Route",
    "Settings",
    "Source",
    "Step",
    "StepPage",
    "Submission",
    "Task",
    "WhatIf",
]
