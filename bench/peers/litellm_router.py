"""LiteLLM's Router over the account's models: two retries, each on another model, and a model that fails rests for 5 s."""

from __future__ import annotations

import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else the import fetches a price list from GitHub

import litellm

from bench.peers.load import EXTRA, Ask, Target
from bench.peers.usable import usable


def asking(target: Target) -> Ask:
    litellm.suppress_debug_info = True
    own = {"api_base": target.url, "api_key": target.key}
    models = [{"model_name": "miner", "litellm_params": {"model": f"openai/{model}", **own}} for model in target.models]
    router = litellm.Router(model_list=models)

    async def ask(task: int, step: int) -> object:
        answer = await router.acompletion(model="miner", extra_body=EXTRA, **target.body)
        return usable(answer.choices[0].message.content)

    return ask
