"""Logging filters: secrets are masked, and each record has the ids of its step and attempt."""

import logging
from collections.abc import Iterable

from agents.common import log_context
from agents.common.redaction import redact, remember


class AddContext(logging.Filter):
    """Adds the ids of the record's step and attempt, and both as text for the end of its line."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "step"):
            ids = {"step": log_context.step.get(), "attempt": log_context.attempt.get()}
            text = "".join(f" {name}={uid}" for name, uid in ids.items() if uid)
            record.__dict__.update(ids, context=text)
        return True


class RedactSecrets(logging.Filter):
    """Masks secrets in a record's message, traceback and stack before a handler formats it: once, whichever handler comes first."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        remember(*secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "is_redacted", False):
            return True
        record.msg, record.args = redact(_message(record)), None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:  # formatters print this cached text instead of the exception
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        record.is_redacted = True
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 -- an argument that can't be printed must not fail the request that logs it
        return f"{record.msg} (its arguments can't be printed: {type(error).__name__})"
