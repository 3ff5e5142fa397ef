"""What is on record. One file a subject; import from here."""

from agents.models.accounts import Account, Gate
from agents.models.choices import Route, Source
from agents.models.queue import Heartbeat, Submission
from agents.models.records import Caller, LLMAttempt, RateLimitEvent, Step, Task
from agents.models.settings import Settings

__all__ = [
    "Account",
    "Caller",
    "Gate",
    "Heartbeat",
    "LLMAttempt",
    "RateLimitEvent",
    "Route",
    "Settings",
    "Source",
    "Step",
    "Submission",
    "Task",
]
