"""From what was seen of a cell to what is told of it."""

from dataclasses import dataclass

from raptorflow.sandbox.sessions.cell import Cell, Ending
from raptorflow.sandbox.sessions.outcome import Outcome
from raptorflow.sandbox.sessions.result import CellError, CellResult, CellStatus
from raptorflow.skills.capabilities import MIB, Limits

ENDED = "InterpreterEnded"
STATUSES: dict[Ending, CellStatus] = {
    "timeout": "timeout",
    "oom": "oom",
    "output_limit": "output_limit",
    "gone": "gone",
}


@dataclass(frozen=True)
class Story:
    """How a cell went.

    Attributes:
        why: it is over.
        words: the sentence about that; None when it came to its own end.
        former: the sentence about the interpreter before it, which was lost between two cells.
        anew: whether a new interpreter was started after it.
        late_seconds: the time that it has passed; None when it was in time.
        wall_ms: how long it ran.
    """

    why: Ending
    words: str | None
    former: str | None
    anew: bool
    late_seconds: float | None
    wall_ms: float


def explained(why: Ending, limits: Limits, seconds: float) -> str | None:
    """The sentence about a limit, with its value."""
    sentences: dict[Ending, str] = {
        "timeout": f"It ran longer than {seconds:g} s, and an interrupt did not end it.",
        "output_limit": f"It printed more than {limits.output_bytes} bytes.",
        "oom": f"It used more memory than its {limits.memory_bytes / MIB:g} MiB.",
        "pids": f"It started more than {limits.pids} processes and threads.",
    }
    return sentences.get(why)


def told(cell: Cell, story: Story) -> CellResult:
    """The cell's result. What an interpreter told that was ended afterwards is left out."""
    outcome = cell.outcome if story.why == "told" else None
    for printed in (cell.stdout, cell.stderr):
        printed.close()
    return CellResult(
        status=_status(outcome, story),
        number=cell.number,
        stdout=cell.stdout.capture.value(),
        stderr=cell.stderr.capture.value(),
        stdout_truncated=cell.stdout.capture.truncated,
        stderr_truncated=cell.stderr.capture.truncated,
        result=outcome.result if outcome else None,
        result_truncated=bool(outcome and outcome.cut),
        error=_error(outcome, story),
        stdout_bytes=cell.stdout.capture.total,
        stderr_bytes=cell.stderr.capture.total,
        stdout_sha256=cell.stdout.capture.sha256,
        wall_ms=story.wall_ms,
        restarted=story.anew or story.former is not None,
        message=_message(story),
    )


def _status(outcome: Outcome | None, story: Story) -> CellStatus:
    if outcome is None:
        return STATUSES.get(story.why, "error")
    if story.late_seconds is not None:
        return "timeout"
    return "error" if outcome.error else "ok"


def _error(outcome: Outcome | None, story: Story) -> CellError | None:
    if outcome is None:
        return CellError(ENDED, story.words or "It is not known why.")
    if raised := outcome.error:
        return CellError(raised.name, raised.message, tuple(raised.traceback))
    return None


def _message(story: Story) -> str | None:
    said: list[str] = []
    if story.former:
        said.append(f"Before this cell a new interpreter was started. {story.former}")
    if story.why == "told" and story.late_seconds is not None:
        said.append(f"It ran longer than {story.late_seconds:g} s and was interrupted.")
    elif story.why != "told" and story.words:
        said.append(story.words)
    if story.anew:
        said.append("A new interpreter was started: variables and imports are gone, files are not.")
    return " ".join(said) or None
