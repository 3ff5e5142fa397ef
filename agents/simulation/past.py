"""The last hours as a value: the steps as they came, and all that was sent for them. Times are Unix seconds, durations seconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from agents.reasons import PauseSource
from agents.refusals import RefusalClass
from agents.standin.faults import BadSetting

_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)([mhd])")
_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
# Steps are kept for months at most; a longer time is a slip of the finger.
LONGEST = 366 * 86_400.0


def span(text: str) -> float:
    """Seconds of `90m`, `24h` or `7d`. Raises BadSetting."""
    found = _SPAN.fullmatch(text.strip().lower())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= LONGEST:
        raise BadSetting("--last", "a time such as 90m, 24h or 7d is wanted, at most 366d")
    return seconds


@dataclass(frozen=True, slots=True)
class PastStep:
    """One step. `gap`: seconds from the answer to the task's step before it (0 for a chain's first).

    `timeout`: its caller's own, None where the deadline of the settings held. `asks`: whether the LLM was to be asked at all.
    """

    gap: float
    timeout: float | None
    asks: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps of one task of which each waited for the answer to the one before it; the first came at `at`."""

    at: float
    steps: tuple[PastStep, ...]


class Outcome(StrEnum):
    """What one request came to, as far as its account and its model go."""

    OK = "ok"
    INVALID = "invalid"
    FAILED = "failed"
    CUT_OFF = "cut_off"
    CAPACITY = "capacity"
    MODEL = "model"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. `kind`: the class of a refusal of the whole account.

    `told_until` and `source`: until when that refusal paused the account, and how that was known.
    """

    at: float
    seconds: float
    model: str
    outcome: Outcome
    for_step: bool = True
    kind: RefusalClass | None = None
    told_until: float | None = None
    source: PauseSource | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """Chains by their time; what was sent, by its time. `published`: the limit a minute that the provider tells of, 0 unknown.

    `llm`: the steps that the LLM answered. `elsewhere`: requests to other accounts. `changes`: of the settings in that time.
    """

    starts_at: float
    ends_at: float
    account: str
    chains: tuple[Chain, ...]
    sent: tuple[Sent, ...]
    published: float = 0.0
    llm: int = 0
    elsewhere: int = 0
    changes: int = 0
    operator_pauses: int = 0

    @property
    def steps(self) -> int:
        """How many steps came."""
        return sum(len(chain.steps) for chain in self.chains)
