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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Any, Self
from urllib.parse import urlsplit

from minerpanel.tests.processes import step_body

# A caller waits this much longer than its deadline before it gives a step up, in seconds, so that a late answer is seen as such.
BEYOND_DEADLINE = 20.0
# Of an attacker for an answer, in seconds.
PATIENCE = 60.0
# A refused connection costs nothing: without a pause, in seconds, the attacker would burn the machine itself.
REFUSED_PAUSE = 0.05
# What a body has in the place of a task's id that is to be another one in each request.
FRESH_ID = "fresh-task-id"
# Each group of callers has tasks of its own, so that none is found on record under another's name.
_numbers = count()


@dataclass(frozen=True, slots=True)
class Answer:
    """`seconds` from the request to the whole answer; `status` 0: no answer came, `fault` gives the reason."""

    seconds: float
    status: int = 0
    body: bytes = b""
    fault: str = ""
    task_id: str = ""

    @property
    def has_actions(self) -> bool:
        try:
            return self.status == 200 and bool(json.loads(self.body)["tool_calls"])
        except (ValueError, KeyError):
            return False


def ask(url: str, path: str, body: bytes = b"", source: str = "127.0.0.1", patience: float = 10.0) -> Answer:
    """One request over a connection of its own, a POST where it has a body."""
    parts, started = urlsplit(url), time.monotonic()
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=patience, source_address=(source, 0))
    try:
        connection.request("POST" if body else "GET", path, body or None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        raw = response.read()
        return Answer(time.monotonic() - started, response.status, raw)
    except (OSError, http.client.HTTPException) as error:
        return Answer(time.monotonic() - started, fault=f"{type(error).__name__}: {error}")
    finally:
        connection.close()


class HonestCallers:
    """So many callers that post one step after another until the `with` block ends. `answers` are complete after it."""

    def __init__(self, url: str, callers: int, *, deadline: float, pause: float = 0.2, name: str = "") -> None:
        self.url, self.deadline, self.pause, self._callers = url, deadline, pause, callers
        self.name, self.answers = name or f"honest-{next(_numbers)}", list[Answer]()
        self._over, self._pool = threading.Event(), ThreadPoolExecutor(callers)

    def __enter__(self) -> Self:
        for number in range(self._callers):
            self._pool.submit(self._post_steps, number)
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._pool.shutdown()

    def _post_steps(self, caller: int) -> None:
        for number in count():
            if self._over.is_set():
                return
            self.post(step_body(task_id=f"{self.name}-{caller}-{number}"), caller)
            self._over.wait(self.pause)

    def post(self, body: dict[str, Any], caller: int = 0) -> Answer:
        answer = ask(self.url, "/step", json.dumps(body).encode(), address(caller), self.deadline + BEYOND_DEADLINE)
        answer = replace(answer, task_id=body["task_id"])
        self.answers.append(answer)
        return answer

    @property
    def late(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.seconds > self.deadline or not answer.status]

    @property
    def refused(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status and not answer.has_actions]

    @property
    def acknowledged(self) -> set[str]:
        return {answer.task_id for answer in self.answers if answer.status == 200}


def address(caller: int) -> str:
    """An honest caller's; attackers have addresses of 127.1.0.0/16."""
    return f"127.0.0.{101 + caller}"


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
    counts: Counter[int] = Counter()

    def work(client: int) -> None:
        for number in count(client, clients):
            if over.is_set():
                return
            path, raw = bodies[number % len(bodies)]
            raw = raw.replace(FRESH_ID.encode(), f"attack-{number}".encode())
            status = ask(url, path, raw, _address(client), PATIENCE).status
            counts[status] += 1
            over.wait(pause if status else max(pause, REFUSED_PAUSE))

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(work, range(clients)))
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
