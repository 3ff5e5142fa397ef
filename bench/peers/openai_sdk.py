"""The openai SDK with its own retries: two more tries after 0.5 to 8 s, or when the provider says."""

from __future__ import annotations

from openai import AsyncOpenAI

from bench.peers.load import EXTRA, Ask, Target
from bench.peers.usable import usable


def asking(target: Target) -> Ask:
    client = AsyncOpenAI(base_url=target.url, api_key=target.key)

    async def ask(task: int, step: int) -> object:
        answer = await client.chat.completions.create(model=target.models[0], extra_body=EXTRA, **target.body)
        return usable(answer.choices[0].message.content)

    return ask
