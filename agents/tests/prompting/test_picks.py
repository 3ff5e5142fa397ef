"""From a model's numbers to actions on the page."""

import json
from typing import Any

import pytest

from agents.contract.actions import Action, InvalidAction
from agents.contract.protocol import Form, PastAction, Step
from agents.page import read
from agents.prompting.page_prompt import show
from agents.prompting.replies import picked, plan_from_reply
from agents.tests.rows import rows

START = "http://localhost:8000/?seed=58"
PAGE = """<input name="user" placeholder="User"><label>Genre<select name="genre"><option>Drama<option>Sci-Fi</select></label>
<input type="checkbox" name="terms" aria-label="Terms"><a href="/login?seed=58">Sign in</a><button name="go">Go</button><p>Show <b>all  films</b></p><a href="https://evil.example/"><span>Evil</span></a>
<select name="language"><option>English (England)<option>English (Ireland)<option>French</select><button>Twice</button><button>twice</button>"""
USER, GENRE, TERMS, SIGN_IN, GO, LANGUAGE = range(1, 7)


def by(name: str) -> dict[str, str]:
    return {"type": "attributeValueSelector", "attribute": "name", "value": name}


ALL_FILMS = {"type": "xpathSelector", "value": "(//b[text()[normalize-space()='all films']])[1]"}
FOCUS = {"type": "attributeValueSelector", "attribute": "custom", "value": ":focus"}
LINK = {"type": "attributeValueSelector", "attribute": "href", "value": "/login?seed=58"}


def pick(raw: object, html: str = PAGE, form: Form = Form.STEP, history: tuple[PastAction, ...] = ()) -> Action:
    step = Step("/step", form, "t", "Log in", START, html, len(history), history)
    return picked(raw, step, show(step, read(html, START) if html else None, 2_000))


@rows(
    ("raw", "made"),
    [
        ({"type": "click", "element": GO}, {"type": "ClickAction", "selector": by("go")}),
        ({"type": "ClickAction", "element": "[5]"}, {"type": "ClickAction", "selector": by("go")}),
        ({"action": "click", "index": GO}, {"type": "ClickAction", "selector": by("go")}),
        ({"name": "browser.click", "arguments": {"element": SIGN_IN}}, {"type": "ClickAction", "selector": LINK}),
        ({"type": "function", "function": {"name": "click", "arguments": '{"element": 5}'}}, {"type": "ClickAction", "selector": by("go")}),
        ({"type": "input", "element": USER, "text": "<username>"}, {"type": "TypeAction", "selector": by("user"), "text": "<username>"}),
        ({"type": "input", "element": USER, "value": 7.0}, {"type": "TypeAction", "selector": by("user"), "text": "7.0"}),
        (
            {"type": "input", "element": USER, "text": "&lt;username&gt;"},
            {"type": "TypeAction", "selector": by("user"), "text": "<username>"},
        ),
        (
            {"type": "input", "element": GENRE, "text": "sci-fi"},
            {"type": "SelectDropDownOptionAction", "selector": by("genre"), "text": "Sci-Fi"},
        ),
        ({"type": "select_dropdown", "element": USER, "text": "x"}, {"type": "TypeAction", "selector": by("user"), "text": "x"}),
        ({"type": "input", "element": TERMS, "text": "on"}, {"type": "ClickAction", "selector": by("terms")}),
        ({"type": "submit", "element": GO}, {"type": "ClickAction", "selector": by("go")}),
        ({"type": "submit", "element": USER}, {"type": "SubmitAction", "selector": by("user")}),
        (
            {"type": "input", "element": LANGUAGE, "text": "french…"},
            {"type": "SelectDropDownOptionAction", "selector": by("language"), "text": "French"},
        ),
        ({"type": "click", "text": "sign in"}, {"type": "ClickAction", "selector": LINK}),
        ({"type": "click", "element": "Sign in"}, {"type": "ClickAction", "selector": LINK}),
        ({"type": "click", "text": "All films"}, {"type": "ClickAction", "selector": ALL_FILMS}),
        ({"type": "input", "element": "focused", "text": "Ann"}, {"type": "TypeAction", "selector": FOCUS, "text": "Ann"}),
        ({"type": "wait", "element": GO}, {"type": "WaitAction", "selector": by("go")}),
        ({"type": "scroll", "down": True, "index": 3}, {"type": "ScrollAction", "down": True}),
        ({"type": "navigate", "url": "/login"}, {"type": "NavigateAction", "url": "/login"}),
    ],
)
def test_a_number_becomes_an_action_on_its_element(raw: object, made: dict[str, Any]) -> None:
    assert pick(raw).as_action() == made


@rows(
    ("raw", "why"),
    [
        ({"type": "click", "element": 9}, "no number 9"),
        ({"type": "click", "element": 0}, "no number 0"),
        ({"type": "click", "element": -1}, "element|field"),
        ({"type": "click", "element": True}, "element|field"),
        ({"type": "click", "element": [1]}, "element|field"),
        ({"type": "click", "element": 10**30}, "element|field"),
        ({"type": "click"}, "pick one of the page's numbers"),
        ({"type": "click", "text": "Nowhere"}, "nothing on the page"),
        ({"type": "click", "text": "Evil"}, "nothing on the page"),
        ({"type": "click", "text": "Twice"}, "2 elements are called 'Twice'"),
        ({"type": "wait", "selector": "//a"}, "pick one of the page's numbers"),
        ({"type": "input", "element": "focused"}, "give a text"),
        ({"type": "input", "element": LANGUAGE, "text": "Eng"}, "several options begin so: English"),
        ({"type": "click", "selector": "//a"}, "pick one of the page's numbers"),
        ({"type": "click", "x": 1, "y": 2}, "pick one of the page's numbers"),
        ({"type": "drag_and_drop", "sourceSelector": "#a", "targetSelector": "#b"}, "pick one of the page's numbers"),
        ({"type": "input", "element": USER}, "text"),
        ({"type": "input", "element": GO, "text": "x"}, "number of a field"),
        ({"type": "input", "element": GENRE, "text": "Western"}, "choose one of the options: Drama | Sci-Fi"),
        ({"type": "input", "element": GENRE, "text": "…"}, "one of the options"),
        ({"type": "input", "element": USER, "text": "x" * 30_000}, "text"),
        ({"type": "teleport", "element": 1}, "no known action"),
        ("click 5", "object"),
        (None, "object"),
    ],
)
def test_an_invalid_pick_is_refused_with_the_reason(raw: object, why: str) -> None:
    with pytest.raises(InvalidAction, match=why):
        pick(raw)


def test_a_selector_that_failed_is_replaced_by_the_next_until_none_is_left() -> None:
    history: list[PastAction] = []
    selectors = []
    while True:
        try:
            action = pick({"type": "click", "element": SIGN_IN}, history=tuple(history))
        except InvalidAction as error:
            assert "every selector" in str(error)  # noqa: PT017 -- the last of several tries
            break
        selectors.append(action.as_action())
        history.append(PastAction(action.type, action.fields, succeeded=False, error="", url=START))
    assert 2 <= len(selectors) == len({str(selector) for selector in selectors}) <= 3


def test_without_a_page_a_model_may_use_selectors() -> None:
    assert pick({"type": "click", "selector": "//a"}, html="").fields == {"selector": {"type": "xpathSelector", "value": "//a"}}


def test_a_whole_plan_names_elements_of_later_pages_by_selectors() -> None:
    assert pick({"type": "click", "selector": "//a"}, form=Form.ONE_SHOT).type == "ClickAction"
    assert pick({"type": "click", "element": GO}, form=Form.ONE_SHOT).fields == {"selector": by("go")}


@pytest.mark.parametrize("text", ["On Hold", "queued", "Queued (On Hold)"])
def test_an_option_is_picked_by_its_text_or_its_value(text: str) -> None:
    select = "<select name=state><option value='On Hold'>Queued<option value=x>Closed</select>"
    assert pick({"type": "select_dropdown", "element": 1, "text": text}, select).fields["text"] == "Queued"


def test_a_disabled_button_is_pressed_after_what_enables_it_and_never_first() -> None:
    page = "<form><input name=mail aria-label=Mail><button name=send disabled>Send</button></form>"
    step = Step("/step", Form.STEP, "t", "Write", START, page)
    shown, press = show(step, read(page, START), 2_000), {"type": "click", "text": "Send"}
    assert picked(press, step, shown, is_first=False).fields["selector"] == by("send")
    with pytest.raises(InvalidAction, match="disabled now"):
        picked(press, step, shown)
    plan = plan_from_reply(json.dumps({"actions": [{"type": "input", "element": 1, "text": "Hi"}, press]}), step, shown)
    assert [action.type for action in plan.actions if action.type != "WaitAction"] == ["TypeAction", "ClickAction"]
