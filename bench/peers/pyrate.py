"""pyrate-limiter: a bucket of so many a minute on the client's side, waited for, and no retry."""

from __future__ import annotations

from pyrate_limiter import Duration, Limiter, Rate

from bench.peers import bare
from bench.peers.load import Ask, Target


def asking(target: Target, per_minute: str) -> Ask:
    limiter, call = Limiter(Rate(int(per_minute), Duration.MINUTE)), bare.asking(target)

    async def ask(task: int, step: int) -> object:
        await limiter.try_acquire_async("account")
        return await call(task, step)

    return ask
