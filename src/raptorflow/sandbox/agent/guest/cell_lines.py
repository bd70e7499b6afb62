"""The interpreter's descriptors to the host, moved to where a cell does not meet them by chance."""

import fcntl
import os
import select
import signal

from .cell_wire import CELL, HEAD, LENGTH, MARK_BYTES

READ_BYTES = 64 * 1024
ROOM_ABOVE = 8
Cell = tuple[int, bytes, str]


class Lines:
    """Cells and interrupts come in, marks and outcomes go out.

    Standard input becomes empty. The kernel sends `SIGIO` when something has come.
    """

    def __init__(self) -> None:
        self._in = _aside(0)
        self._marked = (_aside(1), _aside(2))
        self._out = _aside(3)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.close(3)
        os.set_blocking(self._in, False)
        fcntl.fcntl(self._in, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(self._in, fcntl.F_GETFL)
        # Otherwise the first word would end the process before anybody listens.
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        fcntl.fcntl(self._in, fcntl.F_SETFL, flags | os.O_ASYNC)
        self._place = _place(self._in)
        self._kept = bytearray()
        self._cells: list[Cell] = []
        self._interrupts: set[int] = set()
        self._reading = False
        os.register_at_fork(after_in_child=self._close)

    def next_cell(self) -> Cell | None:
        """The next cell: its number, mark and code; None when no more can come."""
        waiting = select.poll()
        waiting.register(self._in, select.POLLIN)
        while not self._cells:
            waiting.poll()
            if not self._read():
                return None
        return self._cells.pop(0)

    def interrupted(self, number: int) -> bool:
        """Whether the host wants this cell interrupted, asked anew each time."""
        if not self._reading:
            self._reading = True
            try:
                self._read()
            finally:
                self._reading = False
        wanted = number in self._interrupts
        self._interrupts.clear()
        return wanted

    def mark(self, mark: bytes) -> None:
        """Say on both outputs that what the cell has printed ends here.

        Raises:
            OSError: the cell has taken away where the next one would come from; better now than then.
        """
        if _place(self._in) != self._place:
            raise OSError("no cell can come any more")
        for descriptor in self._marked:
            _write(descriptor, mark)

    def tell(self, outcome: bytes) -> None:
        """Send an outcome."""
        _write(self._out, LENGTH.pack(len(outcome)) + outcome)

    def _read(self) -> bool:
        """Take in what has come; whether more can."""
        try:
            chunk = os.read(self._in, READ_BYTES)
        except BlockingIOError:
            return True
        self._kept += chunk
        while len(self._kept) >= HEAD.size:
            kind, number, length = HEAD.unpack_from(self._kept)
            end = HEAD.size + length
            if len(self._kept) < end:
                break
            payload = bytes(self._kept[HEAD.size : end])
            del self._kept[:end]
            self._sort(kind, number, payload)
        return bool(chunk)

    def _sort(self, kind: bytes, number: int, payload: bytes) -> None:
        if kind == CELL:
            self._cells.append((number, payload[:MARK_BYTES], payload[MARK_BYTES:].decode()))
        else:
            self._interrupts.add(number)

    def _close(self) -> None:
        """A copy of the interpreter has nothing to tell the host."""
        for descriptor in (self._in, self._out, *self._marked):
            os.close(descriptor)


def _aside(descriptor: int) -> int:
    """The same, at the upper end of those that there can be, and not for programs that are started."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, os.sysconf("SC_OPEN_MAX") - ROOM_ABOVE)


def _place(descriptor: int) -> tuple[int, int]:
    """What it leads to."""
    facts = os.fstat(descriptor)
    return facts.st_dev, facts.st_ino


def _write(descriptor: int, content: bytes) -> None:
    """Write everything, also where a cell has made the descriptor non-blocking."""
    view = memoryview(content)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            ready = select.poll()
            ready.register(descriptor, select.POLLOUT)
            ready.poll()
