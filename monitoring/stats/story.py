"""One task's story: each step with its decision, the ladder of its attempts and what was answered."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from agents.hybrid import Mode, Use
from agents.models import Account, LLMAttempt, Route, Step, Submission, Task
from agents.outcomes import Outcome
from agents.phrases import phrase
from agents.reasons import Reason, Verdict
from agents.redaction import redact
from agents.refusals import RefusalClass, sentence
from monitoring.stats.changes import UNITS
from monitoring.stats.steps import is_late, sentence_of
from monitoring.stats.task_filters import TaskState
from monitoring.stats.words import action_words, kind_words
from monitoring.wording import translated

# A task has at most 12 steps; the same id may come again and again.
STEPS_SHOWN = 30
LIMITS = {
    "mode": phrase("Mode"),
    "llm_use": phrase("LLM is asked"),
    "sure_from": phrase("Sure from"),
    "max_task_usd": phrase("Cost of a task"),
    "deadline_seconds": phrase("Time for the answer"),
    "spacing_seconds": phrase("Spacing"),
    "backoff_seconds": phrase("Backoff"),
    "looked": phrase("Look at the page"),
}
CHOSEN: dict[str, type[Mode] | type[Use]] = {"mode": Mode, "llm_use": Use}
# What an account's gate said to a step; a time follows where it is known.
DECLINED = {
    Reason.PAUSED: (phrase("paused"), phrase("until")),
    Reason.PROBING: (phrase("another step is probing it"), phrase("until")),
    Reason.SPACING: (phrase("too late for the deadline, its next free slot was"), phrase("at")),
    Reason.DEADLINE: (phrase("the time left is too short for it"), ""),
}


@dataclass(frozen=True, slots=True)
class ActionWords:
    """One action that was sent, in words and as JSON. `worked`: as the caller told; None: it did not."""

    words: str
    json: str
    worked: bool | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """An account that was asked before and said no: why, and the time that goes with it, after the word `when`."""

    account: str
    words: str
    when: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptRung:
    """One attempt in the ladder of its step. Offset, wait and duration in ms; cost in USD. `account` "": there is but one."""

    number: int
    account: str
    model: str
    is_probe: bool
    offset_ms: float
    wait_ms: float | None
    duration_ms: float | None
    verdict: str
    verdict_sentence: str
    status: int | None
    refusal_sentence: str
    detail: str
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: Decimal | None
    reply: str


@dataclass(frozen=True, slots=True)
class StepStory:
    """One step from its arrival to its answer, secrets masked. `limits`: the settings then in force, as labels and values.

    `declined`: which accounts said no when the step came; empty where there is but one, whose reason is the step's. `outcome`: how its
    actions went in words, "" where no later step told; `caller_error`: the caller's on the first that failed.
    """

    step: Step
    sentence: str
    outcome: str
    caller_error: str
    late: bool
    lost: bool
    limits: list[tuple[str, str]]
    declined: list[Declined]
    attempts: list[AttemptRung]
    actions: list[ActionWords]
    actions_json: str
    excerpt: str
    fault: str
    confidence: str

    @property
    def state(self) -> str:
        """Who answered, or why there is no answer in time: whose colour the step has."""
        if self.late:
            return TaskState.LATE
        return self.step.route or (TaskState.UNANSWERED if self.lost else Verdict.OPEN)

    @property
    def state_words(self) -> str:
        """The same in words."""
        answered_by = str(Route(self.step.route).label) if self.step.route else ""
        if self.late:
            return _("{answered_by}, late").format(answered_by=answered_by)
        return answered_by or (_("No answer") if self.lost else _("Under way"))

    @property
    def model(self) -> str:
        """The model whose plan was answered."""
        return next((rung.model for rung in self.attempts if rung.verdict == Verdict.OK), "")


@dataclass(frozen=True, slots=True)
class Story:
    """A task with its newest steps, oldest first. `earlier`: the id before which there are more. Prompt and URL without secrets."""

    task: Task
    submission: Submission | None
    steps: list[StepStory]
    earlier: int | None
    prompt: str
    url: str

    @property
    def kind(self) -> str:
        """What the task asks for, as it was understood; "" where that is not on record."""
        return kind_words(self.task.kind)

    @property
    def is_waiting(self) -> bool:
        """Whether an operator's task has no answer yet."""
        return self.submission is not None and self.submission.state in (Submission.State.QUEUED, Submission.State.RUNNING)


def story(pk: int, now: datetime, before: int | None = None) -> Story | None:
    """The story of a task; None where there is no such task. `before`: the id of the step to end ahead of."""
    task = Task.objects.select_related("submission").defer("submission__page").filter(pk=pk).first()
    if task is None:
        return None
    steps = task.steps.filter(pk__lt=before) if before else task.steps.all()
    newest = list(steps.order_by("-id")[: STEPS_SHOWN + 1])
    shown = newest[:STEPS_SHOWN][::-1]
    attempts, has_several = _attempts(shown), Account.objects.count() > 1
    told = [step_story(step, attempts[step.pk], now, has_several=has_several) for step in shown]
    return Story(
        task,
        getattr(task, "submission", None),
        told,
        shown[0].pk if len(newest) > STEPS_SHOWN else None,
        redact(task.prompt),
        redact(task.url),
    )


def step_story(step: Step, attempts: Iterable[LLMAttempt], now: datetime, *, has_several: bool) -> StepStory:
    """One step, told from its row and its attempts. `has_several`: whether accounts need their names to be told apart."""
    return StepStory(
        step=step,
        sentence=sentence_of(step.reason),
        outcome=translated(Outcome(step.outcome).sentence) if step.outcome else "",
        caller_error=redact(step.caller_error),
        late=is_late(step.answered_at, step.deadline_at),
        lost=not step.route and step.deadline_at < now,
        limits=[(translated(LIMITS.get(name, name)), _limit(name, value)) for name, value in step.limits.items()],
        declined=[_declined(said) for said in step.declined] if has_several else [],
        attempts=[_rung(attempt, step, attempt.account.name if has_several else "") for attempt in attempts],
        actions=[ActionWords(action_words(raw), _json(raw), worked) for raw, worked in zip_longest(step.actions, step.worked)],
        actions_json=_json(step.actions),
        excerpt=redact(step.page_excerpt),
        fault=redact(step.fault),
        confidence=_confidence(step),
    )


def _confidence(step: Step) -> str:
    """How sure the template agent was of its plan, and why; "" where that is not on record."""
    return "" if step.confidence is None else redact(f"{step.confidence:.2f}. {step.confidence_why}".strip())


def _attempts(steps: list[Step]) -> Mapping[int | None, list[LLMAttempt]]:
    found: QuerySet[LLMAttempt] = LLMAttempt.objects.filter(step__in=steps).select_related("account").order_by("step_id", "number")
    by_step: defaultdict[int | None, list[LLMAttempt]] = defaultdict(list)
    for attempt in found:
        by_step[attempt.step_id].append(attempt)
    return by_step


def _declined(said: Mapping[str, Any]) -> Declined:
    reason, retry_at = Reason(said["reason"]), said["retry_at"]
    words, when = DECLINED.get(reason, (reason.sentence, ""))
    return Declined(
        said["account"], translated(words), translated(when), datetime.fromtimestamp(retry_at, UTC) if when and retry_at else None
    )


def _rung(attempt: LLMAttempt, step: Step, account: str) -> AttemptRung:
    return AttemptRung(
        number=attempt.number,
        account=account,
        model=attempt.model,
        is_probe=attempt.lease is not None,
        offset_ms=(attempt.decided_at - step.received_at).total_seconds() * 1000,
        wait_ms=attempt.wait_ms,
        duration_ms=attempt.latency_ms,
        verdict=attempt.verdict,
        verdict_sentence=translated(Verdict(attempt.verdict).sentence),
        status=attempt.status,
        refusal_sentence=translated(sentence(RefusalClass(attempt.refusal), status=attempt.status)) if attempt.refusal else "",
        detail=redact(attempt.detail),
        prompt_tokens=attempt.prompt_tokens,
        completion_tokens=attempt.completion_tokens,
        cost=attempt.cost,
        reply=redact(attempt.reply),
    )


def _limit(name: str, value: Any) -> str:
    if name in CHOSEN and value in list(CHOSEN[name]):
        return translated(CHOSEN[name](value).sentence)
    numbers = value if isinstance(value, list) else [value]
    text = ", ".join(f"{number:g}" if isinstance(number, int | float) else str(number) for number in numbers)
    return next((f"{text} {unit}" for suffix, unit in UNITS.items() if name.endswith(suffix)), text)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
