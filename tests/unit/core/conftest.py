"""Plain logs: structlog's own tracebacks show local variables, and take seconds over deep stacks."""

import pytest

from raptorflow.core.settings import TelemetrySettings
from raptorflow.core.telemetry import configure_telemetry


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    configure_telemetry(TelemetrySettings(log_level="WARNING"), service="tests")
