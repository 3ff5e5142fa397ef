"""A task's page: steps with decision, attempts, answer, and bar on the task's time axis."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, NamedTuple

from agents.configuration import field_of
from agents.models import Account, LLMAttempt, Route, Step, Submission, Task
from agents.models.settings import about
from agents.policy.modes import Mode, Use
from agents.policy.reasons import Reason, Verdict
from monitoring.tasks.steps import action_text, kind_label
from monitoring.tasks.tasks import TaskState

# A task has at most 12 steps, but its id may be reused.
STEPS_SHOWN = 30
# In percent of the axis, so that a step of milliseconds in a task of minutes is visible.
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
    "solution": "Learned solution",
}
CHOICES: dict[str, type[Mode] | type[Use]] = {"mode": Mode, "llm_use": Use}


class Bar(NamedTuple):
    """A period on the axis, in percent of it. `state`: for its colour."""

    left: float
    width: float
    state: str


@dataclass(frozen=True, slots=True)
class StepDetail:
    """A step from its arrival to its answer. `state`: its route, or why it has no answer in time.

    `limits`: labels and values of the settings then in force. `declined`: accounts, reasons and the next possible times; empty if there
    is only one, whose reason is the step's. `attempts`: with `offset_ms` from the step's arrival. `actions`: texts, as
    recorded from the page, and whether each was executed. `offset_ms`: from the first shown step's arrival. `attempt_bars`: of calls
    to a provider.
    """

    row: Step
    state: str
    limits: list[tuple[str, str]]
    declined: list[tuple[str, str, datetime | None]]
    attempts: list[Any]
    actions: list[tuple[str, bool | None]]
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
        return next((attempt.model for attempt in self.attempts if attempt.verdict == Verdict.OK), "")


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """A task with its newest steps, in order. `seconds`: from the first arrival to the last answer.

    `earlier`: an id before which there are more. `has_several`: there are several accounts, so attempts show the account.
    """

    task: Task
    submission: Submission | None
    steps: list[StepDetail]
    seconds: float
    earlier: int | None
    has_several: bool

    @property
    def kind(self) -> str:
        return kind_label(self.task.kind)


def task_detail(pk: int, now: datetime, before: int | None = None) -> TaskDetail | None:
    """The task, or None. `before`: only steps before this id."""
    task = Task.objects.select_related("submission").defer("submission__page").filter(pk=pk).first()
    if task is None:
        return None
    steps = task.steps.filter(pk__lt=before) if before else task.steps.all()
    newest = list(steps.order_by("-id")[: STEPS_SHOWN + 1])
    shown = newest[:STEPS_SHOWN][::-1]
    attempts = defaultdict[int | None, list[Any]](list)
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
        has_several,
    )


def _step(step: Step, attempts: list[Any], now: datetime, start: datetime, length: float, *, has_several: bool) -> StepDetail:
    """`start`, `length` (ms): of the axis."""
    offset = _ms(start, step.received_at)
    state = step.route or (TaskState.UNANSWERED if step.deadline_at < now else Verdict.OPEN)
    if step.is_late:
        state = TaskState.LATE
    for attempt in attempts:
        attempt.offset_ms = _ms(step.received_at, attempt.decided_at)
    return StepDetail(
        row=step,
        state=state,
        limits=[(LIMITS.get(name, name), _limit(name, value)) for name, value in step.limits.items() if name != "cuts"],
        declined=[_declined(**account) for account in step.declined] if has_several else [],
        attempts=attempts,
        actions=[(seen or action_text(raw), worked) for raw, worked, seen in zip_longest(step.actions, step.worked, step.words)],
        offset_ms=offset,
        bar=_bar(offset, step.duration_ms or 0.0, length, state),
        attempt_bars=[
            _bar(offset + attempt.offset_ms + (attempt.wait_ms or 0.0), attempt.latency_ms, length, attempt.verdict)
            for attempt in attempts
            if attempt.latency_ms is not None
        ],
    )


def _declined(account: str, reason: str, retry_at: float | None) -> tuple[str, str, datetime | None]:
    return account, Reason(reason).sentence, datetime.fromtimestamp(retry_at, UTC) if retry_at else None


def _limit(name: str, value: Any) -> str:
    if name in CHOICES and value in list(CHOICES[name]):
        return CHOICES[name](value).sentence
    numbers = value if isinstance(value, list) else [value]
    text = ", ".join(f"{number:g}" if isinstance(number, int | float) else str(number) for number in numbers)
    return f"{text} {about(field_of(name)).unit}".strip()


def _bar(start: float, duration: float, length: float, state: str) -> Bar:
    """Arguments in ms. A bar has at least LEAST_WIDTH, within the axis."""
    length = max(length, 1.0)
    width = min(100.0, max(LEAST_WIDTH, 100 * duration / length))
    return Bar(min(100 * start / length, 100.0 - width), width, state)


def _ms(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1000
