import json
from typing import Any

import pytest

from agents.contract import actions, selectors
from agents.contract.action_types import CATALOGUE, kind_of
from agents.contract.actions import Action, InvalidAction, validate
from agents.tests.rows import rows

GO = {"type": "attributeValueSelector", "attribute": "id", "value": "go"}
FIELD = {"type": "xpathSelector", "value": "//input[@name='q']"}

# One row for each form of each action: the canonical JSON, its tool, its sentence.
VALID: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "NavigateAction", "url": "http://localhost:8000/?seed=58"}, "browser.navigate", "Open http://localhost:8000/?seed=58"),
    ({"type": "NavigateAction", "url": "/login"}, "browser.navigate", "Open /login"),
    ({"type": "NavigateAction", "go_back": True}, "browser.navigate", "Go back"),
    ({"type": "NavigateAction", "go_forward": True}, "browser.navigate", "Go forward"),
    ({"type": "ClickAction", "selector": GO}, "browser.click", 'Click the element with id "go"'),
    ({"type": "ClickAction", "x": 3, "y": 0}, "browser.click", "Click the point 3, 0"),
    ({"type": "DoubleClickAction", "selector": GO}, "browser.dblclick", 'Double-click the element with id "go"'),
    ({"type": "DoubleClickAction", "x": 1, "y": 2}, "browser.dblclick", "Double-click the point 1, 2"),
    ({"type": "TypeAction", "selector": FIELD, "text": "Arrival"}, "browser.input", "Type \"Arrival\" into //input[@name='q']"),
    ({"type": "TypeAction", "selector": FIELD, "text": ""}, "browser.input", "Type \"\" into //input[@name='q']"),
    ({"type": "TypeAction", "selector": FIELD, "text": "{<username>}"}, "browser.input", "Type \"{<username>}\" into //input[@name='q']"),
    (
        {"type": "SelectDropDownOptionAction", "selector": GO, "text": "Drama"},
        "browser.select_dropdown",
        'Choose "Drama" in the element with id "go"',
    ),
    (
        {"type": "SelectDropDownOptionAction", "selector": GO, "text": "Drama", "timeout_ms": 500},
        "browser.select_dropdown",
        'Choose "Drama" in the element with id "go"',
    ),
    ({"type": "SelectAction", "selector": GO, "value": "2"}, "browser.select", 'Choose "2" in the element with id "go"'),
    ({"type": "HoverAction", "selector": GO}, "browser.hover", 'Hover over the element with id "go"'),
    ({"type": "SubmitAction", "selector": GO}, "browser.submit", 'Press Enter in the element with id "go"'),
    ({"type": "ScrollAction", "up": True}, "browser.scroll", "Scroll up"),
    ({"type": "ScrollAction", "down": True}, "browser.scroll", "Scroll down"),
    ({"type": "ScrollAction", "left": True}, "browser.scroll", "Scroll left"),
    ({"type": "ScrollAction", "right": True}, "browser.scroll", "Scroll right"),
    ({"type": "ScrollAction", "value": "bottom"}, "browser.scroll", "Scroll to bottom"),
    ({"type": "WaitAction", "time_seconds": 1.5}, "browser.wait", "Wait 1.5 s"),
    ({"type": "WaitAction", "selector": GO}, "browser.wait", 'Wait for the element with id "go"'),
    ({"type": "SendKeysIWAAction", "keys": "Control+A"}, "browser.send_keys", "Press Control+A"),
    ({"type": "SendKeysIWAAction", "keys": "+"}, "browser.send_keys", "Press +"),
    ({"type": "AssertAction", "text_to_assert": "Welcome"}, "browser.assert", 'Check that the page says "Welcome"'),
    ({"type": "DragAndDropAction", "sourceSelector": "#a", "targetSelector": "#b"}, "browser.drag_and_drop", "Drag #a onto #b"),
    ({"type": "ScreenshotAction"}, "browser.screenshot", "Take a screenshot"),
    ({"type": "IdleAction"}, "browser.idle", "Do nothing"),
    ({"type": "DoneAction"}, "browser.done", "Say that the task is done"),
]

INVALID: list[tuple[object, str]] = [
    (None, "action"),
    ([], "action"),
    ({}, "type"),
    ({"type": "click", "selector": GO}, "type"),
    ({"type": ["ClickAction"]}, "type"),
    ({"type": "NavigateAction"}, "needs exactly"),
    ({"type": "NavigateAction", "url": ""}, "url"),
    ({"type": "NavigateAction", "url": "/", "go_back": True}, "needs exactly"),
    ({"type": "NavigateAction", "url": "/", "go_back": False}, "needs exactly"),
    ({"type": "NavigateAction", "go_back": False}, "go_back"),
    ({"type": "NavigateAction", "go_back": 1}, "go_back"),
    ({"type": "NavigateAction", "url": "javascript:alert(1)"}, "url"),
    ({"type": "NavigateAction", "url": "about:blank"}, "url"),
    ({"type": "NavigateAction", "url": "file:///etc/passwd"}, "url"),
    ({"type": "NavigateAction", "url": "http://localhost/a b"}, "url"),
    ({"type": "NavigateAction", "url": "/\ud800"}, "url"),
    ({"type": "ClickAction"}, "needs exactly"),
    ({"type": "ClickAction", "x": 1}, "needs exactly"),
    ({"type": "ClickAction", "x": 1, "y": 2, "selector": GO}, "needs exactly"),
    ({"type": "ClickAction", "x": 1.0, "y": 2}, "x"),
    ({"type": "ClickAction", "x": True, "y": 2}, "x"),
    ({"type": "ClickAction", "x": "1", "y": 2}, "x"),
    ({"type": "ClickAction", "x": 10**400, "y": 2}, "x"),
    ({"type": "ClickAction", "x": -1, "y": 2}, "x"),
    ({"type": "ClickAction", "selector": None}, "selector"),
    ({"type": "ClickAction", "selector": GO, "text": "Go"}, "text"),
    ({"type": "TypeAction", "text": "a"}, "needs exactly"),
    ({"type": "TypeAction", "selector": GO, "text": None}, "text"),
    ({"type": "TypeAction", "selector": GO, "text": "a\0"}, "text"),
    ({"type": "TypeAction", "selector": GO, "value": "a"}, "value"),
    ({"type": "SelectDropDownOptionAction", "selector": GO, "text": "a", "timeout_ms": 1.5}, "timeout_ms"),
    ({"type": "SelectDropDownOptionAction", "selector": GO, "text": " "}, "text"),
    ({"type": "SelectAction", "selector": GO}, "needs exactly"),
    ({"type": "ScrollAction"}, "needs exactly"),
    ({"type": "ScrollAction", "up": True, "down": True}, "needs exactly"),
    ({"type": "ScrollAction", "down": True, "value": "top"}, "needs exactly"),
    ({"type": "ScrollAction", "value": 300}, "value"),
    ({"type": "WaitAction"}, "needs exactly"),
    ({"type": "WaitAction", "timeSeconds": 1}, "timeSeconds"),
    ({"type": "WaitAction", "time_seconds": float("nan")}, "time_seconds"),
    ({"type": "WaitAction", "time_seconds": float("inf")}, "time_seconds"),
    ({"type": "WaitAction", "time_seconds": 181}, "time_seconds"),
    ({"type": "SendKeysIWAAction", "keys": "enter"}, "keys"),
    ({"type": "SendKeysIWAAction", "keys": "Hello"}, "keys"),
    ({"type": "SendKeysIWAAction", "keys": ["Enter"]}, "keys"),
    ({"type": "DragAndDropAction", "sourceSelector": GO, "targetSelector": "#b"}, "sourceSelector"),
    ({"type": "DoneAction", "reason": "x"}, "reason"),
]


@rows(("raw", "tool", "sentence"), VALID)
def test_every_form_of_every_action_is_valid_and_sent_unchanged(raw: Any, tool: str, sentence: str) -> None:
    action = validate(raw)
    assert action.as_action() == raw
    assert validate(action.as_action()) == action
    assert action.as_tool_call() == {"name": tool, "arguments": {name: value for name, value in raw.items() if name != "type"}}
    assert action.in_words() == sentence
    assert json.loads(json.dumps(action.as_action(), allow_nan=False)) == raw


@rows(("raw", "names"), INVALID)
def test_an_inexact_action_is_refused_with_its_field(raw: Any, names: str) -> None:
    with pytest.raises(InvalidAction, match=names):
        validate(raw)


def test_the_table_above_has_every_form_of_the_catalogue() -> None:
    shown = {(raw["type"], frozenset(raw) - {"type", "timeout_ms"}) for raw, _, _ in VALID}
    assert shown == {(kind.type, form) for kind in CATALOGUE.values() for form in kind.forms}


def test_canonical_and_tool_names_are_known_and_no_two_kinds_share_one() -> None:
    for kind in CATALOGUE.values():
        assert kind_of(kind.type) is kind_of(kind.tool) is kind
        assert kind_of(kind.tool.removeprefix("browser.")) is kind
    assert kind_of("evaluate") is None
    assert kind_of(None) is None


def test_the_json_of_an_action_is_a_copy() -> None:
    raw: dict[str, Any] = {"type": "ClickAction", "selector": dict(GO)}
    action = validate(raw)
    raw["selector"]["value"] = "other"
    action.as_action()["selector"]["value"] = "other"
    action.as_tool_call()["arguments"]["selector"]["value"] = "other"
    assert action.as_action() == {"type": "ClickAction", "selector": GO}


def test_a_long_text_is_shortened_for_people() -> None:
    assert actions.type_text(FIELD, "x" * 5000).in_words() == f"Type \"{'x' * 79}…\" into //input[@name='q']"


@pytest.mark.parametrize(
    ("action", "raw"),
    [
        (actions.navigate("/a"), {"type": "NavigateAction", "url": "/a"}),
        (actions.click(GO), {"type": "ClickAction", "selector": GO}),
        (actions.type_text(FIELD, "a"), {"type": "TypeAction", "selector": FIELD, "text": "a"}),
        (actions.select_option(GO, "a"), {"type": "SelectDropDownOptionAction", "selector": GO, "text": "a"}),
        (actions.submit(FIELD), {"type": "SubmitAction", "selector": FIELD}),
        (actions.wait(2), {"type": "WaitAction", "time_seconds": 2}),
        (actions.send_keys("Enter"), {"type": "SendKeysIWAAction", "keys": "Enter"}),
    ],
)
def test_each_constructor_makes_the_valid_action(action: Action, raw: Any) -> None:
    assert isinstance(action, Action)
    assert action.as_action() == raw


def test_a_constructor_refuses_what_callers_would_refuse() -> None:
    with pytest.raises(InvalidAction):
        actions.click({"type": "cssSelector", "value": "a"})
    with pytest.raises(InvalidAction):
        actions.type_text(selectors.attribute("custom", "input"), "a\0")
