"""Who posts to the attacked miner: honest callers, and attackers, each a process of its own.

An attacker gets the miner's address, an event that ends it, and a queue for the counts of its requests by status (0: no answer).
"""

import http.client
import json
import multiprocessing
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from minerpanel.tests.processes import step_body

# A caller waits this much longer than its deadline before it gives a step up, in seconds, so that a late answer is seen as such.
BEYOND_DEADLINE = 20.0
# Of an attacker for an answer, in seconds.
PATIENCE = 60.0
# What a body has in the place of a task's id that is to be another one in each request.
FRESH_ID = "fresh-task-id"
# Each group of callers has tasks of its own, so that none is found on record under another's name.
_numbers = count()


@dataclass(frozen=True, slots=True)
class Answer:
    """One step's. `seconds` from the request to the whole answer; `status` 0: no answer came, `fault` gives the reason."""

    task_id: str
    seconds: float
    status: int
    has_actions: bool
    fault: str = ""


class HonestCallers:
    """So many callers that post one step after another until the `with` block ends. `answers` are complete after it."""

    def __init__(self, url: str, callers: int, *, deadline: float, pause: float = 0.2, name: str = "") -> None:
        self.url, self.deadline, self.pause = url, deadline, pause
        self.name, self.answers = name or f"honest-{next(_numbers)}", list[Answer]()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._post_steps, args=(number,), daemon=True) for number in range(callers)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(self.deadline + BEYOND_DEADLINE + 5.0)

    def _post_steps(self, caller: int) -> None:
        for number in count():
            if self._over.is_set():
                return
            self.post(step_body(task_id=f"{self.name}-{caller}-{number}"), caller)
            self._over.wait(self.pause)

    def post(self, body: dict[str, Any], caller: int = 0) -> Answer:
        """One step from an honest caller's address."""
        started = time.monotonic()
        status, has_actions, fault = 0, False, ""
        try:
            status, raw = request(self.url, "/step", json.dumps(body).encode(), address(caller), self.deadline + BEYOND_DEADLINE)
            has_actions = status == 200 and bool(json.loads(raw)["tool_calls"])
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            fault = f"{type(error).__name__}: {error}"
        answer = Answer(body["task_id"], time.monotonic() - started, status, has_actions, fault)
        self.answers.append(answer)
        return answer

    @property
    def late(self) -> list[Answer]:
        """Those that came after the deadline or not at all."""
        return [answer for answer in self.answers if answer.seconds > self.deadline or not answer.status]

    @property
    def refused(self) -> list[Answer]:
        """Those that were answered with another status than 200, or without actions."""
        return [answer for answer in self.answers if answer.status and (answer.status != 200 or not answer.has_actions)]

    @property
    def acknowledged(self) -> set[str]:
        """The tasks whose step was answered with 200: they have to be on record."""
        return {answer.task_id for answer in self.answers if answer.status == 200}


def address(caller: int) -> str:
    """An honest caller's; attackers have addresses of 127.1.0.0/16."""
    return f"127.0.0.{101 + caller}"


def request(
    url: str, path: str, body: bytes = b"", source: str = "127.0.0.1", patience: float = 10.0, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """One request over a connection of its own, a POST where it has a body: status and body. Raises OSError or HTTPException."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=patience, source_address=(source, 0))
    try:
        connection.request("POST" if body else "GET", path, body or None, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@contextmanager
def attacking(attack: Callable[..., None], url: str, *arguments: Any) -> Iterator[Counter[int]]:
    """The attack runs while the `with` block does. Yields the counts by status, complete after it."""
    context = multiprocessing.get_context("spawn")
    over, results = context.Event(), context.Queue()
    process = context.Process(target=attack, args=(url, over, results, *arguments), daemon=True)
    process.start()
    counts: Counter[int] = Counter()
    try:
        yield counts
    finally:
        over.set()
        with suppress(Exception):  # an attacker that hangs has nothing to report
            counts.update(results.get(timeout=PATIENCE + 10.0))
        process.join(5.0)
        process.kill()


def post_over_and_over(
    url: str, over: Event, results: Queue[Counter[int]], bodies: Sequence[tuple[str, bytes]], clients: int, pause: float = 0.0
) -> None:
    """`clients` threads from as many addresses post the bodies, each with its path, in turn."""
    counts: Counter[int] = Counter()

    def work(client: int) -> None:
        for number in count(client, clients):
            if over.is_set():
                return
            path, raw = bodies[number % len(bodies)]
            raw = raw.replace(FRESH_ID.encode(), f"attack-{number}".encode())
            try:
                status = request(url, path, raw, _address(client), PATIENCE)[0]
            except (OSError, http.client.HTTPException):
                status = 0
                time.sleep(0.05)  # a refused connection costs nothing: without a pause the attacker would burn the machine itself
            counts[status] += 1
            over.wait(pause)

    threads = [threading.Thread(target=work, args=(client,), daemon=True) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(counts)


def hold_sockets(url: str, over: Event, results: Queue[Counter[int]], sockets: int) -> None:
    """A third of `sockets` send nothing, a third half a request, a third one byte a second. Closed ones are opened again and counted."""
    opened, held = 0, dict[int, socket.socket]()
    while not over.is_set():
        for number in range(sockets):
            if number in held and not _is_closed(held[number]):
                with suppress(OSError):
                    held[number].send(b"a" if number % 3 == 2 else b"")
                continue
            opened += 1
            with suppress(OSError):
                held[number] = _half_open(url, number)
        over.wait(1.0)
    results.put(Counter({0: opened}))


def _half_open(url: str, number: int) -> socket.socket:
    parts = urlsplit(url)
    opened = socket.create_connection((parts.hostname, parts.port), timeout=2.0, source_address=(_address(number), 0))
    if number % 3:
        opened.send(b"POST /step HTTP/1.1\r\nHost: miner\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
    opened.settimeout(0.0)
    return opened


def _is_closed(held: socket.socket) -> bool:
    try:
        return held.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def burn(url: str, over: Event, results: Queue[Counter[int]]) -> None:
    while not over.is_set():
        sum(number * number for number in range(100_000))
    results.put(Counter())


def _address(client: int) -> str:
    return f"127.1.{client // 200}.{11 + client % 200}"
