"""What a step's history says about actions that could be sent now."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from agents.actions import Action
from agents.protocol import PastAction
from agents.sites import path_of
from agents.template.moves import FILLS

# The last three stand in where a caller doesn't allow waits.
WAITS = frozenset({"WaitAction", "ScreenshotAction", "IdleAction", "ScrollAction"})
_KEYS = frozenset({"SubmitAction", "SendKeysIWAAction"})
PRESSES = _KEYS | {"ClickAction", "DoubleClickAction"}

Sign = tuple[str, str]


def sign(action_type: str, fields: Mapping[str, Any]) -> Sign:
    """What two actions have in common when one is as good as a repetition of the other.

    The typed text is left out: callers fill placeholders in, and a selector that fails does so with any text.
    """
    selector = fields.get("selector")
    target = {key: selector[key] for key in ("type", "attribute", "value") if key in selector} if isinstance(selector, Mapping) else None
    rest = {key: fields.get(key) for key in ("url", "keys", "value") if fields.get(key) is not None}
    if action_type != "TypeAction" and "text" in fields:
        rest["text"] = fields["text"]
    return action_type, json.dumps([target, rest], sort_keys=True, default=str)


# Selectors that match something else on another page: by kind, type and place alone. A site's search field is one and the same.
_ANYWHERE = re.compile(r"\(*//(?:form|input|button|textarea|select|descendant::\w+|/|\)|\[(?:\d+|@type='(?!search)\w+')\])*")


def _is_anywhere(entry: PastAction) -> bool:
    selector = entry.fields.get("selector")
    return isinstance(selector, Mapping) and _ANYWHERE.fullmatch(str(selector.get("value", ""))) is not None


@dataclass(frozen=True)
class Past:
    """A history. An entry whose outcome isn't known counts as done: repeating it would waste the step."""

    entries: tuple[PastAction, ...]

    @cached_property
    def _failed(self) -> frozenset[Sign]:
        return frozenset(sign(entry.type, entry.fields) for entry in self.entries if entry.succeeded is False)

    @cached_property
    def _done(self) -> frozenset[Sign]:
        """Since the page was last opened anew: what was typed before that is gone.

        So is what was done on another page by a selector that matches something else here, such as its form's first field.
        """
        loads = [at for at, entry in enumerate(self.entries) if entry.type == "NavigateAction" and entry.succeeded is not False]
        since = self.entries[loads[-1] :] if loads else self.entries
        paths = [path_of(entry.url) for entry in since]
        moved = max((at for at, (one, other) in enumerate(pairwise(paths), 1) if one != other), default=0)
        # The press that led to another page may be told with that page's address.
        kept = (
            one for at, one in enumerate(since) if at > moved or (at == moved and (not moved or one.type in FILLS)) or not _is_anywhere(one)
        )
        return frozenset(sign(one.type, one.fields) for one in kept if one.succeeded is not False)

    @property
    def last_failed(self) -> bool:
        return bool(self.entries) and self.entries[-1].succeeded is False

    @property
    def last_waited(self) -> bool:
        return bool(self.entries) and self.entries[-1].type in WAITS

    @property
    def last_entered(self) -> bool:
        """Whether Enter was pressed last: what it brings may not be there yet."""
        return bool(self.entries) and self.entries[-1].type in _KEYS and self.entries[-1].succeeded is not False

    @property
    def last_went_back(self) -> bool:
        return bool(self.entries) and "go_back" in self.entries[-1].fields

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

    def times(self, action: Action) -> int:
        """How often it was sent."""
        return sum(sign(entry.type, entry.fields) == sign(action.type, action.fields) for entry in self.entries)

    def nameless(self, action_type: str, *, succeeded: bool) -> int:
        """How many entries of a type say no selector, as one caller's don't: they can only be counted."""
        return sum(
            entry.type == action_type and "selector" not in entry.fields and (entry.succeeded is not False) == succeeded
            for entry in self.entries
        )

    def after_sending(self, presses: Collection[str] = PRESSES) -> Past | None:
        """What came after the first form was sent: a field filled, then one of the presses. None while none was."""
        filled = False
        for at, entry in enumerate(self.entries):
            if entry.succeeded is False:
                continue
            if filled and entry.type in presses:
                return Past(self.entries[at + 1 :])
            filled = filled or entry.type in FILLS
        return None

    def after_entering(self) -> Past:
        """What came after a log-in that a page asked for, which leads away from what was opened before; all where there was none."""
        typed = [at for at, one in enumerate(self.entries) if one.type in FILLS and "password" in str(one.fields.get("selector"))]
        presses = [at for at, one in enumerate(self.entries) if one.type in PRESSES and typed and at > typed[-1]]
        return Past(self.entries[presses[0] + 1 :]) if presses else self

    def after_enter(self) -> Past | None:
        """The same for a form that is sent by Enter where that works: a click then means something else, such as closing a dialog."""
        refused = any(entry.type == "SubmitAction" and entry.succeeded is False for entry in self.entries)
        return self.after_sending(PRESSES if refused else _KEYS)
