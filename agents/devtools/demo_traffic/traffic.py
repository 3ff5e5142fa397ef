"""Posts tasks from a seed to a miner over HTTP, a steady stream for all callers, and runs its answers in the demo's browser."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from random import Random
from typing import Any

import httpx

from agents.devtools.demo_traffic.callers import CALLERS, STEP_SECONDS, Browser, Caller, Ran, act, one_shot_body, step_body
from agents.devtools.demo_traffic.sites import Task, draw_task

FIRST_AFTER = 1.0
UNEVEN = (0.5, 1.5)  # of the mean gap: lively, but never so long that a visitor of the demo sees nothing
MOST_STEPS = 12
HEALTH_SECONDS = 60.0  # a first start migrates before it listens
TRY_AGAIN = 0.5

Report = Callable[[str], None]


class NoMiner(Exception):
    """Nothing answers at the miner's address."""


@dataclass(frozen=True, slots=True)
class Visit:
    at: float
    caller: Caller
    task: Task


def visits(seed: int, per_minute: float) -> Iterator[Visit]:
    """An endless stream of visits, the first after a second. Each four in a row use all four endpoints."""
    rng, at = Random(seed), FIRST_AFTER
    while True:
        for caller in rng.sample(CALLERS, len(CALLERS)):
            yield Visit(at, caller, draw_task(rng))
            at += rng.uniform(*UNEVEN) * 60 / per_minute


async def run(
    url: str, report: Report, *, seed: int = 1, per_minute: float = 6.0, duration: float | None = None, think: float = 2.0
) -> None:
    """Posts `per_minute` tasks, new ones for `duration` s (None: for ever), each next step `think` s after an answer.

    Raises NoMiner when no miner comes up within a minute.
    """
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
        try:
            if (await client.get("/health")).status_code < 400:
                return
        except httpx.TransportError:
            pass
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
    """The answer's JSON object, an empty one when there was none that a validator can use."""
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
    actions = answer.get("actions", answer.get("tool_calls", []))
    count = len(actions) if isinstance(actions, list) else 0
    return f"{count} action{'' if count == 1 else 's'}" + (", done" if answer.get("done") else "")


def tool_calls(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The usable tool calls of an answer; like the callers, none when `done` is missing."""
    calls = answer.get("tool_calls")
    if "done" not in answer or not isinstance(calls, list):
        return []
    found = [call for call in calls if isinstance(call, dict)]
    return [call for call in found if isinstance(call.get("arguments"), dict) and isinstance(call.get("name"), str)]
