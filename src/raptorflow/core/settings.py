"""The branches of the settings that the core rooms own."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr


class DatabaseSettings(BaseModel):
    """PostgreSQL with pgvector. Without a URL the embedded server is used."""

    url: SecretStr | None = None
    """What the program connects with: `postgresql+psycopg://user:password@host/name`."""
    owner_url: SecretStr | None = None
    """What migrations connect with; the login of `url` when not given."""
    pool_size: int = Field(default=20, ge=1, le=500)


class ValkeySettings(BaseModel):
    """Valkey or Redis 7+. Without a URL the embedded server is used."""

    url: SecretStr | None = None


class BlobSettings(BaseModel):
    """Where files live: a folder, `s3://bucket/prefix` or `gs://bucket/prefix`."""

    url: str | None = None


class EngineSettings(BaseModel):
    """The durable engine."""

    application_version: str = "1"
    """Set by hand: raise it only when running jobs cannot go on under the new code."""
    executor_id: str = "worker-1"
    concurrency: int = Field(default=16, ge=1, le=1000)
    poll_seconds: float = Field(default=2.0, gt=0)
    """How long a job waits at most when its wake-up call was lost."""
    heartbeat_seconds: float = Field(default=5.0, gt=0)
    lease_seconds: float = Field(default=30.0, gt=0)
    """An executor not heard of for so long is dead; another one recovers its jobs."""


class TelemetrySettings(BaseModel):
    """Logs, traces and metrics."""

    log_level: str = "INFO"
    log_format: str = "console"
    """`console` for people, `json` for machines."""
    otlp_endpoint: str | None = None
    """An OTLP/HTTP collector, e.g. `http://127.0.0.1:4318`; traces go nowhere without one."""


class DataSettings(BaseModel):
    """Local folders."""

    dir: Path | None = None
    """Where embedded parts keep their data; a per-user default when not given."""
