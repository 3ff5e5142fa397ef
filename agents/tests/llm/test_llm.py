"""The client of providers, against fake Chutes and against a small server with invalid answers."""

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

import pytest

from agents.configuration import Provider
from agents.devtools.fake_chutes.process import FakeChutes
from agents.devtools.fake_chutes.server import Answer, Delivery, Request, Server, json_answer
from agents.llm import client
from agents.models.accounts import default_options
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass
from agents.prompting.completions import MAX_REPLY_BYTES, Completion
from agents.tests.rows import rows

MODEL = "Qwen/Qwen3-32B-TEE"
KEY = "cpk_" + ".".join(letter * 32 for letter in "abc")
MESSAGES = [{"role": "user", "content": "Task: Log out\nURL: http://localhost:8000/?seed=58"}]
PATIENCE = 90.0


class Scripted:
    """A server with a list of answers by path: sent in order, the last one repeatedly."""

    def __init__(self) -> None:
        self.scripts: list[tuple[tuple[Answer, ...], list[Request]]] = []
        self.server = Server(self._app, 0)

    def _app(self, request: Request) -> Answer:
        answers, arrived = self.scripts[int(request.path.split("/")[1])]
        arrived.append(request)
        return answers[min(len(arrived), len(answers)) - 1]

    def play(self, *answers: Answer) -> tuple[str, list[Request]]:
        """The base URL of a new list of answers, and the requests to it."""
        arrived: list[Request] = []
        self.scripts.append((answers, arrived))
        return f"{self.server.url}/{len(self.scripts) - 1}/v1", arrived


@cache
def scripted() -> Scripted:
    """One server for all tests; its threads end with the process."""
    started = Scripted()
    started.server.start()
    return started


def play(*answers: Answer) -> tuple[str, list[Request]]:
    """A base URL with these answers, and the requests to it."""
    return scripted().play(*answers)


@contextmanager
def serving(serve: Callable[[socketserver.StreamRequestHandler], None]) -> Iterator[str]:
    """A server that handles each connection by `serve`."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                serve(self)
            except OSError:
                return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


def complete(base_url: str, *, key: str = KEY, model: str = MODEL, seconds: float = PATIENCE, task_id: str = "t") -> Completion:
    provider = Provider(base_url, key, (model,), {}, default_options())
    return client.Call(provider, model, client.Prompt(MESSAGES, task_id=task_id), cut_off=time.time() + seconds).result()


def whole(body: Any, status: int = 200, **headers: str) -> Answer:
    return json_answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def reply_with(content: Any, **more: Any) -> Answer:
    return whole({"choices": [{"message": {"content": content}}], **more})


def error_of(base_url: str, **how: Any) -> client.LLMError:
    with pytest.raises(client.LLMError) as caught:
        complete(base_url, **how)
    assert KEY not in str(caught.value)
    return caught.value


def refusal_of(*answers: Answer) -> client.Refused:
    url, _ = play(*answers)
    error = error_of(url)
    assert isinstance(error, client.Refused)
    return error


def test_a_completion_has_its_tokens(fake_chutes: FakeChutes) -> None:
    completion = complete(fake_chutes.base_url, key=fake_chutes.key)
    assert json.loads(completion.text)["actions"]
    assert completion.prompt_tokens
    assert completion.completion_tokens


def test_the_request_requires_json_without_thinking_and_names_its_task() -> None:
    url, arrived = play(reply_with("{}"))
    complete(url, task_id="tä\r\nsk")
    body = json.loads(arrived[0].body)
    assert arrived[0].method == "POST"
    assert arrived[0].path.endswith("/v1/chat/completions")
    assert arrived[0].headers["Authorization"] == f"Bearer {KEY}"
    assert arrived[0].headers["IWA-Task-ID"] == "t???sk"
    assert body["response_format"] == {"type": "json_object"}
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert (body["model"], body["messages"], body["temperature"]) == (MODEL, MESSAGES, 0)


def test_connections_are_used_again() -> None:
    peers: list[int] = []

    def serve(handler: socketserver.StreamRequestHandler) -> None:
        peers.append(handler.client_address[1])
        body = json.dumps({"choices": [{"message": {"content": "{}"}}]}).encode()
        while length := _read_head(handler):
            handler.rfile.read(length)
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with serving(serve) as url:
        for _ in range(3):
            assert complete(url).text == "{}"
    assert len(peers) == 1


def _read_head(handler: socketserver.StreamRequestHandler) -> int:
    """The length of the body that follows, 0 at the end."""
    length = 0
    while (line := handler.rfile.readline()) not in (b"", b"\r\n"):
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return length


@rows(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 0}, (7, 0)),
        (None, (None, None)),
        ([], (None, None)),
        ("many", (None, None)),
        ({}, (None, None)),
        ({"prompt_tokens": "7", "completion_tokens": 7.5}, (None, None)),
        ({"prompt_tokens": -1, "completion_tokens": 2**31}, (None, None)),
        ({"prompt_tokens": True, "completion_tokens": None}, (None, None)),
    ],
)
def test_invalid_token_counts_are_unknown(usage: Any, tokens: tuple[int | None, int | None]) -> None:
    url, _ = play(reply_with("{}", usage=usage))
    completion = complete(url)
    assert (completion.prompt_tokens, completion.completion_tokens) == tokens


def test_a_reply_is_text_that_every_database_accepts() -> None:
    url, _ = play(reply_with("a\ud800b\0c"))
    assert complete(url).text == "a\ufffdb\ufffdc"


@rows(
    "choices",
    [
        None,
        [],
        {},
        "text",
        [None],
        ["text"],
        [{}],
        [{"message": None}],
        [{"message": "text"}],
        [{"message": {}}],
        [{"message": {"content": None}}],
        [{"message": {"content": ""}}],
        [{"message": {"content": " \n"}}],
        [{"message": {"content": [{"type": "text", "text": "{}"}]}}],
        [{"delta": {"content": "{}"}}],
    ],
)
def test_a_reply_without_a_text_is_broken_though_the_account_is_fine(choices: Any) -> None:
    url, _ = play(whole({"choices": choices}))
    error = error_of(url)
    assert isinstance(error, client.BrokenReply)
    assert error.status == 200


@rows(
    "body",
    [b"", b"<html>Welcome</html>", b"[]", b"null", b'"text"', b'{"choices": [', b"\xff\xfe", b"[" * 100_000, b'{"error": {}}', b"{}"],
)
def test_a_200_without_a_completion_is_a_broken_reply(body: bytes) -> None:
    url, _ = play(Answer(200, "application/json", (body,)))
    error = error_of(url)
    assert isinstance(error, client.BrokenReply)
    assert error.status == 200


def test_a_reply_longer_than_any_plan_is_not_read_to_its_end() -> None:
    long = Answer(200, "application/json", (b"x" * 100_000,) * 40, delivery=Delivery.CHUNKED)
    url, _ = play(long)
    error = error_of(url)
    assert isinstance(error, client.BrokenReply)
    assert str(MAX_REPLY_BYTES) in str(error)


def test_a_refusal_with_an_endless_page_is_a_refusal() -> None:
    error = refusal_of(Answer(429, "text/html", (b"<html>" + b"x" * 100_000,) * 40, delivery=Delivery.CHUNKED))
    assert (error.status, error.refusal.kind) == (429, RefusalClass.EDGE)


def test_a_call_has_the_time_it_was_sent_or_none(fake_chutes: FakeChutes, free_port: int) -> None:
    def call(base_url: str) -> client.Call:
        return client.Call(Provider(base_url, fake_chutes.key, (), {}), MODEL, client.Prompt(MESSAGES), cut_off=time.time() + PATIENCE)

    before, left = time.time(), call(fake_chutes.base_url).sent_at()
    assert left is not None
    assert before <= left <= time.time()
    assert call(f"http://127.0.0.1:{free_port}/v1").sent_at() is None
    assert call("http://localhost:99999/v1").sent_at() is None


@pytest.mark.parametrize("fault", ["reset", "broken"])
def test_a_connection_that_breaks_is_unreachable(fake_chutes: FakeChutes, fault: str) -> None:
    fake_chutes.set(faults={fault: 1.0})
    assert isinstance(error_of(fake_chutes.base_url, key=fake_chutes.key), client.Unreachable)


def test_a_hanging_provider_is_cut_off(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(faults={"hang": 1.0})
    started = time.monotonic()
    error = error_of(fake_chutes.base_url, key=fake_chutes.key, seconds=0.3)
    assert isinstance(error, client.TimedOut)
    assert 0.3 <= time.monotonic() - started < PATIENCE


def test_a_reply_that_trickles_without_end_is_cut_off() -> None:
    def drip(handler: socketserver.StreamRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            handler.wfile.write(b" ")
            time.sleep(0.02)

    with serving(drip) as url:
        started = time.monotonic()
        error = error_of(url, seconds=0.4)
    assert isinstance(error, client.TimedOut)
    assert 0.4 <= time.monotonic() - started < PATIENCE


def test_a_call_whose_time_is_over_already_is_cut_off_at_once(fake_chutes: FakeChutes) -> None:
    assert isinstance(error_of(fake_chutes.base_url, key=fake_chutes.key, seconds=-1), client.TimedOut)
    assert not fake_chutes.state()["arrivals"]


def test_the_cut_off_of_a_call_does_not_affect_another(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(latency=0.5)
    errors: list[client.LLMError] = []
    other = threading.Thread(target=lambda: errors.append(error_of(fake_chutes.base_url, key=fake_chutes.key, seconds=0.05)))
    other.start()
    assert complete(fake_chutes.base_url, key=fake_chutes.key).text
    other.join()
    assert isinstance(errors[0], client.TimedOut)


def test_a_closed_port_is_unreachable(free_port: int) -> None:
    assert isinstance(error_of(f"http://127.0.0.1:{free_port}/v1"), client.Unreachable)


@pytest.mark.parametrize(
    "base_url", ["", "llm.chutes.ai/v1", "ftp://localhost/v1", "http://", "http://[::1/v1", "http://localhost:99999/v1", "http://xn--a/v1"]
)
def test_an_invalid_base_url_is_unreachable(base_url: str) -> None:
    error = error_of(base_url)
    assert isinstance(error, client.Unreachable)
    assert str(error) != "The provider can't be reached or the connection broke: "


def test_a_server_that_speaks_no_http_is_unreachable() -> None:
    def greet(handler: socketserver.StreamRequestHandler) -> None:
        handler.wfile.write(b"220 mail.example ESMTP\r\n")

    with serving(greet) as url:
        assert isinstance(error_of(url), client.Unreachable)


def test_a_body_with_a_wrong_content_encoding_is_unreachable() -> None:
    url, _ = play(Answer(200, "application/json", (b"not gzip",), {"Content-Encoding": "gzip"}))
    assert isinstance(error_of(url), client.Unreachable)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_with_the_key_and_the_error_names_the_base_url(status: int) -> None:
    elsewhere, reached = play(reply_with("{}"))
    error = refusal_of(whole({}, status, Location=f"{elsewhere}/chat/completions"))
    assert not reached
    assert error.refusal.kind is RefusalClass.AUTH
    assert "Check the key and the base URL" in error.refusal.kind.sentence


@pytest.mark.parametrize("header", ["300", None])
def test_a_retry_after_counts_from_the_arrival_of_the_refusal(header: str | None) -> None:
    before = time.time()
    refusal = refusal_of(whole({"detail": "wait"}, 429, Retry_After=header or _http_date(300))).refusal
    assert refusal.until is not None
    assert before + 299 <= refusal.until <= time.time() + 300
    assert refusal.source is PauseSource.PROVIDER


def _http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def test_a_wrong_key_and_a_wrong_host_are_both_reported_as_such(fake_chutes: FakeChutes) -> None:
    wrong_key, wrong_host = error_of(fake_chutes.base_url), error_of(f"{fake_chutes.base_url}/typo", key=fake_chutes.key)
    for error, status in ((wrong_key, 401), (wrong_host, 404)):
        assert isinstance(error, client.Refused)
        assert (error.status, error.refusal.kind) == (status, RefusalClass.AUTH)
    assert str(wrong_host) == "No matching chute found!"


def test_an_unlisted_model_is_the_models_fault(fake_chutes: FakeChutes) -> None:
    error = error_of(fake_chutes.base_url, key=fake_chutes.key, model="no/such-model")
    assert isinstance(error, client.Refused)
    assert error.refusal.kind is RefusalClass.MODEL


@pytest.mark.parametrize("key", [KEY, "another kind of key", "sk-plain"])
def test_a_key_that_the_provider_repeats_is_in_no_error(key: str) -> None:
    url, _ = play(whole({"detail": f"Unknown key {key}"}, 401))
    with pytest.raises(client.Refused) as caught:
        complete(url, key=key)
    assert key not in f"{caught.value} {caught.value.refusal}"
    assert caught.value.refusal.detail == "Unknown key [secret]"


@pytest.mark.parametrize("key", ["cpk_ключ", "cpk_a\nb", "cpk_a\0b", " cpk_a ", "cpk_\ud800"])
def test_a_key_that_is_invalid_in_a_header_is_refused_as_a_key(fake_chutes: FakeChutes, key: str) -> None:
    error = error_of(fake_chutes.base_url, key=key)
    assert isinstance(error, client.Refused)
    assert error.refusal.kind is RefusalClass.AUTH


def listed(answer: Answer) -> list[dict[str, Any]]:
    url, _ = play(answer)
    return client.catalogue(Provider(url, "", (), {}))


def test_the_model_list_is_read_without_a_key(fake_chutes: FakeChutes) -> None:
    entries = client.catalogue(Provider(fake_chutes.base_url, "", (), {}))
    assert {"id": MODEL, "input": 0.08, "output": 0.24, "json_mode": True} in entries
    assert [entry["id"] for entry in entries if not entry["json_mode"]] == ["unsloth/Llama-3.2-3B-Instruct"]
    assert fake_chutes.state()["arrivals"][-1]["path"] == "/v1/models"


@rows(
    "pricing",
    [
        None,
        [],
        "free",
        {},
        {"prompt": None},
        {"prompt": "dear"},
        {"prompt": []},
        {"prompt": -1},
        {"prompt": float("nan")},
        {"prompt": 1e999},
    ],
)
def test_an_invalid_price_is_unknown(pricing: Any) -> None:
    assert listed(whole({"data": [{"id": "a", "pricing": pricing}]})) == [{"id": "a", "input": None, "output": None, "json_mode": False}]


def test_prices_may_be_zero_and_may_be_texts() -> None:
    entry = listed(whole({"data": [{"id": "a", "pricing": {"prompt": 0, "completion": "0.5"}, "supported_features": ["json_mode"]}]}))[0]
    assert entry == {"id": "a", "input": 0.0, "output": 0.5, "json_mode": True}


@pytest.mark.parametrize("features", [None, "json_mode", {"json_mode": True}, [["json_mode"]], []])
def test_only_a_list_of_features_lists_a_feature(features: Any) -> None:
    assert listed(whole({"data": [{"id": "a", "supported_features": features}]}))[0]["json_mode"] is False


def test_an_entry_without_a_usable_name_is_passed_over() -> None:
    odd: list[Any] = [None, "a", [], {}, {"id": None}, {"id": 7}, {"id": ""}, {"id": "x" * 201}, {"id": "a\0"}, {"id": "\ud800"}]
    assert [entry["id"] for entry in listed(whole({"data": [*odd, {"id": "good"}]}))] == ["good"]
    assert listed(whole({"data": []})) == []


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {"id": "a"}}, {"object": "list"}])
def test_a_list_of_another_form_is_a_broken_reply(body: Any) -> None:
    with pytest.raises(client.BrokenReply):
        listed(whole(body))


def test_a_refused_model_list_has_the_reason() -> None:
    with pytest.raises(client.Refused, match="down for maintenance"):
        listed(whole({"detail": "down for maintenance"}, 503))
