"""What each caller's address sent, and how it was answered."""

from django.db.models import F, Value
from django.db.models.functions import Greatest

from agents.contract.step_facts import StepFacts
from agents.ledger.gate_rows import at
from agents.models import Caller, Route


def count(address: str, facts: StepFacts) -> None:
    seen_at = at(facts.opening.received_at)
    is_llm, is_late = facts.closing.route == Route.LLM, facts.closing.answered_at > facts.opening.deadline_at
    counts = {name: F(name) + 1 for name, is_one in (("steps", True), ("llm_steps", is_llm), ("late_steps", is_late)) if is_one}
    columns = {**counts, "last_seen_at": Greatest("last_seen_at", Value(seen_at))}
    known = Caller.objects.filter(address=address)
    if not known.update(**columns):
        Caller.objects.get_or_create(address=address, defaults={"first_seen_at": seen_at, "last_seen_at": seen_at})
        known.update(**columns)
