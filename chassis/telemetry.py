"""Logs, metrics and traces, configured once a process.

Logs are JSON lines on standard output with the request's and the session's id. No log line holds a
transcript, a name, a key, an embedding or a path that a client sent.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from chassis.model_info import ModelInfo
from chassis.native_forwarder import json_line
from chassis.native_output import forward_native_output
from chassis.settings import ProcessSettings, address_unavailable

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
LACKING = Gauge(
    "interview_lacking_count", "1 while the process lacks something and is not ready.", ["reason"]
)
MODEL_LOAD_SECONDS = Gauge("interview_model_load_seconds", "Time that loading the model took at start.")
MODELS = Gauge(
    "interview_model_info",
    "1 for each model that a stage works with: its name, where it runs, and in which numbers.",
    ["model", "device", "compute_type"],
)
BATCH_WINDOWS = Histogram(
    "interview_batch_windows",
    "Windows of sound that really went to the model together.",
    ["step"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
STAGE_SECONDS = Histogram(
    "interview_stage_seconds",
    "Duration of stages as the orchestrator sees it.",
    ["stage", "outcome"],
    buckets=SECONDS_BUCKETS,
)
SESSIONS_ENDED = Counter(
    "interview_sessions_ended_total", "Sessions that the orchestrator brought to an end.", ["state"]
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

logger = logging.getLogger(__name__)

_STANDARD_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line. `extra=` fields become keys."""

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
        return json_line(entry)


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
    logging.captureWarnings(True)
    sys.excepthook = _log_unforeseen
    threading.excepthook = _log_unforeseen_in_thread


def configure_process_log(settings: ProcessSettings) -> None:
    """Configure what a whole process writes: its own log, and what native libraries write past it."""
    configure_logging(settings.log_level, settings.log_format)
    variable = f"{settings.model_config.get('env_prefix', '')}NATIVE_LOG"
    forward_native_output(settings.native_log, settings.log_format, variable)


def _log_unforeseen(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log what ends the process: one record, where the interpreter would print many lines."""
    if issubclass(kind, KeyboardInterrupt):
        logger.warning("interrupted")
        return
    logger.critical("the process ends after an unforeseen error", exc_info=(kind, error, trace))


def _log_unforeseen_in_thread(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is None or issubclass(failure.exc_type, SystemExit):
        return
    trace = (failure.exc_type, failure.exc_value, failure.exc_traceback)
    logger.error("a thread ends after an unforeseen error", exc_info=trace)


def refuse_start(message: str, log_format: str | None = None) -> None:
    """Log why the process can't start, which is one record. At a terminal it is plain text.

    Args:
        message: What is wrong and what to do.
        log_format: As the settings have it. None before there are any.
    """
    at_terminal = sys.stdout.isatty() if log_format is None else log_format == "text"
    configure_logging("INFO", "text" if at_terminal else "json")
    logger.critical(message)


def tell_model(model: ModelInfo, compute_type: str = "") -> None:
    """Export which model this process works with.

    Args:
        model: A model. One without a name is not told.
        compute_type: In which numbers it works, such as `int8`. Empty where nobody knows.
    """
    if model.name:
        MODELS.labels(model.name, model.device, compute_type).set(1)


def count_batch(step: str, window_count: int) -> None:
    """Count windows that went to the model together.

    Args:
        step: What the model did with them, such as `encode`.
        window_count: How many they were.
    """
    BATCH_WINDOWS.labels(step).observe(window_count)


def serve_metrics(settings: ProcessSettings) -> None:
    """Serve Prometheus metrics over HTTP unless `metrics_port` is 0.

    Raises:
        PreconditionError: The address is taken or not ours (`ADDRESS_UNAVAILABLE`).
    """
    if settings.metrics_port:
        try:
            start_http_server(settings.metrics_port, addr=settings.metrics_host)
        except OSError:
            raise address_unavailable(settings, "metrics_host", "metrics_port") from None


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
