"""Posts seeded validators' tasks to a miner over HTTP, as callers of every generation, and runs its answers in a small browser."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from random import Random
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import httpx
from lxml import etree, html

from agents.contract.action_types import CATALOGUE
from agents.devtools.demo_traffic.sites import Task, draw_task, page

STARTS_A_SESSION, ENDS_IT = "/welcome", "/logout"
STEP_SECONDS = 25.0
TYPES = {kind.tool: kind.type for kind in CATALOGUE.values()}
VIEWPORT = {"viewport_width": 1920, "viewport_height": 1080, "screen_width": 1920, "screen_height": 1080, "device_pixel_ratio": 1.0}
FIRST_AFTER = 1.0
UNEVEN = (0.5, 1.5)  # of the mean gap: irregular, but short enough that the demo always shows activity
MOST_STEPS = 12
HEALTH_SECONDS = 60.0  # a first start migrates before it listens
TRY_AGAIN = 0.5

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Browser:
    """An open page of a task's site. `typed`: text by field name, sent by the next submit; `error`: of the last action, "" if none."""

    task: Task
    url: str
    logged_in: bool = False
    typed: tuple[tuple[str, str], ...] = ()
    error: str = ""

    @property
    def html(self) -> str:
        return page(self.task.site, self.task.seed, self.url, self.logged_in)


def act(browser: Browser, name: str, arguments: Mapping[str, Any]) -> Browser:
    """The browser after one tool call ("browser.click", its arguments)."""
    browser = replace(browser, error="")
    if name == "browser.navigate" and isinstance(arguments.get("url"), str):
        return _opened(browser, arguments["url"])
    if name not in {"browser.click", "browser.dblclick", "browser.input", "browser.submit"}:
        return browser
    element = find(browser.html, arguments.get("selector"))
    if element is None:
        return replace(browser, error="Timeout 10000ms exceeded: no element matches the selector.")
    if name == "browser.input":
        return replace(browser, typed=(*browser.typed, (str(element.get("name", "")), str(arguments.get("text", "")))))
    if element.tag == "a":
        return _opened(browser, element.get("href", ""))
    form = next(element.iterancestors("form"), None)
    if form is None or element.tag not in {"button", "input"}:
        return browser
    values = {"seed": str(browser.task.seed), **{field: text for field, text in browser.typed if field == "query"}}
    return _opened(browser, f"{form.get('action', '')}?{urlencode(values)}")


def _opened(browser: Browser, target: str) -> Browser:
    url = urljoin(browser.url, target)
    path = urlsplit(url).path
    return Browser(browser.task, url, (browser.logged_in or path == STARTS_A_SESSION) and path != ENDS_IT)


# By the selector's type, in the contract's three forms.
XPATHS = {"attributeValueSelector": "//*[@*[name() = $attribute] = $value]", "tagContainsSelector": "//body//*[contains(text(), $value)]"}


def find(source: str, selector: object) -> html.HtmlElement | None:
    if not isinstance(selector, Mapping):
        return None
    value, attribute = str(selector.get("value", "")), str(selector.get("attribute", ""))
    path = value if selector.get("type") == "xpathSelector" else XPATHS.get(str(selector.get("type")), "")
    try:
        result = etree.XPath(path)(html.document_fromstring(source), value=value, attribute=attribute)
    except etree.XPathError:
        return None
    return result[0] if isinstance(result, list) and result and isinstance(result[0], html.HtmlElement) else None


@dataclass(frozen=True, slots=True)
class Ran:
    """One tool call that was run. `url`: the page after it; `at`: Unix seconds; `error` "": it succeeded."""

    name: str
    arguments: Mapping[str, Any]
    url: str
    at: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """`one_shot`: expects the whole plan; `runs_all`: runs every call of a step, not the first alone."""

    path: str
    since: str
    one_shot: bool = False
    runs_all: bool = True


CALLERS = (
    Caller("/solve_task", "2025-03", one_shot=True),
    Caller("/solve_task_at_once", "2026-02", one_shot=True),
    Caller("/act", "2026-01", runs_all=False),
    Caller("/step", "2026-03"),
    Caller("/find_trayectory", "2026-06", one_shot=True),
)


def one_shot_body(caller: Caller, browser: Browser) -> dict[str, Any]:
    task = browser.task
    request = {"id": task.id, "is_web_real": False, "web_project_id": task.site.project, "url": task.url, "prompt": task.prompt}
    fixed = {"specifications": VIEWPORT, "relevant_data": {}, "should_record": False, "original_prompt": task.prompt}
    shown = {"html": browser.html, "clean_html": browser.html, "screenshot": ""} if caller.since < "2026" else {}
    return {**request, **fixed, **shown}


def step_body(caller: Caller, browser: Browser, history: Sequence[Ran], index: int) -> dict[str, Any]:
    task = browser.task
    body = {"protocol_version": "1.0", "task_id": task.id, "prompt": task.prompt, "url": browser.url, "step_index": index}
    body["include_reasoning"] = False
    if caller.path == "/act":
        own = {"snapshot_html": browser.html, "web_project_id": task.site.project, "state_in": {}, "allowed_tools": []}
        return {**body, **own, "history": [_old_entry(*entry) for entry in enumerate(history)], "timeout_seconds": STEP_SECONDS}
    return {**body, "html": browser.html, "history": [_entry(*entry) for entry in enumerate(history)], "tools": []}


def _entry(number: int, ran: Ran) -> dict[str, Any]:
    action = {"type": TYPES.get(ran.name, ran.name), **ran.arguments}
    return {"index": number, "action": action, "success": not ran.error, "error": ran.error or None, "url": ran.url, "timestamp": ran.at}


def _old_entry(number: int, ran: Ran) -> dict[str, Any]:
    action, text = TYPES.get(ran.name, ran.name), ran.arguments.get("text")
    return {"step": number, "action": action, "text": text, "exec_ok": not ran.error, "error": ran.error or None}


class NoMiner(Exception):
    """There is no answer at the miner's address."""


@dataclass(frozen=True, slots=True)
class Visit:
    at: float
    caller: Caller
    task: Task


def visits(seed: int, per_minute: float) -> Iterator[Visit]:
    """An endless stream of visits, the first after a second. Each five in a row use all five endpoints."""
    rng, at = Random(seed), FIRST_AFTER
    while True:
        for caller in rng.sample(CALLERS, len(CALLERS)):
            yield Visit(at, caller, draw_task(rng))
            at += rng.uniform(*UNEVEN) * 60 / per_minute


async def run(
    url: str, report: Report, *, seed: int = 1, per_minute: float = 6.0, duration: float | None = None, think: float = 2.0
) -> None:
    """Posts tasks for `duration` seconds (None: for ever), each next step `think` seconds after the answer. Raises NoMiner."""
    async with httpx.AsyncClient(base_url=url, timeout=STEP_SECONDS, trust_env=False) as client:
        await _wait_for_miner(client, url)
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for visit in takewhile(lambda visit: duration is None or visit.at < duration, visits(seed, per_minute)):
                await asyncio.sleep(max(0.0, started + visit.at - time.monotonic()))
                group.create_task(_post_task(client, visit, think, report))


async def _wait_for_miner(client: httpx.AsyncClient, url: str) -> None:
    give_up_at = time.monotonic() + HEALTH_SECONDS
    while time.monotonic() < give_up_at:
        with suppress(httpx.TransportError):
            if (await client.get("/health")).is_success:
                return
        await asyncio.sleep(TRY_AGAIN)
    raise NoMiner(f"No miner answers at {url}/health. Start it, or name its address with --url.")


async def _post_task(client: httpx.AsyncClient, visit: Visit, think: float, report: Report) -> None:
    browser, history, caller = Browser(visit.task, visit.task.url), list[Ran](), visit.caller
    if caller.one_shot:
        await _post(client, visit, 0, one_shot_body(caller, browser), report)
        return
    for index in range(MOST_STEPS):
        answer = await _post(client, visit, index, step_body(caller, browser, history, index), report)
        calls = tool_calls(answer)
        if not calls:
            return
        for call in calls if caller.runs_all else calls[:1]:
            browser = act(browser, call["name"], call["arguments"])
            history.append(Ran(call["name"], call["arguments"], browser.url, time.time(), browser.error))
            if browser.error:
                break
        if answer.get("done"):
            return
        await asyncio.sleep(think)


async def _post(client: httpx.AsyncClient, visit: Visit, index: int, body: dict[str, Any], report: Report) -> dict[str, Any]:
    """The answer's JSON object, empty when there was no usable one."""
    started, answer = time.monotonic(), None
    try:
        response = await client.post(visit.caller.path, json=body)
        answer = response.json() if response.status_code == 200 else None
        outcome = _outcome(answer) if isinstance(answer, dict) else f"HTTP {response.status_code}"
    except (httpx.TransportError, ValueError) as error:
        outcome = f"no answer ({type(error).__name__})"
    where = f"{visit.caller.path} step {index} · {visit.task.site.project} · {visit.task.prompt[:60]}"
    report(f"{where} · {outcome} in {time.monotonic() - started:.2f} s")
    return answer if isinstance(answer, dict) else {}


def _outcome(answer: dict[str, Any]) -> str:
    actions: object = next((answer[name] for name in ("actions", "trajectory", "tool_calls") if name in answer), [])
    count = len(actions) if isinstance(actions, list) else 0
    return f"{count} action{'' if count == 1 else 's'}" + (", done" if answer.get("done") else "")


def tool_calls(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The usable tool calls of an answer; none when `done` is missing, as in the callers."""
    calls = answer.get("tool_calls")
    if "done" not in answer or not isinstance(calls, list):
        return []
    objects = [call for call in calls if isinstance(call, dict)]
    return [call for call in objects if isinstance(call.get("arguments"), dict) and isinstance(call.get("name"), str)]
