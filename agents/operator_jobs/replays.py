"""Replays: a step is answered again as a test, which is not sent to the caller or counted; its attempts have the purpose `test`."""

import time
from dataclasses import replace
from functools import partial

from django.utils import timezone

from agents import ledger, template
from agents.configuration import accounts, rules, usable
from agents.configuration.known_sites import known_sites
from agents.contract import protocol
from agents.contract.step_facts import AttemptEnd
from agents.hybrid import page_archive
from agents.hybrid.runner import Attempt, Result, run_tries
from agents.ledger import Clock, Permit, Request
from agents.llm.client import Prompt
from agents.models import Account, LLMAttempt, Replay, Route, Settings, Step
from agents.operator_jobs import leased_job
from agents.operator_jobs.leased_job import JobFailed, Outcome
from agents.page import read
from agents.policy.modes import Mode
from agents.policy.reasons import Purpose, Reason
from agents.prompting.prompt import question
from agents.prompting.replies import plan_from_reply
from agents.template.sites.site_plans import by_facts

# Two at once occupy both workers, so that other jobs wait as long.
LONGEST_DEADLINE = 35.0
GONE = "The page of this step was deleted: pages are kept for 7 days. Nothing was sent."


def start(step: Step, *, way: Replay.Way, account: Account | None, model: str, deadline_seconds: float, by: str) -> Replay:
    fields = {"way": way, "account": account, "model": model, "deadline_seconds": min(deadline_seconds, LONGEST_DEADLINE)}
    return leased_job.start(Replay, step=step, requested_by=by, **fields)[0]


def answer(job: Replay, clock: Clock = time.time) -> Outcome:
    """Raises JobFailed."""
    started, step = time.monotonic(), page_archive.kept(job.step_id, timezone.now())
    if step is None:
        raise JobFailed(GONE)
    plan, route, reason, attempts = _answered(job, step, clock)
    job.attempts.set(LLMAttempt.objects.filter(uid__in=attempts))
    took, actions = (time.monotonic() - started) * 1000, [action.as_action() for action in plan.actions]
    return Outcome({"route": route, "reason": reason, "duration_ms": took, "actions": actions, "done": plan.done})


def _answered(job: Replay, step: protocol.Step, clock: Clock) -> tuple[protocol.Plan, Route, Reason, list[str]]:
    """The plan, its route, the reason, and the uids of the attempts."""
    in_force = rules(Settings.current())
    mode = {Replay.Way.TEMPLATE: Mode.TEMPLATE, Replay.Way.MODEL: Mode.LLM}.get(Replay.Way(job.way), in_force.mode)
    page = read(step.page, step.url) if step.page else None
    fallback = template.plain(step) if mode is Mode.LLM else template.plan(step, page, by_facts(known_sites()))
    # By account: its provider, or why it is not used.
    offers = {account: usable(account, mode) for account in ([job.account] if job.account else accounts())}
    providers = {account: offer for account, offer in offers.items() if not isinstance(offer, Reason)}
    if not providers:
        return fallback, Route.TEMPLATE, next((offer for offer in offers.values() if isinstance(offer, Reason)), Reason.NO_MODEL), []
    if job.model:
        providers = {account: replace(provider, models=(job.model,)) for account, provider in providers.items()}
    llm_prompt = question(step, page)
    prompt, read_reply = Prompt(llm_prompt.messages, task_id=step.task_id), partial(plan_from_reply, step=step, shown=llm_prompt.shown)
    cut_off, uids = clock() + job.deadline_seconds, list[str]()

    def send(permit: Permit, request: Request) -> Result:
        uids.append(permit.attempt_uid or "")
        return Attempt(prompt, read_reply, providers[request.account], request, permit, clock).run()

    def next_permit(request: Request, end: AttemptEnd, following: list[Request]) -> Permit:
        ledger.close_attempt(end, request.limits)
        return ledger.open_attempt(following, Purpose.TEST, clock)

    requests = [Request(account, in_force.limits, cut_off, provider.models) for account, provider in providers.items()]
    result = run_tries(requests, ledger.open_attempt(requests, Purpose.TEST, clock), send, next_permit)
    if result.end:
        ledger.close_attempt(result.end, in_force.limits)
    return result.plan or fallback, Route.LLM if result.plan else Route.TEMPLATE, result.reason, uids
