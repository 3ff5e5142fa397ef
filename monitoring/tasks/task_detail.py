"""One task: each step with its decision, its attempts, its answer, and its place on the task's time axis."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, NamedTuple

from agents.configuration import field_of
from agents.contract.action_history import Outcome
from agents.models import Account, LLMAttempt, Route, Step, Submission, Task
from agents.models.settings import about
from agents.policy.modes import Mode, Use
from agents.policy.reasons import Verdict
from agents.policy.refusals import RefusalClass, sentence
from monitoring.tasks.steps import action_words, is_late, kind_words, sentence_of
from monitoring.tasks.tasks import TaskState

# A task has at most 12 steps; the same id may come again and again.
STEPS_SHOWN = 30
# A step of a few milliseconds in a task of minutes has to be visible too: percent of the axis.
LEAST_WIDTH = 0.6
LIMITS = {
    "mode": "Mode",
    "llm_use": "LLM is used",
    "sure_from": "Confident from",
    "max_task_usd": "Cost of a task",
    "deadline_seconds": "Time for the answer",
    "spacing_seconds": "Spacing",
    "backoff_seconds": "Backoff",
    "page_fetch": "Page fetch",
}
CHOICES: dict[str, type[Mode] | type[Use]] = {"mode": Mode, "llm_use": Use}


class SentAction(NamedTuple):
    """One action that was sent. `worked`: as the caller reported; None: it did not."""

    text: str
    worked: bool | None


class Declined(NamedTuple):
    """An account that declined the step, why, and when it would be possible, where that was known."""

    account: str
    why: str
    at: datetime | None


class Bar(NamedTuple):
    """A time on the axis, in percent of it. `state`: whose colour it has."""

    left: float
    width: float
    state: str


@dataclass(frozen=True, slots=True)
class AttemptDetail:
    """One attempt of a step. `account` "": there is only one. `offset_ms`: from the step's arrival."""

    row: LLMAttempt
    account: str
    verdict: Verdict
    offset_ms: float
    refusal_sentence: str


@dataclass(frozen=True, slots=True)
class StepDetail:
    """One step from its arrival to its answer. `limits`: the settings then in force, as labels and values.

    `declined`: empty where there is only one account, whose reason is the step's. `cuts`: what was left out of the request for its size.
    `state`: the route, or why there is no answer in time: whose colour the step has. `offset_ms`: from the first shown step's arrival.
    `bar`: the step on the axis; `attempt_bars`: when a provider was at work for it.
    """

    row: Step
    sentence: str
    outcome: Outcome | None
    state: str
    limits: list[tuple[str, str]]
    cuts: list[str]
    declined: list[Declined]
    attempts: list[AttemptDetail]
    actions: list[SentAction]
    offset_ms: float
    bar: Bar
    attempt_bars: list[Bar]

    @property
    def state_text(self) -> str:
        if not self.row.route:
            return "No answer on record" if self.state == TaskState.UNANSWERED else "Under way"
        route = str(Route(self.row.route).label)
        return f"{route}, late" if self.state == TaskState.LATE else route

    @property
    def model(self) -> str:
        return next((each.row.model for each in self.attempts if each.verdict is Verdict.OK), "")

    @property
    def actions_json(self) -> str:
        return json.dumps(self.row.actions, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """A task with its newest steps, oldest first. `seconds`: from the first one's arrival to the last one's answer.

    `earlier`: the id before which there are more.
    """

    task: Task
    submission: Submission | None
    steps: list[StepDetail]
    seconds: float
    earlier: int | None

    @property
    def kind(self) -> str:
        """What is to be done, as it was understood; "" where that is not on record."""
        return kind_words(self.task.kind)

    @property
    def is_waiting(self) -> bool:
        return self.submission is not None and self.submission.is_under_way


def task_detail(pk: int, now: datetime, before: int | None = None) -> TaskDetail | None:
    """None where there is no such task. `before`: the id of the step to end ahead of."""
    task = Task.objects.select_related("submission").defer("submission__page").filter(pk=pk).first()
    if task is None:
        return None
    steps = task.steps.filter(pk__lt=before) if before else task.steps.all()
    newest = list(steps.order_by("-id")[: STEPS_SHOWN + 1])
    shown = newest[:STEPS_SHOWN][::-1]
    attempts = defaultdict[int | None, list[LLMAttempt]](list)
    for attempt in LLMAttempt.objects.filter(step__in=shown).select_related("account").order_by("step_id", "number"):
        attempts[attempt.step_id].append(attempt)
    has_several = Account.objects.count() > 1
    start = min((step.received_at for step in shown), default=now)
    length = max((_ms(start, step.answered_at or step.received_at) for step in shown), default=0.0)
    return TaskDetail(
        task,
        getattr(task, "submission", None),
        [_step(step, attempts[step.pk], now, start, length, has_several=has_several) for step in shown],
        length / 1000,
        shown[0].pk if len(newest) > STEPS_SHOWN else None,
    )


def _step(step: Step, attempts: Iterable[LLMAttempt], now: datetime, start: datetime, length: float, *, has_several: bool) -> StepDetail:
    """`start`, `length` (ms): the axis. `has_several`: whether accounts need their names to be distinguished."""
    offset = _ms(start, step.received_at)
    state = step.route or (TaskState.UNANSWERED if step.deadline_at < now else Verdict.OPEN)
    if is_late(step.answered_at, step.deadline_at):
        state = TaskState.LATE
    details = [
        AttemptDetail(
            row=attempt,
            account=attempt.account.name if has_several else "",
            verdict=Verdict(attempt.verdict),
            offset_ms=_ms(step.received_at, attempt.decided_at),
            refusal_sentence=sentence(RefusalClass(attempt.refusal), status=attempt.status) if attempt.refusal else "",
        )
        for attempt in attempts
    ]
    return StepDetail(
        row=step,
        sentence=sentence_of(step.reason),
        outcome=Outcome(step.outcome) if step.outcome else None,
        state=state,
        limits=[(LIMITS.get(name, name), _limit(name, value)) for name, value in step.limits.items() if name != "cuts"],
        cuts=step.limits.get("cuts", []),
        declined=[_declined(**each) for each in step.declined] if has_several else [],
        attempts=details,
        actions=[SentAction(action_words(raw), worked) for raw, worked in zip_longest(step.actions, step.worked)],
        offset_ms=offset,
        bar=_bar(offset, step.duration_ms or 0.0, length, state),
        attempt_bars=[
            _bar(offset + each.offset_ms + (each.row.wait_ms or 0.0), each.row.latency_ms, length, each.verdict)
            for each in details
            if each.row.latency_ms is not None
        ],
    )


def _declined(account: str, reason: str, retry_at: float | None) -> Declined:
    return Declined(account, sentence_of(reason), datetime.fromtimestamp(retry_at, UTC) if retry_at else None)


def _limit(name: str, value: Any) -> str:
    if name in CHOICES and value in list(CHOICES[name]):
        return CHOICES[name](value).sentence
    numbers = value if isinstance(value, list) else [value]
    text = ", ".join(f"{number:g}" if isinstance(number, int | float) else str(number) for number in numbers)
    return f"{text} {about(field_of(name)).unit}".strip()


def _bar(start: float, duration: float, length: float, state: str) -> Bar:
    """In ms. What would be too narrow to be visible is widened, and stays on the axis."""
    length = max(length, 1.0)
    width = min(100.0, max(LEAST_WIDTH, 100 * duration / length))
    return Bar(min(100 * start / length, 100.0 - width), width, state)


def _ms(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1000
