"""Chat completions: parses requests and writes answers, also faulty ones."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from agents.devtools.fake_chutes import catalogue
from agents.devtools.fake_chutes.server import Answer, Delivery, json_answer
from agents.simulation.scenario import Fault

CHARACTERS_PER_TOKEN = 4  # the usual rule of thumb for English and JSON
# Tokens of a thinking model before its answer; the usual limit of 2,048 tokens leaves few for the plan.
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


class Message(BaseModel, strict=True):
    role: str
    content: str


class ChatRequest(BaseModel, strict=True):
    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    chat_template_kwargs: Any = None

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        return tuple((message.role, message.content) for message in self.messages)

    @property
    def thinks(self) -> bool:
        options = self.chat_template_kwargs
        return not isinstance(options, dict) or options.get("enable_thinking") is not False


def read(body: bytes) -> ChatRequest | str:
    """The request, or why the provider refuses it."""
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return ": ".join([*(str(part) for part in first["loc"]), first["msg"]])


def tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Completion:
    """The completion of a request by `model`. `thoughts`: tokens spent before the content."""

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
        """Status 0: nothing is sent at all."""
        if fault in UPSTREAM:
            status, text = UPSTREAM[fault]
            return json_answer(status, {"detail": text})
        choice = {"index": 0, "message": {"role": "assistant", "content": self.content}, "finish_reason": self.finish_reason}
        reply = {"id": id_, "created": created, "model": self.model, "object": "chat.completion"}
        answer = json_answer(200, {**reply, "choices": [choice], "usage": self.usage}, headers)
        if fault in UNSENT:
            return replace(answer, status=0, delivery=UNSENT[fault])
        return replace(answer, delivery=Delivery.BROKEN) if fault in (Fault.BROKEN, Fault.MIDSTREAM) else answer


def completed(chat: ChatRequest, model: str, plan: str, fault: Fault | None) -> Completion:
    """The plan, or its faulty form, cut off at the request's token limit, which thoughts use up first."""
    content = plan[: len(plan) // 2] if fault is Fault.TRUNCATED else SPOILED_CONTENT.get(fault, plan) if fault else plan
    finish_reason = "length" if fault is Fault.TRUNCATED else "stop"
    thoughts = THOUGHTS if chat.thinks and catalogue.THINKS in catalogue.model(model).features else 0
    if chat.max_tokens is not None and thoughts + tokens(content) > chat.max_tokens:
        thoughts = min(thoughts, chat.max_tokens)
        content, finish_reason = content[: (chat.max_tokens - thoughts) * CHARACTERS_PER_TOKEN], "length"
    return Completion(chat, model, content, finish_reason, thoughts)
