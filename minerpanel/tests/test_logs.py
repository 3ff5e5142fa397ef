"""No secret reaches a log line."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from minerpanel.logs import RedactSecrets

KEY = "cpk_" + "a" * 32 + "." + "b" * 32 + "." + "C" * 32


@pytest.fixture
def output() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(RedactSecrets(["open-sesame"]))
    logger = logging.getLogger("minerpanel.tests.logs")
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


def test_a_message_keeps_its_words_and_loses_its_secrets(output: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = output
    logger.warning("Refused %s with %s after %d s.", KEY, "open-sesame", 3)
    assert stream.getvalue() == "WARNING minerpanel.tests.logs: Refused [secret] with [secret] after 3 s.\n"


def test_a_traceback_loses_its_secrets(output: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = output
    try:
        int(f"bad key {KEY} and open-sesame")
    except ValueError:
        logger.exception("It failed.", stack_info=True)
    assert "bad key [secret] and [secret]" in stream.getvalue()
    assert KEY not in stream.getvalue()
    assert "open-sesame" not in stream.getvalue()


def test_every_handler_of_the_settings_masks_secrets() -> None:
    handlers: Any = settings.LOGGING["handlers"]
    assert all("redact" in handler["filters"] for handler in handlers.values())
