"""What somebody may be told of: the events by name, how much each matters, and which one says that it is over."""

from __future__ import annotations

from dataclasses import dataclass

from agents.phrases import phrase
from monitoring.models import Severity


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of news. `label`: for a channel's choice; `over`: the event that is told when it is no longer so, "" for none."""

    label: str
    severity: Severity
    over: str = ""


EVENTS = {
    "llm_paused": Event(phrase("LLM paused"), Severity.WARNING, over="llm_back"),
    "llm_back": Event(phrase("LLM back"), Severity.INFO),
    "key_refused": Event(phrase("Key refused"), Severity.CRITICAL, over="llm_back"),
    "quota_used_up": Event(phrase("Quota or balance used up"), Severity.CRITICAL, over="llm_back"),
    "quota_forecast": Event(phrase("Quota or balance nearly used up"), Severity.WARNING),
    "model_gone": Event(phrase("Model gone from the list"), Severity.WARNING),
    "test_failed": Event(phrase("Test failed"), Severity.WARNING, over="test_recovered"),
    "test_recovered": Event(phrase("Test recovered"), Severity.INFO),
    "component_down": Event(phrase("Component down"), Severity.CRITICAL, over="component_up"),
    "component_up": Event(phrase("Component up again"), Severity.INFO),
    "silence": Event(phrase("No request from validators"), Severity.WARNING, over="requests_back"),
    "requests_back": Event(phrase("Validators' requests are back"), Severity.INFO),
    "llm_share_low": Event(phrase("LLM answers too few steps"), Severity.WARNING),
    "channel_test": Event(phrase("Test of a channel"), Severity.INFO),
}
# What a channel can be set to; a test is sent at its button only.
CHOICES = {name: event for name, event in EVENTS.items() if name != "channel_test"}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so now, in words."""

    event: str
    subject: str
    title: str
    body: str = ""
