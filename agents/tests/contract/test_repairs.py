import json
from typing import Any

import pytest
from hypothesis import given, settings

from agents.contract.action_repair import repair_selector
from agents.contract.action_types import CATALOGUE
from agents.contract.actions import InvalidAction, repair, validate
from agents.contract.selectors import Selector
from agents.tests.rows import rows
from agents.tests.strategies import JSON, near_actions

LINK = {"type": "xpathSelector", "value": "//a"}
CLICK = {"type": "ClickAction", "selector": LINK}


def css(value: str) -> Selector:
    return {"type": "attributeValueSelector", "attribute": "custom", "value": value}


@rows(
    ("raw", "meant"),
    [
        ({"name": "browser.click", "arguments": {"selector": LINK}}, CLICK),
        ({"name": "click", "arguments": json.dumps({"selector": LINK})}, CLICK),
        ({"id": "1", "type": "function", "function": {"name": "browser.click", "arguments": json.dumps({"selector": LINK})}}, CLICK),
        ({"type": "click", "selector": LINK}, CLICK),
        ({"action": "ClickAction", "selector": "//a"}, CLICK),
        ({"action": {"type": "click"}, "selector": LINK}, CLICK),
        ({"click": {"xpath": "//a"}}, CLICK),
        ({"type": "click", "selector": LINK, "x": 1, "y": 2, "why": "first link"}, CLICK),
        ({"type": "ClickAction", "selector": LINK, "x": None, "y": None}, CLICK),
        ({"type": "ClickAction", "x": "12", "y": 7.0}, {"type": "ClickAction", "x": 12, "y": 7}),
        ({"type": "goto", "url": " /a b "}, {"type": "NavigateAction", "url": "/a%20b"}),
        ({"type": "navigate", "url": "localhost:8000/x"}, {"type": "NavigateAction", "url": "http://localhost:8000/x"}),
        ({"type": "NavigateAction", "url": "/", "go_back": False, "go_forward": False}, {"type": "NavigateAction", "url": "/"}),
        ({"type": "NavigateAction", "url": "", "go_back": "true"}, {"type": "NavigateAction", "go_back": True}),
        ({"name": "browser.go_back", "arguments": {}}, {"type": "NavigateAction", "go_back": True}),
        ({"type": "GoForwardAction"}, {"type": "NavigateAction", "go_forward": True}),
        ({"type": "input", "selector": "//a", "value": 2021}, {"type": "TypeAction", "selector": LINK, "text": "2021"}),
        ({"type": "type", "selector": "//a", "text": "a\0b"}, {"type": "TypeAction", "selector": LINK, "text": "a\ufffdb"}),
        ({"type": "fill", "selector": "//a", "text": "<username>"}, {"type": "TypeAction", "selector": LINK, "text": "<username>"}),
        (
            {"type": "select_dropdown", "selector": "//a", "option": "x", "timeout_ms": "500"},
            {"type": "SelectDropDownOptionAction", "selector": LINK, "text": "x", "timeout_ms": 500},
        ),
        ({"type": "select", "selector": "//a", "text": "x"}, {"type": "SelectAction", "selector": LINK, "value": "x"}),
        ({"type": "WaitAction", "timeSeconds": "1.5"}, {"type": "WaitAction", "time_seconds": 1.5}),
        ({"type": "wait", "selector": "//a", "time_seconds": 3}, {"type": "WaitAction", "selector": LINK}),
        ({"type": "scroll", "down": True, "up": False}, {"type": "ScrollAction", "down": True}),
        ({"type": "scroll", "direction": "Down", "amount": 500}, {"type": "ScrollAction", "down": True}),
        ({"type": "scroll", "value": "up"}, {"type": "ScrollAction", "up": True}),
        ({"type": "scroll", "down": True, "value": 500}, {"type": "ScrollAction", "down": True}),
        ({"type": "press", "key": "enter"}, {"type": "SendKeysIWAAction", "keys": "Enter"}),
        ({"type": "send_keys", "keys": ["ctrl", "A"]}, {"type": "SendKeysIWAAction", "keys": "Control+A"}),
        ({"type": "assert", "text": "Hi"}, {"type": "AssertAction", "text_to_assert": "Hi"}),
        (
            {"type": "drag_and_drop", "source_selector": LINK, "target_selector": "#b"},
            {"type": "DragAndDropAction", "sourceSelector": "xpath=//a", "targetSelector": "#b"},
        ),
        ({"type": "finish", "reason": "all done"}, {"type": "DoneAction"}),
    ],
)
def test_an_action_with_a_certain_meaning_is_repaired(raw: Any, meant: dict[str, Any]) -> None:
    assert repair(raw).as_action() == meant


@rows(
    "raw",
    [
        {"type": "scroll", "up": True, "down": True},
        {"type": "scroll", "down": True, "value": "bottom"},
        {"type": "send_keys", "keys": ["a", "b"]},
        {"type": "send_keys", "keys": "Hello world"},
        {"type": "navigate", "url": "/", "go_back": True},
        {"type": "click", "x": 1},
        {"type": "click", "text": "Go"},
        {"type": "click", "selector": {"type": "nearest", "value": "Go"}},
        {"type": "click", "arguments": "{broken"},
        {"type": "click", "arguments": "[" * 100_000},
        {"type": "wait", "time_seconds": "soon"},
        {"type": "wait", "time_seconds": "1e999"},
        {"type": "input", "selector": "//a", "text": ["a"]},
        {"type": "evaluate", "script": "1"},
    ],
)
def test_an_action_without_a_certain_meaning_is_invalid(raw: Any) -> None:
    with pytest.raises(InvalidAction):
        repair(raw)


@rows(
    ("raw", "meant"),
    [
        ("//a", LINK),
        (" (//a)[1] ", {"type": "xpathSelector", "value": "(//a)[1]"}),
        ("xpath=//a", LINK),
        ("//a[contains(., 'xpath=/x')]", {"type": "xpathSelector", "value": "//a[contains(., 'xpath=/x')]"}),
        ("button.go", css("button.go")),
        ("text=Log in", css("text=Log in")),
        ("css=a", css("a")),
        ({"type": "cssSelector", "value": "a"}, css("a")),
        ({"type": "css", "value": "a"}, css("a")),
        ({"css": "a"}, css("a")),
        ({"type": "xpathSelector", "value": "xpath=//a", "attribute": None, "case_sensitive": False}, LINK),
        ({"type": "xpath", "value": "a"}, LINK),
        ({"type": "xpathSelector", "value": "/html/body"}, {"type": "xpathSelector", "value": "//html/body"}),
        ({"type": "attributeValueSelector", "attribute": "custom", "value": "//a"}, LINK),
        ({"type": "attributeValueSelector", "attribute": "xpath", "value": "//a"}, LINK),
        (
            {"type": "tagContainsSelector", "value": "Log\n in", "case_sensitive": False},
            {"type": "tagContainsSelector", "value": "Log in", "case_sensitive": True},
        ),
        (
            {"type": "attributeValueSelector", "attribute": "id", "value": "#go"},
            {"type": "attributeValueSelector", "attribute": "id", "value": "go"},
        ),
        ({"type": "id", "value": "go"}, {"type": "attributeValueSelector", "attribute": "id", "value": "go"}),
        ({"attribute": "@name", "value": "q"}, {"type": "attributeValueSelector", "attribute": "name", "value": "q"}),
        ({"attribute": "value", "value": 5}, {"type": "attributeValueSelector", "attribute": "value", "value": "5"}),
        ({"attribute": "id", "value": "1st"}, {"type": "xpathSelector", "value": "//*[@id='1st']"}),
        ({"attribute": "title", "value": "it's"}, {"type": "xpathSelector", "value": '//*[@title="it\'s"]'}),
        ({"attribute": "href", "value": "/a'"}, {"type": "xpathSelector", "value": '//a[@href="/a\'"]'}),
        (
            {"attribute": "title", "value": 'it\'s "x"'},
            {"type": "xpathSelector", "value": "//*[@title=concat('it', \"'\", 's \"x\"')]"},
        ),
        (
            {"type": "attributeValueSelector", "attribute": "class", "value": ".big .red"},
            {"type": "attributeValueSelector", "attribute": "class", "value": "big red"},
        ),
    ],
)
def test_a_models_selector_becomes_the_contracts(raw: Any, meant: dict[str, Any]) -> None:
    assert repair_selector(raw) == meant


@settings(max_examples=300)
@given(JSON | near_actions())
def test_a_repair_never_gives_what_validation_refuses(raw: Any) -> None:
    try:
        action = repair(raw)
    except InvalidAction:
        return
    assert validate(action.as_action()) == action
    assert repair(action.as_action()) == action
    assert repair(action.as_tool_call()) == action
    assert action.type in CATALOGUE
    assert json.loads(json.dumps(action.as_action(), allow_nan=False)) == action.as_action()
    assert action.in_words()
