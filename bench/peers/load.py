"""The validators' side: tasks of some steps each, the next one a moment after the answer, and nobody who waits beyond the deadline.

Runs beside each peer in its own process, so it needs the standard library alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

# One step, by its task's number and its own: raises where there is no answer that could be used.
Ask = Callable[[int, int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Load:
    """When tasks come, in seconds from the start; no step is posted after `seconds`. A caller hangs up after `deadline` seconds."""

    arrivals: tuple[float, ...]
    steps: int
    seconds: float
    deadline: float
    pause: float


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask. `url` ends in /v1 for the libraries and is the miner's own for the miner, which gets `page`, a step's JSON."""

    url: str
    key: str
    models: tuple[str, ...]
    messages: list[dict[str, str]]
    page: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        """The fields of a chat completion that the miner's own calls have too."""
        return {"messages": self.messages, "temperature": 0, "max_tokens": 2048, "response_format": {"type": "json_object"}}


# What is not OpenAI's: a thinking model may spend all its tokens before the first word of its answer.
EXTRA = {"chat_template_kwargs": {"enable_thinking": False}}


async def play(load: Load, ask: Ask) -> list[float | None]:
    """Seconds until the answer of each step that was posted; None: there was none inside the deadline."""
    taken: list[float | None] = []
    calls: set[asyncio.Future[object]] = set()
    now = asyncio.get_running_loop().time
    start = now()

    async def task(number: int, at: float) -> None:
        await asyncio.sleep(at)
        for step in range(load.steps):
            posted_at = now()
            if posted_at >= start + load.seconds:
                return
            call = asyncio.ensure_future(ask(number, step))
            calls.add(call)
            call.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, so that asyncio reports none later
            taken.append(now() - posted_at if await _is_answered(call, load.deadline) else None)
            await asyncio.sleep(load.pause)

    await asyncio.gather(*(task(number, at) for number, at in enumerate(load.arrivals)))
    return taken


async def _is_answered(call: asyncio.Future[object], deadline: float) -> bool:
    """Whether the call brought an answer in time. One that did not is left alone: its library does not know that nobody waits."""
    await asyncio.wait({call}, timeout=deadline)
    return call.done() and call.exception() is None
