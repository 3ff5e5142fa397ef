"""Rows that each step reads again or inserts, by SQL that is made once."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from agents.models import LLMAttempt, Step, Task
from agents.policy import costs
from agents.policy.reasons import Purpose
from agents.prepared import Prepared, PreparedInsert, PreparedSave


def _calls(task: int, since: datetime) -> QuerySet[LLMAttempt, tuple[Any, ...]]:
    found = LLMAttempt.objects.filter(step__task=task, purpose=Purpose.STEP, decided_at__gt=since).order_by("-id")
    columns = ("model", "verdict", "status", "prompt_tokens", "completion_tokens", "cost", "refusal")
    return found.values_list(*columns)[: costs.MOST_CALLS]


calls = Prepared(_calls, -7, datetime(2001, 2, 3, tzinfo=UTC))
task = Prepared(lambda fingerprint: Task.objects.filter(fingerprint=fingerprint), "a fingerprint")
insert_task = PreparedInsert(Task, once="fingerprint")
insert_step = PreparedInsert(Step)
insert_attempt = PreparedInsert(LLMAttempt)
save_attempt = PreparedSave(LLMAttempt)
