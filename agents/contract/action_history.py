"""A step's history: whether actions that could be sent now were sent before, and how those of the step before went."""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, takewhile
from typing import Any

from agents.common.choice import Choice
from agents.common.redaction import redact
from agents.common.text import shorten
from agents.contract.actions import FILLS, Action
from agents.contract.limits import MAX_HISTORY
from agents.contract.origins import path_of
from agents.contract.protocol import PastAction

# The last three stand in where a caller doesn't allow waits.
WAITS = frozenset({"WaitAction", "ScreenshotAction", "IdleAction", "ScrollAction"})
_KEYS = frozenset({"SubmitAction", "SendKeysIWAAction"})
PRESSES = _KEYS | {"ClickAction", "DoubleClickAction"}

# The effect of an action after which a page is as it was before.
NOTHING_CHANGED = "nothing changed"

Sign = tuple[str, str]


def sign(action_type: str, fields: Mapping[str, Any]) -> Sign:
    """The same for a repetition. Typed text is left out: callers fill placeholders in, and a selector that fails does so with any."""
    selector = fields.get("selector")
    target = {key: selector[key] for key in ("type", "attribute", "value") if key in selector} if isinstance(selector, Mapping) else None
    rest = {key: fields.get(key) for key in ("url", "keys", "value") if fields.get(key) is not None}
    if action_type != "TypeAction" and "text" in fields:
        rest["text"] = fields["text"]
    return action_type, json.dumps([target, rest], sort_keys=True, default=str)


# Selectors that match something else on another page: by kind, type and place alone. A site's search field is one and the same.
_ANYWHERE = re.compile(r"\(*//(?:form|input|button|textarea|select|descendant::\w+|/|\)|\[(?:\d+|@type='(?!search)\w+')\])*")


@dataclass(frozen=True)
class Past:
    """A history. An entry whose outcome isn't known counts as done: repeating it would waste the step."""

    entries: tuple[PastAction, ...]

    @cached_property
    def _failed(self) -> frozenset[Sign]:
        return frozenset(sign(entry.type, entry.fields) for entry in self.entries if entry.succeeded is False)

    @cached_property
    def _done(self) -> frozenset[Sign]:
        """Since the page was last opened anew: what was typed before that is gone. So is what was done on another page by a selector
        that matches something else here, such as its form's first field."""
        loads = [at for at, entry in enumerate(self.entries) if entry.type == "NavigateAction" and entry.succeeded is not False]
        since = self.entries[loads[-1] if loads else 0 :]
        paths = [path_of(entry.url) for entry in since]
        moved = max((at for at, (one, other) in enumerate(pairwise(paths), 1) if one != other), default=0)
        kept = set[Sign]()
        for at, one in enumerate(since):
            selector = one.fields.get("selector")
            is_anywhere = isinstance(selector, Mapping) and _ANYWHERE.fullmatch(str(selector.get("value", "")))
            # The press that led to another page may come with that page's address.
            is_here = at > moved or (at == moved and (not moved or one.type in FILLS))
            if one.succeeded is not False and (is_here or not is_anywhere):
                kept.add(sign(one.type, one.fields))
        return frozenset(kept)

    @property
    def last_failed(self) -> bool:
        return any(entry.succeeded is False for entry in self.entries[-1:])

    @property
    def last_waited(self) -> bool:
        return any(entry.type in WAITS for entry in self.entries[-1:])

    @property
    def waited(self) -> int:
        """How many waits in a row were last."""
        return sum(1 for _ in takewhile(lambda entry: entry.type in WAITS, reversed(self.entries)))

    @property
    def last_changed(self) -> bool:
        """Whether our records say that what was pressed last changed the page: then what it brings is there."""
        return any(entry.type in PRESSES and entry.effect not in ("", NOTHING_CHANGED) for entry in self.entries[-1:])

    @property
    def is_in_item(self) -> bool:
        """Whether, by our records, an item was pressed last, other than its controls for something else."""
        pressed = next((entry for entry in reversed(self.entries) if entry.type in PRESSES and entry.succeeded is not False), None)
        return pressed is not None and ' in item "' in (pressed.words or "")

    @property
    def last_entered(self) -> bool:
        """What Enter brings may not be there yet."""
        return any(entry.type in _KEYS and entry.succeeded is not False for entry in self.entries[-1:])

    @property
    def last_went_back(self) -> bool:
        return any("go_back" in entry.fields for entry in self.entries[-1:])

    @property
    def waits(self) -> int:
        return sum(entry.type in WAITS for entry in self.entries)

    @property
    def pressed(self) -> bool:
        return any(entry.succeeded is not False and entry.type in PRESSES for entry in self.entries)

    @property
    def filled(self) -> bool:
        return any(entry.succeeded is not False and entry.type in FILLS for entry in self.entries)

    def failed(self, action: Action) -> bool:
        return sign(action.type, action.fields) in self._failed

    def did(self, action: Action) -> bool:
        return sign(action.type, action.fields) in self._done

    def did_any(self, actions: Iterable[Action]) -> bool:
        return any(map(self.did, actions))

    def times(self, action: Action) -> int:
        return [sign(entry.type, entry.fields) for entry in self.entries].count(sign(action.type, action.fields))

    @property
    def is_nameless(self) -> bool:
        """The caller leaves selectors out: it is the one that runs the first action of an answer only."""
        return any(one.is_completed or (one.type in FILLS | {"ClickAction"} and "selector" not in one.fields) for one in self.entries)

    def nameless(self, action_type: str, *, succeeded: bool) -> list[PastAction]:
        """The entries of one kind of caller have no selectors: they differ only by order and typed text."""
        unseen = (entry for entry in self.entries if entry.type == action_type and entry.fields.keys() <= {"text"})
        return [entry for entry in unseen if (entry.succeeded is not False) == succeeded]

    def presses_since_filling(self) -> list[PastAction]:
        """Those without a selector, after the last field was filled; none where none was."""
        filled = max((at for at, one in enumerate(self.entries, 1) if one.type in FILLS and one.succeeded is not False), default=0)
        since = self.entries[filled:] if filled else ()
        return [one for one in since if one.type in PRESSES and "selector" not in one.fields and one.succeeded is not False]

    def since_filling(self) -> "Past":
        """From the last field on that was filled: what was pressed before that has sent another state of the form."""
        filled = max((at for at, one in enumerate(self.entries) if one.type in FILLS and one.succeeded is not False), default=0)
        return Past(self.entries[filled:])

    def after_sending(self, presses: Collection[str] = PRESSES) -> "Past | None":
        """What came after the first form was sent: a field filled, then one of the presses. None while none was."""
        went = [at for at, entry in enumerate(self.entries) if entry.succeeded is not False]
        filled = next((at for at in went if self.entries[at].type in FILLS), len(self.entries))
        pressed = next((at for at in went if at > filled and self.entries[at].type in presses), None)
        return None if pressed is None else Past(self.entries[pressed + 1 :])

    def after_entering(self) -> "Past":
        """What came after a log-in that a page required, which leads away from what was opened before; all where there was none."""
        typed = [at for at, one in enumerate(self.entries) if one.type in FILLS and "password" in str(one.fields.get("selector"))]
        presses = [at for at, one in enumerate(self.entries) if one.type in PRESSES and typed and at > typed[-1]]
        return Past(self.entries[presses[0] + 1 :]) if presses else self

    def after_enter(self) -> "Past | None":
        """The same for a form that is sent by Enter where that works: a click then means something else, such as closing a dialog."""
        refused = any(entry.type == "SubmitAction" and entry.succeeded is False for entry in self.entries)
        return self.after_sending(PRESSES if refused else _KEYS)


# A browser's first sentence says what happened; what follows is its call log.
MAX_ERROR = 300
# These always work, so they are no sign of how a step went that does something else besides.
_NO_SIGN = frozenset({"WaitAction", "ScreenshotAction", "IdleAction"})
_NAMELESS = sign("", {})[1]


class Outcome(Choice):
    """How the actions of a step went in the caller's browser."""

    WORKED = "worked", "Executed"
    PARTLY = "partly", "Partly executed"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Not reported"


@dataclass(frozen=True, slots=True)
class Heard:
    """An entry of a history without typed text. `type` "": of an unknown kind; `number`: as the caller counts."""

    type: str
    sign: str
    succeeded: bool | None
    error: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """`worked`: whether each action sent was executed, None if not reported. `error`: the caller's, of the first that was not."""

    outcome: Outcome
    worked: tuple[bool | None, ...]
    error: str = ""


def heard(history: Sequence[PastAction]) -> tuple[Heard, ...]:
    """Small enough to be kept with a step's facts. Errors are masked and cut; one without an outcome is a failure."""
    known = ((past, False if past.succeeded is None and past.error.strip() else past.succeeded) for past in history)
    return tuple(
        Heard(past.type, _target(past.type, past.fields), succeeded, shorten(redact(past.error).strip(), MAX_ERROR), past.number)
        for past, succeeded in known
    )


def judge(sent: Sequence[Mapping[str, Any]], index: int, before: int, history: Sequence[Heard]) -> Judged | None:
    """`sent`: as one-shot lists have them; `index`: the step's; `before`: the length of its own history; `history`: the whole one of the
    step after it. None where no action was sent."""
    if not sent:
        return None
    worked: list[bool | None] = [None] * len(sent)
    errors, start = list[str](), 0
    targets = [_target(str(action.get("type")), action) for action in sent]
    # Entries go in order, each to the next action that it can be of; one that fits none is the caller's own affair.
    for entry in _since(index, before, len(sent), history):
        # The same action, else the next of its type, else for an unknown type the next.
        of_type = [at for at in range(start, len(sent)) if entry.type in ("", sent[at].get("type"))]
        same = [at for at in of_type if entry.sign and entry.sign == targets[at]]
        for at in (same or of_type)[:1]:
            worked[at], start = entry.succeeded, at + 1
            if entry.succeeded is False:
                errors.append(entry.error)
    known = [each for action, each in zip(sent, worked, strict=True) if each is not None and action.get("type") not in _NO_SIGN]
    failed = Outcome.PARTLY if any(known) else Outcome.FAILED
    outcome = Outcome.UNKNOWN if not known else Outcome.WORKED if all(known) else failed
    return Judged(outcome, tuple(worked), errors[0] if errors else "")


def _target(action_type: str, fields: Mapping[str, Any]) -> str:
    """In what two actions of one type differ; "" where the caller leaves it out."""
    target = sign(action_type, fields)[1]
    return "" if target == _NAMELESS else target


def _since(index: int, before: int, count: int, history: Sequence[Heard]) -> Sequence[Heard]:
    """What the caller ran of the step's actions: what its history has grown by, at its end where it keeps the newest entries only."""
    if len(history) > before and before < MAX_HISTORY:
        return history[before:]
    return [one for one in history[-count:] if before >= MAX_HISTORY or (one.number is not None and one.number >= index)]
