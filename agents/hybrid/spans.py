"""A step's facts as OpenTelemetry's spans. Imported only where traces are sent: its packages may not be installed."""

import json
import logging
import socket
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.re import parse_env_headers

from agents import VERSION
from agents.common.redaction import mask_keys
from agents.configuration import provider_name
from agents.contract.step_facts import Sent, StepFacts
from agents.policy.reasons import Reason, Verdict

logger = logging.getLogger(__name__)

EXPORT_SECONDS = 5.0  # for one batch
MOST_CHARS = 32_000  # of a prompt or reply: ours are shorter
NANO = 1_000_000_000


class ReportingExporter(OTLPSpanExporter):
    """Logs once that spans do not arrive, and once that they arrive again; OpenTelemetry would log each try."""

    fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        fails = result is not SpanExportResult.SUCCESS
        if fails and not self.fails:
            logger.warning(
                "Traces do not arrive at %s. They are dropped; steps are answered as usual.", settings.OTEL_EXPORTER_OTLP_ENDPOINT
            )
        elif self.fails and not fails:
            logger.warning("Traces arrive again.")
        self.fails = fails
        return result


def tracer() -> Tracer:
    headers = parse_env_headers(settings.OTEL_EXPORTER_OTLP_HEADERS, liberal=True)
    exporter = ReportingExporter(f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces", headers=headers, timeout=EXPORT_SECONDS)
    instance = settings.MINER_NAME or socket.gethostname()
    about = Resource.create({"service.name": "minerpanel", "service.version": VERSION, "service.instance.id": instance})
    # A receiver that hangs must not delay a restart: the spans of the last seconds are dropped.
    provider = TracerProvider(resource=about, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider.get_tracer("minerpanel", VERSION)


def trace(tracer: Tracer, facts: StepFacts, attempts: Sequence[Sent], *, with_prompts: bool) -> None:
    opened, closed = facts.opening, facts.closing
    step = tracer.start_span("step", kind=SpanKind.SERVER, start_time=_nano(opened.received_at), attributes=_of_step(facts))
    if closed.fault:
        step.set_status(Status(StatusCode.ERROR, closed.fault.strip().rpartition("\n")[2][:300]))
    for number, sent in enumerate(attempts, 1):
        end = sent.end
        span = tracer.start_span(
            f"chat {sent.model}",
            set_span_in_context(step),
            kind=SpanKind.CLIENT,
            start_time=_nano(end.sent_at or sent.decided_at),
            attributes=dict(_of_attempt(number, sent, with_prompts=with_prompts)),
        )
        if end.verdict != Verdict.OK:
            span.set_status(Status(StatusCode.ERROR, end.detail[:300]))
        span.end(_nano(end.ended_at))
    step.end(_nano(closed.answered_at))


def _of_step(facts: StepFacts) -> dict[str, Any]:
    opened, closed = facts.opening, facts.closing
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "minerpanel",
        "gen_ai.conversation.id": opened.key,
        "miner.step.uid": opened.uid,
        "miner.step.index": opened.index,
        "miner.source": opened.source,
        "miner.project": opened.project,
        "miner.task.kind": opened.kind,
        "miner.route": closed.route,
        "miner.reason": closed.reason,
        "miner.reason.meaning": Reason(closed.reason).sentence,
        "miner.late": closed.answered_at > opened.deadline_at,
        "miner.actions": len(closed.actions),
    }


def _of_attempt(number: int, sent: Sent, *, with_prompts: bool) -> Iterator[tuple[str, Any]]:
    end = sent.end
    yield "gen_ai.operation.name", "chat"
    yield "gen_ai.provider.name", provider_name(sent.base_url)
    yield "gen_ai.request.model", sent.model
    yield "server.address", urlsplit(sent.base_url).hostname or ""
    yield "miner.attempt.uid", end.uid
    yield "miner.attempt.number", number
    yield "miner.attempt.verdict", end.verdict
    if end.verdict != Verdict.OK:
        yield "error.type", end.refusal or end.verdict
    if end.sent_at:
        yield "miner.attempt.wait_seconds", end.sent_at - sent.decided_at
    numbers = {
        "gen_ai.usage.input_tokens": end.prompt_tokens,
        "gen_ai.usage.output_tokens": end.completion_tokens,
        "http.response.status_code": end.status,
        "miner.cost_usd": float(end.cost) if end.cost else None,
    }
    yield from ((name, value) for name, value in numbers.items() if value is not None)
    if with_prompts:
        yield "gen_ai.input.messages", _as_messages([(message["role"], mask_keys(message["content"])) for message in sent.messages])
        if end.reply:
            yield "gen_ai.output.messages", _as_messages([("assistant", mask_keys(end.reply))])


def _as_messages(messages: Sequence[tuple[str, str]]) -> str:
    """In OpenTelemetry's form of chat messages, shortened to what a backend accepts."""
    return json.dumps(
        [{"role": role, "parts": [{"type": "text", "content": text[:MOST_CHARS]}]} for role, text in messages], ensure_ascii=False
    )


def _nano(seconds: float) -> int:
    return round(seconds * NANO)
