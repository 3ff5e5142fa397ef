"""Traces for OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set: one a step, with a span an attempt, sent after the answer.

OpenTelemetry may not be installed: only the thread that sends imports it.
"""

import logging
from collections.abc import Sequence
from functools import cache, partial
from typing import Any

from django.conf import settings

from agents.contract.step_facts import Sent, StepFacts
from agents.database import ANSWERING_PATIENCE, UNAVAILABLE, ends_after
from agents.hybrid.later import Later
from agents.models import Settings

logger = logging.getLogger(__name__)

WAITING = 256  # steps; a prompt has some 20 kB


def keep(facts: StepFacts, attempts: Sequence[Sent]) -> None:
    """Queue a step to be traced. Returns at once and raises nothing; with too many in the queue, the step is not traced."""
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        waiting.add((facts, attempts))


def _send(batch: list[tuple[StepFacts, Sequence[Sent]]]) -> None:
    if (trace := _tracing()) is None:
        return
    with_prompts = _may_show_prompts()
    for facts, attempts in batch:
        try:
            trace(facts, attempts, with_prompts=with_prompts)
        except Exception:
            # A step that can't be traced must not stop the next ones.
            logger.exception("Step %s can't be traced.", facts.opening.uid)


waiting = Later[tuple[StepFacts, Sequence[Sent]]]("traces", WAITING, _send)


@cache
def _tracing() -> Any:
    """The function that makes spans of a step's facts; None without OpenTelemetry."""
    try:
        from agents.hybrid import spans  # noqa: PLC0415 -- it imports OpenTelemetry
    except ImportError as error:
        logger.error("Traces are not sent: %s. Run: bin/install requirements-otel.txt", error)
        return None
    return partial(spans.trace, spans.tracer())


def _may_show_prompts() -> bool:
    try:
        with ends_after(ANSWERING_PATIENCE):
            return Settings.current().trace_prompts
    except UNAVAILABLE:
        return False
