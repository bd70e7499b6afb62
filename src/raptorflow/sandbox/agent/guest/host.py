"""The agent's end of the channel."""

import os
from _collections_abc import Callable

from .loop import READABLE, WRITABLE, Loop
from .wire import Frame, Reader, frame

FULL_BYTES = 256 * 1024
READ_BYTES = 64 * 1024


class Host:
    """Frames from and to the host. When the channel ends, so does everything inside.

    Args:
        loop: waits for it.
        reading: the descriptor that frames come from.
        writing: the one that they are sent to; may be the same.
        take: called with each frame.
        ended: called when there is no host any more.
    """

    def __init__(
        self, loop: Loop, ends: tuple[int, int], take: Callable[[Frame], None], ended: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._reading, self._writing = ends
        self._take, self._ended = take, ended
        self._reader = Reader()
        self._outbox = bytearray()
        for descriptor in {self._reading, self._writing}:
            os.set_blocking(descriptor, False)
        loop.watch(self._reading, READABLE, self._read)

    def send(self, kind: int, stream: int = 0, payload: bytes = b"") -> None:
        """Send a frame, now or when there is room."""
        self._outbox += frame(kind, stream, payload)
        self._flush()

    def _read(self) -> None:
        try:
            chunk = os.read(self._reading, READ_BYTES)
        except BlockingIOError:
            # The one descriptor may have been ready for writing only.
            self._flush()
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._ended()
            return
        for came in self._reader.feed(chunk):
            self._take(came)
        self._flush()

    def _flush(self) -> None:
        try:
            while self._outbox:
                del self._outbox[: os.write(self._writing, memoryview(self._outbox)[:READ_BYTES])]
        except BlockingIOError:
            pass
        except OSError:
            self._ended()
        self._loop.hold(len(self._outbox) > FULL_BYTES)
        self._wait(bool(self._outbox))

    def _wait(self, waiting: bool) -> None:
        """Whether to be called when there is room again."""
        if self._writing == self._reading:
            events = READABLE | WRITABLE if waiting else READABLE
            self._loop.watch(self._reading, events, self._read)
        elif waiting:
            self._loop.watch(self._writing, WRITABLE, self._flush)
        else:
            self._loop.forget(self._writing)
