"""The models that the stand-in lists, as Chutes lists them: prices in USD per million tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

CREATED = 1785542400  # any fixed second: the listing must be the same at every start


@dataclass(frozen=True, slots=True)
class Model:
    """One listed model. `input_usd`, `output_usd`: USD per million tokens."""

    id: str
    input_usd: float
    output_usd: float
    context: int
    features: tuple[str, ...]


MODELS = (
    Model("google/gemma-4-31B-turbo-TEE", 0.10, 0.30, 131072, ("json_mode", "structured_outputs", "tools")),
    Model("Qwen/Qwen3-32B-TEE", 0.08, 0.24, 40960, ("json_mode", "structured_outputs", "tools", "reasoning")),
    Model("deepseek-ai/DeepSeek-V4-Flash-0731-TEE", 0.14, 0.28, 163840, ("json_mode", "structured_outputs", "tools", "reasoning")),
    Model("moonshotai/Kimi-K2.5-TEE", 0.45, 2.20, 262144, ("json_mode", "structured_outputs", "tools", "reasoning")),
    Model("zai-org/GLM-5-TEE", 0.95, 2.55, 202752, ("json_mode", "tools", "reasoning")),
    Model("unsloth/Llama-3.2-3B-Instruct", 0.01, 0.01, 16384, ()),
)
BY_ID = {model.id: model for model in MODELS}


THINKS = "reasoning"


def model(name: str) -> Model:
    """The model of that name; one that a scenario made up is priced and able as a small one is."""
    return BY_ID.get(name) or Model(name, 0.10, 0.30, 131072, ("json_mode",))


def listing(names: Iterable[str]) -> dict[str, Any]:
    """The body of `GET /v1/models`."""
    return {"object": "list", "data": [_entry(model(name)) for name in names]}


def _entry(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "root": model.id.removesuffix("-TEE"),
        "object": "model",
        "created": CREATED,
        "owned_by": "sglang",
        "parent": None,
        "permission": [],
        "price": {"input": {"usd": model.input_usd}, "output": {"usd": model.output_usd}},
        "pricing": {"prompt": model.input_usd, "completion": model.output_usd},
        "max_model_len": model.context,
        "context_length": model.context,
        "max_output_length": min(model.context, 65536),
        "input_modalities": ["text"],
        "output_modalities": ["text"],
        "supported_features": list(model.features),
        "confidential_compute": model.id.endswith("-TEE"),
    }
