"""How a step's actions went, as the history of the step after it tells. Pure: what was sent and what was heard, to a judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agents.phrases import phrase
from agents.protocol import MAX_HISTORY, PastAction
from agents.redaction import redact
from agents.template.past import sign
from agents.text import shorten

# A browser's first sentence says what happened; what follows is its call log.
MAX_ERROR = 300
# These always work, so they tell nothing about a step that does something else besides.
_TELL_NOTHING = frozenset({"WaitAction", "ScreenshotAction", "IdleAction"})


class Outcome(StrEnum):
    """How the actions of a step went in the caller's browser. `UNKNOWN`: the caller went on and did not say."""

    WORKED = "worked"
    PARTLY = "partly"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def sentence(self) -> str:
        """The outcome in an operator's words."""
        return _SENTENCES[self]


_SENTENCES = {
    Outcome.WORKED: phrase("Worked"),
    Outcome.PARTLY: phrase("Worked in part"),
    Outcome.FAILED: phrase("Failed"),
    Outcome.UNKNOWN: phrase("Not told"),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """One entry of a history, as far as it is needed: without typed text. `type` "": of an unknown kind; `number`: as the caller counts."""

    type: str
    sign: str
    succeeded: bool | None
    error: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """`worked`: for each action that was sent whether it did, None where nobody said. `error`: the caller's on the first that did not."""

    outcome: Outcome
    worked: tuple[bool | None, ...]
    error: str = ""


def heard(history: Sequence[PastAction]) -> tuple[Heard, ...]:
    """A step's history, small enough to be kept with its facts. Errors are masked and cut."""
    return tuple(
        Heard(past.type, _signed(past.type, past.fields), _succeeded(past), shorten(redact(past.error).strip(), MAX_ERROR), past.number)
        for past in history
    )


def judge(sent: Sequence[Mapping[str, Any]], index: int, before: int, told: Sequence[Heard]) -> Judged | None:
    """How a step's actions went. `sent`: as one-shot lists have them; `index`: the step's; `before`: the length of its own history.

    `told`: the whole history of the step after it. None where no action was sent.
    """
    if not sent:
        return None
    worked, errors = _matched(sent, _since(index, before, len(sent), told))
    said = [each for action, each in zip(sent, worked, strict=True) if each is not None and action.get("type") not in _TELL_NOTHING]
    return Judged(_outcome(said), worked, errors[0] if errors else "")


def _signed(action_type: str, fields: Mapping[str, Any]) -> str:
    """What tells two actions of a type apart, "" where the caller does not say it."""
    target = sign(action_type, fields)[1]
    return "" if target == _NAMELESS else target


_NAMELESS = sign("", {})[1]


def _succeeded(past: PastAction) -> bool | None:
    """A caller that says an error and no outcome says a failure."""
    return False if past.succeeded is None and past.error.strip() else past.succeeded


def _since(index: int, before: int, count: int, told: Sequence[Heard]) -> Sequence[Heard]:
    """What the caller ran of the step's actions: what its history has grown by, at its end where it keeps the newest entries only."""
    if len(told) > before and before < MAX_HISTORY:
        return told[before:]
    newest = told[-count:]
    is_newer = [each.number is not None and each.number >= index for each in newest]
    return [each for each, is_new in zip(newest, is_newer, strict=True) if is_new or before >= MAX_HISTORY]


def _matched(sent: Sequence[Mapping[str, Any]], told: Sequence[Heard]) -> tuple[tuple[bool | None, ...], list[str]]:
    """Entries handed out in order, each to the next action that it can be of; one that fits none is the caller's own affair."""
    worked: list[bool | None] = [None] * len(sent)
    errors, start = list[str](), 0
    signs = [_signed(str(action.get("type")), action) for action in sent]
    for entry in told:
        at = _place(entry, sent, signs, start)
        if at is None:
            continue
        worked[at], start = entry.succeeded, at + 1
        if entry.succeeded is False:
            errors.append(entry.error)
    return tuple(worked), errors


def _place(entry: Heard, sent: Sequence[Mapping[str, Any]], signs: Sequence[str], start: int) -> int | None:
    """The action that an entry is of: the same one, else the next of its type, else for an unknown type the next."""
    of_type = [at for at in range(start, len(sent)) if entry.type in ("", sent[at].get("type"))]
    same = [at for at in of_type if entry.sign and entry.sign == signs[at]]
    return next(iter(same or of_type), None)


def _outcome(said: Sequence[bool]) -> Outcome:
    if not said:
        return Outcome.UNKNOWN
    if all(said):
        return Outcome.WORKED
    return Outcome.PARTLY if any(said) else Outcome.FAILED
