"""Writes the records of months of a miner's work, from a seeded generator, in bulk: for benches and screenshots."""

import math
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random

from django.db import transaction

from agents import template
from agents.contract.action_history import Outcome
from agents.devtools.demo_traffic.sites import Site, draw_task
from agents.ledger import estimates, gate_rows
from agents.ledger.events import BLOCKS_REMEMBERED
from agents.models import Account, Caller, LLMAttempt, RateLimitEvent, Route, Source, Step, Task
from agents.policy import gate, pacing
from agents.policy.gate import Gate, Limits
from agents.policy.reasons import PauseSource, Reason, Verdict
from agents.policy.refusals import RefusalClass
from agents.policy.reset_times import predicted

MARK = "seeded-"
MODELS = ("Qwen/Qwen3-32B-TEE", "deepseek-ai/DeepSeek-V3.1-TEE", "openai/gpt-oss-120b-TEE")
# Of a hundred steps. Together about one attempt a step, and an event at every tenth.
REASONS = {
    Reason.ANSWERED: 62,
    Reason.REFUSED: 10,
    Reason.PAUSED: 12,
    Reason.FAILED: 6,
    Reason.SPACING: 5,
    Reason.INVALID: 3,
    Reason.DEADLINE: 2,
}
VERDICTS = {Reason.ANSWERED: Verdict.OK, Reason.REFUSED: Verdict.REFUSED, Reason.FAILED: Verdict.FAILED, Reason.INVALID: Verdict.INVALID}
# The share of answered steps with a second attempt, as the first model was full.
SECOND = 0.35
# Outcomes of a hundred steps that are not the last of their task, by route.
OUTCOMES = {Route.LLM: (78, 6, 10, 6), Route.TEMPLATE: (61, 9, 18, 12)}
TIMEOUT = "Timeout 10000ms exceeded: no element matches the selector."
TASKS_AT_ONCE = 500
CALLERS = 20
BACKOFF = [60.0, 120.0, 240.0, 480.0]
LIMITS = {"mode": "hybrid", "deadline_seconds": 23.5, "spacing_seconds": 5.0, "backoff_seconds": BACKOFF}
EXCERPT = "<form action=/search><input name=query placeholder='Find {0}s'><button>Go</button></form>" * 3
DEADLINE = timedelta(seconds=23.5)


def write_estimates(account: Account, limits: Limits, start: datetime) -> None:
    """The estimates of the limit that the gate would have made by the attempts since `start`. The gate keeps its belief, and no pause."""
    row, state = gate_rows.locked(account), Gate()
    sent = LLMAttempt.objects.filter(account=account, sent_at__gte=start).exclude(verdict=Verdict.FAILED).order_by("sent_at")
    for sent_at, ended_at, refusal in sent.exclude(refusal=RefusalClass.CAPACITY).values_list("sent_at", "ended_at", "refusal").iterator():
        assert sent_at is not None and ended_at is not None
        at, over = sent_at.timestamp(), ended_at.timestamp()
        before = replace(state, pace=pacing.reserved(state.pace, limits.spacing, limits.risk.weight, at, at, at))
        state = gate.refused(before, limits, at, over) if refusal else gate.succeeded(before, limits, at, over)
        estimates.note(row, before, state, limits, at, over)
    row.pace = state.pace.as_json()
    row.save()


class Past:
    """Writes `steps` steps between two times: tasks of 1 to 12 steps, busier by day than by night."""

    def __init__(self, account: Account, seed: int) -> None:
        self.account, self.rng, self.blocks = account, Random(seed), deque[float](maxlen=BLOCKS_REMEMBERED)

    def write(self, steps: int, start: datetime, end: datetime, report: Callable[[int], None]) -> int:
        written, moments = 0, self._moments(steps, start, end)
        while some := list(islice(moments, TASKS_AT_ONCE)):
            self.tasks, self.steps, self.attempts, self.events = list[Task](), list[Step](), list[LLMAttempt](), list[RateLimitEvent]()
            for at, count in some:
                self._task(at, count, end)
            with transaction.atomic():
                Task.objects.bulk_create(self.tasks)
                Step.objects.bulk_create(self.steps)
                LLMAttempt.objects.bulk_create(self.attempts)
                RateLimitEvent.objects.bulk_create(self.events)
            written += len(self.steps)
            report(written)
        for number in range(1, CALLERS):
            last = {"last_seen_at": end - timedelta(seconds=number), "steps": written // CALLERS, "llm_steps": written // 30}
            Caller.objects.get_or_create(address=f"203.0.113.{number}", defaults={"first_seen_at": start, **last})
        return written

    def _moments(self, steps: int, start: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
        made, span = 0, (end - start).total_seconds()
        while made < steps:
            count = min(steps - made, self.rng.choice((1, 1, 2, 3, 4, 5, 6, 8, 12)))
            # Uniform over the steps, then shifted: each hour of the day gets up to half more or less than its share.
            share = made / steps * span
            yield start + timedelta(seconds=min(span - 1, share + 43_200 / math.tau * 0.5 * math.sin(share / 86_400 * math.tau))), count
            made += count

    def _task(self, at: datetime, count: int, end: datetime) -> None:
        drawn, number = draw_task(self.rng), self.rng.getrandbits(64)
        columns = {"prompt": drawn.prompt, "kind": template.kind(drawn.prompt), "url": drawn.url, "project": drawn.site.project}
        source, caller = self.rng.choices(list(Source), (96, 3, 1))[0], f"203.0.113.{self.rng.randrange(1, CALLERS)}"
        task = Task(fingerprint=f"{number:064x}", key=f"{MARK}{number:016x}", source=source, caller=caller, created_at=at, **columns)
        self.tasks.append(task)
        moments = [at + timedelta(seconds=index * self.rng.uniform(4, 9)) for index in range(count)]
        steps = [self._step(task, drawn.site, index, moment) for index, moment in enumerate(moments) if moment < end]
        for step in steps[:-1]:
            self._add_outcome(step)
        self.steps += steps

    def _add_outcome(self, step: Step) -> None:
        outcome = self.rng.choices(list(Outcome), OUTCOMES[Route(step.route)])[0]
        if outcome is Outcome.PARTLY and len(step.actions) == 1:
            outcome = Outcome.FAILED
        first = {Outcome.FAILED: False, Outcome.UNKNOWN: None}.get(outcome, True)
        step.outcome, step.worked = outcome, [first, *(False if outcome is Outcome.PARTLY else first for _ in step.actions[1:])]
        step.caller_error = TIMEOUT if False in step.worked else ""

    def _step(self, task: Task, site: Site, index: int, at: datetime) -> Step:
        reason = self.rng.choices(list(REASONS), list(REASONS.values()))[0]
        is_llm = reason is Reason.ANSWERED
        selector = {"type": "attributeValueSelector", "attribute": "id", "value": f"item-{index}"}
        request = {"source": task.source, "endpoint": "/step", "form": "step", "index": index, "url": task.url, "history_size": index}
        page = {"page_bytes": self.rng.randrange(2_000, 400_000), "page_excerpt": EXCERPT.format(site.thing)}
        times = {"received_at": at, "decided_at": at + timedelta(milliseconds=1), "deadline_at": at + DEADLINE}
        answer = {"route": Route.LLM if is_llm else Route.TEMPLATE, "reason": reason, "done": False}
        step = Step(uid=self._uid(), task=task, **request, **page, **times, **answer)
        step.limits = {**LIMITS, "llm_use": self.rng.choice(("always", "when_unsure"))}
        step.actions = [{"type": "ClickAction", "selector": selector}] * self.rng.choice((1, 1, 1, 2))
        verdicts = [VERDICTS[reason]] if reason in VERDICTS else []
        if is_llm and self.rng.random() < SECOND:
            verdicts.insert(0, Verdict.REFUSED)
        over = at + timedelta(milliseconds=self.rng.lognormvariate(2.3, 0.5))
        for number, verdict in enumerate(verdicts, 1):
            over = self._attempt(step, number, over, verdict)
        step.answered_at, step.duration_ms = over, (over - at).total_seconds() * 1000
        return step

    def _attempt(self, step: Step, number: int, at: datetime, verdict: Verdict) -> datetime:
        """Returns when it ended. A refusal that is followed by an answer is of the model, not of the account."""
        is_refused, is_edge = verdict is Verdict.REFUSED, verdict is Verdict.REFUSED and step.route == Route.TEMPLATE
        seconds = self.rng.uniform(0.1, 0.4) if is_refused else self.rng.lognormvariate(1.2, 0.6)
        sent_at = at + timedelta(seconds=self.rng.choice((0.0, 0.0, self.rng.uniform(0, 5))))
        ended_at = sent_at + timedelta(seconds=seconds)
        prompt, completion = (0, 0) if is_refused else (self.rng.randrange(800, 6_000), self.rng.randrange(40, 300))
        times = {"decided_at": at, "slot_at": sent_at, "sent_at": sent_at, "ended_at": ended_at, "cut_off_at": step.deadline_at}
        lengths = {"wait_ms": (sent_at - at).total_seconds() * 1000, "latency_ms": seconds * 1000}
        usd = Decimal(prompt * 8 + completion * 24).scaleb(-8) if prompt else None
        used = {"prompt_tokens": prompt or None, "completion_tokens": completion or None, "cost": usd}
        attempt = LLMAttempt(uid=self._uid(), step=step, account=self.account, number=number, **times, **lengths, **used)
        attempt.model, attempt.verdict = self.rng.choice(MODELS), verdict
        attempt.refusal = (RefusalClass.EDGE if is_edge else RefusalClass.CAPACITY) if is_refused else ""
        attempt.status = 429 if is_refused else 500 if verdict is Verdict.FAILED else 200
        self.attempts.append(attempt)
        if is_edge:
            self._event(attempt, ended_at)
        return ended_at

    def _event(self, attempt: LLMAttempt, at: datetime) -> None:
        """Steps of different tasks overlap a little, so an event may come before the one that was written last."""
        last = self.events[-1] if self.events else None
        if last and last.ended_at and last.started_at < at < last.ended_at:
            last.ended_at = last.recovered_at = at
        strike = self.rng.choice((1, 1, 1, 2, 3))
        pause, longer = BACKOFF[strike - 1 : strike + 1]
        block = pause + self.rng.uniform(1, 9)
        expected = predicted(PauseSource.LADDER, 0.0, 0.0, pause, longer, self.blocks)
        over = at + timedelta(seconds=block)
        refusal = {"refusal": RefusalClass.EDGE, "status": 429, "strike": strike}
        pausing = {"pause_seconds": pause, "pause_source": PauseSource.LADDER, "started_at": at, "block_started_at": at}
        prediction = {"prediction_source": expected.source, "confidence": expected.confidence}
        end = {"ended_at": over, "recovered_at": over, "ended_by": RateLimitEvent.Ended.SUCCEEDED}
        event = RateLimitEvent(account=self.account, attempt=attempt, **refusal, **pausing, **prediction, **end)
        for name, seconds in (("at", expected.at), ("from", expected.earliest), ("to", expected.latest)):
            setattr(event, f"predicted_{name}", None if seconds is None else at + timedelta(seconds=seconds))
        self.blocks.append(block)
        self.events.append(event)

    def _uid(self) -> uuid.UUID:
        return uuid.UUID(int=self.rng.getrandbits(128), version=4)
