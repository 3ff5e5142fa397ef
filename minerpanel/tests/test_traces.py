"""Traces, over real HTTP on loopback: a real web process sends them, and what arrives is decoded as any collector would."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core import checks
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agents.checks import check_settings
from agents.devtools.fake_chutes.process import FakeChutes
from minerpanel.tests.processes import MODEL, ROOT, Miner, answered, environment, post_at_once, step_body, wait_until

SECRET = "AKIAIOSFODNN7EXAMPLE"  # as a caller may write one into a prompt
SERVER, CLIENT, ERROR = 2, 3, 2  # of OpenTelemetry's protocol: kinds of spans, and a status


class Collector:
    """`spans`: what arrived, each with its attributes as plain values; `headers`: of the last request. While `hangs`, nothing is answered."""

    def __init__(self) -> None:
        self.spans: list[tuple[Any, dict[str, Any]]] = []
        self.resource: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.hangs = threading.Event()
        self.over = threading.Event()
        self.calls = 0
        self.url = ""

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource = plain(resource.resource.attributes)
            self.spans += [(span, plain(span.attributes)) for scope in resource.scope_spans for span in scope.spans]

    def named(self, name: str) -> list[tuple[Any, dict[str, Any]]]:
        return [(span, attributes) for span, attributes in self.spans if span.name == name]


def plain(attributes: Any) -> dict[str, Any]:
    return {attribute.key: getattr(attribute.value, attribute.value.WhichOneof("value")) for attribute in attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.calls += 1
            if collector.hangs.is_set():
                collector.over.wait()
            elif self.path == "/v1/traces":
                collector.headers = dict(self.headers)
                collector.take(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Not in the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield collector
        collector.over.set()
        server.shutdown()


def traced(process_environment: dict[str, str], fake_chutes: FakeChutes, collector: Collector, **more: str) -> dict[str, str]:
    own = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc,x-team=miners"}
    own["OTEL_BSP_SCHEDULE_DELAY"] = "200"  # milliseconds between two batches
    return environment(process_environment, fake_chutes, **own, **more)


def test_a_step_is_a_trace_with_its_attempts_and_prompts_only_if_allowed(
    process_environment: dict[str, str], fake_chutes: FakeChutes, collector: Collector
) -> None:
    with Miner.running(traced(process_environment, fake_chutes, collector, MINER_NAME="first")) as miner:
        miner.manage("miner_settings", "spacing_seconds=0")
        url = miner.web()
        answered(post_at_once([url], [step_body(1, web_project_id="autocinema")])[0][1])
        wait_until(lambda: len(collector.spans) == 2, "no spans arrive")
        ((step, of_step),), ((attempt, of_attempt),) = collector.named("step"), collector.named(f"chat {MODEL}")
        assert (step.kind, attempt.kind) == (SERVER, CLIENT)
        assert attempt.trace_id == step.trace_id and attempt.parent_span_id == step.span_id
        assert step.start_time_unix_nano <= attempt.start_time_unix_nano < attempt.end_time_unix_nano <= step.end_time_unix_nano
        ((uid, reason),) = miner.rows("SELECT uid, reason FROM agents_step")
        assert (of_step["miner.step.uid"].replace("-", ""), of_step["miner.reason"]) == (str(uid).replace("-", ""), reason) != ("", "")
        assert of_step["gen_ai.conversation.id"] == "task-1" and of_step["miner.route"] == "llm"
        assert (of_attempt["gen_ai.operation.name"], of_attempt["gen_ai.request.model"]) == ("chat", MODEL)
        assert of_attempt["gen_ai.usage.input_tokens"] > 0 and of_attempt["gen_ai.usage.output_tokens"] > 0
        assert of_attempt["gen_ai.provider.name"] == "127.0.0.1"
        assert "Arrival" not in str(collector.spans)
        assert (collector.resource["service.name"], collector.resource["service.instance.id"]) == ("minerpanel", "first")
        assert (collector.headers["x-team"], collector.headers["authorization"]) == ("miners", "Bearer abc")
        collector.spans.clear()
        miner.manage("miner_settings", "trace_prompts=true")
        fake_chutes.ban(3600)
        for number in (2, 3):
            answered(post_at_once([url], [step_body(number, prompt=f"Search for the film 'Arrival', {SECRET}")])[0][1])
        wait_until(lambda: len(collector.spans) == 3, "no spans arrive")
        ((refused, of_refused),) = collector.named(f"chat {MODEL}")
        assert refused.status.code == ERROR and of_refused["error.type"] == "edge"
        messages = json.loads(of_refused["gen_ai.input.messages"])
        assert messages[0]["role"] == "system" and "Arrival" in messages[-1]["parts"][0]["content"]
        assert SECRET not in str(collector.spans)
        assert sorted(attributes["miner.reason"] for _, attributes in collector.named("step")) == ["paused", "refused"]


def test_a_collector_that_hangs_holds_up_no_step_and_no_end(
    process_environment: dict[str, str], fake_chutes: FakeChutes, collector: Collector
) -> None:
    collector.hangs.set()
    with Miner.running({**traced(process_environment, fake_chutes, collector), "CHUTES_API_KEY": ""}) as miner:
        url = miner.web()
        for _ in range(15):
            for _, answer in post_at_once([url], [step_body(number) for number in range(20)]):
                answered(answer)
        wait_until(lambda: collector.calls > 0, "nothing was sent")
        assert miner.rows("SELECT count(*) FROM agents_step WHERE answered_at > deadline_at") == [(0,)]
        (web,) = miner.processes
        web.terminate()
        web.wait(20)


OFF = """
import os, django
django.setup()
import minerpanel.wsgi, agents.hybrid.runner, agents.jobs, sys
print(sorted(name for name in sys.modules if name.startswith("opentelemetry")))
"""


@pytest.mark.long
def test_without_traces_opentelemetry_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", OFF], cwd=ROOT, capture_output=True, text=True, check=True, timeout=180)
    assert done.stdout.strip() == "[]"


def test_missing_packages_are_reported_with_the_command_that_installs_them(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def warned() -> list[checks.CheckMessage]:
        return [message for message in check_settings(None) if message.id == "agents.W007"]

    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318"
    assert not warned()
    monkeypatch.setattr("agents.checks.find_spec", lambda _: None)
    assert "bin/install requirements-otel.txt" in str(warned()[0].hint)
