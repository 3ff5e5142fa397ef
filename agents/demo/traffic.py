"""Posts the visits to a miner over HTTP and runs its answers in the demo's browser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import httpx

from agents.demo.browser import Browser, act
from agents.demo.callers import STEP_SECONDS, Ran, one_shot_body, step_body
from agents.demo.schedule import Visit, visits

MOST_STEPS = 12
HEALTH_SECONDS = 60.0  # a first start migrates before it listens
ASK_AGAIN = 0.5

Report = Callable[[str], None]


class NoMiner(Exception):
    """Nobody answers at the miner's address."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """`per_minute` tasks; `duration` s until no new one starts, None: for ever; `think`: s between an answer and the next step."""

    url: str
    seed: int = 1
    per_minute: float = 6.0
    duration: float | None = None
    think: float = 2.0


async def run(traffic: Traffic, report: Report) -> None:
    """Posts until the duration is over and the last task has ended. Raises NoMiner when no miner comes up within a minute."""
    limit = float("inf") if traffic.duration is None else traffic.duration
    async with httpx.AsyncClient(base_url=traffic.url, timeout=STEP_SECONDS, trust_env=False) as client:
        await _wait_for_miner(client, traffic.url)
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for visit in takewhile(lambda visit: visit.at < limit, visits(traffic.seed, traffic.per_minute)):
                await asyncio.sleep(max(0.0, started + visit.at - time.monotonic()))
                group.create_task(_pay(client, visit, traffic.think, report))


async def _wait_for_miner(client: httpx.AsyncClient, url: str) -> None:
    patience = time.monotonic() + HEALTH_SECONDS
    while time.monotonic() < patience:
        try:
            if (await client.get("/health")).status_code < 400:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(ASK_AGAIN)
    raise NoMiner(f"No miner answers at {url}/health. Start it, or name its address with --url.")


async def _pay(client: httpx.AsyncClient, visit: Visit, think: float, report: Report) -> None:
    browser = Browser(visit.task, visit.task.url)
    if visit.caller.one_shot:
        await _post(client, visit, 0, one_shot_body(visit.caller, browser), report)
        return
    history: list[Ran] = []
    for index in range(MOST_STEPS):
        answer = await _post(client, visit, index, step_body(visit.caller, browser, history, index), report)
        calls = tool_calls(answer)
        if not calls:
            return
        browser, ran = run_calls(browser, calls if visit.caller.runs_all else calls[:1], time.time())
        history.extend(ran)
        if answer.get("done"):
            return
        await asyncio.sleep(think)


async def _post(client: httpx.AsyncClient, visit: Visit, index: int, body: dict[str, Any], report: Report) -> dict[str, Any]:
    """The answer's JSON object, an empty one when there was none that a validator can use."""
    started = time.monotonic()
    try:
        response = await client.post(visit.caller.path, json=body)
        answer = response.json() if response.status_code == 200 else {}
        outcome = _outcome(response.status_code, answer)
    except (httpx.TransportError, ValueError) as error:
        answer, outcome = {}, f"no answer ({type(error).__name__})"
    where = f"{visit.caller.path} step {index} · {visit.task.site.project} · {visit.task.prompt[:60]}"
    report(f"{where} · {outcome} in {time.monotonic() - started:.2f} s")
    return answer if isinstance(answer, dict) else {}


def _outcome(status: int, answer: object) -> str:
    if status != 200 or not isinstance(answer, dict):
        return f"HTTP {status}"
    actions = answer.get("actions", answer.get("tool_calls", []))
    count = len(actions) if isinstance(actions, list) else 0
    return f"{count} action{'' if count == 1 else 's'}" + (", done" if answer.get("done") else "")


def tool_calls(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The usable tool calls of an answer; like the callers, none when `done` is missing."""
    calls = answer.get("tool_calls")
    if "done" not in answer or not isinstance(calls, list):
        return []
    return [
        call for call in calls if isinstance(call, dict) and isinstance(call.get("arguments"), dict) and isinstance(call.get("name"), str)
    ]


def run_calls(browser: Browser, calls: Sequence[dict[str, Any]], at: float) -> tuple[Browser, list[Ran]]:
    """Runs `calls` one after the other, up to the first that fails."""
    history: list[Ran] = []
    for call in calls:
        done = act(browser, call["name"], call["arguments"])
        browser = done.browser
        history.append(Ran(call["name"], call["arguments"], browser.url, at, done.error))
        if done.error:
            break
    return browser, history
