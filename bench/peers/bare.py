"""One plain HTTP call, for the peers that put something around a client of one's own."""

from __future__ import annotations

import httpx

from bench.peers.load import EXTRA, Ask, Target
from bench.peers.usable import usable

# As long as anybody waits for the step: httpx's own 5 s are shorter than many an answer.
TIMEOUT = 25.0


def asking(target: Target) -> Ask:
    client = httpx.AsyncClient(timeout=TIMEOUT, headers={"Authorization": f"Bearer {target.key}"})

    async def ask(task: int, step: int) -> object:
        answer = await client.post(f"{target.url}/chat/completions", json={"model": target.models[0], **target.body, **EXTRA})
        return usable(answer.raise_for_status().json()["choices"][0]["message"]["content"])

    return ask
