"""The facts of one step as plain values: the ledger writes them, or they are spooled to a file while it can't.

API keys in callers' texts are masked when the facts are made, so that none reaches a row or a file.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from agents.common.redaction import mask_keys, mask_keys_in
from agents.common.text import shorten, storable
from agents.contract.action_history import ReportedAction, reported
from agents.contract.protocol import Step, Usage
from agents.policy.reasons import PauseSource

# The columns' lengths. A mask may be longer than what it stands for.
MOST_WHY, MOST_KEY, MOST_PROJECT = 200, 200, 100
# The last 150 frames or so of a traceback. An error's message may hold a whole page.
MOST_FAULT = 20_000


def _mask(fact: "Opening | Closing | AttemptEnd", *names: str, **others: object) -> None:
    """Change a frozen fact while it is made: `names` are masked, `others` replaced."""
    for name, value in ({name: mask_keys_in(getattr(fact, name)) for name in names} | others).items():
        object.__setattr__(fact, name, value)


@dataclass(frozen=True, slots=True)
class Opening:
    """A step as received. Times are Unix seconds; `limits`: the settings in force. `reported`: the outcomes of the earlier steps' actions;
    `effect_before`: what those of the previous step changed on the page, "" for unknown. `page_excerpt`: of spooled steps only, others get
    it after their answer. `confidence`: None without a template's plan. `miner`: the MINER_NAME, "" for none."""

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
    history_size: int
    received_at: float
    deadline_at: float
    limits: dict[str, Any]
    confidence: float | None = None
    confidence_why: str = ""
    kind: str = ""
    reported: tuple[ReportedAction, ...] = ()
    effect_before: str = ""
    page_excerpt: str = ""
    miner: str = ""

    def __post_init__(self) -> None:
        reported = tuple(replace(action, sign=mask_keys(action.sign), error=mask_keys(action.error)) for action in self.reported)
        key, project = mask_keys(self.key)[:MOST_KEY], mask_keys(self.project)[:MOST_PROJECT]
        why = shorten(storable(mask_keys(self.confidence_why)), MOST_WHY)
        texts = ("prompt", "task_url", "url", "effect_before", "page_excerpt", "limits")
        _mask(self, *texts, reported=reported, key=key, project=project, confidence_why=why)


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """`sent_at` None: the attempt's slot was given up. `accepted`: the provider accepted the request. `is_cut`: it took too long.

    `pause`: seconds from `ended_at`, None: by the backoff; `pause_source`: where it comes from. `published`: requests a minute, by the
    answer's header; `quota`: the day's requests, as {"total", "used", "remaining"}. `jitter`: from 0 to 1.
    """

    uid: str
    verdict: str
    ended_at: float
    sent_at: float | None = None
    accepted: bool = False
    is_cut: bool = False
    status: int | None = None
    refusal: str = ""
    pause: float | None = None
    pause_source: str = PauseSource.PROVIDER
    published: float | None = None
    quota: dict[str, float] | None = None
    jitter: float = 0.0
    detail: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: str | None = None
    reply: str = ""

    def __post_init__(self) -> None:
        _mask(self, "detail", "reply")


@dataclass(frozen=True, slots=True)
class Sent:
    """An attempt, for traces. `decided_at`: when its slot was given, in Unix seconds. `messages` are not masked."""

    model: str
    base_url: str
    decided_at: float
    end: AttemptEnd
    messages: Sequence[Mapping[str, str]]


def usage(sent: Sequence[Sent], *, is_llm: bool) -> Usage:
    """The sum over a step's attempts, and the model of the last one where it made the plan."""
    ends = [attempt.end for attempt in sent]
    tokens = (sum(end.prompt_tokens or 0 for end in ends), sum(end.completion_tokens or 0 for end in ends))
    return Usage(*tokens, sum(float(end.cost or 0) for end in ends), sent[-1].model if is_llm and sent else None)


@dataclass(frozen=True, slots=True)
class Closing:
    """`duration`: seconds from the request's arrival. `words`: each action as text, "" for a wait of our own; `seen`: the page's signature.
    `notes`: what of an LLM's reply is not sent, and why. `asked`: digest and model of each prompt that got a reply."""

    route: str
    reason: str
    answered_at: float
    duration: float
    actions: list[dict[str, Any]] = field(default_factory=list)
    done: bool = False
    answer: str = ""
    fault: str = ""
    attempt: AttemptEnd | None = None
    words: list[str] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        _mask(self, "actions", "answer", "words", "seen", "notes", fault=mask_keys(self.fault)[-MOST_FAULT:])

    def without_details(self) -> "Closing":
        attempt = self.attempt and replace(self.attempt, reply="")
        return replace(self, fault="", words=[], seen={}, notes=[], attempt=attempt)


@dataclass(frozen=True, slots=True)
class StepFacts:
    opening: Opening
    closing: Closing

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "StepFacts":
        """From the spool. Raises ValueError, LookupError, TypeError or AttributeError for anything else."""
        raw = json.loads(text)
        begun, closing = raw["opening"], raw["closing"]
        # Version 0.2.0 spooled `reported` as `heard`.
        begun["reported"] = tuple(ReportedAction(**entry) for entry in begun.pop("heard", begun.get("reported", ())))
        attempt = closing.pop("attempt")
        return cls(Opening(**begun), Closing(**closing, attempt=AttemptEnd(**attempt) if attempt else None))


def fingerprint(source: str, caller: str | None, key: str, prompt: str) -> str:
    """Callers may use the same id, and one caller may use an id again for another prompt."""
    return hashlib.sha256("\0".join((source, caller or "", key, prompt)).encode("utf-8", "replace")).hexdigest()


def opening(
    step: Step,
    *,
    source: str,
    caller: str | None,
    received_at: float,
    deadline_at: float,
    limits: dict[str, Any],
    uid: str | None = None,
    **fields: Any,
) -> Opening:
    """`uid`: None for a new one. `fields`: those of Opening that have a default."""
    return Opening(
        **fields,
        uid=uid or str(uuid.uuid4()),
        fingerprint=fingerprint(source, caller, step.task_id, step.prompt),
        key=step.task_id,
        source=source,
        caller=caller,
        prompt=step.prompt,
        task_url=step.url,
        project=step.project,
        endpoint=step.endpoint,
        form=step.form,
        index=step.index,
        url=step.url,
        page_bytes=len(step.page),
        history_size=len(step.history),
        received_at=received_at,
        deadline_at=deadline_at,
        limits=limits,
        reported=reported(step.history),
    )
