"""How a run in a sandbox ended."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal[
    "ok", "error", "signal", "timeout", "oom", "disk_full", "pids", "output_limit", "sandbox_error"
]


@dataclass(frozen=True)
class Artifact:
    """A file that the run left in `/work/out`, copied out and verified to be a plain file."""

    name: str
    path: Path
    size: int
    sha256: str
    media_type: str


@dataclass(frozen=True)
class SandboxResult:
    """The outcome of one run.

    Attributes:
        status: `ok` (exit 0), `error` (other exit), or what ended it.
        start_ms: from the call until the command was let go.
        wall_ms: from then until it ended.
        cpu_ms: None where nothing counts it.
        peak_memory_bytes: None where nothing counts it.
        weakened: guarantees that supervision keeps instead of the kernel.
        message: for `sandbox_error` and refused artefacts, what happened.
    """

    status: Status
    driver: str
    exit_code: int | None = None
    signal: str | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    start_ms: float = 0.0
    wall_ms: float = 0.0
    cpu_ms: float | None = None
    peak_memory_bytes: int | None = None
    artifacts: tuple[Artifact, ...] = ()
    weakened: tuple[str, ...] = ()
    message: str | None = None
