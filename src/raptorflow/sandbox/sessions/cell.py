"""One execution as it is collected: what it prints up to its marks, its outcome, and why it is over."""

import asyncio
import secrets
from typing import Literal

from raptorflow.sandbox.agent.guest import wire
from raptorflow.sandbox.agent.guest.cell_wire import MARK_BYTES
from raptorflow.sandbox.running.output import Capture
from raptorflow.sandbox.sessions.outcome import Outcome

# Why a cell is over: it was told so, somebody ended it, or its interpreter or sandbox is no more.
Ending = Literal["told", "timeout", "oom", "pids", "output_limit", "broken", "died", "gone"]


class Printed:
    """One output of a cell: its bytes up to a mark that only the interpreter was told.

    Args:
        mark: ends it.
        capacity: bytes kept at most.
    """

    def __init__(self, mark: bytes, capacity: int) -> None:
        self._mark = mark
        self._held = b""
        self.capture = Capture(capacity)
        self.ended = False

    def split(self, chunk: bytes) -> tuple[bytes, bytes]:
        """The next bytes: those of this cell, and those after its mark."""
        if self.ended:
            return b"", chunk
        come = self._held + chunk
        at = come.find(self._mark)
        if at >= 0:
            self.ended, self._held = True, b""
            return come[:at], come[at + len(self._mark) :]
        known = len(come) - _begun(come, self._mark)
        self._held = come[known:]
        return come[:known], b""

    def close(self) -> None:
        """No mark will come any more: what looked like the beginning of one was none."""
        self.capture.add(self._held)
        self._held = b""


class Cell:
    """A cell that was begun.

    Args:
        number: of the execution.
        kept_bytes: of each output.
        most_bytes: of both outputs together; more ends it.

    Attributes:
        mark: what the interpreter ends its outputs with.
        outcome: what the interpreter told; None until then.
        over: why it is over.
    """

    def __init__(self, number: int, kept_bytes: int, most_bytes: int) -> None:
        self.number = number
        self.mark = b"\0" + secrets.token_hex(MARK_BYTES // 2).encode()
        self.stdout = Printed(self.mark, kept_bytes)
        self.stderr = Printed(self.mark, kept_bytes)
        self.outcome: Outcome | None = None
        self.over: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._room = most_bytes

    def take(self, kind: int, payload: bytes) -> bytes:
        """Take what was printed; the part of it that came after the cell's end.

        A flood ends the cell. What is over its limit is not kept.
        """
        printed = self.stdout if kind == wire.STDOUT else self.stderr
        if self._room < 0:
            return b""
        own, after = printed.split(payload)
        printed.capture.add(own[: self._room])
        self._room -= len(own)
        if self._room < 0:
            printed.capture.cut = True
            self.end("output_limit")
        self._settle()
        return after

    def tell(self, outcome: Outcome) -> bool:
        """Take its outcome; whether it was its, and the first."""
        if outcome.cell != self.number or self.outcome:
            return False
        self.outcome = outcome
        self._settle()
        return True

    def end(self, why: Ending) -> None:
        """It is over for the first reason that comes up."""
        if not self.over.done():
            self.over.set_result(why)

    def _settle(self) -> None:
        if self.outcome and self.stdout.ended and self.stderr.ended:
            self.end("told")


def _begun(content: bytes, mark: bytes) -> int:
    """How many bytes at the end may be the beginning of a mark."""
    longest = min(len(mark) - 1, len(content))
    return next((size for size in range(longest, 0, -1) if content.endswith(mark[:size])), 0)
