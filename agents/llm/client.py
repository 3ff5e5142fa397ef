"""The only client of providers: HTTP/1.1 on its own event loop, so that a call can be cut off at any time.

Every failure of a call is one of these errors, mapped only here:

    LLMError
    ├── Refused        a non-2xx answer, with its refusal class
    ├── Unreachable    no connection, or it was broken
    ├── TimedOut       cut off, so that another model or the template agent can answer in time
    └── BrokenReply    the status is 200, but the body is not a completion
"""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from agents.configuration import Provider
from agents.llm.checked_transport import CheckedTransport
from agents.policy.refusals import Refusal, classify
from agents.prompting.completions import (
    JSON_MODE,
    MAX_REPLY_BYTES,
    MAX_TOKENS,
    Completion,
    NoCompletion,
    completion,
    header_value,
    number,
    request_body,
)

MAX_MODEL_NAME = 200
CATALOGUE_SECONDS = 20.0
# Why a call is cut off.
IN_TIME, FOR_ANOTHER = "to answer in time", "so that another model can answer in time"
T = TypeVar("T")
Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]

_starting = threading.Lock()
_TIMEOUT = httpx.Timeout(None, connect=10.0, pool=2.0)
# At least one a web thread: spacing, not the pool, limits the requests.
_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=16, keepalive_expiry=30.0)


class LLMError(Exception):
    """A call without a completion. `status`: None without an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Refused(LLMError):
    def __init__(self, refusal: Refusal, status: int) -> None:
        super().__init__(refusal.detail, status)
        self.refusal = refusal


class Unreachable(LLMError): ...


class TimedOut(LLMError): ...


class BrokenReply(LLMError): ...


@dataclass(frozen=True, slots=True)
class Prompt:
    """`options`: further request fields; `task_id`: for the validators' gateway."""

    messages: list[dict[str, str]]
    task_id: str = ""
    max_tokens: int = MAX_TOKENS
    options: Mapping[str, Any] = field(default_factory=lambda: JSON_MODE)


class Call:
    """A chat completion, cut off at `cut_off` (Unix seconds) for `purpose`."""

    def __init__(self, provider: Provider, model: str, prompt: Prompt, *, cut_off: float, purpose: str = IN_TIME) -> None:
        self._left = threading.Event()
        self._sent_at: float | None = None
        call = _complete(provider, model, prompt, self._trace)
        self._future = start(call, cut_off - time.time(), purpose)
        self._future.add_done_callback(lambda _: self._left.set())

    def sent_at(self) -> float | None:
        """Waits until the whole request was sent, and returns when, in Unix seconds; None where the call ended before that."""
        self._left.wait()
        return self._sent_at

    def result(self) -> Completion:
        return self._future.result()

    async def _trace(self, event: str, _: Mapping[str, Any]) -> None:
        if event == "http11.send_request_body.complete":
            self._sent_at = time.time()
            self._left.set()


def catalogue(provider: Provider) -> list[dict[str, Any]]:
    """The provider's public model list: id, USD per million input and output tokens (None: not listed), whether it lists json_mode."""
    listing = start(_document(f"{provider.base_url}/models", provider.key), CATALOGUE_SECONDS).result()
    entries = listing.get("data") if isinstance(listing, dict) else None
    if not isinstance(entries, list):
        raise BrokenReply("The model list is not of the expected form.")
    return [_entry(entry) for entry in entries if isinstance(entry, dict) and _is_name(entry.get("id"))]


def document(url: str, key: str, seconds: float) -> Any:
    headers = {"Authorization": f"Bearer {header_value(key)}"}
    return start(_document(url, key, headers=headers), seconds).result()


async def _complete(provider: Provider, model: str, prompt: Prompt, trace: Trace) -> Completion:
    body = request_body(model, prompt.messages, {**prompt.options, **provider.options}, prompt.max_tokens)
    headers = {"Authorization": f"Bearer {header_value(provider.key)}"}
    if prompt.task_id:
        headers["IWA-Task-ID"] = header_value(prompt.task_id)
    url = f"{provider.base_url}/chat/completions"
    reply, headers_read = await _fetch("POST", url, provider.key, headers=headers, json=body, extensions={"trace": trace})
    try:
        return completion(reply, headers_read)
    except NoCompletion as error:
        raise BrokenReply(str(error), 200) from None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_MODEL_NAME and value.isprintable()


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    pricing, features = entry.get("pricing"), entry.get("supported_features")
    pricing = pricing if isinstance(pricing, dict) else {}
    usd = {"input": number(pricing.get("prompt")), "output": number(pricing.get("completion"))}
    return {"id": entry["id"], **usd, "json_mode": isinstance(features, list) and "json_mode" in features}


async def _document(url: str, key: str, **request: Any) -> Any:
    body, _ = await _fetch("GET", url, key, **request)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BrokenReply("The reply is not JSON.", 200) from None


async def _fetch(method: str, url: str, key: str, **request: Any) -> tuple[str, httpx.Headers]:
    try:
        urlsplit(url).port  # noqa: B018 -- reading it checks it; httpx accepts any number and fails later
    except ValueError as error:
        raise Unreachable(f"The base URL can't be used: {error}") from error
    try:
        async with _client().stream(method, url, **request) as response:
            body = await _read(response)
    except httpx.TimeoutException as error:
        raise TimedOut(f"No answer in time ({type(error).__name__}).") from error
    except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError, UnicodeError) as error:
        # A UnicodeError is an invalid host name, such as xn--a.
        raise Unreachable(f"The provider can't be reached or the connection broke: {error or type(error).__name__}") from error
    if not response.is_success:
        refusal = classify(response.status_code, response.headers, body, time.time(), (key,))
        raise Refused(refusal, response.status_code)
    return body, response.headers


async def _read(response: httpx.Response) -> str:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_REPLY_BYTES:
            if not response.is_success:
                break
            raise BrokenReply(f"The reply is longer than {MAX_REPLY_BYTES} bytes.", response.status_code)
    return body.decode("utf-8", "replace")


def start(call: Coroutine[Any, Any, T], seconds: float, purpose: str = IN_TIME) -> Future[T]:
    """Run the call on the process's loop. Raises TimedOut after `seconds`."""

    async def cut_off() -> T:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                return await call
        except TimeoutError as error:
            raise TimedOut(f"Took longer than its limit of {seconds:.1f} s: cut off {purpose}.") from error

    with _starting:
        loop = _loop()
    return asyncio.run_coroutine_threadsafe(cut_off(), loop)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The process's loop for provider calls, made at first use, which is after the web server has forked."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="provider calls", daemon=True).start()
    return loop


@cache
def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=CheckedTransport(_LIMITS), trust_env=False, follow_redirects=False, timeout=_TIMEOUT)
