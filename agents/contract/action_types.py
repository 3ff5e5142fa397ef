"""The actions that callers support: names, fields and rules, as data. Validation, repair and the LLM's prompt read it."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Value(StrEnum):
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


# What each field holds. Only a TypeAction's text may be empty.
_VALUES = {
    **dict.fromkeys(("go_back", "go_forward", "up", "down", "left", "right"), Value.TRUE),
    **dict.fromkeys(("text", "value", "text_to_assert"), Value.FILLED),
    **dict.fromkeys(("sourceSelector", "targetSelector"), Value.PLAYWRIGHT),
    **dict.fromkeys(("x", "y"), Value.PIXELS),
    "url": Value.URL,
    "selector": Value.SELECTOR,
    "timeout_ms": Value.MILLISECONDS,
    "time_seconds": Value.SECONDS,
    "keys": Value.KEYS,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """`forms`: sets of fields, of which an action has exactly one; `optional`: allowed with any of them. `sentence`: for people, a format
    string with the action's fields, or `target` for its selector or point."""

    type: str
    tool: str
    about: str
    sentence: str
    fields: dict[str, Value]
    forms: tuple[frozenset[str], ...]
    optional: frozenset[str]
    aliases: tuple[str, ...]


# Other names that models give them.
_ALIASES = {
    "Navigate": "goto gotourl openurl navigateto visit goback goforward",
    "Click": "leftclick clickelement tap",
    "Type": "fill inputtext typetext entertext",
    "SelectDropDownOption": "selectoption selectdropdownoption",
    "Wait": "sleep",
    "SendKeysIWA": "press presskey keypress sendkey",
    "DragAndDrop": "dragdrop",
    "Idle": "noop",
    "Done": "finish finished",
}


def _kind(names: str, about: str, sentence: str, forms: str = "", optional: str = "") -> Kind:
    """`names`: type and tool, without "Action" and "browser."; `forms`: fields, with a bar between two forms."""
    name, tool = names.split()
    fields = {field: _VALUES[field] for field in [*forms.replace("|", " ").split(), *optional.split()]}
    if name == "Type":
        fields["text"] = Value.TEXT
    exact, aliases = tuple(frozenset(form.split()) for form in forms.split("|")), tuple(_ALIASES.get(name, "").split())
    return Kind(f"{name}Action", f"browser.{tool}", about, sentence, fields, exact, frozenset(optional.split()), aliases)


_KINDS = (
    _kind("Navigate navigate", "open a URL, or go through the browser's history", "Open {url}", "url | go_back | go_forward"),
    _kind("Click click", "click the first match, or a point", "Click {target}", "selector | x y"),
    _kind("DoubleClick dblclick", "double-click the first match, or a point", "Double-click {target}", "selector | x y"),
    _kind("Type input", "clear a field and fill in text; fails on a <select>", 'Type "{text}" into {target}', "selector text"),
    _kind(
        "SelectDropDownOption select_dropdown",
        "choose the option of a <select> that shows this text; exactly one element may match",
        'Choose "{text}" in {target}',
        "selector text",
        "timeout_ms",
    ),
    _kind("Select select", "choose the option of a <select> with this value or label", 'Choose "{value}" in {target}', "selector value"),
    _kind("Hover hover", "move the mouse over the first match", "Hover over {target}", "selector"),
    _kind("Submit submit", "press Enter in a field; exactly one element may match", "Press Enter in {target}", "selector"),
    _kind(
        "Scroll scroll",
        'scroll one screen, or to "top", "bottom" or a text of the page',
        "Scroll to {value}",
        "up | down | left | right | value",
    ),
    _kind("Wait wait", "wait some seconds, or until an element shows", "Wait {time_seconds:g} s", "time_seconds | selector"),
    _kind("SendKeysIWA send_keys", 'press a key or a chord ("Enter", "Control+A")', "Press {keys}", "keys"),
    _kind("Assert assert", "fail unless the page holds the text", 'Check that the page says "{text_to_assert}"', "text_to_assert"),
    _kind(
        "DragAndDrop drag_and_drop",
        "drag one element onto another",
        "Drag {sourceSelector} onto {targetSelector}",
        "sourceSelector targetSelector",
    ),
    _kind("Screenshot screenshot", "take a picture; changes nothing", "Take a screenshot"),
    _kind("Idle idle", "do nothing", "Do nothing"),
    _kind("Done done", "say that the task needs nothing more", "Say that the task is done"),
)

CATALOGUE: dict[str, Kind] = {kind.type: kind for kind in _KINDS}


def folded(name: str) -> str:
    """A name without namespace, "Action", case and separators: callers compare names so."""
    return re.sub(r"[ _-]", "", name.strip().removeprefix("browser.").removesuffix("Action").casefold())


_BY_NAME = {folded(name): kind for kind in _KINDS for name in (kind.type, kind.tool, *kind.aliases)}


def kind_of(name: object) -> Kind | None:
    return _BY_NAME.get(folded(name)) if isinstance(name, str) else None


# Playwright's names of keys; any single character is a key too. Other names fail in the browser.
_KEY_NAMES = """
Enter Tab Escape Backspace Delete Insert Home End PageUp PageDown ArrowUp ArrowDown ArrowLeft ArrowRight Space Control Shift Alt Meta
ControlOrMeta ControlLeft ControlRight ShiftLeft ShiftRight AltLeft AltRight CapsLock ContextMenu
F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 Digit0 Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9
KeyA KeyB KeyC KeyD KeyE KeyF KeyG KeyH KeyI KeyJ KeyK KeyL KeyM KeyN KeyO KeyP KeyQ KeyR KeyS KeyT KeyU KeyV KeyW KeyX KeyY KeyZ
"""
KEY_NAMES = frozenset(_KEY_NAMES.split())
_NICKNAMES = {"ctrl": "Control", "cmd": "Meta", "command": "Meta", "option": "Alt", "return": "Enter", "esc": "Escape", "del": "Delete"}
_ARROWS = {"up": "ArrowUp", "down": "ArrowDown", "left": "ArrowLeft", "right": "ArrowRight", "spacebar": "Space"}
KEY_ALIASES = {name.casefold(): name for name in KEY_NAMES} | _NICKNAMES | _ARROWS
