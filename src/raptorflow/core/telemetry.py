"""Logs with request and run ids, traces, and the metrics every room adds to."""

import logging
import sys

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import Counter, Histogram

from raptorflow.core.settings import TelemetrySettings

HTTP_REQUESTS = Counter("raptorflow_http_requests_total", "HTTP requests", ["method", "route", "status"])
HTTP_SECONDS = Histogram("raptorflow_http_request_seconds", "Time to answer", ["method", "route"])

Logger = structlog.stdlib.BoundLogger
_PROCESSORS: list[structlog.typing.Processor] = []


def configure_telemetry(settings: TelemetrySettings, *, service: str) -> None:
    """Set up logs on stderr, and traces when a collector is named.

    Args:
        settings: level, format and collector.
        service: `server`, `worker` or `cli`; the resource name of traces.
    """
    _configure_logs(settings)
    if settings.otlp_endpoint:
        provider = TracerProvider(resource=Resource.create({"service.name": f"raptorflow-{service}"}))
        exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(provider)


def _configure_logs(settings: TelemetrySettings) -> None:
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderers: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings.log_format == "json"
        # A plain traceback: the fancy one prints local variables, and those can hold secrets.
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    # The root logger alone holds the level, and there is one list: loggers in use follow when these change.
    _PROCESSORS[:] = [
        structlog.stdlib.filter_by_level,
        *shared,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Our own access line carries the request id; uvicorn's would say the same twice.
    for noisy in ("uvicorn.access", "httpx", "httpx2", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def logger(name: str) -> Logger:
    """A structured logger; `log.info("run finished", run_id=...)`."""
    return structlog.stdlib.get_logger(name)


def tracer(name: str) -> trace.Tracer:
    """A tracer of the configured provider (or one that does nothing)."""
    return trace.get_tracer(name)
