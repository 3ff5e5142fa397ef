"""What each caller's address sent, and how it was answered."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_address
from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest

from agents.contract.step_facts import StepFacts
from agents.ledger.gate_rows import at
from agents.models import Caller, Route
from agents.prepared import PreparedUpdate


def _counted(address: IPv4Address, seen_at: datetime, llm: int, late: int) -> tuple[QuerySet[Caller], dict[str, Any]]:
    counts = {"steps": F("steps") + 1, "llm_steps": F("llm_steps") + llm, "late_steps": F("late_steps") + late}
    return Caller.objects.filter(address=str(address)), {**counts, "last_seen_at": Greatest("last_seen_at", Value(seen_at))}


_count = PreparedUpdate(_counted, IPv4Address("192.0.2.77"), datetime(2001, 2, 3, tzinfo=UTC), -7, -8)


def count(address: str, facts: StepFacts) -> None:
    seen_at = at(facts.opening.received_at)
    is_llm, is_late = facts.closing.route == Route.LLM, facts.closing.answered_at > facts.opening.deadline_at
    one = (ip_address(address), seen_at, int(is_llm), int(is_late))
    if not _count(*one):
        Caller.objects.get_or_create(address=address, defaults={"first_seen_at": seen_at, "last_seen_at": seen_at})
        _count(*one)
