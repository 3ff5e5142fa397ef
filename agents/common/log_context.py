"""The step and the LLM attempt of a log record: set where the work is done, read where records are written."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Their ids, "" outside of any.
step: ContextVar[str] = ContextVar("step", default="")
attempt: ContextVar[str] = ContextVar("attempt", default="")


@contextmanager
def about(what: ContextVar[str], uid: str) -> Iterator[None]:
    token = what.set(uid)
    try:
        yield
    finally:
        what.reset(token)
