"""Why a step was answered as it was, how an LLM attempt ended, how a pause is known: one enum each, one sentence a member."""

from __future__ import annotations

from enum import StrEnum

from agents.phrases import phrase


class Reason(StrEnum):
    """Why a step took its route. `ANSWERED` is the LLM's; every other member says what ended the LLM's part."""

    ANSWERED = "answered"
    MODE = "mode"
    CALLER = "caller"
    NO_KEY = "no_key"
    NO_MODEL = "no_model"
    DISABLED = "disabled"
    SURE = "sure"
    COST = "cost"
    PAUSED = "paused"
    PROBING = "probing"
    SPACING = "spacing"
    DEADLINE = "deadline"
    MISSED = "missed"
    REFUSED = "refused"
    FAILED = "failed"
    INVALID = "invalid"
    DATABASE = "database"
    FAULT = "fault"

    @property
    def sentence(self) -> str:
        """What to tell an operator, without the numbers of the case."""
        return SENTENCES[self]


SENTENCES = {
    Reason.ANSWERED: phrase("The LLM answered."),
    Reason.MODE: phrase("Template mode: the LLM is switched off in the settings."),
    Reason.CALLER: phrase("The caller is not among the LLM callers in the settings."),
    Reason.NO_KEY: phrase("No API key is set. Set CHUTES_API_KEY or enter a key in the settings."),
    Reason.NO_MODEL: phrase("No model is known. Name models in the settings, or wait until the worker has read the provider's list."),
    Reason.DISABLED: phrase("The account is disabled in the settings."),
    Reason.SURE: phrase("The template agent was sure enough, so that no slot of the LLM's was taken."),
    Reason.COST: phrase("One more call might exceed what a task may cost by the settings."),
    Reason.PAUSED: phrase("The account is paused."),
    Reason.PROBING: phrase("The pause has ended and another step is probing the account."),
    Reason.SPACING: phrase("The next free slot was too late for the deadline."),
    Reason.DEADLINE: phrase("The time left was too short for the LLM."),
    Reason.MISSED: phrase("The step woke too late for its slot and gave it up."),
    Reason.REFUSED: phrase("The provider refused the request."),
    Reason.FAILED: phrase("The LLM attempt failed."),
    Reason.INVALID: phrase("The LLM's reply held no usable action."),
    Reason.DATABASE: phrase("The database was busy, so nothing was sent to the LLM."),
    Reason.FAULT: phrase("A fault in the miner ended the LLM's part. The log has its traceback."),
}


class Verdict(StrEnum):
    """How an LLM attempt ended. `OPEN` has no end yet; `GIVEN_UP` was never sent."""

    OPEN = "open"
    OK = "ok"
    REFUSED = "refused"
    FAILED = "failed"
    INVALID = "invalid"
    GIVEN_UP = "given_up"
    LOST = "lost"

    @property
    def sentence(self) -> str:
        """The verdict in an operator's words."""
        return VERDICTS[self]


VERDICTS = {
    Verdict.OPEN: phrase("Under way"),
    Verdict.OK: phrase("Usable plan"),
    Verdict.REFUSED: phrase("Refused"),
    Verdict.FAILED: phrase("Failed"),
    Verdict.INVALID: phrase("No usable action"),
    Verdict.GIVEN_UP: phrase("Slot given up, nothing sent"),
    Verdict.LOST: phrase("Process ended, outcome unknown"),
}


class Purpose(StrEnum):
    """What an LLM attempt is for."""

    STEP = "step"
    PROBE = "probe"
    TEST = "test"

    @property
    def sentence(self) -> str:
        """The purpose in an operator's words."""
        return PURPOSES[self]


PURPOSES = {
    Purpose.STEP: phrase("Answers a step"),
    Purpose.PROBE: phrase("Looks whether the account works again"),
    Purpose.TEST: phrase("Integration test"),
}


class PauseSource(StrEnum):
    """How we know how long a pause lasts, or when the account will be back."""

    LADDER = "ladder"
    PROVIDER = "provider"
    SUBSCRIPTION = "subscription"
    CALENDAR = "calendar"
    LEARNED = "learned"
    HISTORY = "history"
    CHECK = "check"
    OPERATOR = "operator"

    @property
    def sentence(self) -> str:
        """The source in an operator's words."""
        return PAUSE_SOURCES[self]


PAUSE_SOURCES = {
    PauseSource.LADDER: phrase("our ladder"),
    PauseSource.PROVIDER: phrase("the provider said so"),
    PauseSource.SUBSCRIPTION: phrase("the subscription's usage says so"),
    PauseSource.CALENDAR: phrase("the provider's calendar, in UTC"),
    PauseSource.LEARNED: phrase("learned from earlier blocks"),
    PauseSource.HISTORY: phrase("how long earlier blocks of this kind took"),
    PauseSource.CHECK: phrase("looked at again, more rarely the longer it lasts"),
    PauseSource.OPERATOR: phrase("an operator said so"),
}


class PaceSource(StrEnum):
    """From what the level of an account's pace was learned."""

    SPACING = "spacing"
    USUAL = "usual"
    PUBLISHED = "published"
    ACCEPTED = "accepted"
    REFUSED = "refused"

    @property
    def sentence(self) -> str:
        """The source in an operator's words."""
        return PACE_SOURCES[self]


PACE_SOURCES = {
    PaceSource.SPACING: phrase("nothing is known yet: the spacing holds"),
    PaceSource.USUAL: phrase("the provider tells no limit: a careful part of its usual one"),
    PaceSource.PUBLISHED: phrase("a careful part of the limit that the provider publishes"),
    PaceSource.ACCEPTED: phrase("what was accepted without a refusal"),
    PaceSource.REFUSED: phrase("a refusal, and what was accepted before it"),
}
