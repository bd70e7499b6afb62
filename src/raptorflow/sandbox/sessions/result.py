"""What came of a cell."""

from dataclasses import dataclass
from typing import Literal

CellStatus = Literal["ok", "error", "timeout", "oom", "output_limit", "gone"]


@dataclass(frozen=True)
class CellError:
    """What a cell raised, or what ended its interpreter.

    Attributes:
        name: of the exception's type; `InterpreterEnded` when there was none.
        message: its words.
        traceback: lines as Python prints them, with the frames of cells and of files below `/workspace` and
            `/skill` only.
    """

    name: str
    message: str
    traceback: tuple[str, ...] = ()


@dataclass(frozen=True)
class CellResult:
    """How a cell ended, what it printed, and what its last expression was.

    Attributes:
        status: `ok`; `error` (it raised, or its interpreter ended); the limit that ended it (`timeout`,
            `oom`, `output_limit`); or `gone`: the sandbox ended meanwhile.
        number: which execution of the session this was, from 1; code and traceback name it `<cell NUMBER>`.
        stdout: what was printed since the last cell ended, also by threads that it had started.
        stdout_truncated: whether something is missing from the middle or the end of `stdout`.
        stdout_bytes: how many were read, kept or not; likewise `stderr_bytes`.
        stdout_sha256: of all that was read, hex.
        result: the `repr` of the last expression, when the cell ends with one that is not None.
        result_truncated: whether its end is missing.
        error: for every status but `ok`, when something is known.
        wall_ms: from when the interpreter was given the cell until it was over.
        restarted: whether a new interpreter was started after the cell or right before it: variables, imports
            and the working folder of earlier cells are gone, files are not.
        message: what a person should know about it, or None.
    """

    status: CellStatus
    number: int
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    result: str | None = None
    result_truncated: bool = False
    error: CellError | None = None
    wall_ms: float = 0.0
    restarted: bool = False
    message: str | None = None
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    stdout_sha256: str | None = None
