"""The hybrid agent's choice, as a pure plan of what to try. Acting on it is the runner's part."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from agents.governor import LADDER, Limits
from agents.phrases import phrase
from agents.protocol import Plan, Step
from agents.reasons import Reason

MARGIN = 1.5
# A caller that says more than a task may last is not believed.
LONGEST_DEADLINE = 180.0
# A fault of the provider's passes within a second or not within this step.
RETRY_LEAST, RETRY_MOST = 0.2, 0.8


class Mode(StrEnum):
    """Who answers: the LLM with the template behind it, the LLM with only a plain answer behind it, or the template alone."""

    HYBRID = "hybrid"
    LLM = "llm"
    TEMPLATE = "template"

    @property
    def sentence(self) -> str:
        """The mode in an operator's words."""
        return _MODES[self]


_MODES = {
    Mode.HYBRID: phrase("Hybrid: LLM, else template"),
    Mode.LLM: phrase("LLM only: else a plain answer"),
    Mode.TEMPLATE: phrase("Template only: no LLM"),
}


class Use(StrEnum):
    """Which steps the LLM is asked for in hybrid mode."""

    ALWAYS = "always"
    WHEN_UNSURE = "when_unsure"

    @property
    def sentence(self) -> str:
        """The use in an operator's words."""
        return _USES[self]


_USES = {
    Use.ALWAYS: phrase("For every step"),
    Use.WHEN_UNSURE: phrase("Where the template is unsure"),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The admins' settings as the runner needs them, read once a step. `max_task_usd` 0: a task may cost anything; `look_hosts`: where
    a page may be looked at before it is planned."""

    mode: Mode = Mode.HYBRID
    llm_use: Use = Use.ALWAYS
    sure_from: float = 0.8
    max_task_usd: float = 0.05
    deadline_seconds: float = 25.0
    limits: Limits = Limits(spacing=5.0, ladder=LADDER)
    look_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intention:
    """What to try of one account: `models` in order, none where `reason` says why its LLM is not asked at all."""

    models: tuple[str, ...] = ()
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """A step's time, as Unix times: the caller waits until `deadline`, and the miner is done with all else at `cut_off`."""

    deadline: float
    cut_off: float


def is_sure(plan: Plan, rules: Rules) -> bool:
    """Whether the template's plan is answered with at once, so that the LLM's slots go to steps that need them more."""
    return rules.mode is Mode.HYBRID and rules.llm_use is Use.WHEN_UNSURE and plan.confidence >= rules.sure_from


def budget(step: Step, rules: Rules, received_at: float) -> Budget:
    """The caller's timeout where it said one, else the admins' deadline, less a margin for the last write and the way back."""
    seconds = min(step.timeout_seconds or rules.deadline_seconds, LONGEST_DEADLINE)
    return Budget(received_at + seconds, received_at + seconds - min(MARGIN, seconds / 2))


class Reach(StrEnum):
    """What an attempt without a plan rules out for the rest of its step."""

    MODEL = "model"
    ACCOUNT = "account"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account by its id, with the models that may still be tried, in order."""

    account: int
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tries:
    """What is left to try for a step, in order. `tried`: attempts so far. `is_retry`: the one retry of a single model is next."""

    candidates: tuple[Candidate, ...] = ()
    tried: int = 0
    is_retry: bool = False

    def after(self, account: int, model: str, reach: Reach, *, may_retry: bool) -> Tries:
        """What is left after an attempt. Where there is one model only, a fault that may pass (`may_retry`) is worth one more try."""
        if reach is Reach.STEP:
            return Tries()
        left = tuple(each for each in map(partial(_without, account, model, reach), self.candidates) if each.models)
        if not left and may_retry and not self.tried:
            return Tries((Candidate(account, (model,)),), tried=1, is_retry=True)
        return Tries(left, self.tried + 1)


def _without(account: int, model: str, reach: Reach, candidate: Candidate) -> Candidate:
    if candidate.account != account:
        return candidate
    kept = () if reach is Reach.ACCOUNT else tuple(each for each in candidate.models if each != model)
    return Candidate(account, kept)


def retry_pause(dice: float) -> float:
    """Seconds before the retry of a single model; `dice` from 0 to 1, so that many steps that failed at once don't return at once."""
    return RETRY_LEAST + (RETRY_MOST - RETRY_LEAST) * dice


def intend(*, mode: Mode, caller_allowed: bool, enabled: bool, has_key: bool, models: tuple[str, ...]) -> Intention:
    """What to try, from what is known before the gate is asked."""
    obstacles = (
        (mode is Mode.TEMPLATE, Reason.MODE),
        (not caller_allowed, Reason.CALLER),
        (not enabled, Reason.DISABLED),
        (not has_key, Reason.NO_KEY),
        (not models, Reason.NO_MODEL),
    )
    for is_so, reason in obstacles:
        if is_so:
            return Intention(reason=reason)
    return Intention(models=models)
