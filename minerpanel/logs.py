"""Logging that never prints a secret."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from agents.redaction import redact


class RedactSecrets(logging.Filter):
    """Masks secrets in a record's message, traceback and stack before a handler formats it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self.secrets = tuple(secret for secret in secrets if secret)
        self.formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage(), self.secrets), None
        if record.exc_info:
            record.exc_text = self.formatter.formatException(record.exc_info)
        if record.exc_text:  # formatters print this cached text instead of the exception
            record.exc_text = redact(record.exc_text, self.secrets)
        if record.stack_info:
            record.stack_info = redact(record.stack_info, self.secrets)
        return True
