"""The facts of one step, as plain values: what the ledger writes, and what is spooled to a file while it can't."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from agents.outcomes import Heard, heard
from agents.protocol import Plan, Step
from agents.reasons import PauseSource
from agents.text import shorten, storable

# A sentence.
MOST_WHY = 200


@dataclass(frozen=True, slots=True)
class Opening:
    """A step as it came in. Times are Unix seconds; `limits` are the settings then in force.

    `kind`: the kind of task as understood. `heard`: how the actions of the steps before went.
    `confidence`: of the template's plan, None where it made none.
    """

    uid: str
    fingerprint: str
    key: str
    source: str
    caller: str | None
    prompt: str
    task_url: str
    project: str
    endpoint: str
    form: str
    index: int
    url: str
    page_bytes: int
    page_excerpt: str
    history_size: int
    received_at: float
    deadline_at: float
    limits: dict[str, Any]
    confidence: float | None = None
    confidence_why: str = ""
    kind: str = ""
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How one attempt ended. `sent_at` None: its slot was given up. `accepted`: the provider let the request in.

    `pause`: seconds from `ended_at`, None leaves it to the ladder; `pause_source`: how that is known. `published`: the limit a minute
    that the answer told of; `quota`: the day's requests, as {"total", "used", "remaining"}. `dice`: from 0 to 1, for jitter.
    """

    uid: str
    verdict: str
    ended_at: float
    sent_at: float | None = None
    accepted: bool = False
    status: int | None = None
    refusal: str = ""
    pause: float | None = None
    pause_source: str = PauseSource.PROVIDER
    published: float | None = None
    quota: dict[str, float] | None = None
    dice: float = 0.0
    detail: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: str | None = None
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """What was answered, by what and why. `duration` in seconds, from the request's arrival."""

    route: str
    reason: str
    answered_at: float
    duration: float
    actions: list[dict[str, Any]] = field(default_factory=list)
    done: bool = False
    fault: str = ""
    attempt: AttemptEnd | None = None


@dataclass(frozen=True, slots=True)
class StepFacts:
    """One step's whole story, enough to write it from nothing."""

    opening: Opening
    closing: Closing

    def to_json(self) -> str:
        """For the spool."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> StepFacts:
        """From the spool. Raises ValueError, LookupError, TypeError or AttributeError for anything else."""
        raw = json.loads(text)
        begun, closing = raw["opening"], raw["closing"]
        told = tuple(Heard(**entry) for entry in begun.pop("heard", ()))
        attempt = closing.pop("attempt")
        return cls(Opening(**begun, heard=told), Closing(**closing, attempt=AttemptEnd(**attempt) if attempt else None))


def fingerprint(source: str, caller: str | None, key: str, prompt: str) -> str:
    """What tells a task from others: two callers may use the same id, and one caller the same id for another prompt."""
    return hashlib.sha256("\0".join((source, caller or "", key, prompt)).encode("utf-8", "replace")).hexdigest()


def opening(
    step: Step,
    *,
    source: str,
    caller: str | None,
    received_at: float,
    deadline_at: float,
    page_excerpt: str,
    limits: dict[str, Any],
    uid: str | None = None,
) -> Opening:
    """The facts of a step as it came in. `uid`: its id, a new one where it has none yet."""
    return Opening(
        uid=uid or str(uuid.uuid4()),
        fingerprint=fingerprint(source, caller, step.task_id, step.prompt),
        key=step.task_id,
        source=source,
        caller=caller,
        prompt=step.prompt,
        task_url=step.url,
        project=step.project[:100],
        endpoint=step.endpoint,
        form=step.form,
        index=step.index,
        url=step.url,
        page_bytes=len(step.page),
        page_excerpt=page_excerpt,
        history_size=len(step.history),
        received_at=received_at,
        deadline_at=deadline_at,
        limits=limits,
        heard=heard(step.history),
    )


def with_template(opened: Opening, plan: Plan) -> Opening:
    """The facts with how sure the template agent is of its plan."""
    return replace(opened, confidence=plan.confidence, confidence_why=shorten(storable(plan.confidence_why), MOST_WHY))
