"""What a program of ours tells the one who started it: that it works, or why it ended.

The reason is a problem document on a line of its own in the program's log, before the sentence for people.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject, dumps, loads

READY_FILE_VARIABLE = "RAPTORFLOW_READY_FILE"
MARK = "problem: "


def say_ready() -> None:
    """Tell whoever started this process that it works, if it asked to be told."""
    if file := os.environ.get(READY_FILE_VARIABLE):
        Path(file).write_text(str(os.getpid()))


def has_said_ready(file: Path, pid: int) -> bool:
    """Whether this process has said so; what an earlier one left does not count."""
    with suppress(OSError):
        return file.read_text() == str(pid)
    return False


def say_problem(error: RaptorFlowError) -> None:
    """Tell whoever started this process what is wrong."""
    print(f"{MARK}{dumps(error.problem())}", file=sys.stderr, flush=True)


def end_with(error: RaptorFlowError) -> NoReturn:
    """End this process with exit code 1 and tell why, to programs and to people."""
    say_problem(error)
    sys.exit(f"{error.message} {error.hint or ''}".strip())


def said_problem(log: str) -> JsonObject | None:
    """The last problem document that a program left in its log."""
    for line in reversed(log.splitlines()):
        if line.startswith(MARK):
            with suppress(ValueError):
                return loads(line.removeprefix(MARK))
    return None
