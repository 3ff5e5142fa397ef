"""Any prompt, page and history at any endpoint: an answer whose every action is valid and matches in the page it was made from."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.contract.action_types import kind_of
from agents.contract.actions import validate
from agents.contract.limits import MAX_ACTIONS, MAX_PROMPT
from agents.contract.protocol import PATHS, Form, parse, render
from agents.contract.selectors import quoted
from agents.contract.task_rules import MAX_STEP
from agents.page import read
from agents.page.interactive import MOST_ELEMENTS
from agents.page.records import MOST_RECORDS
from agents.prompting.page_prompt import tokens
from agents.prompting.prompt import MOST_TOKENS, question
from agents.template import plan
from agents.template.prompt.criteria import criteria
from agents.template.prompt.masking import LONGEST_PROMPT, mask
from agents.tests.long_pages import films
from agents.tests.rows import rows
from agents.tests.strategies import JSON, near_actions
from agents.tests.template.test_template_properties import PROMPT

START = "http://localhost:8000/?seed=58"
TAGS = (
    "div",
    "p",
    "ul",
    "li",
    "a",
    "button",
    "form",
    "input",
    "select",
    "option",
    "table",
    "tr",
    "td",
    "dialog",
    "label",
    "h1",
    "svg",
    "textarea",
)
ATTRIBUTES = st.sampled_from(
    [
        "", " id=a", " id='it\"s'", " name=q", " name=''", " class='card hidden'", " href='/films/1?seed=58'", " href='//evil.example'", " href",
        " type=password", " type=submit", " hidden", " disabled", " role=button", " role=listbox", " aria-label='Log in'", " placeholder=\"it's\"",
        " value='x'", " open", " aria-modal=true", " onclick=x", " contenteditable", " =", " <", " data-testid=🔑", " style='display:none'",
    ]
)  # fmt: skip
OPENED = st.builds(lambda tag, some: f"<{tag}{''.join(some)}>", st.sampled_from(TAGS), st.lists(ATTRIBUTES, max_size=3))
CLOSED = st.sampled_from([f"</{tag}>" for tag in TAGS])
WORDS = st.sampled_from(
    [
        "Log in",
        "Film 1",
        "1999",
        "$19.99",
        "Rating: 4.5",
        "Username",
        "&lt;b&gt;",
        'it\'s "so"',
        "\x00",
        "é🔑",
        "",
        "]]>",
        "<!--",
        "<![CDATA[",
    ]
)
SOUP = st.lists(OPENED | CLOSED | WORDS, max_size=40).map("".join)
REPEATED = st.builds(
    lambda piece, times: piece * times, st.lists(OPENED | WORDS | CLOSED, min_size=1, max_size=6).map("".join), st.integers(2, 60)
)
NO_HTML = st.sampled_from(
    ["%PDF-1.7 \x01\x02", '{"films": [1, 2]}', "just words", "<?xml version='1.0'?><a/>", "<" * 5_000, "&" * 5_000, "\ufeff<p>", "data:,x"]
)
PAGES = SOUP | REPEATED | NO_HTML
PAST = st.fixed_dictionaries(
    {},
    optional={"action": near_actions() | JSON, "success": JSON, "exec_ok": JSON, "error": JSON, "url": JSON, "text": JSON, "index": JSON},
)
HISTORY = JSON | st.lists(PAST | JSON, max_size=5)
URLS = st.sampled_from([START, "http://127.0.0.1:8000/films/1?seed=7&page=2", "https://example.org/", "about:blank"])


def answered(endpoint: str, body: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The page that the answer was made from, and its actions as they are sent."""
    step = parse(endpoint, json.dumps(body).encode())
    page = read(step.page, step.url) if step.page else None
    answer = json.loads(json.dumps(render(step, plan(step, page), agent_id="t")))
    if "actions" in answer:
        return step.page, answer["actions"]
    calls = [(kind_of(call["name"]), call["arguments"]) for call in answer.get("tool_calls", answer.get("trajectory"))]
    assert all(kind for kind, _ in calls)
    return step.page, [{"type": kind.type, **fields} for kind, fields in calls if kind]


def count(html: str, selector: dict[str, Any]) -> int:
    """How many elements of a page a selector matches."""
    root = read(html, START)._steady.root
    if selector["type"] == "xpathSelector":
        return len(root.xpath(selector["value"]))
    tag = "a" if selector["attribute"] == "href" else "*"
    return len(root.xpath(f"//{tag}[@{selector['attribute']}={quoted(selector['value'])}]"))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(PATHS)), PROMPT.filter(str.strip), URLS, PAGES, HISTORY, st.integers(0, 12))
def test_every_sent_action_is_valid_and_matches_one_element(
    endpoint: str, prompt: str, url: str, html: str, history: Any, index: int
) -> None:
    url = START if PATHS[endpoint] is Form.ONE_SHOT and url == "about:blank" else url
    field = "snapshot_html" if endpoint == "/act" else "html"
    body = {"id": "t", "task_id": "t", "prompt": prompt, "url": url, field: html, "step_index": index, "history": history}
    one_shot = parse(endpoint, json.dumps(body).encode()).form is Form.ONE_SHOT  # also a first step that has no page
    page, actions = answered(endpoint, body)
    assert len(actions) <= (MAX_ACTIONS if one_shot else MAX_STEP)
    assert all(validate(action).as_action() == action for action in actions)
    if not one_shot and page and not read(page, url).blank:
        assert all(count(page, action["selector"]) == 1 for action in actions if "selector" in action)


HUGE = {
    "5,000 levels": "<div>" * 5_000 + "<a href='/x'>x</a>",
    "5,000 nested forms and lists": "<form><ul><li>" * 5_000 + "<input name=q>",
    "50,000 links": "".join(f"<a href='/{number}'>{number}</a>" for number in range(50_000)),
    "20,000 items": "<ul>" + "".join(f"<li><b>Film {number}</b> 1999 <button>Add</button></li>" for number in range(20_000)) + "</ul>",
    "one text of 5 MB": f"<p>{'word ' * 1_000_000}</p><button>Go</button>",
    "one attribute of 2 MB": f"<button class='{'c ' * 1_000_000}' aria-label='{'x' * 100_000}'>Go</button>",
    "a select of 20,000": "<select name=s>" + "<option>x" * 20_000 + "</select>",
}


@pytest.mark.long
@pytest.mark.parametrize("html", HUGE.values(), ids=list(HUGE))
def test_the_part_of_a_page_that_is_read_is_bounded(html: str) -> None:
    page = read(html, START)
    assert len(page.elements) <= MOST_ELEMENTS
    assert len(page.records) <= MOST_RECORDS
    step = parse("/step", json.dumps({"task_id": "t", "prompt": "Open the film 'Film 7'", "url": START, "html": html}).encode())
    assert all(count(html, action.fields["selector"]) == 1 for action in plan(step, page).actions if "selector" in action.fields)
    assert tokens("\n".join(message["content"] for message in question(step, page).messages)) <= MOST_TOKENS


@pytest.mark.long
@rows("words", ["is ", "a: ", "<a ", "must be ", "x equals ", "and ", "' ", "is one of (", "between 1 and "])
def test_the_part_of_a_prompt_that_is_read_is_bounded(words: str) -> None:
    prompt = words * 20_000
    assert len(mask(prompt).text) <= LONGEST_PROMPT
    assert len(criteria(mask(prompt))) <= LONGEST_PROMPT
    assert plan(parse("/step", json.dumps({"task_id": "t", "prompt": prompt[:MAX_PROMPT], "url": START, "html": films(3)}).encode()), None)
