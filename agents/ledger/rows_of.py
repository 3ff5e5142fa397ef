"""The rows that each step reads, inserts or updates, by SQL that is compiled once."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_address
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest

from agents.contract.step_facts import StepFacts
from agents.ledger.gate_rows import at
from agents.models import Caller, LLMAttempt, Route, Step, Task
from agents.policy import costs
from agents.policy.reasons import Purpose
from agents.prepared import Prepared, PreparedInsert, PreparedSave, PreparedUpdate


def _calls(task: int, since: datetime) -> QuerySet[LLMAttempt, tuple[Any, ...]]:
    calls_of_task = LLMAttempt.objects.filter(step__task=task, purpose=Purpose.STEP, decided_at__gt=since).order_by("-id")
    columns = ("model", "verdict", "status", "prompt_tokens", "completion_tokens", "cost", "refusal")
    return calls_of_task.values_list(*columns)[: costs.MOST_CALLS]


RECALLED = (
    "pk", "index", "history_size", "received_at", "url", "route", "actions", "words", "seen", "outcome", "effect", "notes", "asked",
    "confidence", "limits",
)  # fmt: skip
MOST_EARLIER = 36  # rows of a task's earlier steps: it has at most 12 and may have been posted twice before


def _newest(steps: QuerySet[Step]) -> QuerySet[Step, tuple[Any, ...]]:
    return steps.order_by("-index", "-id").values_list(*RECALLED)[:MOST_EARLIER]


# A caller without step numbers sends 0 each time.
unnumbered_steps = Prepared(lambda task: _newest(Step.objects.filter(task__fingerprint=task, index=0)), "a fingerprint")
lower_steps = Prepared(lambda task, index: _newest(Step.objects.filter(task__fingerprint=task, index__lt=index)), "a fingerprint", 77)
calls = Prepared(_calls, -7, datetime(2001, 2, 3, tzinfo=UTC))
_of_step = LLMAttempt.objects.select_related("account", "step__task")
attempt = Prepared(lambda uid: _of_step.filter(uid=uid), UUID(int=7))
task = Prepared(lambda fingerprint: Task.objects.filter(fingerprint=fingerprint), "a fingerprint")
insert_task = PreparedInsert(Task, once="fingerprint")
insert_step = PreparedInsert(Step)
insert_attempt = PreparedInsert(LLMAttempt)
save_attempt = PreparedSave(LLMAttempt)


def _counted(address: IPv4Address, seen_at: datetime, llm: int, late: int) -> tuple[QuerySet[Caller], dict[str, Any]]:
    counts = {"steps": F("steps") + 1, "llm_steps": F("llm_steps") + llm, "late_steps": F("late_steps") + late}
    return Caller.objects.filter(address=str(address)), {**counts, "last_seen_at": Greatest("last_seen_at", Value(seen_at))}


_count = PreparedUpdate(_counted, IPv4Address("192.0.2.77"), datetime(2001, 2, 3, tzinfo=UTC), -7, -8)


def count_caller(address: str, facts: StepFacts) -> None:
    """Count a step of this address, by route and lateness."""
    seen_at = at(facts.opening.received_at)
    is_llm, is_late = facts.closing.route == Route.LLM, facts.closing.answered_at > facts.opening.deadline_at
    parameters = (ip_address(address), seen_at, int(is_llm), int(is_late))
    if not _count(*parameters):
        Caller.objects.get_or_create(address=address, defaults={"first_seen_at": seen_at, "last_seen_at": seen_at})
        _count(*parameters)
