"""One step from request to answer: the template's plan, then the LLM where it may answer in time; and the callers' endpoints."""

import asyncio
import logging
import os
import random
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from agents import VERSION, template
from agents.contract import limits, protocol
from agents.contract.action_history import judge, reported
from agents.contract.earlier import Earlier, chain
from agents.contract.limits import MAX_ACTIONS
from agents.contract.protocol import Plan, Step, Usage
from agents.page import Page, read
from agents.policy import routing
from agents.policy.modes import Mode
from agents.policy.routing import Candidate, Tries, retry_pause
from agents.prompting.prompt import Question, question
from agents.prompting.replies import InvalidReply, plan_from_reply
from agents.prompting.task_history import TaskHistory
from agents.standalone.gateway import Failed, Gateway, Permit
from agents.standalone.options import Options
from agents.template.budget import TEMPLATE_SECONDS, TimeBudget

logger = logging.getLogger(__name__)

MOST_TASKS = 200  # a task's steps take some 30 kB


class Memory:
    """The earlier steps of the most recent tasks of this process."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[tuple[str, str], list[Earlier]] = OrderedDict()
        self._numbers = count(1)

    def before(self, step: Step) -> Sequence[Earlier]:
        """The task's steps before this one, oldest first; none for its first step."""
        if not (step.index or step.history):
            return ()
        kept = list(self._tasks.get((step.task_id, step.prompt), ()))
        lower = [row for row in kept if row.index < step.index or row.index == step.index == 0]
        run = chain(sorted(lower, key=lambda row: (-row.index, -row.pk)), step.index, len(step.history))
        if not run or run[-1].outcome:
            return run
        *before, last = run
        judged = judge(last.actions, last.index, last.history_size, reported(step.history))
        return (*before, replace(last, outcome=judged.outcome)) if judged else run

    def keep(self, history: TaskHistory, plan: Plan, confidence: float, received_at: float, *, is_by_llm: bool) -> None:
        """Keep a step. The effect of the previous step is set by now, so its page is dropped."""
        step = history.step
        made = Earlier(
            next(self._numbers),
            step.index,
            len(step.history),
            received_at,
            step.url,
            "llm" if is_by_llm else "template",
            [action.as_action() for action in plan.actions],
            confidence=confidence,
            **history.facts(plan, is_by_llm=is_by_llm),
        )
        rows = self._tasks.setdefault((step.task_id, step.prompt), [])
        self._tasks.move_to_end((step.task_id, step.prompt))
        last = history.earlier[-1].pk if history.earlier else None
        rows[:] = [replace(row, effect=history.effect, seen=None) if row.pk == last else row for row in rows]
        rows.append(made)
        del rows[:-MAX_ACTIONS]
        if len(self._tasks) > MOST_TASKS:
            self._tasks.popitem(last=False)


@dataclass(slots=True)
class Work:
    """A step and its plan so far. `used`: its use of the LLM."""

    history: TaskHistory
    step: Step
    plan: Plan
    received_at: float
    cut_off: float
    page: Page | None = None
    used: Usage = field(default_factory=Usage)


class Agent:
    def __init__(self, options: Options, gateway: Gateway | None, agent_id: str) -> None:
        self.options, self.gateway, self.agent_id = options, gateway, agent_id
        self.rules, self.memory = options.rules, Memory()

    async def answer(self, path: str, body: bytes) -> dict[str, Any]:
        """The answer to a request; on any other error the template's plan. Raises protocol.BadRequest."""
        received_at = time.time()
        work = await asyncio.to_thread(self._planned, path, body, received_at)
        by_llm = None
        try:
            by_llm = await self._by_llm(work) if self._needs_llm(work) else None
        except Exception:
            logger.exception("The LLM's part of task %s failed. The template's plan is sent.", work.step.task_id)
        plan = by_llm or work.plan
        self.memory.keep(work.history, plan, work.plan.confidence, received_at, is_by_llm=by_llm is not None)
        return protocol.render(work.step, plan, agent_id=self.agent_id, use=work.used if by_llm else replace(work.used, model=None))

    def _planned(self, path: str, body: bytes, received_at: float) -> Work:
        step = protocol.parse(path, body)
        history = TaskHistory(step)
        history.earlier = self.memory.before(step)
        budget = routing.budget(step.timeout_seconds or self.rules.deadline_seconds, received_at)
        work = Work(history, step, template.plain(step), received_at, budget.cut_off)
        try:
            now = time.time()
            half, most = now + (budget.cut_off - now) / 2, time.thread_time() + TEMPLATE_SECONDS
            work.page = read(step.page, step.url) if step.page else None
            work.step = history.completed(work.page)
            if self.rules.mode is not Mode.LLM:
                over = TimeBudget(lambda: max(time.time() - half, time.thread_time() - most), 0.0)
                work.plan = template.plan(work.step, work.page, budget=over)
        except Exception:
            logger.exception("The template agent failed on step %s of task %s. A plain answer is sent.", step.index, step.task_id)
        return work

    def _needs_llm(self, work: Work) -> bool:
        is_on = self.gateway is not None and self.rules.mode is not Mode.TEMPLATE
        return is_on and not routing.is_sure(work.plan, self.rules, work.step, work.history.earlier or ())

    async def _by_llm(self, work: Work) -> Plan | None:
        assert self.gateway is not None
        tries = Tries((Candidate(0, self.options.models),))
        while tries.candidates:
            prompt = await asyncio.to_thread(question, work.step, work.page)
            models = work.history.models_without_reply(prompt.digest, tries.candidates[0].models)
            permit = self.gateway.permit(models, work.step.task_id, work.cut_off)
            if permit is None:
                break
            try:
                return await self._attempt(self.gateway, permit, prompt, work)
            except Failed as error:
                logger.info("No plan by %s: %s", permit.model, error)
                tries = tries.after(0, permit.model, error.reach, may_retry=error.may_retry)
            if tries.is_retry:
                await asyncio.sleep(retry_pause(random.random()))
        return None

    async def _attempt(self, gateway: Gateway, permit: Permit, prompt: Question, work: Work) -> Plan:
        """Raises Failed; the next prompt lists why this reply was not used."""
        reply = await gateway.complete(permit, prompt.messages, work.step.task_id)
        work.history.replied.append([prompt.digest, permit.model])
        tokens = work.used.input_tokens + (reply.prompt_tokens or 0), work.used.output_tokens + (reply.completion_tokens or 0)
        work.used = Usage(*tokens, model=permit.model)
        try:
            return await asyncio.to_thread(partial(plan_from_reply, reply.text, step=work.step, shown=prompt.shown))
        except InvalidReply as error:
            note = f"The reply before was not used: {error}"
            work.history.notes.append(note)
            work.step = replace(work.step, notes=(*work.step.notes, note))
            raise Failed(note) from None


def application(options: Options, environment: Mapping[str, str] = os.environ) -> FastAPI:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line a request
    gateway, agent_id = gateway_of(environment), environment.get("SANDBOX_AGENT_UID", "1")
    agent = Agent(options, Gateway(gateway) if gateway and options.models else None, agent_id)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def answer(request: Request) -> JSONResponse:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limits.MAX_BODY:
                message = f"The body is larger than {limits.MAX_BODY:,} bytes. Send a smaller page."
                return JSONResponse({"error": message, "field": "body"}, 413)
        try:
            return JSONResponse(await agent.answer(request.url.path, bytes(body)))
        except protocol.BadRequest as error:
            return JSONResponse({"error": str(error), "field": error.field}, 400)

    async def health() -> JSONResponse:
        return JSONResponse({"status": "healthy", "agent_type": options.mode, "version": VERSION, "models": list(options.models)})

    for path in protocol.PATHS:
        app.add_api_route(path, answer, methods=["POST"])
    app.add_api_route("/health", health, methods=["GET", "HEAD"])
    return app


def gateway_of(environment: Mapping[str, str]) -> str:
    """The base URL of its chat API, "" where there is no gateway: then the template agent answers."""
    root = environment.get("SANDBOX_GATEWAY_URL", "").rstrip("/")
    return environment.get("CHUTES_BASE_URL") or (f"{root}/chutes/v1" if root else "")
