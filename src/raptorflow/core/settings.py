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
    executor_id: str | None = None
    """This worker's name among the workers; the first free `worker-<n>` when not given."""
    concurrency: int = Field(default=16, ge=1, le=1000)
    """Jobs that run at once in one worker."""
    pool_size: int = Field(default=10, ge=2, le=100)
    """Connections that the journal uses at most."""
    threads: int = Field(default=64, ge=8, le=1000)
    """Threads of a worker at most; the journal is written from them."""
    step_attempts: int = Field(default=5, ge=1)
    """How often a step is tried while a part that it needs does not answer."""
    step_pause_seconds: float = Field(default=0.5, gt=0)
    """The pause before a step's second attempt; each later one is twice as long, up to a minute."""
    poll_seconds: float = Field(default=2.0, gt=0)
    """How long a job waits at most when its wake-up call was lost."""
    heartbeat_seconds: float = Field(default=5.0, gt=0)
    """How often a worker says that it lives; several times a lease."""
    lease_seconds: float = Field(default=30.0, gt=0)
    """An executor not heard of for so long is dead; another one recovers its jobs."""
    stop_seconds: float = Field(default=5.0, ge=0)
    """What running jobs get to finish when the worker stops; the rest goes on with the next start."""


class TelemetrySettings(BaseModel):
    """Logs, traces and metrics."""

    log_level: str = "INFO"
    log_format: str = "console"
    """`console` for people, `json` for machines."""
    otlp_endpoint: str | None = None
    """An OTLP/HTTP collector, e.g. `http://127.0.0.1:4318`; traces go nowhere without one."""
    worker_host: str = "127.0.0.1"
    """Where a worker serves its own `/metrics`, `/healthz` and `/readyz`; nobody has to sign in there."""
    worker_port: int = Field(default=9464, ge=0, le=65535)
    """The port of these; each worker of a machine needs another. 0 serves none."""


class DataSettings(BaseModel):
    """Local folders."""

    dir: Path | None = None
    """Where embedded parts keep their data; a per-user default when not given."""
