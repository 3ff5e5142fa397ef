"""The hybrid agent's choice, as a pure plan of what to try. The runner acts on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from agents.contract.action_history import Outcome
from agents.contract.earlier import Earlier
from agents.contract.protocol import Plan, Step
from agents.policy.costs import Caps
from agents.policy.gate import Limits
from agents.policy.modes import Mode, Use
from agents.policy.reasons import Reason
from agents.policy.refusals import Reaction

MARGIN = 1.5
# The longest that a task may last: a longer timeout is shortened to it.
LONGEST_DEADLINE = 180.0
# A fault of the provider passes within a second or not within this step.
RETRY_LEAST, RETRY_MOST = 0.2, 0.8
BLOCKED = {Reason.PAUSED, Reason.PROBING}
_FAILED = {Outcome.FAILED, Outcome.PARTLY}


@dataclass(frozen=True, slots=True)
class Rules:
    """The admins' settings as the runner needs them, read once a step. `max_task_usd` 0: no limit; `fetch_hosts`: from where a page may be
    fetched before it is planned; `caps`, `caller_caps`: the most that an account and a caller may use in a day."""

    mode: Mode = Mode.HYBRID
    llm_use: Use = Use.ALWAYS
    sure_from: float = 0.8
    agent_id: int = 1
    max_task_usd: float = 0.05
    deadline_seconds: float = 25.0
    limits: Limits = Limits()
    fetch_hosts: tuple[str, ...] = ()
    caps: Caps = field(default_factory=Caps)
    caller_caps: Caps = field(default_factory=Caps)


def is_sure(plan: Plan, rules: Rules, step: Step, earlier: Sequence[Earlier]) -> bool:
    """Whether the template's plan is sent at once, so that the LLM's slots go to steps that need them more. `earlier`: the task's steps
    before."""
    if rules.mode is not Mode.HYBRID or rules.llm_use is Use.ALWAYS or plan.confidence < rules.sure_from:
        return False
    return rules.llm_use is Use.WHEN_UNSURE or not _is_kept(rules, step, earlier)


def _is_kept(rules: Rules, step: Step, earlier: Sequence[Earlier]) -> bool:
    """Whether the template agent was unsure of an earlier step of the task, or what it sent failed."""
    if any(past.succeeded is False for past in step.history):
        return True
    return any(past.confidence is None or past.confidence < rules.sure_from or past.outcome in _FAILED for past in earlier)


@dataclass(frozen=True, slots=True)
class Budget:
    """A step's time, as Unix times: the caller waits until `deadline`, and the miner is done with all else at `cut_off`."""

    deadline: float
    cut_off: float


def budget(seconds: float, received_at: float) -> Budget:
    """`seconds` as the caller or the settings state them, less a margin for the last write and the transfer of the answer."""
    seconds = min(seconds, LONGEST_DEADLINE)
    return Budget(received_at + seconds, received_at + seconds - min(MARGIN, seconds / 2))


# What an attempt without a plan rules out for the rest of its step.
Reach = StrEnum("Reach", "NOTHING MODEL ACCOUNT STEP")
_REACH = {Reaction.COOLDOWN: Reach.MODEL, Reaction.RETRY: Reach.MODEL, Reaction.TASK: Reach.STEP, Reaction.FAIL: Reach.STEP}


def reach_of(reaction: Reaction) -> Reach:
    """Of a refusal."""
    return _REACH.get(reaction, Reach.ACCOUNT)


def unsent_reach(reason: Reason) -> Reach:
    """Of an attempt that was not sent: the account may have another slot, or a pause that ends in time."""
    if reason is Reason.DATABASE:
        return Reach.STEP
    return Reach.NOTHING if reason is Reason.SHARE or reason in BLOCKED else Reach.ACCOUNT


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

    def after(self, account: int, model: str, reach: Reach, *, may_retry: bool) -> "Tries":
        """What is left after an attempt. Where there is one model only, a fault that may pass (`may_retry`) is worth one more try."""
        if reach is Reach.STEP:
            return Tries()
        if reach is Reach.NOTHING:
            return replace(self, is_retry=False)
        left = []
        for candidate in self.candidates:
            models = candidate.models
            if candidate.account == account:
                models = () if reach is Reach.ACCOUNT else tuple(other for other in models if other != model)
            left += [Candidate(candidate.account, models)] if models else []
        if not left and may_retry and not self.tried:
            return Tries((Candidate(account, (model,)),), tried=1, is_retry=True)
        return Tries(tuple(left), self.tried + 1)


def retry_pause(jitter: float) -> float:
    """Seconds; `jitter`, from 0 to 1, keeps steps that failed together from being retried together."""
    return RETRY_LEAST + (RETRY_MOST - RETRY_LEAST) * jitter
