"""One peer as a process of its own, with the validators' side: `python -m bench.peers.client PEER [OPTION]`.

The process reads load and target as a line of JSON, writes its version when it is ready, starts at the next line, and writes what each
step took. It needs httpx and its peer alone; what each peer does with a step is described in bench.peers.run.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from math import inf
from types import SimpleNamespace
from typing import IO, Any

import httpx

# One step, by its task's number and its own: raises where there is no answer that could be used.
Ask = Callable[[int, int], Awaitable[object]]
# What is not OpenAI's: a thinking model may spend all its tokens before the first word of its answer.
EXTRA = {"chat_template_kwargs": {"enable_thinking": False}}
# Of the callers: httpx's own 5 s are shorter than many an answer.
TIMEOUT = 25.0


@dataclass(frozen=True, slots=True)
class Load:
    """When tasks come, in seconds from the start; no step is posted after `seconds`. A caller hangs up after `deadline` seconds.

    `task_seconds`: from a task's start; after that its remaining steps are not posted.
    """

    arrivals: tuple[float, ...]
    steps: int
    seconds: float
    deadline: float
    pause: float
    task_seconds: float = inf


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go. `url` ends in /v1 for the libraries and is the miner's own for the miner, which gets `page`, a step's JSON."""

    url: str
    key: str
    models: tuple[str, ...]
    messages: list[dict[str, str]]
    page: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        return {"messages": self.messages, "temperature": 0, "max_tokens": 2048, "response_format": {"type": "json_object"}}


def usable(text: object) -> list[object]:
    """The actions of a model's reply. Raises ValueError where there are none."""
    reply = json.loads(text) if isinstance(text, str) else None
    actions = reply.get("actions") if isinstance(reply, dict) else None
    if not isinstance(actions, list) or not actions:
        raise ValueError("The reply holds no actions.")
    return actions


def this_miner(target: Target) -> Ask:
    client = httpx.AsyncClient(timeout=None, trust_env=False)  # noqa: S113 -- the load hangs up for itself

    async def ask(task: int, step: int) -> object:
        body = {**target.page, "task_id": f"task-{task}", "step_index": step}
        answer = await client.post(f"{target.url}/step", json=body)
        return answer.raise_for_status().json()["tool_calls"][0]

    return ask


def asking(complete: Callable[[], Awaitable[Any]]) -> Ask:
    """`complete` makes one chat completion, an object as the SDK's."""

    async def ask(task: int, step: int) -> object:
        return usable((await complete()).choices[0].message.content)

    return ask


def one_call(target: Target) -> Ask:
    """One plain HTTP call, for the peers that put something around a client of one's own."""
    client = httpx.AsyncClient(timeout=TIMEOUT, headers={"Authorization": f"Bearer {target.key}"})

    async def complete() -> Any:
        answer = await client.post(f"{target.url}/chat/completions", json={"model": target.models[0], **target.body, **EXTRA})
        return answer.raise_for_status().json(object_hook=lambda fields: SimpleNamespace(**fields))

    return asking(complete)


def openai_sdk(target: Target) -> Ask:
    from openai import AsyncOpenAI  # noqa: PLC0415

    client = AsyncOpenAI(base_url=target.url, api_key=target.key)
    return asking(lambda: client.chat.completions.create(model=target.models[0], extra_body=EXTRA, **target.body))


def tenacity_httpx(target: Target) -> Ask:
    from tenacity import retry, stop_after_attempt, wait_random_exponential  # noqa: PLC0415

    again: Ask = retry(wait=wait_random_exponential(min=1, max=60), stop=stop_after_attempt(6))(one_call(target))
    return again


def pyrate(target: Target, per_minute: str) -> Ask:
    from pyrate_limiter import Duration, Limiter, Rate  # noqa: PLC0415

    limiter, call = Limiter(Rate(int(per_minute), Duration.MINUTE)), one_call(target)

    async def ask(task: int, step: int) -> object:
        await limiter.try_acquire_async("account")
        return await call(task, step)

    return ask


def litellm_router(target: Target) -> Ask:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else the import fetches a price list from GitHub
    import litellm  # noqa: PLC0415

    litellm.suppress_debug_info = True
    own = {"api_base": target.url, "api_key": target.key}
    models = [{"model_name": "miner", "litellm_params": {"model": f"openai/{model}", **own}} for model in target.models]
    router = litellm.Router(model_list=models)
    return asking(lambda: router.acompletion(model="miner", extra_body=EXTRA, **target.body))


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
            if posted_at >= start + min(load.seconds, at + load.task_seconds):
                return
            call = asyncio.ensure_future(ask(number, step))
            calls.add(call)
            call.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, so that asyncio reports none later
            # One that is late is left alone: its library does not know of the deadline.
            await asyncio.wait({call}, timeout=load.deadline)
            taken.append(now() - posted_at if call.done() and call.exception() is None else None)
            await asyncio.sleep(load.pause)

    await asyncio.gather(*(task(number, at) for number, at in enumerate(load.arrivals)))
    return taken


async def main(out: IO[str]) -> None:
    """Never returns: what a library still does when all steps are over is of no interest."""
    peer, *options = sys.argv[1:]
    given = json.loads(sys.stdin.readline())
    ask = globals()[peer](Target(**given["target"]), *options)
    print(version(given["distribution"]) if given["distribution"] else "", file=out)
    sys.stdin.readline()
    print(json.dumps(await play(Load(**given["load"]), ask)), file=out)
    os._exit(0)


if __name__ == "__main__":
    results = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries print, too
    asyncio.run(main(results))
