"""The models, one file a subject. Import them from here."""

from agents.models.accounts import Account, DailyUse, Gate, LimitEstimate, QuotaReading
from agents.models.choices import Route, Source
from agents.models.jobs import AccountJob, Heartbeat, JobState, LeasedJob, Replay, Schedule, Submission, SystemSchedule, WhatIf
from agents.models.records import (
    AuditEntry,
    Caller,
    Export,
    Learned,
    LLMAttempt,
    RateLimitEvent,
    Step,
    StepPage,
    Task,
    UnknownCall,
    Unlearned,
)
from agents.models.settings import Settings

__all__ = [
    "Account",
    "AccountJob",
    "AuditEntry",
    "Caller",
    "DailyUse",
    "Export",
    "Gate",
    "Heartbeat",
    "JobState",
    "LLMAttempt",
    "Learned",
    "LeasedJob",
    "LimitEstimate",
    "QuotaReading",
    "RateLimitEvent",
    "Replay",
    "Route",
    "Schedule",
    "Settings",
    "Source",
    "Step",
    "StepPage",
    "Submission",
    "SystemSchedule",
    "Task",
    "UnknownCall",
    "Unlearned",
    "WhatIf",
]
