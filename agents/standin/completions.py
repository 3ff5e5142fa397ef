"""Chat completions: the request's JSON read, and the answer's JSON or event stream written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

CHARACTERS_PER_TOKEN = 4  # the usual rule of thumb for English and JSON


class BadBody(ValueError):
    """A request body that the provider refuses; the text says why."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """`models` are tried in order; `texts`: the messages as (role, text); `max_tokens` None: no bound.

    `thinks`: a model that can think may do so.
    """

    models: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    stream: bool
    max_tokens: int | None
    thinks: bool = True

    @property
    def prompt_tokens(self) -> int:
        return tokens("".join(text for _, text in self.texts))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said. `finish_reason`: "stop", or "length" when it was cut off. `thoughts`: tokens spent before."""

    content: str
    finish_reason: str = "stop"
    thoughts: int = 0


def tokens(text: str) -> int:
    """A rough count of tokens."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def read(body: bytes) -> ChatRequest:
    """The chat request in `body`. Raises BadBody."""
    try:
        data = json.loads(body)
    except ValueError as error:
        raise BadBody("Request body is not valid JSON.") from error
    if not isinstance(data, dict):
        raise BadBody("Request body must be a JSON object.")
    _check_format(data)
    return ChatRequest(_models(data), _texts(data), _stream(data), _max_tokens(data), _thinks(data))


def _models(data: dict[str, Any]) -> tuple[str, ...]:
    value = data.get("model")
    names = tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else ()
    if not names:
        raise BadBody("model: a model id, or several separated by commas, is required.")
    return names


def _texts(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    messages = data.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadBody("messages: a list of at least one message is required.")
    return tuple(_text(message) for message in messages)


def _text(message: object) -> tuple[str, str]:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise BadBody("messages: each message needs a role and a content.")
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise BadBody("messages: each message needs a role and a content.")
    return message["role"], content


def _stream(data: dict[str, Any]) -> bool:
    value = data.get("stream")
    if value is not None and not isinstance(value, bool):
        raise BadBody("stream: true or false is required.")
    return bool(value)


def _max_tokens(data: dict[str, Any]) -> int | None:
    value = data.get("max_tokens")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise BadBody("max_tokens: a whole number from 1 is required.")
    return value


def _thinks(data: dict[str, Any]) -> bool:
    options = data.get("chat_template_kwargs")
    return not isinstance(options, dict) or options.get("enable_thinking") is not False


def _check_format(data: dict[str, Any]) -> None:
    wanted = data.get("response_format")
    if isinstance(wanted, dict) and wanted.get("type") == "json_schema" and _has_pattern(wanted):
        raise BadBody("response_format: a JSON schema with pattern is not supported.")


def _has_pattern(node: object) -> bool:
    """Whether the schema asks for a `pattern`; a property of that name has an object there."""
    if isinstance(node, dict):
        return isinstance(node.get("pattern"), str) or any(_has_pattern(each) for each in node.values())
    return isinstance(node, list) and any(_has_pattern(each) for each in node)


def cut(reply: Reply, max_tokens: int | None) -> Reply:
    """`reply` as a model leaves it that may write only `max_tokens`, its thoughts among them."""
    if max_tokens is None or reply.thoughts + tokens(reply.content) <= max_tokens:
        return reply
    thoughts = min(reply.thoughts, max_tokens)
    return Reply(reply.content[: (max_tokens - thoughts) * CHARACTERS_PER_TOKEN], "length", thoughts)


def usage(request: ChatRequest, reply: Reply) -> dict[str, int]:
    """The tokens of one answer."""
    written = reply.thoughts + tokens(reply.content)
    return {"prompt_tokens": request.prompt_tokens, "completion_tokens": written, "total_tokens": request.prompt_tokens + written}


def whole(id_: str, created: int, model: str, request: ChatRequest, reply: Reply) -> dict[str, Any]:
    """The JSON of a `chat.completion`."""
    choice = {"index": 0, "message": {"role": "assistant", "content": reply.content}, "finish_reason": reply.finish_reason}
    return {"id": id_, "object": "chat.completion", "created": created, "model": model, "choices": [choice], "usage": usage(request, reply)}


def events(id_: str, created: int, model: str, request: ChatRequest, reply: Reply) -> tuple[bytes, ...]:
    """The same answer as server-sent events, a chunk of about 40 characters each, with `[DONE]` last."""
    base = {"id": id_, "object": "chat.completion.chunk", "created": created, "model": model}
    pieces = [reply.content[i : i + 40] for i in range(0, len(reply.content), 40)]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces)]
    chunks = [{**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    last = {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish_reason}], "usage": usage(request, reply)}
    return (*(_event(json.dumps(chunk)) for chunk in (*chunks, last)), _event("[DONE]"))


def _event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()
