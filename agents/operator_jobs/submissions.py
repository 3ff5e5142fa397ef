"""Operators' tasks, each answered once by a worker."""

import uuid

from django.db import transaction
from django.utils import timezone

from agents import template
from agents.common.redaction import mask_keys
from agents.contract import protocol, step_facts
from agents.hybrid import runner, spool
from agents.models import Source, Submission, Task
from agents.operator_jobs import leased_job

# The rest of a large spool is written in the next round.
SPOOL_SECONDS = 30.0


def submit(*, prompt: str, url: str, page: str, by: str) -> Submission:
    """Queue a task. API keys in it are masked, also for the miner."""
    prompt, url, page, key = mask_keys(prompt), mask_keys(url), mask_keys(page), str(uuid.uuid4())
    with transaction.atomic():
        fingerprint, kind = step_facts.fingerprint(Source.OPERATOR, None, key, prompt), template.kind(prompt)
        fields = {"source": Source.OPERATOR, "prompt": prompt, "url": url, "kind": kind, "created_at": timezone.now()}
        task = Task.objects.create(fingerprint=fingerprint, key=key, **fields)
        return leased_job.start(Submission, task=task, requested_by=by, page=page)[0]


def answer(submission: Submission) -> None:
    """Does nothing where a worker that died meanwhile has answered."""
    task = submission.task
    if submission.tries > 1:
        spool.drain(SPOOL_SECONDS)  # where its answer may wait
        if task.steps.filter(answered_at__isnull=False).exists():
            return
    step = protocol.Step(
        endpoint="panel", form=protocol.Form.ONE_SHOT, task_id=task.key, prompt=task.prompt, url=task.url, page=submission.page
    )
    runner.answer(step, source=Source.OPERATOR, caller=None)
