"""Live API test: whether the miner responds, and answers a real task and step as a validator expects."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from django.conf import settings as environment

from agents.accounts import miner_status
from agents.common.requests import mark
from agents.contract.action_types import CATALOGUE
from agents.contract.actions import Action, InvalidAction, validate
from agents.contract.origins import LOOPBACK
from agents.llm.checked_transport import CheckedSyncTransport, never_reached
from agents.models import Route, Settings, Step
from agents.policy.reasons import Reason
from monitoring.models import Result, TestRun
from monitoring.testruns.suites.findings import Finding

# A validator's timeout for /health.
HEALTH_SECONDS = 20.0
# Waited beyond the deadline, to distinguish a late answer from none.
LATE_SECONDS = 10.0
# Waited at most, as a job may take two minutes.
LONGEST_SECONDS = 100.0
MOST_BYTES = 2_000_000
SHOWN_BODY = 200
# Of many broken actions the first ones are reported.
MOST_FAULTS = 10
DOING = {"health": "Requesting the health of", "task": "Posting a one-shot task to", "step": "Posting a step to"}
NAMES = {"task": "a one-shot task", "step": "a step"}
TASK_URL = "http://localhost:8000/?seed=58"
SEARCH_PAGE = (
    '<html><body><nav><a href="/login?seed=58">Sign in</a></nav><form action="/search"><input type="hidden" name="seed" value="58">'
    '<input name="query" placeholder="Find films"><button type="submit">Go</button></form></body></html>'
)
_TOOLS = {kind.tool: kind.type for kind in CATALOGUE.values()}


@dataclass(frozen=True, slots=True)
class Reply:
    """The response. `status` 0: none, because of `fault`."""

    seconds: float
    status: int = 0
    body: bytes = b""
    fault: str = ""

    def __str__(self) -> str:
        if self.status:
            return f"Status {self.status} after {self.seconds:.2f} s."
        return f"Nothing after {self.seconds:.1f} s: {self.fault}."


def parts(_: TestRun) -> list[str]:
    return list(DOING)


def run(_: TestRun, part: str) -> Iterator[Finding | str]:
    in_force = Settings.current()
    url = address(in_force.miner_api_url)
    yield f"{DOING[part]} {url}"
    if part == "health":
        yield _health(url)
    else:
        yield from _posted(part, url, in_force.deadline_seconds, is_own=not in_force.miner_api_url)


def address(configured: str) -> str:
    if configured:
        return configured.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(environment.BIND, environment.BIND)  # noqa: S104 -- read, not bound
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{environment.PORT}"


def _health(url: str) -> Finding:
    reply = _fetch("GET", f"{url}/health", HEALTH_SECONDS)
    body = _object(reply.body)
    facts: dict[str, Any] = {"latency": round(reply.seconds, 3), "status": reply.status}
    came_back, step = str(reply), ""
    if reply.status == 0:
        verdict, meaning = Result.FAIL, "The miner's API can't be reached: validators get nothing from it."
        step = "Start the miner, or check its address and port in the settings."
    elif reply.status >= 400:
        verdict, meaning = Result.FAIL, "Validators consider this miner dead."
        step = "Check the miner's log, and the address in the settings."
    elif body is None:
        verdict, meaning = Result.WARN, "Something answers there, but not with a miner's health."
        step = "Check that the address is the miner's own."
    else:
        verdict, meaning = Result.OK, "The API is up."
        named = (("status", "status"), ("agent", "agent_type"), ("version", "version"))
        parts = [f"{label} {body[name]}" for label, name in named if body.get(name)]
        llm = body.get("llm")
        parts += [f"LLM: {llm['message']}"] if isinstance(llm, dict) and llm.get("message") else []
        came_back = f"{reply} {'; '.join(parts)}"
        facts |= {"agent_type": body.get("agent_type"), "version": body.get("version")}
    return Finding("health", verdict, meaning, step, f"GET {url}/health", came_back, url, facts)


def _posted(name: str, miner: str, deadline: float, *, is_own: bool) -> Iterator[Finding]:
    key = str(uuid.uuid4())
    if name == "task":
        url, prompt = f"{miner}/solve_task", "Log in where username equals <username> and password equals <password>"
        body = {"id": key, "prompt": prompt, "url": TASK_URL, "web_project_id": "autocinema", "is_web_real": False}
    else:
        url, page = f"{miner}/step", {"html": SEARCH_PAGE, "step_index": 0, "history": [], "tools": []}
        body = {"protocol_version": "1.0", "task_id": key, "prompt": "Search for the film 'Arrival'", "url": TASK_URL, **page}
    reply = _fetch("POST", url, min(deadline + LATE_SECONDS, LONGEST_SECONDS), json.dumps(body).encode())
    faults, actions = _checked(name, reply.body) if reply.status == 200 else ([], [])
    verdict, meaning, step, lines = _judged(name, reply, faults, actions, deadline)
    done = f"POST {url}: {NAMES[name]}, to be answered in {deadline:g} s."
    facts = {"latency": round(reply.seconds, 3), "status": reply.status, "actions": len(actions)}
    yield Finding(name, verdict, meaning, step, done, str(reply), url, facts, lines)
    if actions:
        yield _route(f"{name} by", Step.objects.filter(task__key=key).first() if is_own else None)


def _fetch(method: str, url: str, seconds: float, body: bytes | None = None) -> Reply:
    """Send a request, which ends after `seconds` in any case, and read at most MOST_BYTES of the answer."""
    started = time.monotonic()
    headers = {"Content-Type": "application/json", **mark()} if body is not None else {}
    timeout, received = httpx.Timeout(seconds, connect=5.0), b""
    try:
        with (
            httpx.Client(transport=CheckedSyncTransport(never_reached), timeout=timeout, trust_env=False) as client,
            client.stream(method, url, content=body, headers=headers) as answer,
        ):
            for chunk in answer.iter_bytes():
                received += chunk
                if len(received) > MOST_BYTES or time.monotonic() - started > seconds:
                    break
    except httpx.TimeoutException:
        return Reply(time.monotonic() - started, fault="no answer in time")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return Reply(time.monotonic() - started, fault=str(error) or type(error).__name__)
    return Reply(time.monotonic() - started, answer.status_code, received)


def _judged(name: str, reply: Reply, faults: list[str], actions: list[Action], deadline: float) -> tuple[Result, str, str, tuple[str, ...]]:
    log = "Check the miner's log of this time."
    if reply.status == 0:
        return Result.FAIL, f"No answer to {NAMES[name]}: it scores nothing.", log, ()
    if reply.status != 200:
        text = reply.body[:SHOWN_BODY].decode("utf-8", "replace")
        meaning = f"{NAMES[name].capitalize()} was not answered with a 200."
        return Result.FAIL, meaning, log, (text,) if text.strip() else ()
    late = reply.seconds - deadline
    if late > 0 or faults:
        text = f"{len(faults)} faults against the contract." if len(faults) > 1 else "".join(faults)
        step = "See the faults below; callers drop such answers."
        if late > 0:
            text = f"The answer came {late:.1f} s after the deadline of {deadline:g} s, so the validator had given up. {text}".strip()
            step = "Make the miner answer in time whatever its LLM does."
        return Result.FAIL, text, step, tuple(faults)
    meaning = f"Answered in time with {len(actions)} valid action{'' if len(actions) == 1 else 's'}."
    return Result.OK, meaning, "", tuple(action.in_words() for action in actions)


def _route(check: str, step: Step | None) -> Finding:
    """Who answered, and why. `step` None: of another machine, or not on record."""
    if step is None:
        return Finding(check, Result.SKIPPED, "Whether the LLM or the template agent answered is not visible from outside.")
    facts = {"route": step.route, "reason": step.reason, "step": step.pk}
    if step.route == Route.LLM:
        return Finding(check, Result.OK, "The LLM is used.", came_back="The LLM answered.", facts=facts)
    came_back = "The template agent answered."
    if step.reason in (Reason.MODE, Reason.DISABLED):
        return Finding(check, Result.OK, "The template agent answered, as set in the settings.", came_back=came_back, facts=facts)
    reason = Reason(step.reason).sentence if step.reason else "The reason was not recorded."
    now = miner_status.health(time.time())
    next_step = now.sentence if now.state != "open" else "Run the test again; see the task's page."
    return Finding(
        check, Result.WARN, f"The LLM was not used: {reason[0].lower()}{reason[1:]}", next_step, came_back=came_back, facts=facts
    )


def _object(body: bytes) -> Mapping[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _checked(name: str, body: bytes) -> tuple[list[str], list[Action]]:
    """An answer's violations of the validators' contract, sentences that name the field; and its actions."""
    answer = _object(body)
    if answer is None:
        is_html = body.lstrip()[:1] == b"<"
        return ["body: is HTML instead of a JSON object." if is_html else "body: is not a JSON object."], []
    faults, actions = _checked_task(answer) if name == "task" else _checked_step(answer)
    return faults[:MOST_FAULTS], actions


def _checked_task(answer: Mapping[str, Any]) -> tuple[list[str], list[Action]]:
    raw = answer.get("actions")
    if not isinstance(raw, list):
        return ["actions: is not a list."], []
    if not raw:
        return ["actions: the list is empty, so the task scores nothing."], []
    faults, actions = _actions([(f"actions[{place}]", action) for place, action in enumerate(raw)])
    if not faults and (not actions or actions[0].type != "NavigateAction" or "url" not in actions[0].fields):
        faults.append("actions[0]: is not a NavigateAction to the task's URL, though the browser starts at a blank page.")
    faults += _navigation(actions)
    if not isinstance(answer.get("web_agent_id"), str):
        faults.append("web_agent_id: is missing.")
    return faults, actions


def _checked_step(answer: Mapping[str, Any]) -> tuple[list[str], list[Action]]:
    calls, done = answer.get("tool_calls"), answer.get("done")
    faults = [] if isinstance(done, bool) else ["done: is missing; callers then drop the whole answer."]
    if not isinstance(calls, list):
        return [*faults, "tool_calls: is not a list."], []
    if not calls and done is not True:
        faults.append("tool_calls: the list is empty, and done is not true: the step is wasted.")
    named: list[tuple[str, Any]] = []
    for place, call in enumerate(calls):
        if not isinstance(call, dict) or not isinstance(call.get("arguments"), dict):
            faults.append(f"tool_calls[{place}]: is not a tool call with a name and arguments.")
        elif (kind := _TOOLS.get(str(call.get("name")))) is None:
            faults.append(f"tool_calls[{place}].name: “{call.get('name')}” is not a tool.")
        else:
            named.append((f"tool_calls[{place}]", {"type": kind, **call["arguments"]}))
    more, actions = _actions(named)
    return [*faults, *more, *_navigation(actions)], actions


def _actions(named: list[tuple[str, Any]]) -> tuple[list[str], list[Action]]:
    faults, actions = [], []
    for place, raw in named:
        try:
            actions.append(validate(raw))
        except InvalidAction as error:
            faults.append(f"{place}.{error}")
    return faults, actions


def _navigation(actions: list[Action]) -> Iterator[str]:
    wanted = urlsplit(TASK_URL)
    seed = parse_qs(wanted.query)["seed"]
    for place, action in enumerate(actions):
        target = action.fields.get("url")
        if action.type != "NavigateAction" or not isinstance(target, str):
            continue
        if parse_qs(urlsplit(target).query).get("seed") != seed:
            yield f"actions[{place}].url: does not carry the task's seed {seed[0]}, so the task scores nothing."
        if urlsplit(target).hostname not in {wanted.hostname, *LOOPBACK}:
            yield f"actions[{place}].url: leaves the task's host {wanted.hostname}."
