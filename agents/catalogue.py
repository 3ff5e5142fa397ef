"""The actions that callers know: their names, fields and rules, as data. Validation, repair and the LLM's prompt all read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Value(StrEnum):
    """What a field holds; the text is how the prompt calls it."""

    SELECTOR = "selector"
    TEXT = "text"
    FILLED = "non-empty text"
    PLAYWRIGHT = "Playwright selector as plain text"
    URL = "URL"
    KEYS = "key or chord"
    TRUE = "true"
    PIXELS = "whole number of pixels"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of action. `forms`: the sets of fields of which exactly one must be there; `optional` may come with any of them."""

    type: str
    tool: str
    about: str
    fields: dict[str, Value]
    forms: tuple[frozenset[str], ...]
    optional: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()


def _forms(*forms: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(form.split()) for form in forms)


_POINTED = {"selector": Value.SELECTOR, "x": Value.PIXELS, "y": Value.PIXELS}
_SIDES = dict.fromkeys(("up", "down", "left", "right"), Value.TRUE)

_KINDS = (
    Kind(
        "NavigateAction",
        "browser.navigate",
        "open a URL, or go through the browser's history",
        {"url": Value.URL, "go_back": Value.TRUE, "go_forward": Value.TRUE},
        _forms("url", "go_back", "go_forward"),
        aliases=("goto", "gotourl", "openurl", "navigateto", "visit", "goback", "goforward"),
    ),
    Kind(
        "ClickAction",
        "browser.click",
        "click the first match, or a point",
        _POINTED,
        _forms("selector", "x y"),
        aliases=("leftclick", "clickelement", "tap"),
    ),
    Kind("DoubleClickAction", "browser.dblclick", "double-click the first match, or a point", _POINTED, _forms("selector", "x y")),
    Kind(
        "TypeAction",
        "browser.input",
        "clear a field and fill in text; fails on a <select>",
        {"selector": Value.SELECTOR, "text": Value.TEXT},
        _forms("selector text"),
        aliases=("fill", "inputtext", "typetext", "entertext"),
    ),
    Kind(
        "SelectDropDownOptionAction",
        "browser.select_dropdown",
        "choose the option of a <select> that shows this text; exactly one element may match",
        {"selector": Value.SELECTOR, "text": Value.FILLED, "timeout_ms": Value.MILLISECONDS},
        _forms("selector text"),
        optional=frozenset({"timeout_ms"}),
        aliases=("selectoption", "selectdropdownoption"),
    ),
    Kind(
        "SelectAction",
        "browser.select",
        "choose the option of a <select> with this value or label",
        {"selector": Value.SELECTOR, "value": Value.FILLED},
        _forms("selector value"),
    ),
    Kind("HoverAction", "browser.hover", "move the mouse over the first match", {"selector": Value.SELECTOR}, _forms("selector")),
    Kind(
        "SubmitAction",
        "browser.submit",
        "press Enter in a field; exactly one element may match",
        {"selector": Value.SELECTOR},
        _forms("selector"),
    ),
    Kind(
        "ScrollAction",
        "browser.scroll",
        'scroll one screen, or to "top", "bottom" or a text of the page',
        {**_SIDES, "value": Value.FILLED},
        _forms("up", "down", "left", "right", "value"),
    ),
    Kind(
        "WaitAction",
        "browser.wait",
        "wait some seconds, or until an element shows",
        {"time_seconds": Value.SECONDS, "selector": Value.SELECTOR},
        _forms("time_seconds", "selector"),
        aliases=("sleep",),
    ),
    Kind(
        "SendKeysIWAAction",
        "browser.send_keys",
        'press a key or a chord ("Enter", "Control+A")',
        {"keys": Value.KEYS},
        _forms("keys"),
        aliases=("press", "presskey", "keypress", "sendkey"),
    ),
    Kind(
        "AssertAction",
        "browser.assert",
        "fail unless the page holds the text",
        {"text_to_assert": Value.FILLED},
        _forms("text_to_assert"),
    ),
    Kind(
        "DragAndDropAction",
        "browser.drag_and_drop",
        "drag one element onto another",
        {"sourceSelector": Value.PLAYWRIGHT, "targetSelector": Value.PLAYWRIGHT},
        _forms("sourceSelector targetSelector"),
        aliases=("dragdrop",),
    ),
    Kind("ScreenshotAction", "browser.screenshot", "take a picture; changes nothing", {}, _forms("")),
    Kind("IdleAction", "browser.idle", "do nothing", {}, _forms(""), aliases=("noop",)),
    Kind("DoneAction", "browser.done", "say that the task needs nothing more", {}, _forms(""), aliases=("finish", "finished")),
)

CATALOGUE: dict[str, Kind] = {kind.type: kind for kind in _KINDS}


def _folded(name: str) -> str:
    """Names as callers compare them: no namespace, no "Action", no case, no separators."""
    name = name.strip().removeprefix("browser.").removesuffix("Action")
    return "".join(letter for letter in name.casefold() if letter not in " _-")


_BY_NAME = {_folded(name): kind for kind in _KINDS for name in (kind.type, kind.tool, *kind.aliases)}


def kind_of(name: object) -> Kind | None:
    """The kind of action that a canonical, tool or alias name means, e.g. "click", "browser.input", "goto"; None when unknown."""
    return _BY_NAME.get(_folded(name)) if isinstance(name, str) else None


# The key names that Playwright knows; any single character is one too. An unknown name fails in the browser.
_KEY_NAMES = """
Enter Tab Escape Backspace Delete Insert Home End PageUp PageDown ArrowUp ArrowDown ArrowLeft ArrowRight Space Control Shift Alt Meta
ControlOrMeta ControlLeft ControlRight ShiftLeft ShiftRight AltLeft AltRight CapsLock ContextMenu
F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 Digit0 Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9
KeyA KeyB KeyC KeyD KeyE KeyF KeyG KeyH KeyI KeyJ KeyK KeyL KeyM KeyN KeyO KeyP KeyQ KeyR KeyS KeyT KeyU KeyV KeyW KeyX KeyY KeyZ
"""
KEY_NAMES = frozenset(_KEY_NAMES.split())
_KEY_NICKNAMES = {
    "ctrl": "Control",
    "cmd": "Meta",
    "command": "Meta",
    "option": "Alt",
    "return": "Enter",
    "esc": "Escape",
    "del": "Delete",
    "up": "ArrowUp",
    "down": "ArrowDown",
    "left": "ArrowLeft",
    "right": "ArrowRight",
    "spacebar": "Space",
}
KEY_ALIASES = {name.casefold(): name for name in KEY_NAMES} | _KEY_NICKNAMES
