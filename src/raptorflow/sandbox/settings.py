"""The sandbox's branch of the settings."""

from pathlib import Path

from pydantic import BaseModel, Field

from raptorflow.sandbox.audit.settings import AuditSettings
from raptorflow.sandbox.broker.settings import BrokerSettings
from raptorflow.sandbox.drivers.docker.settings import DockerSettings
from raptorflow.sandbox.drivers.kubernetes.settings import KubernetesSettings
from raptorflow.sandbox.drivers.microvm.settings import MicroVmSettings
from raptorflow.sandbox.drivers.monty.settings import MontySettings
from raptorflow.sandbox.pool.settings import PoolSettings, QueueSettings
from raptorflow.sandbox.sessions.settings import SessionSettings
from raptorflow.sandbox.spec import MAX_INPUT_FILES_BYTES

MIB = 1024 * 1024


class SandboxSettings(BaseModel):
    """How skills are held."""

    driver: str = "local"
    allow_supervised: bool = False
    """Run also where the kernel cannot hold memory and processes for this user, and only supervision does."""
    python: Path | None = None
    """The interpreter inside; a system Python of 3.11 or later when not given."""
    bubblewrap: Path | None = None
    """The program that builds the sandbox; the wheel's, or else the system's, when not given."""
    state_dir: Path | None = None
    """Where a manager notes what it made, for the next one to clean up; a runtime folder when not given."""
    max_concurrent: int = Field(default=8, ge=1)
    max_seconds: float = Field(default=3600.0, gt=0)
    """How long a run may take at most, whatever its skill asks for."""
    secrets_dir: Path | None = None
    """Secrets that the broker injects, a file each: `<organisation id>/<NAME>`, read anew each time."""
    start_seconds: float = Field(default=20.0, gt=0)
    """How long building a sandbox may take."""
    watch_seconds: float = Field(default=0.02, gt=0, le=1)
    """How often the memory of a running sandbox is looked at."""
    open_files: int = Field(default=512, ge=16)
    max_input_bytes: int = Field(default=64 * MIB, ge=0)
    """Of standard input."""
    max_input_files_bytes: int = Field(default=MAX_INPUT_FILES_BYTES, ge=0)
    """Of all input files of a run together: they are copied into its workspace, which is in memory."""
    max_artifact_bytes: int = Field(default=10 * MIB, ge=1)
    max_artifacts_bytes: int = Field(default=100 * MIB, ge=1)
    max_artifacts: int = Field(default=100, ge=0)
    queue: QueueSettings = QueueSettings()
    pool: PoolSettings = PoolSettings()
    broker: BrokerSettings = BrokerSettings()
    audit: AuditSettings = AuditSettings()
    docker: DockerSettings = DockerSettings()
    microvm: MicroVmSettings = MicroVmSettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    monty: MontySettings = MontySettings()
    sessions: SessionSettings = SessionSettings()
