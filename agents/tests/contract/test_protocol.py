import json
import time
import timeit
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.contract import actions, selectors
from agents.contract.action_history import Past
from agents.contract.actions import validate
from agents.contract.limits import MAX_HISTORY
from agents.contract.protocol import PATHS, BadRequest, Form, PastAction, Plan, Step, Usage, parse, render
from agents.prompting.prompt import done_so_far
from agents.tests.rows import rows
from agents.tests.strategies import JSON, near_actions

ONE_SHOT: dict[str, Any] = {
    "id": "5f0c1f0e",
    "is_web_real": False,
    "web_project_id": "autocinema",
    "url": "http://localhost:8000/?seed=58",
    "prompt": "Log in where username equals <username> and password equals <password>",
    "specifications": {"viewport_width": 1920},
    "relevant_data": {},
    "should_record": False,
    "dynamic": [],
}
STEP: dict[str, Any] = {
    "protocol_version": "1.0",
    "task_id": "b1a6f3f2",
    "prompt": "Search for the film 'Arrival'",
    "url": "http://localhost:8000/?seed=58",
    "html": '<form><input name="query"></form>',
    "step_index": 0,
    "history": [],
    "tools": [],
    "include_reasoning": False,
}
ACT: dict[str, Any] = {
    **{key: value for key, value in STEP.items() if key not in ("html", "tools")},
    "snapshot_html": "<p>snapshot</p>",
    "web_project_id": "autocinema",
    "state_in": {},
    "allowed_tools": [],
    "timeout_seconds": 25.0,
}
GO = actions.click(selectors.attribute("id", "go"))
BODIES = {"/solve_task": ONE_SHOT, "/solve_task_at_once": ONE_SHOT, "/find_trayectory": ONE_SHOT, "/act": ACT, "/step": STEP}


def read(endpoint: str = "/step", /, **changes: Any) -> Step:
    return parse(endpoint, json.dumps({**BODIES[endpoint], **changes}).encode())


def refused(body: object, endpoint: str = "/step") -> str:
    with pytest.raises(BadRequest) as refusal:
        parse(endpoint, body if isinstance(body, bytes) else json.dumps(body).encode())
    assert str(refusal.value)
    return refusal.value.field


def without(body: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != key}


def test_the_bodies_of_all_endpoints_are_read() -> None:
    assert set(BODIES) == set(PATHS)
    assert read("/solve_task") == Step(
        endpoint="/solve_task",
        form=Form.ONE_SHOT,
        task_id="5f0c1f0e",
        prompt=ONE_SHOT["prompt"],
        url="http://localhost:8000/?seed=58",
        project="autocinema",
    )
    assert read("/solve_task_at_once").form is Form.ONE_SHOT
    assert read("/step") == Step(
        endpoint="/step", form=Form.STEP, task_id="b1a6f3f2", prompt=STEP["prompt"], url=STEP["url"], page=STEP["html"]
    )
    assert read("/act") == Step(
        endpoint="/act",
        form=Form.STEP,
        task_id="b1a6f3f2",
        prompt=STEP["prompt"],
        url=STEP["url"],
        page="<p>snapshot</p>",
        project="autocinema",
        timeout_seconds=25.0,
    )


@rows("body", [b"", b"{", b"nonsense", b"[]", b"null", b'"text"', b"\xff\xfe\xfd", b"[" * 100_000, b"1" * 10_000])
@rows("endpoint", PATHS)
def test_a_body_that_is_no_json_object_is_refused_as_body(endpoint: str, body: bytes) -> None:
    assert refused(body, endpoint) == "body"


@pytest.mark.parametrize("prompt", [None, "", " \n", 5, ["Log in"], {"text": "Log in"}])
def test_a_wrong_prompt_is_refused(prompt: object) -> None:
    assert refused({**STEP, "prompt": prompt}) == "prompt"
    assert refused(without(STEP, "prompt")) == "prompt"


@rows(
    "url",
    [None, "", 5, [], "/login", "localhost:8000", "ftp://host/", "http://", "http://host:x/", "http://a b/"],
)
@rows("endpoint", PATHS)
def test_a_wrong_url_is_refused(endpoint: str, url: str) -> None:
    assert refused({**BODIES[endpoint], "url": url}, endpoint) == "url"


def test_a_url_loses_spaces_around_it_and_characters_that_break_a_database() -> None:
    assert read(url=" http://h/\n").url == "http://h/"
    assert read(url="http://h/\0").url == "http://h/\ufffd"


@pytest.mark.parametrize("url", ["about:blank", "about://localhost/blank", "chrome-error://chromewebdata/"])
def test_a_url_without_a_page_is_valid_for_a_step_only(url: str) -> None:
    assert read("/step", url=url).url == url
    assert read("/act", url=url).url == url
    assert refused({**ONE_SHOT, "url": url}, "/solve_task") == "url"


@rows("wrong", [None, "", "  ", "x" * 201, True, 1.5, [], {}])
def test_a_wrong_or_missing_id_is_refused_by_the_name_of_the_form(wrong: object) -> None:
    assert refused({**STEP, "task_id": wrong}) == "task_id"
    assert refused(without(STEP, "task_id")) == "task_id"
    assert refused({**ONE_SHOT, "id": wrong}, "/solve_task") == "id"
    assert refused(without(ONE_SHOT, "id"), "/solve_task") == "id"


def test_an_id_may_have_either_name_and_be_a_number() -> None:
    assert read(task_id=None, id="abc").task_id == "abc"
    assert read("/solve_task", id=None, task_id="abc").task_id == "abc"
    assert read(task_id="mine", id="other").task_id == "mine"
    assert read(task_id=0).task_id == "0"
    assert read(task_id="x" * 200).task_id == "x" * 200


@rows("wrong", [-1, 1.5, True, "3", [], {}, 10**9, float("nan"), float("inf")])
def test_a_wrong_step_index_is_refused(wrong: object) -> None:
    assert refused({**STEP, "step_index": wrong}) == "step_index"


@pytest.mark.parametrize(("given", "index"), [(0, 0), (7, 7), (7.0, 7), (None, 0)])
def test_a_step_index_may_be_missing(given: object, index: int | None) -> None:
    assert read(step_index=given).index == index
    assert parse("/step", json.dumps(without(STEP, "step_index")).encode()).index == 0


@rows("wrong", [None, 0, -1, "25", True, [], float("nan"), float("inf")])
def test_a_wrong_timeout_counts_as_none(wrong: object) -> None:
    assert read("/act", timeout_seconds=wrong).timeout_seconds is None


def test_the_page_is_taken_from_whichever_field_has_it() -> None:
    assert read(html="", snapshot_html="<a>").page == "<a>"
    assert read(html=None, clean_html="<b>").page == "<b>"
    assert read("/solve_task", clean_html="<b>", html="<c>").page == "<c>"
    assert read(html=["<a>"]).page == ""


def test_wrong_fields_that_are_not_needed_are_ignored() -> None:
    step = read(history="x", tools={"a": 1}, allowed_tools=5, web_project_id=5, screenshot=5, state_in=[], brand_new={"a": 1})
    assert step == read()


@rows(
    "tools",
    [
        ["browser.click", "browser.input"],
        ["click", "type"],
        ["ClickAction", "TypeAction"],
        [{"name": "browser.click", "description": "", "parameters": {}}, {"name": "input"}],
        [{"type": "function", "function": {"name": "click"}}, {"type": "function", "function": {"name": "browser.input"}}],
        ["click", "input", None, 5, {}, {"function": 5}],
    ],
)
@rows("field", ["tools", "allowed_tools"])
def test_allowed_tools_are_read_in_every_shape(field: str, tools: list[object]) -> None:
    assert read(**{field: tools}).allowed_tools == {"browser.click", "browser.input"}


def test_a_list_of_unknown_tools_is_not_the_same_as_no_list() -> None:
    assert read(tools=["user.request_input"]).allowed_tools == {"user.request_input"}


def test_history_is_read_in_both_shapes() -> None:
    dumped = {"type": "xpathSelector", "attribute": None, "value": "//a", "case_sensitive": False}
    step = read(
        history=[
            {
                "index": 0,
                "action": {"type": "ClickAction", "selector": dumped, "x": None},
                "success": True,
                "error": None,
                "url": "http://h/",
            },
            {"step": 1, "action": "TypeAction", "candidate_id": 3, "text": "Arrival", "exec_ok": False, "error": "timed out"},
            {"index": 2, "action": {"name": "browser.go_back", "arguments": {}}},
        ]
    )
    assert step.history == (
        PastAction(
            "ClickAction", {"selector": {"type": "xpathSelector", "value": "//a"}}, succeeded=True, error="", url="http://h/", number=0
        ),
        PastAction("TypeAction", {"text": "Arrival"}, succeeded=False, error="timed out", url="", number=1),
        PastAction("NavigateAction", {"go_back": True}, None, "", "", number=2),
    )


def test_of_a_malformed_history_the_valid_parts_are_read() -> None:
    garbage: list[object] = [
        None,
        5,
        "x",
        [],
        {},
        {"action": 5, "success": "yes", "error": 5, "url": []},
        {"action": {"type": "Evaluate"}, "exec_ok": True, "index": -1, "step": True},
    ]
    assert [(past.type, past.succeeded) for past in read(history=garbage).history] == [("", None), ("", None), ("", True)]
    assert [past.number for past in read(history=garbage).history] == [None, None, None]
    assert len(read(history=[{"action": "ClickAction"}] * 500).history) == MAX_HISTORY


def test_characters_that_break_a_database_are_replaced() -> None:
    body = json.dumps({**STEP, "prompt": "a\0b\ud800", "html": "<p>\0", "task_id": "t\ud800", "web_project_id": "\0"}).encode()
    step = parse("/step", body)
    assert (step.prompt, step.page, step.task_id, step.project) == ("a\ufffdb\ufffd", "<p>\ufffd", "t\ufffd", "\ufffd")


def test_a_one_shot_answer_has_canonical_actions() -> None:
    answer = render(read("/solve_task"), Plan((GO,), done=True, reasoning="x"), agent_id="7")
    assert answer == {
        "actions": [{"type": "ClickAction", "selector": {"type": "attributeValueSelector", "attribute": "id", "value": "go"}}],
        "web_agent_id": "7",
        "recording": "",
    }


@pytest.mark.parametrize("endpoint", ["/act", "/step"])
def test_a_step_answer_has_exactly_the_keys_of_the_protocol(endpoint: str) -> None:
    call = {"name": "browser.click", "arguments": {"selector": {"type": "attributeValueSelector", "attribute": "id", "value": "go"}}}
    answer = {"protocol_version": "1.0", "tool_calls": [call], "content": None, "reasoning": None, "done": False, "error": None}
    assert render(read(endpoint), Plan((GO,), reasoning="because"), agent_id="7") == answer
    step = read(endpoint, include_reasoning=True)
    assert render(step, Plan((GO,), reasoning="because"), agent_id="7") == {**answer, "reasoning": "because"}


def test_a_trajectory_has_tool_calls_and_their_cost() -> None:
    call = {"name": "browser.click", "arguments": {"selector": {"type": "attributeValueSelector", "attribute": "id", "value": "go"}}}
    used = {"cost_usd": 0.01, "input_tokens": 900, "output_tokens": 80, "model_used": "some/model"}
    answer = render(read("/find_trayectory"), Plan((GO,)), agent_id="7", use=Usage(900, 80, 0.01, "some/model"))
    assert answer == {"trajectory": [call], "web_agent_id": "7", **used}
    unused = {"cost_usd": 0.0, "input_tokens": 0, "output_tokens": 0, "model_used": None}
    assert render(read("/find_trayectory"), Plan(()), agent_id="7") == {"trajectory": [], "web_agent_id": "7", **unused}


@pytest.mark.parametrize("endpoint", ["/act", "/step"])
def test_a_first_step_without_a_page_is_a_one_shot_task_that_is_answered_with_tool_calls(endpoint: str) -> None:
    page = "html" if endpoint == "/step" else "snapshot_html"
    whole = read(endpoint, **{page: ""})
    assert whole.form is Form.ONE_SHOT
    answer = render(whole, Plan((GO, GO)), agent_id="7")
    assert set(answer) == {"protocol_version", "tool_calls", "content", "reasoning", "done", "error"}
    assert (len(answer["tool_calls"]), answer["done"]) == (2, True)
    assert render(whole, Plan((GO,)), agent_id="7")["done"] is False, "the page was opened, and nothing else"


def test_a_step_without_a_page_is_no_one_shot_task_once_the_task_has_begun_or_without_an_address() -> None:
    empty = {**STEP, "html": ""}
    for changes in ({"step_index": 1}, {"history": [{"action": "ClickAction"}]}, {"url": "about:blank"}, {"html": "<p>x"}):
        assert read(**{**empty, **changes}).form is Form.STEP, changes


def test_an_answer_to_a_question_is_extracted_data_and_content_where_callers_support_these() -> None:
    plan = Plan((), done=True, answer="Nora Lind")
    for endpoint in ("/solve_task", "/solve_task_at_once", "/find_trayectory"):
        assert render(read(endpoint), plan, agent_id="7")["extracted_data"] == "Nora Lind"
    step = render(read("/step"), plan, agent_id="7")
    assert (step["content"], step["extracted_data"], step["tool_calls"], step["done"]) == ("Nora Lind", "Nora Lind", [], True)
    act = render(read("/act"), plan, agent_id="7")
    assert act["content"] == "Nora Lind"
    assert "extracted_data" not in act


def test_a_caller_without_tool_calls_gets_actions_too() -> None:
    first = {"task_id": "t", "prompt": "x", "url": "http://h/", "snapshot_html": "<p>", "step_index": 0, "web_project_id": None}
    answer = render(parse("/act", json.dumps(first).encode()), Plan((GO,)), agent_id="7")
    assert answer["actions"] == [GO.as_action()]
    assert answer["tool_calls"] == [GO.as_tool_call()]


@pytest.mark.parametrize(
    ("allowed", "tool"),
    [
        ([], "browser.wait"),
        (["browser.wait", "browser.click"], "browser.wait"),
        (["browser.click", "browser.scroll"], "browser.scroll"),
        (["browser.click"], "browser.wait"),
    ],
)
def test_a_step_without_actions_that_isnt_done_gets_a_harmless_action(allowed: list[str], tool: str) -> None:
    answer = render(read(tools=allowed), Plan(()), agent_id="7")
    assert [call["name"] for call in answer["tool_calls"]] == [tool]
    assert answer["done"] is False


def test_a_done_step_may_be_empty() -> None:
    answer = render(read(), Plan((), done=True), agent_id="7")
    assert (answer["tool_calls"], answer["done"]) == ([], True)


FIELDS = ["id", "task_id", "prompt", "url", "html", "step_index", "history", "tools", "allowed_tools", "timeout_seconds", "web_project_id"]
REQUESTS = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5).map(lambda changes: {**STEP, **changes})
PASTS = st.lists(
    st.fixed_dictionaries({"action": near_actions() | JSON}, optional={"success": JSON, "error": JSON, "url": JSON}), max_size=3
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(PATHS)), st.binary(max_size=50) | (JSON | REQUESTS).map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_step_or_a_refusal_that_names_its_field(endpoint: str, body: bytes) -> None:
    try:
        step = parse(endpoint, body)
    except BadRequest as refusal:
        field = refusal.field
    else:
        _is_storable(step)
        return
    assert field in {"body", *FIELDS}


@given(PASTS)
def test_a_step_is_read_with_any_history(pasts: list[object]) -> None:
    step = read(history=pasts)
    assert len(step.history) == len(pasts)
    _is_storable(step)


def _is_storable(step: Step) -> None:
    for text in (step.task_id, step.prompt, step.url, step.page, step.project, repr(step.history), *step.allowed_tools):
        text.encode()
        assert "\0" not in text
    for past in step.history:
        json.dumps(dict(past.fields), ensure_ascii=False).encode()


def test_the_harmless_actions_are_valid() -> None:
    for name in ("browser.wait", "browser.screenshot", "browser.idle", "browser.scroll"):
        (call,) = render(read(tools=[name]), Plan(()), agent_id="7")["tool_calls"]
        assert call["name"] == name
        assert validate({"type": actions.repair(call).type, **call["arguments"]})


@pytest.mark.long
def test_a_hostile_history_costs_about_as_much_as_reading_its_json() -> None:
    """10,000 entries with long texts, as many selectors, and values nested in each other."""
    entry = {
        "action": {"type": "ClickAction", "selector": {"type": "xpathSelector", "value": "//a" * 100}},
        "text": "t" * 400,
        "error": "e" * 400,
    }
    nested = {"action": {"type": "ClickAction", "deep": [[[["x"] * 50]]]}, "exec_ok": False}
    body = json.dumps({**STEP, "history": [entry, nested] * 5_000}).encode()

    def seconds(work: Callable[[], object]) -> float:
        return min(timeit.repeat(work, timer=time.process_time, repeat=5, number=1))

    step = parse("/step", body)
    assert len(step.history) <= MAX_HISTORY
    assert seconds(lambda: parse("/step", body)) < 3 * seconds(lambda: json.loads(body))
    assert seconds(lambda: [Past(step.history).waits, Past(step.history).is_nameless, done_so_far(step.history, 600)]) < 0.2
