"""Logs, metrics and traces, configured once a process.

Logs are JSON lines on standard output with the request's and the session's id. No log line holds a
transcript, a name, a key, an embedding or a path that a client sent.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from prometheus_client import Counter, Gauge, Histogram, start_http_server

request_id: ContextVar[str] = ContextVar("request_id", default="")
session_id: ContextVar[str] = ContextVar("session_id", default="")

SECONDS_BUCKETS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
"""From a health check to the longest recording on a slow machine."""

RPC_SECONDS = Histogram(
    "interview_rpc_seconds", "Duration of RPCs served.", ["method", "code"], buckets=SECONDS_BUCKETS
)
RPC_IN_FLIGHT = Gauge("interview_rpc_in_flight_count", "RPCs being served.", ["method"])
WORKERS_BUSY = Gauge("interview_workers_busy_count", "Workers at work.")
QUEUE_DEPTH = Gauge("interview_queue_depth_count", "Requests that wait for a worker.")
MODEL_LOAD_SECONDS = Gauge("interview_model_load_seconds", "Time that loading the model took at start.")
STAGE_SECONDS = Histogram(
    "interview_stage_seconds",
    "Duration of stages as the orchestrator sees it.",
    ["stage", "outcome"],
    buckets=SECONDS_BUCKETS,
)
REAL_TIME_FACTOR = Histogram(
    "interview_real_time_factor_ratio",
    "Processing time over recording time.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
TOKENS = Counter("interview_llm_tokens_total", "Tokens of language models.", ["direction"])
BILLED_CHARACTERS = Counter(
    "interview_billed_characters_total", "Characters that the translator was billed for."
)

_STANDARD_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line; `extra=` fields become keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id.get():
            entry["request_id"] = request_id.get()
        if session_id.get():
            entry["session_id"] = session_id.get()
        entry.update({key: value for key, value in record.__dict__.items() if key not in _STANDARD_FIELDS})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def configure_logging(level: str, log_format: str) -> None:
    """Send all logs to standard output as JSON lines, or as text for people at a terminal."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        JsonFormatter()
        if log_format == "json"
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "faster_whisper", "absl", "urllib3"):
        # httpx logs every URL; faster_whisper logs what it detected in a recording.
        logging.getLogger(chatty).setLevel(logging.WARNING)


def serve_metrics(host: str, port: int) -> None:
    """Serve Prometheus metrics over HTTP unless `port` is 0."""
    if port:
        start_http_server(port, addr=host)


def tracing_configured() -> bool:
    """Tell whether an OTLP endpoint is set (`OTEL_EXPORTER_OTLP_ENDPOINT`)."""
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))


def configure_tracing(service_name: str) -> None:
    """Send traces to the OTLP endpoint, if one is set."""
    if not tracing_configured():
        return
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service_name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
