"""tenacity around httpx, in the form that OpenAI's cookbook gives for rate limits: up to six tries, random waits that double up to 60 s."""

from __future__ import annotations

from tenacity import retry, stop_after_attempt, wait_random_exponential

from bench.peers import bare
from bench.peers.load import Ask, Target


def asking(target: Target) -> Ask:
    again: Ask = retry(wait=wait_random_exponential(min=1, max=60), stop=stop_after_attempt(6))(bare.asking(target))
    return again
