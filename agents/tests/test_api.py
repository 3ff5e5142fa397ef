"""The validators' endpoints: every caller gets an answer in its form, every bad request an error that names the field."""

import json
from typing import Any

import pytest
from django.test import Client

from agents import VERSION, template
from agents.accounts.miner_status import memory
from agents.hybrid import spool
from agents.ledger.unknown_calls import WRITTEN_EVERY, UnknownCalls
from agents.models import Caller, Settings, Step, Task, UnknownCall

pytestmark = pytest.mark.django_db(transaction=True)

ONE_SHOT = {
    "id": "t1",
    "prompt": "Log in where username equals <username> and password equals <password>",
    "url": "http://localhost:8000/?seed=58",
}
PAGE = '<html><body><form action="/search"><input name="query"><button type="submit">Go</button></form></body></html>'
STEP = {"task_id": "t2", "prompt": "Search for the film 'Arrival'", "url": "http://localhost:8000/?seed=58", "html": PAGE, "step_index": 0}


def post(path: str, body: Any, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(path, data, content_type="application/json", headers=headers)


@pytest.mark.parametrize("path", ["/solve_task", "/solve_task_at_once"])
def test_a_one_shot_task_gets_a_list_of_actions_that_opens_the_page_first(path: str) -> None:
    reply = post(path, {**ONE_SHOT, "html": None, "specifications": {"unknown": 1}}).json()
    assert set(reply) == {"actions", "web_agent_id", "recording"}
    assert reply["web_agent_id"] == "1"
    assert reply["actions"][0] == {"type": "NavigateAction", "url": ONE_SHOT["url"]}
    assert [action["text"] for action in reply["actions"] if action["type"] == "TypeAction"] == ["<username>", "<password>"]


def test_a_trajectory_is_the_whole_plan_as_tool_calls_with_the_agents_id_of_the_settings() -> None:
    Settings(id=1, agent_id=83).save()
    reply = post("/find_trayectory", ONE_SHOT).json()
    assert set(reply) == {"trajectory", "web_agent_id", "cost_usd", "input_tokens", "output_tokens", "model_used"}
    assert (reply["web_agent_id"], reply["cost_usd"], reply["model_used"]) == ("83", 0.0, None)
    assert reply["trajectory"][0] == {"name": "browser.navigate", "arguments": {"url": ONE_SHOT["url"]}}
    assert [call["arguments"]["text"] for call in reply["trajectory"] if call["name"] == "browser.input"] == ["<username>", "<password>"]
    assert Step.objects.get().endpoint == "/find_trayectory"


def test_a_first_step_without_a_page_gets_the_whole_plan() -> None:
    reply = post("/step", {**STEP, "html": "", "prompt": ONE_SHOT["prompt"]}).json()
    assert [call["arguments"]["text"] for call in reply["tool_calls"] if call["name"] == "browser.input"] == ["<username>", "<password>"]
    assert reply["done"] is True
    assert list(Step.objects.values_list("form", "done")) == [("one_shot", True)]


@pytest.mark.parametrize(("path", "field"), [("/step", "html"), ("/act", "snapshot_html")])
def test_a_step_gets_tool_calls_and_exactly_the_keys_of_the_protocol(path: str, field: str) -> None:
    body = {**{name: value for name, value in STEP.items() if name != "html"}, field: PAGE, "state_in": {}, "tools": [], "unknown": 1}
    reply = post(path, body).json()
    assert set(reply) == {"protocol_version", "tool_calls", "content", "reasoning", "done", "error"}
    assert reply["tool_calls"][0]["arguments"]["text"] == "Arrival"
    assert reply["done"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"not json", "body"),
        (b"[1]", "body"),
        ({**STEP, "prompt": ""}, "prompt"),
        ({**STEP, "prompt": 5}, "prompt"),
        ({name: value for name, value in STEP.items() if name != "url"}, "url"),
        ({**STEP, "url": "ftp://x/"}, "url"),
        ({name: value for name, value in STEP.items() if name != "task_id"}, "task_id"),
    ],
)
def test_a_bad_request_gets_the_field_and_nothing_is_kept(body: Any, field: str) -> None:
    response = post("/step", body)
    assert response.status_code == 400
    assert response.json()["field"] == field
    assert response.json()["error"]
    assert not Step.objects.exists()


def test_a_body_over_16_mb_is_refused() -> None:
    response = post("/step", {**STEP, "html": "x" * (16 * 1024 * 1024)})
    assert (response.status_code, response.json()["field"]) == (413, "body")


def test_a_page_of_several_mb_is_answered() -> None:
    page = "<html><body>" + "<p>film</p>" * 400_000 + PAGE
    assert post("/step", {**STEP, "html": page}).json()["tool_calls"]


@pytest.mark.parametrize(
    ("path", "method", "allowed"), [("/step", "get", "POST"), ("/solve_task", "put", "POST"), ("/health", "post", "GET, HEAD")]
)
def test_a_wrong_method_gets_the_allowed_ones(path: str, method: str, allowed: str) -> None:
    response = getattr(Client(), method)(path)
    assert (response.status_code, response["Allow"]) == (405, allowed)


def test_the_same_id_and_index_may_be_sent_again_as_a_new_step() -> None:
    for _ in range(2):
        assert post("/step", STEP).status_code == 200
    assert Task.objects.count() == 1
    assert Step.objects.filter(index=0).count() == 2


def test_validators_reach_the_miner_by_any_host_name_and_without_a_token() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/step", json.dumps(STEP), content_type="application/json", headers={"host": "203.0.113.9:8000"})
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers


def test_callers_are_counted() -> None:
    for _ in range(3):
        post("/step", STEP)
    caller = Caller.objects.get()
    assert (caller.address, caller.steps, caller.llm_steps, caller.late_steps) == ("127.0.0.1", 3, 0, 0)


def test_a_blocked_caller_gets_the_template(settings: Any) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "cpk_x", ("some/model",)
    Settings(id=1, allowed_callers=["10.0.0.0/8"], blocked_callers=["0.0.0.0/0"]).save()
    post("/step", STEP)
    assert list(Step.objects.values_list("route", "reason")) == [("template", "caller")]


def test_a_fault_in_the_template_agent_is_logged_and_answered(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def trip(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(template, "plan", trip)
    reply = post("/step", STEP)
    assert reply.status_code == 200
    assert reply.json()["tool_calls"]
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" in Step.objects.get().fault


def test_a_fault_around_the_llm_is_logged_and_answered_by_the_template(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def trip(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(spool, "must_join", trip)
    assert post("/step", STEP).json()["tool_calls"][0]["arguments"]["text"] == "Arrival"
    step = Step.objects.get()
    assert (step.route, step.reason) == ("template", "fault")
    assert "ZeroDivisionError" in step.fault
    assert "ZeroDivisionError" in caplog.text


def test_health_reports_the_miners_state() -> None:
    memory.refresh()
    reply = Client().get("/health", headers={"host": "anything"}).json()
    assert reply["status"] == "healthy"
    assert reply["agent_type"] == "hybrid"
    assert reply["version"] == VERSION
    assert reply["llm"]["state"] == "off"
    assert "CHUTES_API_KEY" in reply["llm"]["message"]


@pytest.mark.parametrize("path", ["/find_trajectory", "/solve", "/step/"])
def test_a_post_to_an_unknown_path_gets_a_404_as_json_and_a_visitor_a_page(path: str) -> None:
    reply = post(path, {"prompt": "x"}, host="any.example")
    assert (reply.status_code, reply.json()["field"]) == (404, "path")
    assert path in reply.json()["error"]
    assert Client().get(path).headers["Content-Type"].startswith("text/html")


def test_posts_to_unknown_paths_are_counted_and_tasks_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.api.unknown_calls", unknown_calls := UnknownCalls())
    post("/solve_it/v2?key=1", {"x": 1})
    for _ in range(3):
        post("/do/run", {"prompt": "x", "url": "http://h/"})
    Client().put("/wp/xmlrpc.php")
    Client().get("/unknown/robots.txt")
    unknown_calls.written_at = -WRITTEN_EVERY
    unknown_calls.write()
    calls = UnknownCall.objects.order_by("path").values_list("method", "path", "calls", "is_task")
    assert list(calls) == [("POST", "/do/run", 3, True), ("POST", "/solve_it/v2", 1, True), ("PUT", "/wp/xmlrpc.php", 1, False)]


@pytest.mark.parametrize("path", ["/health", "/step"])
def test_an_answer_has_its_length_so_that_the_connection_is_kept(path: str) -> None:
    reply = Client().get(path)
    assert int(reply.headers["Content-Length"]) == len(reply.content)
