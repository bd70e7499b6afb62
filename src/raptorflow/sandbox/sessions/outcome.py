"""What an interpreter tells of its cells. Code inside can write there too, so nothing of it is believed."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from raptorflow.sandbox.agent.guest.cell_wire import (
    LENGTH,
    LINE_CHARS,
    MESSAGE_CHARS,
    MOST_OUTCOME_BYTES,
    RESULT_CHARS,
    TRACE_LINES,
)

Line = Annotated[str, StringConstraints(max_length=LINE_CHARS)]


class OutcomeRefused(Exception):
    """What came is no outcome; nothing after it can be read."""


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Raised(_Told):
    """The exception that a cell ended with."""

    name: Line
    message: str = Field(max_length=MESSAGE_CHARS)
    traceback: list[Line] = Field(max_length=TRACE_LINES)


class Outcome(_Told):
    """How a cell ended, in its interpreter's words.

    Attributes:
        cell: its number; 0 says that the interpreter has started.
        result: of its last expression.
        cut: whether the result's end is missing.
        error: None when it came to its end.
    """

    cell: int = Field(ge=0)
    result: str | None = Field(default=None, max_length=RESULT_CHARS)
    cut: bool = False
    error: Raised | None = None


class OutcomeReader:
    """Cuts bytes into outcomes, and keeps no more than one of them."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Outcome]:
        """The outcomes that these bytes complete.

        Raises:
            OutcomeRefused: it is too long, no JSON, or of another shape.
        """
        self._kept += chunk
        while len(self._kept) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._kept)
            if length > MOST_OUTCOME_BYTES:
                raise OutcomeRefused(f"an outcome of {length} bytes")
            end = LENGTH.size + length
            if len(self._kept) < end:
                return
            content = bytes(self._kept[LENGTH.size : end])
            del self._kept[:end]
            yield _outcome(content)


def _outcome(content: bytes) -> Outcome:
    try:
        return Outcome.model_validate_json(content)
    except ValidationError as error:
        raise OutcomeRefused(f"an outcome with {error.error_count()} mistakes") from None
