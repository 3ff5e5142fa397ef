"""Chat completions: the request's JSON read, and the answer's JSON or event stream written, also the faulty ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agents.devtools.fake_chutes import catalogue
from agents.devtools.fake_chutes.server import Answer, Delivery, json_answer
from agents.simulation.scenario import Fault

CHARACTERS_PER_TOKEN = 4  # the usual rule of thumb for English and JSON
# What a thinking model thinks before its first word; a plan's usual bound of 2,048 tokens leaves little behind it.
THOUGHTS = 2000
NO_SUCH_SELECTOR = {"type": "ClickAction", "selector": {"type": "cssSelector", "value": "#go"}}
SPOILED_CONTENT = {
    Fault.EMPTY: "",
    Fault.BADJSON: '{"actions": [{"type": "ClickAction", "selector": {"type":',
    Fault.INVALID: json.dumps({"actions": [NO_SUCH_SELECTOR, {"type": "TypeAction", "text": "no selector"}, {"type": "Fly"}]}),
}
UPSTREAM = {
    Fault.HTTP500: (500, "Internal server error"),
    Fault.HTTP502: (502, "Bad gateway"),
    Fault.HTTP503: (503, "No instances available (yet) for this chute."),
    Fault.HTTP504: (504, "Gateway timeout"),
}
UNSENT = {Fault.HANG: Delivery.HANG, Fault.RESET: Delivery.RESET}
STREAM_ERROR = b'{"detail": "upstream instance went away"}\n'


class BadBody(ValueError):
    """A request body that the provider refuses; the text gives the reason."""


class Message(BaseModel, strict=True):
    role: str
    content: str | list[Any]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(str(part.get("text", "")) for part in self.content if isinstance(part, dict))


class ChatRequest(BaseModel):
    """A completion's request. `model`: one id, or several with commas, which are tried in order."""

    model_config = ConfigDict(strict=True)

    model: Annotated[str, Field(pattern=r"[^\s,]")]
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    response_format: Any = None
    chat_template_kwargs: Any = None

    @field_validator("response_format")
    @classmethod
    def _has_no_pattern(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("type") == "json_schema" and has_pattern(value):
            raise ValueError("a JSON schema with pattern is not supported.")
        return value

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.model.split(",") if name.strip())

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        return tuple((message.role, message.text) for message in self.messages)

    @property
    def thinks(self) -> bool:
        options = self.chat_template_kwargs
        return not isinstance(options, dict) or options.get("enable_thinking") is not False


def read(body: bytes) -> ChatRequest:
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadBody(": ".join([*(str(part) for part in first["loc"]), first["msg"]])) from error


def has_pattern(node: object) -> bool:
    """Whether the schema has a `pattern`; a property of that name has an object there."""
    if isinstance(node, dict):
        return isinstance(node.get("pattern"), str) or any(has_pattern(each) for each in node.values())
    return isinstance(node, list) and any(has_pattern(each) for each in node)


def tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Completion:
    """What `model` made of a request. `thoughts`: tokens spent before the content."""

    chat: ChatRequest
    model: str
    content: str
    finish_reason: str
    thoughts: int

    @property
    def usage(self) -> dict[str, int]:
        prompt, written = tokens("".join(text for _, text in self.chat.texts)), self.thoughts + tokens(self.content)
        return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}

    @property
    def usd(self) -> float:
        listed, used = catalogue.model(self.model), self.usage
        return (used["prompt_tokens"] * listed.input_usd + used["completion_tokens"] * listed.output_usd) / 1e6

    def answer(self, id_: str, created: int, headers: Mapping[str, str], fault: Fault | None) -> Answer:
        base = {"id": id_, "created": created, "model": self.model}
        choice = {"index": 0, "message": {"role": "assistant", "content": self.content}, "finish_reason": self.finish_reason}
        whole = json_answer(200, {**base, "object": "chat.completion", "choices": [choice], "usage": self.usage}, headers)
        answer = self._events(base, headers) if self.chat.stream else whole
        if fault in UPSTREAM:
            status, text = UPSTREAM[fault]
            return json_answer(status, {"detail": text})
        if fault in UNSENT:
            return replace(answer, status=0, delivery=UNSENT[fault])
        if fault not in (Fault.BROKEN, Fault.MIDSTREAM):
            return answer
        if not self.chat.stream:
            return replace(answer, delivery=Delivery.BROKEN)
        # A broken stream ends in good order, but without its `[DONE]`; one that fails midway ends with a line without `data:`.
        parts = answer.parts
        return replace(answer, parts=parts[: len(parts) // 2] if fault is Fault.BROKEN else (*parts[:2], STREAM_ERROR))

    def _events(self, base: dict[str, Any], headers: Mapping[str, str]) -> Answer:
        """A chunk of 40 characters each, with `[DONE]` last."""
        pieces = [self.content[i : i + 40] for i in range(0, len(self.content), 40)]
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
        choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
        last = {"index": 0, "delta": {}, "finish_reason": self.finish_reason}
        base["object"] = "chat.completion.chunk"
        chunks = [*({**base, "choices": [choice]} for choice in choices), {**base, "choices": [last], "usage": self.usage}]
        parts = tuple(f"data: {data}\n\n".encode() for data in (*map(json.dumps, chunks), "[DONE]"))
        return Answer(200, "text/event-stream", parts, headers, Delivery.CHUNKED)


def completed(chat: ChatRequest, model: str, plan: str, fault: Fault | None) -> Completion:
    """`plan`, or its faulty form, cut off where the request's tokens end; thoughts use them up first."""
    content = plan[: len(plan) // 2] if fault is Fault.TRUNCATED else SPOILED_CONTENT.get(fault, plan) if fault else plan
    finish_reason = "length" if fault is Fault.TRUNCATED else "stop"
    thoughts = THOUGHTS if chat.thinks and catalogue.THINKS in catalogue.model(model).features else 0
    if chat.max_tokens is not None and thoughts + tokens(content) > chat.max_tokens:
        thoughts = min(thoughts, chat.max_tokens)
        content, finish_reason = content[: (chat.max_tokens - thoughts) * CHARACTERS_PER_TOKEN], "length"
    return Completion(chat, model, content, finish_reason, thoughts)
