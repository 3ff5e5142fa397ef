"""Why a step was answered as it was, how an LLM attempt ended, how long a pause is and why: one enum each, one row a member."""

from enum import StrEnum
from typing import Self

from agents.common.choice import Choice


class Reason(StrEnum):
    """Why a step took its route: NAME = value, meaning, remedy. With `ANSWERED` the LLM answered; else the reason why it did not."""

    meaning: str
    remedy: str

    ANSWERED = "answered", "The LLM answered."
    MODE = "mode", "Template mode is set.", "Choose another agent mode in the settings to use the LLM."
    CALLER = "caller", "The caller is blocked in the settings."
    NO_KEY = "no_key", "No API key is set.", "Enter a key in the settings, or set CHUTES_API_KEY."
    UNREADABLE = (
        "unreadable",
        "The stored key can't be opened.",
        "Put the former SECRET_KEY into SECRET_KEY_FALLBACKS, or enter the key again.",
    )
    NO_MODEL = "no_model", "No model is known.", "Name models in the settings, or wait until the worker has read the provider's list."
    DISABLED = "disabled", "The account is disabled.", "Enable the account in the settings to use it."
    ASSIGNED = "assigned", "All accounts are assigned to other miners.", "Assign one to this miner in the account's settings."
    SURE = "sure", "The template agent was sure enough, so no slot was used."
    REPEATED = "repeated", "Each model has replied to the same prompt already."
    COST = "cost", "One more call might exceed the task's cost limit, set here or by the provider."
    CAP = "cap", "The daily cap of the account or of the caller is reached.", "Raise it in the settings."
    SHARE = "share", "The caller's share of the slots is used: another caller's step took over the slot."
    PAUSED = "paused", "The account is paused."
    PROBING = "probing", "Another request is probing the account."
    SPACING = "spacing", "No slot was free in time: other steps were using the account."
    DEADLINE = "deadline", "The time left was too short for the LLM."
    MISSED = "missed", "The slot was missed, and no later one was in time."
    REFUSED = "refused", "The provider refused the request."
    FAILED = "failed", "The LLM attempt failed."
    INVALID = "invalid", "The LLM's reply held no usable action."
    BUSY = "busy", "The miner was busy with other steps, so this one was answered at once."
    DATABASE = "database", "The database was busy, so nothing was sent to the LLM."
    FAULT = "fault", "A fault in the miner ended the LLM's part. The log has its traceback."

    def __new__(cls, value: str, meaning: str = "", remedy: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning, member.remedy = meaning, remedy
        return member

    @property
    def sentence(self) -> str:
        return f"{self.meaning} {self.remedy}".strip()


class Verdict(Choice):
    """How an LLM attempt ended. `OPEN` has no end yet; `GIVEN_UP` was never sent."""

    OPEN = "open", "Under way"
    OK = "ok", "Usable plan"
    REFUSED = "refused", "Refused"
    FAILED = "failed", "Failed"
    INVALID = "invalid", "No usable action"
    GIVEN_UP = "given_up", "Slot given up, nothing sent"
    LOST = "lost", "Process ended, outcome unknown"


class Purpose(Choice):
    STEP = "step", "Answers a step"
    PROBE = "probe", "Probes whether the account works again"
    TEST = "test", "Integration test"


class PauseSource(StrEnum):
    """Of a pause's length or a predicted recovery. `confidence`, 0 to 1: how often it was right; `is_stated`: the time is not ours."""

    sentence: str
    confidence: float
    is_stated: bool

    LADDER = "ladder", "our own backoff", 0.2
    PROVIDER = "provider", "stated by the provider", 0.95, True
    SUBSCRIPTION = "subscription", "stated by the subscription's usage", 0.95, True
    CALENDAR = "calendar", "the provider's calendar, in UTC", 0.8, True
    LEARNED = "learned", "learned from earlier blocks", 0.2
    HISTORY = "history", "how long earlier blocks of this kind took", 0.0
    CHECK = "check", "checked at the settings' interval", 0.0
    OPERATOR = "operator", "set by an operator", 1.0

    def __new__(cls, value: str, sentence: str = "", confidence: float = 0.0, is_stated: bool = False) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence, member.confidence, member.is_stated = sentence, confidence, is_stated
        return member


class PaceSource(Choice):
    SPACING = "spacing", "nothing is known yet: the spacing applies"
    USUAL = "usual", "the usual 60 requests a minute and what was accepted so far"
    PUBLISHED = "published", "the published limit and what was accepted so far"
    ACCEPTED = "accepted", "what was accepted without a refusal"
    REFUSED = "refused", "a refusal, and what was accepted before and after it"


class Occasion(Choice):
    """Why an estimate of a limit was recorded."""

    ACCEPTED = "accepted", "Request accepted"
    REFUSED = "refused", "Request refused"
    PROBED = "probed", "Probe refused"
    RECOVERED = "recovered", "Block over"
