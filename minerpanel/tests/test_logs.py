"""No secret reaches a log line, and each line has its step."""

import io
import logging
import uuid
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings

from agents.common import log_context
from agents.configuration import keys
from minerpanel.logs import AddContext, RedactSecrets

KEY = "cpk_" + "a" * 32 + "." + "b" * 32 + "." + "C" * 32
PHRASE = "open-sesame"
ODD = "s/s=a+b c&d'\"é\\"

Output = tuple[logging.Logger, io.StringIO]


@pytest.fixture
def output() -> Iterator[Output]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s%(context)s"))
    handler.addFilter(AddContext())
    handler.addFilter(RedactSecrets([PHRASE, ODD]))
    logger = logging.getLogger("minerpanel.tests.logs")
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


def test_a_message_keeps_its_text_and_loses_its_secrets(output: Output) -> None:
    logger, stream = output
    logger.warning("Refused %s with %s after %d s.", KEY, PHRASE, 3)
    assert stream.getvalue() == "WARNING minerpanel.tests.logs: Refused [secret] with [secret] after 3 s.\n"


def test_a_line_has_its_step_and_attempt(output: Output) -> None:
    logger, stream = output
    step, attempt = str(uuid.uuid4()), str(uuid.uuid4())
    with log_context.about(log_context.step, step):
        logger.warning("one")
        with log_context.about(log_context.attempt, attempt):
            logger.warning("two")
    logger.warning("three")
    assert [line.partition(": ")[2] for line in stream.getvalue().splitlines()] == [
        f"one step={step}",
        f"two step={step} attempt={attempt}",
        "three",
    ]


@pytest.mark.parametrize("secret", [KEY, PHRASE, ODD], ids=["key", "phrase", "odd"])
@pytest.mark.parametrize(
    "placed",
    [
        lambda secret: secret,
        lambda secret: {"X-API-Key": secret, "inner": [{"authorization": f"Bearer {secret}"}]},
        lambda secret: secret.encode(),
        lambda secret: [secret.encode()],
        lambda secret: repr(repr(secret)),
        lambda secret: f"https://user:{quote(secret, safe='')}@host/path",
        lambda secret: f"https://host/path?a=1&key={quote(secret)}&b=2",
        lambda secret: f"https://host/path?api_key={quote(secret, safe='').lower() if '%' not in secret else secret}",
        lambda secret: quote(f"https://u:{secret}@host?token={secret}", safe=""),
        lambda secret: ValueError("it was", secret),
        lambda secret: "Authorization: Basic " + b64encode(f"user:{secret}".encode()).decode(),
    ],
)
def test_a_secret_is_masked_wherever_it_stands(secret: str, placed: Any, output: Output) -> None:
    logger, stream = output
    logger.warning("Before %s after", placed(secret))
    assert_clean(stream.getvalue(), secret)
    assert "Before " in stream.getvalue()
    assert " after" in stream.getvalue()


def assert_clean(text: str, secret: str) -> None:
    """No form of the secret and no long part of it is left."""
    assert "[secret]" in text
    for form in {secret, quote(secret, safe=""), repr(secret)[1:-1], secret[-12:], b64encode(f"user:{secret}".encode()).decode()}:
        assert form not in text


@pytest.mark.parametrize("secret", [KEY, PHRASE, ODD], ids=["key", "phrase", "odd"])
def test_tracebacks_of_chained_exceptions_lose_their_secrets(secret: str, output: Output) -> None:
    logger, stream = output
    try:
        try:
            dict[str, str]()[f"key={secret}"]
        except LookupError as error:
            raise RuntimeError(secret.encode()) from error
    except RuntimeError:
        logger.exception("It failed with %r.", secret, stack_info=True)
    text = stream.getvalue()
    assert "The above exception was the direct cause" in text
    assert_clean(text, secret)


@pytest.mark.parametrize("turn", [keys.seal, lambda key: keys.open_sealed(keys.seal(key))])
def test_a_stored_key_is_masked_from_the_moment_this_process_has_it(turn: Any, output: Output) -> None:
    logger, stream = output
    stored = f"tgram://{uuid.uuid4().hex}/42"
    turn(stored)
    logger.warning("Sending to %s failed: %s", stored, quote(stored, safe=""))
    assert stream.getvalue() == "WARNING minerpanel.tests.logs: Sending to [secret] failed: [secret]\n"


def test_every_handler_of_the_settings_masks_secrets_by_the_same_filter() -> None:
    handlers: Any = settings.LOGGING["handlers"]
    assert set(handlers) == {"stdout", "rows"}
    assert all(handler["filters"] == ["context", "redact"] for handler in handlers.values())


def test_a_record_is_masked_once_for_all_handlers() -> None:
    record = logging.LogRecord("a", logging.WARNING, "", 1, "It was %s", (PHRASE,), None)
    first = RedactSecrets([PHRASE])
    first.filter(record)
    masked = record.msg
    first.filter(record)
    assert record.msg is masked
    assert masked == "It was [secret]"
