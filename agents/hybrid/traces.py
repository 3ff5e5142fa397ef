"""Traces for OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set: one a step, with a span an attempt, after its answer.

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
    """Have the step traced a moment later. Returns at once and raises nothing; what is too much is not traced."""
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
            # No caller waits for this thread, and a step that cannot be traced must not stop the next ones.
            logger.exception("Step %s can't be traced.", facts.opening.uid)


waiting = Later[tuple[StepFacts, Sequence[Sent]]]("traces", WAITING, _send)


@cache
def _tracing() -> Any:
    """None without OpenTelemetry: else what makes spans of a step's facts."""
    try:
        from agents.hybrid import spans  # noqa: PLC0415 -- it brings OpenTelemetry
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
