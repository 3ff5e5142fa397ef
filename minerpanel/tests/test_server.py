"""The HTTP server under clients that are slow, silent, too many, or send more than is read: real sockets on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from waitress import wasyncore

from agents.policy.callers import customer
from minerpanel.server import limits
from minerpanel.server.limits import BODY_SECONDS, HEADER_SECONDS, MOST_CONNECTIONS, MOST_LARGE_BODIES
from minerpanel.server.listening import Claim, Connection, Phase, Server, first_to_drop
from minerpanel.server.ports import PortInUse, holder, listen
from minerpanel.tests.processes import PATIENCE, ROOT, step_body, wait_until

pytestmark = pytest.mark.long

HEAD = b"POST %s HTTP/1.1\r\nHost: miner\r\n"


class Running:
    """A server in a thread of this process, with an application that notes what it receives."""

    def __init__(self) -> None:
        self.arrived: list[dict[str, Any]] = []
        self.gate = threading.Event()  # requests to /act wait for it
        self.server = Server(self.application, listen("127.0.0.1", 0, 64))
        self.port = int(self.server.effective_port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def application(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        if environ["PATH_INFO"] == "/act":
            self.gate.wait(PATIENCE)
        self.arrived.append({**environ, "body": body})
        start_response("200 OK", [("Content-Length", "5")])
        return [b"hello"]

    def connect(self, first: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE, source_address=(source, 0))
        connection.sendall(first)
        return connection

    def connections(self) -> list[Connection]:
        return list(self.server.active_channels.values())

    def stop(self) -> None:
        self.gate.set()
        self.server.stop()
        self.thread.join(PATIENCE)
        wasyncore.close_all(self.server._map)  # not before: `stop` wakes the thread by one of these files

    def _run(self) -> None:
        while self.server.turn():
            pass


@pytest.fixture
def running() -> Iterator[Running]:
    server = Running()
    try:
        yield server
    finally:
        server.stop()


def answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """The one response on a connection that the server ends after it."""
    received = b""
    while part := connection.recv(65_536):
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}, body


def test_a_chunked_body_arrives_whole(running: Running) -> None:
    parts = [json.dumps(step_body()).encode()[start : start + 7] for start in range(0, 10_000, 7)]
    reply = httpx.post(f"{running.url}/step", content=iter([part for part in parts if part]), timeout=PATIENCE)
    assert reply.status_code == 200
    assert json.loads(running.arrived[0]["body"]) == step_body()
    assert int(running.arrived[0]["CONTENT_LENGTH"]) == len(running.arrived[0]["body"])


def test_a_body_to_an_unknown_path_is_read_as_far_as_needed_to_detect_a_task(running: Running) -> None:
    assert httpx.post(f"{running.url}/find_it", content=b"x" * 1_000, timeout=PATIENCE).status_code == 200
    assert httpx.get(f"{running.url}/find_it", timeout=PATIENCE).status_code == 200
    for length in (b"Content-Length: 40000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"):
        assert answer(running.connect(HEAD % b"/find_it" + length))[0] == 200
    assert [len(request["body"]) for request in running.arrived] == [1_000, 0, 0, 0]


@pytest.mark.parametrize("length", [b"Content-Length: 40000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n2625A00\r\n"])
def test_a_refusal_reaches_a_client_that_is_still_sending(running: Running, length: bytes) -> None:
    connection = running.connect(HEAD % b"/step" + length)
    connection.sendall(b"x" * 40_000_000)
    status, headers, body = answer(connection)
    assert (status, headers["content-type"], json.loads(body)["field"]) == (413, "application/json", "body")
    assert running.arrived == []


def test_a_client_that_waits_for_100_continue_is_refused_before_it_sends(running: Running) -> None:
    assert answer(running.connect(HEAD % b"/step" + b"Expect: 100-continue\r\nContent-Length: 40000000\r\n\r\n"))[0] == 413


@pytest.mark.parametrize("path", ["/no/such/path", "/solve"])
def test_a_body_for_a_path_that_takes_none_is_not_read_and_the_request_is_answered(running: Running, path: str) -> None:
    connection = running.connect(HEAD % path.encode() + b"Content-Length: 40000000\r\n\r\n")
    connection.sendall(b"x" * 40_000_000)
    assert answer(connection)[0] == 200
    assert [request["body"] for request in running.arrived] == [b""]


def test_a_wrong_method_is_answered_without_its_body(running: Running) -> None:
    connection = running.connect(b"PUT /step HTTP/1.1\r\nHost: miner\r\nContent-Length: 40000000\r\n\r\n")
    assert answer(connection)[0] == 200
    assert running.arrived[0]["REQUEST_METHOD"] == "PUT"
    assert running.arrived[0]["body"] == b""


def test_a_body_in_tiny_chunks_is_refused_before_its_parsing_costs_much(running: Running) -> None:
    connection = running.connect(HEAD % b"/step" + b"Transfer-Encoding: chunked\r\n\r\n")
    started = time.process_time()
    connection.sendall(b"1\r\na\r\n" * 1_000_000)
    assert answer(connection)[0] == 400
    assert time.process_time() - started < 25  # 0.3 s; parsing all of it would take ten times as long as allowed


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /step HT", HEAD % b"/step" + b"Content-Length: 10\r\n\r\nab"],
    ids=["silent", "half the headers", "half the body"],
)
def test_slow_clients_take_no_thread(running: Running, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(3 * settings.WEB_THREADS):
            stack.enter_context(running.connect(sent))
        assert httpx.post(f"{running.url}/step", json=step_body(), timeout=PATIENCE).status_code == 200
        assert httpx.get(f"{running.url}/health", timeout=PATIENCE).status_code == 200


def test_headers_and_bodies_that_trickle_in_are_cut_at_their_time(running: Running) -> None:
    """Bytes that keep coming do not stretch the time: the limits are for the whole."""
    trickling = {
        Phase.HEADERS: running.connect(b"POST /step HT"),
        Phase.BODY: running.connect(HEAD % b"/step" + b"Content-Length: 100000\r\n\r\nab"),
    }
    for phase, seconds in ((Phase.HEADERS, HEADER_SECONDS), (Phase.BODY, BODY_SECONDS)):
        connection = wait_until(lambda phase=phase: [row for row in running.connections() if row.phase is phase], f"no {phase}")[0]  # type: ignore[misc]
        assert not connection.overdue(connection.phase_since + seconds - 0.1)
        trickling[phase].sendall(b"x")
        assert connection.overdue(connection.phase_since + seconds + 0.1)
        connection.phase_since -= seconds
        status, _, body = answer(trickling[phase])
        assert status == 408
        assert "too long" in json.loads(body)["error"]


def test_a_silent_connection_is_closed(running: Running) -> None:
    silent = running.connect()
    connection = wait_until(running.connections, "no connection")[0]
    connection.phase_since -= HEADER_SECONDS + 1
    assert silent.recv(1) == b""


def test_too_many_connections_cost_the_client_that_has_most_its_oldest(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_CONNECTIONS", 20)
    honest = running.connect(HEAD % b"/step" + b"Content-Length: 2\r\n\r\n{", source="127.0.0.2")
    with ExitStack() as stack:
        silent = [stack.enter_context(running.connect(source="127.0.0.3")) for _ in range(40)]
        assert silent[0].recv(1) == b"", "the oldest is closed"
        wait_until(lambda: len(running.connections()) == 20, "connections are not bounded")
        honest.sendall(b"}")
        assert honest.recv(15) == b"HTTP/1.1 200 OK"


def test_bodies_in_memory_are_bounded_and_the_client_that_sends_most_is_refused(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HELD_BYTES", 3_000_000)
    honest = running.connect(HEAD % b"/step" + b"Content-Length: 100001\r\n\r\n" + b"x" * 100_000, source="127.0.0.2")
    head = HEAD % b"/step" + b"Content-Length: 2000000\r\n\r\n"
    with ExitStack() as stack:
        large = [stack.enter_context(running.connect(head + b"x" * 1_900_000, source="127.0.0.3")) for _ in range(4)]
        wait_until(lambda: sum(connection.held for connection in running.connections()) < 3_000_000, "bodies are not bounded")
        honest.sendall(b"x")
        assert honest.recv(15) == b"HTTP/1.1 200 OK"
        statuses = []
        for connection in large:
            connection.sendall(b"x" * 100_000)
            statuses.append(connection.recv(12))
        assert statuses.count(b"HTTP/1.1 503") >= 3


def test_a_journal_larger_than_a_step_is_kept_on_the_disk_while_it_arrives_and_few_come_at_once(running: Running) -> None:
    sent = b"x" * 20_000_000
    head = HEAD % reverse("imports").encode() + b"Content-Length: %d\r\n\r\n" % len(sent)
    with ExitStack() as stack:
        uploads = []
        for _ in range(MOST_LARGE_BODIES):
            uploads.append(stack.enter_context(running.connect(head + sent[:-1])))
        wait_until(lambda: receiving(running) == MOST_LARGE_BODIES, "they do not arrive")
        assert sum(connection.held for connection in running.connections()) == 0
        assert answer(stack.enter_context(running.connect(head + b"x")))[0] == 503
        for connection in uploads:
            connection.sendall(b"x")
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
    assert [len(request["body"]) for request in running.arrived] == [len(sent)] * MOST_LARGE_BODIES


def receiving(running: Running) -> int:
    """How many bodies are being received."""
    return len([connection for connection in running.connections() if connection.phase is Phase.BODY])


def test_health_and_pages_are_answered_while_all_step_threads_are_busy(running: Running) -> None:
    with ExitStack() as stack:
        body = b"Content-Length: 2\r\n\r\n{}"
        waiting = [stack.enter_context(running.connect(HEAD % b"/act" + body)) for _ in range(settings.WEB_THREADS + 1)]
        for path in ("/health", "/login/"):
            assert httpx.get(running.url + path, timeout=PATIENCE).status_code == 200
        running.gate.set()
        assert all(connection.recv(15) == b"HTTP/1.1 200 OK" for connection in waiting)


def test_only_trusted_proxies_are_believed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "evil.example"}
    httpx.get(f"{running.url}/health", headers=forwarded, timeout=PATIENCE)
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", ("127.0.0.0/8",))
    httpx.get(f"{running.url}/health", headers=forwarded, timeout=PATIENCE)
    stranger, proxy = running.arrived
    assert stranger["wsgi.url_scheme"] == "http"
    assert not [name for name in stranger if name.startswith("HTTP_X_FORWARDED")]
    assert (proxy["wsgi.url_scheme"], proxy["HTTP_X_FORWARDED_FOR"]) == ("https", "192.0.2.7")


def test_requests_in_hand_are_answered_at_a_stop_and_the_port_is_free_at_once(running: Running) -> None:
    waiting = running.connect(HEAD % b"/act" + b"Content-Length: 2\r\n\r\n{}")
    wait_until(lambda: any(connection.phase is Phase.ANSWERING for connection in running.connections()), "nothing is in hand")
    running.server.stop()
    listener: socket.socket = wait_until(lambda: free(running.port), "the port is not free")
    listener.close()
    running.gate.set()
    assert waiting.recv(15) == b"HTTP/1.1 200 OK"
    running.thread.join(PATIENCE)
    assert not running.thread.is_alive()


def free(port: int) -> socket.socket | None:
    try:
        return listen("127.0.0.1", port, 1)
    except PortInUse:
        return None


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(1, 9), st.floats(0, 100)), max_size=20))
def test_the_connection_to_give_up_is_the_greediest_clients(rows: list[tuple[str, int, float]]) -> None:
    claims = [Claim(*row) for row in rows]
    index = first_to_drop(claims)
    if index is None:
        assert not claims
        return
    taken = {claim.client: sum(other.amount for other in claims if other.client == claim.client) for claim in claims}
    assert taken[claims[index].client] == max(taken.values())


def test_a_proxys_connections_go_last() -> None:
    assert first_to_drop([Claim("proxy", 1, 1.0, is_proxy=True), Claim("proxy", 1, 2.0, is_proxy=True), Claim("a", 1, 3.0)]) == 2


def test_an_ipv6_network_of_64_bits_is_one_client() -> None:
    assert customer("2001:db8::1") == customer("2001:db8::ffff:1") != customer("2001:db8:0:1::1")
    assert customer("::ffff:192.0.2.1") == customer("192.0.2.1") == "192.0.2.1"
    assert customer("fe80::1%eth0") == customer("fe80::2%eth0")


def test_a_port_in_use_is_reported_with_its_process_and_a_remedy(free_port: int) -> None:
    code = f"import socket, time; s = socket.create_server(('127.0.0.1', {free_port})); print(1, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            held = holder(free_port)
            assert held is not None
            assert held[1] == other.pid
            command = [sys.executable, "-m", "minerpanel.serve", "--check-port"]
            environment = {**os.environ, "PORT": str(free_port)}
            checked = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
            assert checked.returncode == 1
            assert checked.stderr.startswith(f"Port {free_port} is in use by process {other.pid} (")
            assert f"kill {other.pid}; or set another PORT in .env." in checked.stderr
            assert "Traceback" not in checked.stderr
        finally:
            other.kill()


def test_a_free_port_and_ipv6_are_listened_on() -> None:
    for bind in ("127.0.0.1", "::1", "localhost"):
        with listen(bind, 0, 1) as listener:
            assert listener.getsockname()[1]
    with pytest.raises(PortInUse, match=r"192\.0\.2\.1, port 1 can't be listened on"):
        listen("192.0.2.1", 1, 1)


def test_web_and_worker_end_with_their_supervisor(process_environment: dict[str, str], free_port: int, tmp_path: Path) -> None:
    commands = (["-m", "minerpanel.serve", "--end-with-parent"], ["manage.py", "worker", "--end-with-parent"])
    code = f"import subprocess, sys, time; print(*[subprocess.Popen([sys.executable, *c]).pid for c in {commands}], flush=True); time.sleep(600)"
    environment = {**process_environment, "PORT": str(free_port)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        children = [int(pid) for pid in supervisor.stdout.readline().split()]
        try:
            wait_until(lambda: free(free_port) is None, "web does not listen")
            wait_until(lambda: list(tmp_path.glob("worker-*.lock")), "the worker does not run")
        finally:
            supervisor.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in children), "web or worker outlives its supervisor")
    listener: socket.socket = wait_until(lambda: free(free_port), "the port is held")
    listener.close()


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_far_more_connections_are_taken_than_threads_exist() -> None:
    assert MOST_CONNECTIONS >= 1_000
