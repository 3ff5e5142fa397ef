"""Records as months of a miner's work leave them, from a seeded generator: for benches and screenshots, written in bulk."""

from __future__ import annotations

import math
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random

from django.db import transaction

from agents import template
from agents.demo.sites import SITES, Site
from agents.ledger.events import BLOCKS_REMEMBERED
from agents.models import Account, Caller, LLMAttempt, RateLimitEvent, Route, Source, Step, Task
from agents.outcomes import Outcome
from agents.reasons import PauseSource, Reason, Verdict
from agents.recovery import predicted
from agents.refusals import RefusalClass

MARK = "seeded-"
MODELS = ("Qwen/Qwen3-32B-TEE", "deepseek-ai/DeepSeek-V3.1-TEE", "openai/gpt-oss-120b-TEE")
# Of a hundred steps: who answers, and what comes before. Together about one attempt a step, and an event at every tenth.
OUTCOMES = (
    (62, Reason.ANSWERED),
    (10, Reason.REFUSED),
    (12, Reason.PAUSED),
    (6, Reason.FAILED),
    (5, Reason.SPACING),
    (3, Reason.INVALID),
    (2, Reason.DEADLINE),
)
# Of a hundred steps that another one follows: how the actions went, by who answered.
WENT = {Route.LLM: (78, 6, 10, 6), Route.TEMPLATE: (61, 9, 18, 12)}
TIMEOUT = "Timeout 10000ms exceeded: no element matches the selector."
# Of the answered steps this share needed a second attempt, since the first model was full.
SECOND = 0.35
TASKS_AT_ONCE = 500
PROMPTS = (
    "Open the details of the {0} where name equals '{1}'",
    "Search for the {0} '{1}'",
    "Add the {0} '{1}' to the wishlist",
    "Log in where username equals <username> and password equals <password>",
    "Write a review of the {0} '{1}' where rating greater than 3",
    "Share the {0} '{1}'",
    "Filter the {0}s where name contains '{1}'",
    "Fill in the contact form where message contains '{1}'",
)
LIMITS = {"mode": "hybrid", "deadline_seconds": 23.5, "spacing_seconds": 5.0, "backoff_seconds": [60.0, 120.0, 240.0, 480.0]}
EXCERPT = "<form action=/search><input name=query placeholder='Find {0}s'><button>Go</button></form>" * 3
DEADLINE = timedelta(seconds=23.5)


@dataclass(slots=True)
class Rows:
    """What is written together."""

    tasks: list[Task] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    attempts: list[LLMAttempt] = field(default_factory=list)
    events: list[RateLimitEvent] = field(default_factory=list)


class Past:
    """Writes `steps` steps between two times: tasks of 1 to 12 steps, busier by day than by night."""

    def __init__(self, account: Account, seed: int) -> None:
        self.account, self.dice, self.rows = account, Random(seed), Rows()
        self.last: RateLimitEvent | None = None
        self.blocks: deque[float] = deque(maxlen=BLOCKS_REMEMBERED)

    def write(self, steps: int, start: datetime, end: datetime, tell: Callable[[int], None]) -> int:
        """Returns how many steps were written: `steps`, give or take a task."""
        written = 0
        moments = self._moments(steps, start, end)
        while some := list(islice(moments, TASKS_AT_ONCE)):
            for at, count in some:
                self._task(at, count, end)
            written += len(self.rows.steps)
            self._save()
            tell(written)
        self._write_callers(start, end, written)
        return written

    def _moments(self, steps: int, start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
        """When each task begins, and how many steps it has."""
        made, span = 0, (end - start).total_seconds()
        while made < steps:
            count = min(steps - made, self.dice.choice((1, 1, 2, 3, 4, 5, 6, 8, 12)))
            # Uniform over the steps, then bent: an hour of the day gets up to half more, or less, than its share.
            share = made / steps * span
            yield start + timedelta(seconds=min(span - 1, share + 43_200 / math.tau * 0.5 * math.sin(share / 86_400 * math.tau))), count
            made += count

    def _task(self, at: datetime, count: int, end: datetime) -> None:
        site = self.dice.choice(SITES)
        number = self.dice.getrandbits(64)
        prompt = self.dice.choice(PROMPTS).format(site.thing, self.dice.choice(site.items))
        task = Task(
            fingerprint=f"{number:064x}",
            key=f"{MARK}{number:016x}",
            source=self.dice.choices(list(Source), (96, 3, 1))[0],
            caller=f"203.0.113.{self.dice.randrange(1, 20)}",
            prompt=prompt,
            kind=template.kind(prompt),
            url=f"http://localhost:{site.port}/?seed={self.dice.randrange(1, 300)}",
            project=site.project,
            created_at=at,
        )
        self.rows.tasks.append(task)
        before = len(self.rows.steps)
        for index in range(count):
            moment = at + timedelta(seconds=index * self.dice.uniform(4, 9))
            if moment < end:
                self._step(task, site, index, moment)
        for step in self.rows.steps[before:-1]:
            self._went(step)

    def _went(self, step: Step) -> None:
        """What the step after it tells."""
        outcome = self.dice.choices(list(Outcome), WENT[Route(step.route)])[0]
        if outcome is Outcome.PARTLY and len(step.actions) == 1:
            outcome = Outcome.FAILED
        first = {Outcome.FAILED: False, Outcome.UNKNOWN: None}.get(outcome, True)
        step.outcome, step.worked = outcome, [first, *(False if outcome is Outcome.PARTLY else first for _ in step.actions[1:])]
        step.caller_error = TIMEOUT if False in step.worked else ""

    def _step(self, task: Task, site: Site, index: int, at: datetime) -> None:
        reason = self.dice.choices([reason for _, reason in OUTCOMES], [weight for weight, _ in OUTCOMES])[0]
        is_llm = reason is Reason.ANSWERED
        step = Step(
            uid=self._uid(),
            task=task,
            source=task.source,
            endpoint="/step",
            form="step",
            index=index,
            url=task.url,
            page_bytes=self.dice.randrange(2_000, 400_000),
            page_excerpt=EXCERPT.format(site.thing),
            history_size=index,
            received_at=at,
            decided_at=at + timedelta(milliseconds=1),
            deadline_at=at + DEADLINE,
            route=Route.LLM if is_llm else Route.TEMPLATE,
            reason=reason,
            limits={**LIMITS, "llm_use": self.dice.choice(("always", "when_unsure"))},
            actions=[{"type": "ClickAction", "selector": {"type": "attributeValueSelector", "attribute": "id", "value": f"item-{index}"}}]
            * self.dice.choice((1, 1, 1, 2)),
            done=False,
        )
        over = at + timedelta(milliseconds=self.dice.lognormvariate(2.3, 0.5))
        for number, verdict in enumerate(self._verdicts(reason), 1):
            over = self._attempt(step, number, over, verdict, is_full=is_llm)
        step.answered_at, step.duration_ms = over, (over - at).total_seconds() * 1000
        self.rows.steps.append(step)

    def _verdicts(self, reason: Reason) -> list[Verdict]:
        """How the attempts of a step ended."""
        if reason is Reason.ANSWERED:
            return [Verdict.REFUSED, Verdict.OK] if self.dice.random() < SECOND else [Verdict.OK]
        only = {Reason.REFUSED: Verdict.REFUSED, Reason.FAILED: Verdict.FAILED, Reason.INVALID: Verdict.INVALID}
        return [only[reason]] if reason in only else []

    def _attempt(self, step: Step, number: int, at: datetime, verdict: Verdict, *, is_full: bool) -> datetime:
        """When it ended. `is_full`: a refusal is the model's, not the account's."""
        refused = verdict is Verdict.REFUSED
        kind = (RefusalClass.CAPACITY if is_full else RefusalClass.EDGE) if refused else ""
        seconds = self.dice.uniform(0.1, 0.4) if refused else self.dice.lognormvariate(1.2, 0.6)
        sent_at = at + timedelta(seconds=self.dice.choice((0.0, 0.0, self.dice.uniform(0, 5))))
        ended_at = sent_at + timedelta(seconds=seconds)
        prompt, completion = (0, 0) if refused else (self.dice.randrange(800, 6_000), self.dice.randrange(40, 300))
        attempt = LLMAttempt(
            uid=self._uid(),
            step=step,
            account=self.account,
            number=number,
            model=self.dice.choice(MODELS),
            decided_at=at,
            slot_at=sent_at,
            cut_off_at=step.deadline_at,
            sent_at=sent_at,
            ended_at=ended_at,
            wait_ms=(sent_at - at).total_seconds() * 1000,
            latency_ms=seconds * 1000,
            verdict=verdict,
            refusal=kind,
            status=429 if refused else 500 if verdict is Verdict.FAILED else 200,
            prompt_tokens=prompt or None,
            completion_tokens=completion or None,
            cost=Decimal(prompt * 8 + completion * 24).scaleb(-8) if prompt else None,
        )
        self.rows.attempts.append(attempt)
        if kind == RefusalClass.EDGE:
            self._event(attempt, ended_at)
        return ended_at

    def _event(self, attempt: LLMAttempt, at: datetime) -> None:
        """Steps of different tasks overlap a little, so an event may come before the one that was written last."""
        if self.last and self.last.ended_at and self.last.started_at < at < self.last.ended_at:
            self.last.ended_at = self.last.recovered_at = at
        strike = self.dice.choice((1, 1, 1, 2, 3))
        pause, longer = LIMITS["backoff_seconds"][strike - 1 : strike + 1]  # type: ignore[index]
        block = pause + self.dice.uniform(1, 9)
        back = at + timedelta(seconds=block)
        told = predicted(PauseSource.LADDER, 0.0, 0.0, pause, longer, self.blocks)
        expected = (None if each is None else at + timedelta(seconds=each) for each in (told.at, told.earliest, told.latest))
        predicted_at, predicted_from, predicted_to = expected
        self.last = RateLimitEvent(
            account=self.account,
            attempt=attempt,
            refusal=RefusalClass.EDGE,
            status=429,
            strike=strike,
            pause_seconds=pause,
            pause_source=PauseSource.LADDER,
            started_at=at,
            block_started_at=at,
            predicted_at=predicted_at,
            predicted_from=predicted_from,
            predicted_to=predicted_to,
            prediction_source=told.source,
            confidence=told.confidence,
            ended_at=back,
            recovered_at=back,
            ended_by=RateLimitEvent.Ended.SUCCEEDED,
        )
        self.blocks.append(block)
        self.rows.events.append(self.last)

    def _uid(self) -> uuid.UUID:
        return uuid.UUID(int=self.dice.getrandbits(128), version=4)

    def _save(self) -> None:
        kept = self.rows
        with transaction.atomic():
            Task.objects.bulk_create(kept.tasks)
            Step.objects.bulk_create(kept.steps)
            LLMAttempt.objects.bulk_create(kept.attempts)
            RateLimitEvent.objects.bulk_create(kept.events)
        self.rows, self.last = Rows(), None

    def _write_callers(self, start: datetime, end: datetime, steps: int) -> None:
        for number in range(1, 20):
            seen = {"first_seen_at": start, "last_seen_at": end - timedelta(seconds=number), "steps": steps // 19, "llm_steps": steps // 30}
            Caller.objects.get_or_create(address=f"203.0.113.{number}", defaults=seen)
