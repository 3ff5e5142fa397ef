"""How it is known how long a pause lasts."""

from __future__ import annotations

from enum import StrEnum


class PauseSource(StrEnum):
    """How we know how long a pause lasts."""

    LADDER = "ladder"
    PROVIDER = "provider"
    LEARNED = "learned"
    CLOCK = "clock"
    CHECK = "check"
    OPERATOR = "operator"

    @property
    def sentence(self) -> str:
        """The source in an operator's words."""
        return _SENTENCES[self]


_SENTENCES = {
    PauseSource.LADDER: "our ladder",
    PauseSource.PROVIDER: "the provider said so",
    PauseSource.LEARNED: "learned from earlier blocks",
    PauseSource.CLOCK: "the limit starts anew at a fixed hour (UTC)",
    PauseSource.CHECK: "our check of a stopped account",
    PauseSource.OPERATOR: "an operator said so",
}
