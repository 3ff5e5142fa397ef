"""The models that fake Chutes lists, with the fields of Chutes' list that matter."""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Model(NamedTuple):
    """One listed model. `input_usd`, `output_usd`: USD per million tokens."""

    id: str
    input_usd: float = 0.10
    output_usd: float = 0.30
    context: int = 131072
    features: tuple[str, ...] = ("json_mode",)


THINKS = "reasoning"
ABLE = ("json_mode", "structured_outputs", "tools")
MODELS = (
    Model("google/gemma-4-31B-turbo-TEE", features=ABLE),
    Model("Qwen/Qwen3-32B-TEE", 0.08, 0.24, 40960, (*ABLE, THINKS)),
    Model("deepseek-ai/DeepSeek-V4-Flash-0731-TEE", 0.14, 0.28, 163840, (*ABLE, THINKS)),
    Model("moonshotai/Kimi-K2.5-TEE", 0.45, 2.20, 262144, (*ABLE, THINKS)),
    Model("zai-org/GLM-5-TEE", 0.95, 2.55, 202752, ("json_mode", "tools", THINKS)),
    Model("unsloth/Llama-3.2-3B-Instruct", 0.01, 0.01, 16384, ()),
)
BY_ID = {model.id: model for model in MODELS}


def model(name: str) -> Model:
    return BY_ID.get(name) or Model(name)


def listing(names: Iterable[str]) -> dict[str, Any]:
    return {"object": "list", "data": [_entry(model(name)) for name in names]}


def _entry(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": 1785542400,  # the same at every start
        "owned_by": "sglang",
        "price": {"input": {"usd": model.input_usd}, "output": {"usd": model.output_usd}},
        "pricing": {"prompt": model.input_usd, "completion": model.output_usd},
        "max_model_len": model.context,
        "supported_features": list(model.features),
    }
