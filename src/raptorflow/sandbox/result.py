"""What came of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal[
    "ok", "error", "signal", "timeout", "oom", "disk_full", "pids", "output_limit", "sandbox_error"
]


@dataclass(frozen=True)
class Artifact:
    """A file that a run left in `/workspace/out`.

    Attributes:
        name: its path below `/workspace/out`, made safe: printable, no leading dash or dot.
        path: the copy on the host.
        size: bytes.
        sha256: hex digest of the content.
        media_type: guessed from the name.
    """

    name: str
    path: Path
    size: int
    sha256: str
    media_type: str


@dataclass(frozen=True)
class SandboxResult:
    """How a run ended, what it printed and left, and what it used.

    Attributes:
        status: `ok` (exit 0), `error` (another exit code), `signal`, the limit that ended it (`timeout`,
            `oom`, `disk_full`, `pids`, `output_limit`), or `sandbox_error` (it never started).
        driver: which sandbox.
        exit_code: for `ok`, `error`, and limits that the program noticed itself.
        signal: such as `SIGSEGV`, when one ended it. An exit code of 128 + n is an `error` like another.
        stdout_bytes: how many were read, kept or not; likewise `stderr_bytes`.
        stdout_sha256: of all that was read, hex; likewise `stderr_sha256`.
        stdout_truncated: whether something is missing from the middle or the end of `stdout`.
        wall_ms: from the program's first instruction to the end of its last process.
        start_ms: from the request to the program's first instruction.
        first_output_ms: from the request to the first byte of output; None when there was none.
        cpu_ms: of all processes; None when they were killed and no kernel group counted.
        peak_memory_bytes: processes, their files in memory and the workspace together.
        throttled: in how many periods of 100 ms the limit on processors held it back; None when nothing
            counted them.
        weakened: guarantees that were held by supervision and not by the kernel.
        message: what a person should know about the end, or None.
        artifacts_refused: what lay in `/workspace/out` and was not taken, and why.
    """

    status: Status
    driver: str
    exit_code: int | None = None
    signal: str | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    stdout_sha256: str | None = None
    stderr_sha256: str | None = None
    start_ms: float = 0.0
    first_output_ms: float | None = None
    wall_ms: float = 0.0
    cpu_ms: float | None = None
    peak_memory_bytes: int | None = None
    throttled: int | None = None
    artifacts: tuple[Artifact, ...] = ()
    weakened: tuple[str, ...] = ()
    message: str | None = None
    artifacts_refused: tuple[str, ...] = ()
