"""This project's miner, asked as validators ask it."""

from __future__ import annotations

import httpx

from bench.peers.load import Ask, Target


def asking(target: Target) -> Ask:
    client = httpx.AsyncClient(timeout=None)  # noqa: S113 -- the load hangs up for itself

    async def ask(task: int, step: int) -> object:
        body = {**target.page, "task_id": f"task-{task}", "step_index": step}
        answer = await client.post(f"{target.url}/step", json=body)
        return answer.raise_for_status().json()["tool_calls"][0]

    return ask
