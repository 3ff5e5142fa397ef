"""Live API test: is the miner there, and does it answer a real task and a real step as a validator expects?"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings as environment

from agents.health import health
from agents.marks import mark
from agents.models import Settings, Step
from monitoring.suites import api_words
from monitoring.suites.contract import Checked, check_step, check_task
from monitoring.suites.findings import Asked, Finding, Suite

# A validator waits this long for the first sign of a miner.
HEALTH_SECONDS = 20.0
# Beyond the deadline the answer is still waited for, to tell a late one from none.
LATE_SECONDS = 10.0
# A job may take two minutes: a longer deadline is not waited out.
LONGEST_SECONDS = 100.0
MOST_BYTES = 2_000_000
DOING = {"health": "Asking for the health of", "task": "Posting a one-shot task to", "step": "Posting a step to"}
TASK_URL = "http://localhost:8000/?seed=58"
LOGIN = "Log in where username equals <username> and password equals <password>"
SEARCH = "Search for the film 'Arrival'"
SEARCH_PAGE = (
    '<html><body><nav><a href="/login?seed=58">Sign in</a></nav><form action="/search"><input type="hidden" name="seed" value="58">'
    '<input name="query" placeholder="Find films"><button type="submit">Go</button></form></body></html>'
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `status` 0: nothing, for `fault`."""

    seconds: float
    status: int = 0
    body: bytes = b""
    content_type: str = ""
    fault: str = ""


def _look(_: Asked, part: str) -> Iterator[Finding | str]:
    """Health, a one-shot task with who answered it, or a step likewise."""
    in_force = Settings.current()
    url, is_own = address(in_force.miner_api_url), not in_force.miner_api_url
    yield f"{DOING[part]} {url}"
    if part == "health":
        yield api_words.health(url, _fetch("GET", f"{url}/health", HEALTH_SECONDS))
    elif part == "task":
        yield from _posted("task", url, _task(), lambda body: check_task(body, TASK_URL), in_force.deadline_seconds, is_own=is_own)
    else:
        yield from _posted("step", url, _step(), lambda body: check_step(body, TASK_URL), in_force.deadline_seconds, is_own=is_own)


API = Suite(lambda _: tuple(DOING), _look)


def address(configured: str) -> str:
    """The miner to test: the one configured, else this one as this machine reaches it."""
    if configured:
        return configured.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(environment.BIND, environment.BIND)  # noqa: S104 -- read, not bound
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{environment.PORT}"


def _task() -> tuple[str, dict[str, Any]]:
    key = str(uuid.uuid4())
    return "/solve_task", {"id": key, "prompt": LOGIN, "url": TASK_URL, "web_project_id": "autocinema", "is_web_real": False}


def _step() -> tuple[str, dict[str, Any]]:
    body = {"prompt": SEARCH, "url": TASK_URL, "html": SEARCH_PAGE, "step_index": 0, "history": [], "tools": []}
    return "/step", {"protocol_version": "1.0", "task_id": str(uuid.uuid4()), **body}


def _posted(
    name: str, url: str, posted: tuple[str, dict[str, Any]], check: Callable[[bytes], Checked], deadline: float, *, is_own: bool
) -> Iterator[Finding]:
    path, body = posted
    reply = _fetch("POST", url + path, min(deadline + LATE_SECONDS, LONGEST_SECONDS), json.dumps(body).encode())
    checked = check(reply.body) if reply.status == 200 else Checked()
    yield api_words.answered(name, url + path, reply, checked, deadline)
    if reply.status == 200 and checked.actions:
        step = Step.objects.filter(task__key=body.get("id") or body["task_id"]).first() if is_own else None
        yield api_words.answered_by(name, step, health(time.time()) if is_own else None)


def _fetch(method: str, url: str, seconds: float, body: bytes | None = None) -> Reply:
    """One request, over after `seconds` whatever the other side does, with at most so many bytes of its answer."""
    started = time.monotonic()
    headers = {"Content-Type": "application/json", **mark()} if body is not None else {}
    received = b""
    try:
        with (
            httpx.Client(timeout=httpx.Timeout(seconds, connect=5.0), trust_env=False) as client,
            client.stream(method, url, content=body, headers=headers) as answer,
        ):
            for chunk in answer.iter_bytes():
                received += chunk
                if len(received) > MOST_BYTES or time.monotonic() - started > seconds:
                    break
    except httpx.TimeoutException:
        return Reply(time.monotonic() - started, fault="timeout")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return Reply(time.monotonic() - started, fault=str(error) or type(error).__name__)
    return Reply(time.monotonic() - started, answer.status_code, received, answer.headers.get("Content-Type", ""))
