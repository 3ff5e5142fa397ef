"""Traces for OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set: one a step, with a span an attempt.

A thread of its own makes and sends them after the answer has left. Whatever happens to it, no step waits or fails. Only that thread imports
OpenTelemetry, which may not be installed.
"""

import logging
import queue
import threading
import time
from collections.abc import Sequence

from django.conf import settings
from django.db import connection

from agents.contract.step_facts import Sent, StepFacts
from agents.database import ANSWERING_PATIENCE, UNAVAILABLE, ends_after
from agents.models import Settings

logger = logging.getLogger(__name__)

WAITING = 256  # steps; a prompt has some 20 kB
AFTER_ANSWER = 0.2  # the answer leaves first: its thread needs the processor more


waiting: queue.Queue[tuple[StepFacts, Sequence[Sent]]] = queue.Queue(WAITING)
_starting = threading.Lock()
_senders: list[threading.Thread] = []


def keep(facts: StepFacts, attempts: Sequence[Sent]) -> None:
    """Have the step traced a moment later. Returns at once and raises nothing; what is too much is not traced."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return
    try:
        waiting.put_nowait((facts, attempts))
    except queue.Full:
        return
    if not _senders:
        with _starting:
            if not _senders:
                _senders.append(threading.Thread(target=_send_for_ever, name="traces", daemon=True))
                _senders[0].start()


def _send_for_ever() -> None:
    try:
        from agents.hybrid import spans  # noqa: PLC0415 -- it brings OpenTelemetry
    except ImportError as error:
        logger.error("Traces are not sent: %s. Run: bin/install requirements-otel.txt", error)
        while True:
            waiting.get()  # else 256 steps with their prompts would stay in memory
    tracer = spans.tracer()
    while True:
        batch = [waiting.get()]
        time.sleep(AFTER_ANSWER)
        while not waiting.empty():
            batch.append(waiting.get())
        with_prompts = _may_show_prompts()
        for facts, attempts in batch:
            try:
                spans.trace(tracer, facts, attempts, with_prompts=with_prompts)
            except Exception:
                # No caller waits for this thread, and a step that cannot be traced must not stop the next ones.
                logger.exception("Step %s can't be traced.", facts.opening.uid)


def _may_show_prompts() -> bool:
    try:
        with ends_after(ANSWERING_PATIENCE):
            return Settings.current().trace_prompts
    except UNAVAILABLE:
        return False
    finally:
        connection.close()
