"""What the runner asks of an interpreter: the words between it and the one module that imports it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from raptorflow.sandbox.running.output import Capture

Kind = Literal["error", "timeout", "oom", "output_limit", "unsupported", "crashed"]


class Failure(Exception):
    """A script did not end well.

    Args:
        kind: how.
        message: the error's own words.
        trace: as Python would print it.
    """

    def __init__(self, kind: Kind, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message = message
        self.trace = trace or message


@dataclass(frozen=True)
class Allowed:
    """How much one run may use: seconds, bytes of objects, bytes printed, calls within calls."""

    seconds: float
    memory_bytes: int
    output_bytes: int
    recursion: int


class Printed:
    """What a run prints: kept within bounds, and counted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tell: Callable[[], object] | None = None
        self.streams = {"stdout": Capture(most), "stderr": Capture(most)}

    @property
    def over(self) -> bool:
        """Whether it was too much."""
        return sum(stream.total for stream in self.streams.values()) > self._most

    def when_over(self, tell: Callable[[], object]) -> None:
        """What to call when it is too much; from any thread."""
        self._tell = tell

    def __call__(self, stream: Literal["stdout", "stderr"], text: str) -> None:
        """Take the next words; raises when it is too much."""
        self.streams[stream].add(text.encode("utf-8", errors="replace"))
        if self.over:
            if self._tell:
                self._tell()
            raise MemoryError("too much output")


class Worker(Protocol):
    """A process with an interpreter, for one run."""

    async def ping(self) -> None:
        """Whether it answers.

        Raises:
            Failure: it does not.
        """
        ...

    async def run(
        self, scripts: Sequence[str], given: Mapping[str, object], allowed: Allowed, printed: Printed
    ) -> None:
        """Run scripts one after the other in the same name space.

        Args:
            scripts: sources.
            given: variables that are set before.
            allowed: limits; the time is that of all of them.
            printed: takes what they print.

        Raises:
            Failure: one did not end well.
        """
        ...

    async def stop(self) -> None:
        """End the process."""
        ...
