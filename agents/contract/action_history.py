"""A step's history: which actions were sent before, and the outcome of the previous step's actions."""

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

# The last three replace waits where a caller doesn't allow them.
WAITS = frozenset({"WaitAction", "ScreenshotAction", "IdleAction", "ScrollAction"})
_KEYS = frozenset({"SubmitAction", "SendKeysIWAAction"})
PRESSES = _KEYS | {"ClickAction", "DoubleClickAction"}

# Of our records of a press: the item that it was on, or the label of a link, which on a list of one item holds the item's name.
_OPENED = re.compile(r' in item "(.+)"$|^click link "([^"]+)"$')
# The effect of an action after which a page is as it was before.
NOTHING_CHANGED = "nothing changed"

Sign = tuple[str, str]


def sign(action_type: str, fields: Mapping[str, Any]) -> Sign:
    """Equal for equal actions. Typed text is left out: callers fill in placeholders, and a selector that fails does so with any text."""
    selector = fields.get("selector")
    target = {key: selector[key] for key in ("type", "attribute", "value") if key in selector} if isinstance(selector, Mapping) else None
    rest = {key: fields.get(key) for key in ("url", "keys", "value") if fields.get(key) is not None}
    if action_type != "TypeAction" and "text" in fields:
        rest["text"] = fields["text"]
    return action_type, json.dumps([target, rest], sort_keys=True, default=str)


# Selectors by element, type and position alone, which match something else on another page. A site's search field is the same on each.
_ANYWHERE = re.compile(r"\(*//(?:form|input|button|textarea|select|descendant::\w+|/|\)|\[(?:\d+|@type='(?!search)\w+')\])*")


def _moved(entries: Sequence[PastAction]) -> int:
    """Which entry came to this path; 0 where all are of it."""
    paths = [path_of(entry.url) for entry in entries]
    return max((at for at, (one, other) in enumerate(pairwise(paths), 1) if one != other), default=0)


@dataclass(frozen=True)
class Past:
    """A history. An entry without a reported outcome counts as done: repeating it would waste the step."""

    entries: tuple[PastAction, ...]

    @cached_property
    def _failed(self) -> frozenset[Sign]:
        return frozenset(sign(entry.type, entry.fields) for entry in self.entries if entry.succeeded is False)

    @cached_property
    def _done(self) -> Mapping[Sign, set[str]]:
        """Actions since the page was last loaded, which clears typed text; without those on another page whose selector matches something
        else here, such as the first field of a form. Each with the texts that were typed: another text is not in the field yet."""
        loads = [at for at, entry in enumerate(self.entries) if entry.type == "NavigateAction" and entry.succeeded is not False]
        since = self.entries[loads[-1] if loads else 0 :]
        moved = _moved(since)
        kept = dict[Sign, set[str]]()
        for at, entry in enumerate(since):
            selector = entry.fields.get("selector")
            is_anywhere = isinstance(selector, Mapping) and _ANYWHERE.fullmatch(str(selector.get("value", "")))
            # The press that opened another page may have that page's address.
            is_here = at > moved or (at == moved and (not moved or entry.type in FILLS))
            if entry.succeeded is not False and (is_here or not is_anywhere):
                texts = kept.setdefault(sign(entry.type, entry.fields), set())
                texts |= {str(entry.fields.get("text"))} if entry.type == "TypeAction" else set()
        return kept

    @cached_property
    def here(self) -> "Past":
        """The entries after the one that opened this page."""
        moved = _moved(self.entries)
        return Past(self.entries[moved + 1 :]) if moved else self

    @property
    def led_here(self) -> bool:
        """Whether a press came to this page from another address. Tasks begin on the start page."""
        led = self.entries[_moved(self.entries) :][:1]
        return any(entry.type in PRESSES and (entry is not self.entries[0] or path_of(entry.url) != "/") for entry in led)

    @property
    def last_failed(self) -> bool:
        return any(entry.succeeded is False for entry in self.entries[-1:])

    @property
    def last_waited(self) -> bool:
        return any(entry.type in WAITS for entry in self.entries[-1:])

    @property
    def waited(self) -> int:
        """The number of waits at the end."""
        return sum(1 for _ in takewhile(lambda entry: entry.type in WAITS, reversed(self.entries)))

    @property
    def last_changed(self) -> bool:
        """Whether, by our records, the last press changed the page."""
        return any(entry.type in PRESSES and entry.effect not in ("", NOTHING_CHANGED) for entry in self.entries[-1:])

    def is_stuck(self, actions: Iterable[Action]) -> bool:
        """Whether, by our records, the last press was one of the actions and changed nothing."""
        last = next((entry for entry in reversed(self.entries) if entry.type in PRESSES), None)
        signs = {sign(action.type, action.fields) for action in actions}
        return last is not None and last.effect == NOTHING_CHANGED and sign(last.type, last.fields) in signs

    def opened_as(self, path: str) -> str:
        """The name of the item, or else the label of the link, whose press opened the page of this path, by our records; "" where that is
        not known."""
        led = (entry for entry in reversed(self.entries) if entry.type in PRESSES and path_of(entry.url) == path)
        names = (found[1] or found[2] for entry in led if (found := _OPENED.search(entry.words or "")))
        return next(names, "")

    @property
    def is_in_item(self) -> bool:
        """Whether, by our records, the last press was on an item."""
        return ' in item "' in self.last_pressed

    @property
    def last_pressed(self) -> str:
        """What was pressed last, by our records; "" where they do not show it."""
        pressed = next((entry for entry in reversed(self.entries) if entry.type in PRESSES and entry.succeeded is not False), None)
        return (pressed.words if pressed else "") or ""

    @property
    def last_entered(self) -> bool:
        """Whether Enter was pressed last, whose effect may not show yet."""
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
        typed, text = self._done.get(sign(action.type, action.fields)), str(action.fields.get("text"))
        # Callers replace placeholders.
        return typed is not None and (not typed or text in typed or "<" in text)

    def did_any(self, actions: Iterable[Action]) -> bool:
        return any(map(self.did, actions))

    def times(self, action: Action) -> int:
        return [sign(entry.type, entry.fields) for entry in self.entries].count(sign(action.type, action.fields))

    @property
    def is_nameless(self) -> bool:
        """Whether the caller leaves selectors out: such callers run only the first action of an answer."""
        return any(past.is_completed or (past.type in FILLS | {"ClickAction"} and "selector" not in past.fields) for past in self.entries)

    def nameless(self, action_type: str, *, succeeded: bool) -> list[PastAction]:
        """The entries without selectors, as one kind of caller sends them: they differ only by order and typed text."""
        unseen = (entry for entry in self.entries if entry.type == action_type and entry.fields.keys() <= {"text"})
        return [entry for entry in unseen if (entry.succeeded is not False) == succeeded]

    def presses_since_filling(self) -> list[PastAction]:
        """Presses without a selector after the last filled field; none where no field was filled."""
        filled = max((at for at, past in enumerate(self.entries, 1) if past.type in FILLS and past.succeeded is not False), default=0)
        since = self.entries[filled:] if filled else ()
        return [past for past in since if past.type in PRESSES and "selector" not in past.fields and past.succeeded is not False]

    def since_filling(self) -> "Past":
        """From the last filled field on: earlier presses sent another state of the form."""
        filled = max((at for at, past in enumerate(self.entries) if past.type in FILLS and past.succeeded is not False), default=0)
        return Past(self.entries[filled:])

    def after_sending(self, presses: Collection[str] = PRESSES) -> "Past | None":
        """The entries after the first form was sent: a filled field, then one of the presses. None: no form was sent."""
        done = [at for at, entry in enumerate(self.entries) if entry.succeeded is not False]
        filled = next((at for at in done if self.entries[at].type in FILLS), len(self.entries))
        pressed = next((at for at in done if at > filled and self.entries[at].type in presses), None)
        return None if pressed is None else Past(self.entries[pressed + 1 :])

    def after_entering(self) -> "Past":
        """The entries after a log-in that a page required, which leaves the page that was open; all entries where there was none."""
        typed = [at for at, past in enumerate(self.entries) if past.type in FILLS and "password" in str(past.fields.get("selector"))]
        presses = [at for at, past in enumerate(self.entries) if past.type in PRESSES and typed and at > typed[-1]]
        return Past(self.entries[presses[0] + 1 :]) if presses else self

    def after_enter(self) -> "Past | None":
        """As after_sending, for a form that is sent by Enter where that works: then a click is not what sends it."""
        refused = any(entry.type == "SubmitAction" and entry.succeeded is False for entry in self.entries)
        return self.after_sending(PRESSES if refused else _KEYS)


# A browser's error begins with the cause; its call log follows.
MAX_ERROR = 300
# These always succeed, so the outcome of a step does not depend on them.
_NO_SIGN = frozenset({"WaitAction", "ScreenshotAction", "IdleAction"})
_NAMELESS = sign("", {})[1]


class Outcome(Choice):
    """The outcome of a step's actions in the caller's browser."""

    WORKED = "worked", "Executed"
    PARTLY = "partly", "Partly executed"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Not reported"


@dataclass(frozen=True, slots=True)
class ReportedAction:
    """An entry of a history, without typed text. `type` "": of an unknown kind; `number`: the caller's own."""

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


def reported(history: Sequence[PastAction]) -> tuple[ReportedAction, ...]:
    """The entries, small enough for a step's facts. Errors are masked and shortened; an error without an outcome is a failure."""
    outcomes = ((past, False if past.succeeded is None and past.error.strip() else past.succeeded) for past in history)
    return tuple(
        ReportedAction(past.type, _target(past.type, past.fields), succeeded, shorten(redact(past.error).strip(), MAX_ERROR), past.number)
        for past, succeeded in outcomes
    )


def judge(sent: Sequence[Mapping[str, Any]], index: int, before: int, history: Sequence[ReportedAction]) -> Judged | None:
    """The outcome of the actions `sent` at the step with this `index`; None where there were none. `before`: the length of that step's
    history; `history`: the whole history of the step after it."""
    if not sent:
        return None
    worked: list[bool | None] = [None] * len(sent)
    errors, start = list[str](), 0
    targets = [_target(str(action.get("type")), action) for action in sent]
    # Entries are matched in order, each with the next action that fits; entries that fit none are the caller's own actions.
    for entry in _since(index, before, len(sent), history):
        # The same action, else the next of its type, else, for an unknown type, the next.
        of_type = [at for at in range(start, len(sent)) if entry.type in ("", sent[at].get("type"))]
        same = [at for at in of_type if entry.sign and entry.sign == targets[at]]
        for at in (same or of_type)[:1]:
            worked[at], start = entry.succeeded, at + 1
            if entry.succeeded is False:
                errors.append(entry.error)
    results = [each for action, each in zip(sent, worked, strict=True) if each is not None and action.get("type") not in _NO_SIGN]
    failed = Outcome.PARTLY if any(results) else Outcome.FAILED
    outcome = Outcome.UNKNOWN if not results else Outcome.WORKED if all(results) else failed
    return Judged(outcome, tuple(worked), errors[0] if errors else "")


def _target(action_type: str, fields: Mapping[str, Any]) -> str:
    """What distinguishes actions of one type; "" where the caller leaves it out."""
    target = sign(action_type, fields)[1]
    return "" if target == _NAMELESS else target


def _since(index: int, before: int, count: int, history: Sequence[ReportedAction]) -> Sequence[ReportedAction]:
    """The entries that are new since the step; of callers that keep only the newest entries, those at the end."""
    if len(history) > before and before < MAX_HISTORY:
        return history[before:]
    return [entry for entry in history[-count:] if before >= MAX_HISTORY or (entry.number is not None and entry.number >= index)]
