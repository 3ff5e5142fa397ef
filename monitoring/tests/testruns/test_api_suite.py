"""The live API test against our own miner, and against miners with every observed fault."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from agents.common.requests import HEADER, mark
from agents.configuration import change
from agents.devtools.fake_chutes.process import FakeChutes
from agents.models import Settings, Step
from monitoring.models import Result, TestRun
from monitoring.testruns.suites import api
from monitoring.testruns.suites.api import LATE_SECONDS
from monitoring.testruns.suites.findings import Finding

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

Answering = Callable[[str], tuple[int, str, bytes]]
GOOD = {
    "actions": [{"type": "NavigateAction", "url": "http://localhost:8000/?seed=58"}],
    "web_agent_id": "x",
    "tool_calls": [{"name": "browser.wait", "arguments": {"time_seconds": 1}}],
    "done": False,
}


def findings_by_check() -> dict[str, Finding]:
    wanted = TestRun()
    return {finding.check_name: finding for part in api.parts(wanted) for finding in api.run(wanted, part) if isinstance(finding, Finding)}


@pytest.fixture
def own_miner(live_server: Any, settings: Any) -> str:
    parts = urlsplit(live_server.url)
    settings.BIND, settings.PORT = parts.hostname, parts.port
    return str(live_server.url)


@pytest.fixture
def foreign() -> Iterator[Callable[[Answering], None]]:
    """Starts another miner, and points the settings at it."""
    servers: list[ThreadingHTTPServer] = []

    def start(answering: Answering) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(200, "application/json", b'{"status": "healthy", "agent_type": "hybrid"}')

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(*answering(self.path))

            def answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Not in the tests' output."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Settings.objects.update_or_create(id=1, defaults={"miner_api_url": f"http://127.0.0.1:{server.server_address[1]}"})

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def as_json(**more: Any) -> Answering:
    return lambda _: (200, "application/json", json.dumps({**GOOD, **more}).encode())


def test_our_own_miner_passes_with_the_route_of_its_answers(own_miner: str, settings: Any) -> None:
    settings.CHUTES_API_KEY = ""
    results = findings_by_check()
    assert results["health"].verdict == Result.OK
    assert "agent hybrid" in results["health"].came_back
    assert (results["task"].verdict, results["step"].verdict) == (Result.OK, Result.OK)
    assert results["task"].lines[0].startswith("Go to") or "localhost:8000" in results["task"].lines[0]
    assert results["step by"].verdict == Result.WARN
    assert results["step by"].meaning.startswith("The LLM was not used: no API key is set")
    assert set(Step.objects.values_list("source", flat=True)) == {"test"}, "a test is no validator's step"


def test_with_a_working_account_the_llm_answered(own_miner: str, settings: Any) -> None:
    with FakeChutes.started() as fake_chutes:
        settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL = fake_chutes.key, fake_chutes.base_url
        settings.CHUTES_MODELS = ("Qwen/Qwen3-32B-TEE",)
        change({"spacing_seconds": 0}, by=None, reason="test")
        results = findings_by_check()
    assert results["step by"].verdict == Result.OK
    assert results["step by"].came_back == "The LLM answered."


def test_template_mode_is_no_fault(own_miner: str) -> None:
    change({"agent_mode": "template"}, by=None, reason="test")
    assert findings_by_check()["step by"].verdict == Result.OK


def test_a_dead_port_ends_the_test_with_the_reason() -> None:
    Settings.objects.update_or_create(id=1, defaults={"miner_api_url": "http://127.0.0.1:9"})
    results = findings_by_check()
    assert {finding.verdict for finding in results.values()} == {Result.FAIL}
    assert results["health"].verdict == Result.FAIL
    assert "can't be reached" in results["health"].meaning


def test_a_miner_that_answers_too_late_without_actions_fails(foreign: Any) -> None:
    def late(_: str) -> tuple[int, str, bytes]:
        time.sleep(3.2)
        return 200, "application/json", b'{"actions": [], "web_agent_id": "x", "tool_calls": [], "done": false}'

    foreign(late)
    Settings.objects.update(deadline_seconds=3)
    results = findings_by_check()
    for name in ("task", "step"):
        assert results[name].verdict == Result.FAIL
        assert "after the deadline of 3 s" in results[name].meaning
        assert "empty" in results[name].meaning
        assert results[name].next_step == "Make the miner answer in time whatever its LLM does."


@pytest.mark.parametrize(
    ("more", "check", "fault"),
    [
        ({"actions": [{"type": "cssClick"}]}, "task", "actions[0].type: must be one of"),
        ({"actions": [{"type": "WaitAction", "time_seconds": 1}]}, "task", "is not a NavigateAction to the task's URL"),
        ({"actions": [{"type": "NavigateAction", "url": "http://localhost:8000/?seed=9"}]}, "task", "does not carry the task's seed 58"),
        ({"actions": [{"type": "NavigateAction", "url": "http://evil.example/?seed=58"}]}, "task", "leaves the task's host"),
        ({"actions": [{"type": "NavigateAction", "url": "http://localhost:8000/?seed=58"}, {"type": "WaitAction", "timeSeconds": 1}]}, "task", "actions[1].timeSeconds"),
        ({"actions": "none"}, "task", "actions: is not a list."),
        ({"web_agent_id": None}, "task", "web_agent_id: is missing."),
        ({"done": None}, "step", "done: is missing"),
        ({"tool_calls": [{"name": "browser.fly", "arguments": {}}]}, "step", "“browser.fly” is not a tool"),
        ({"tool_calls": [{"name": "browser.click", "arguments": {"css": "a"}}]}, "step", "tool_calls[0].css"),
        ({"tool_calls": []}, "step", "the step is wasted"),
    ],
)  # fmt: skip
def test_an_answer_that_breaks_the_contract_fails_with_the_field(foreign: Any, more: dict[str, Any], check: str, fault: str) -> None:
    foreign(as_json(**more))
    results = findings_by_check()
    assert results[check].verdict == Result.FAIL
    assert fault in results[check].meaning + " ".join(results[check].lines)


def test_html_instead_of_an_answer_is_recognised(foreign: Any) -> None:
    foreign(lambda _: (200, "text/html", b"<html>Welcome</html>"))
    assert findings_by_check()["task"].meaning == "body: is HTML instead of a JSON object."


def test_another_status_fails_and_shows_the_response(foreign: Any) -> None:
    foreign(lambda _: (500, "text/plain", b"Internal Server Error"))
    result = findings_by_check()["task"]
    assert (result.verdict, result.lines) == (Result.FAIL, ("Internal Server Error",))


def test_of_another_machine_the_route_is_unknown(foreign: Any) -> None:
    foreign(as_json())
    results = findings_by_check()
    assert (results["task"].verdict, results["step"].verdict) == (Result.OK, Result.OK)
    assert results["task by"].verdict == Result.SKIPPED


def test_only_this_panels_mark_makes_a_step_a_test(own_miner: str, client: Any) -> None:
    body = {"task_id": "t", "prompt": "Log out", "url": "http://localhost:8000/?seed=58", "html": "<p>x</p>", "step_index": 0}
    for index, headers in enumerate(({HEADER: "test:made:up"}, {}, mark())):
        client.post("/step", {**body, "step_index": index}, content_type="application/json", headers=headers)
    assert list(Step.objects.order_by("index").values_list("source", flat=True)) == ["validator", "validator", "test"]


def test_the_wait_for_a_late_answer_is_bounded() -> None:
    assert LATE_SECONDS <= 10
