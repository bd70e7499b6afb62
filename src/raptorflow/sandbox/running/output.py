"""What a program prints, kept within bounds: the beginning, the end, and how much there was."""

import hashlib

CHUNK_BYTES = 64 * 1024
HEAD_SHARE = 0.75


class Capture:
    """Keeps the head and the tail of a stream.

    Args:
        capacity: bytes kept at most.
    """

    def __init__(self, capacity: int) -> None:
        self._head_capacity = int(capacity * HEAD_SHARE)
        self._tail_capacity = capacity - self._head_capacity
        self._head = bytearray()
        # One buffer: a program may print its bytes one by one, and each would weigh like forty.
        self._tail = bytearray()
        self.total = 0
        self.cut = False
        self._digest = hashlib.sha256()

    @property
    def truncated(self) -> bool:
        """Whether something is missing."""
        return self.cut or self.total > self._head_capacity + self._tail_capacity

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.total += len(chunk)
        self._digest.update(chunk)
        room = self._head_capacity - len(self._head)
        self._head += chunk[:room]
        if rest := chunk[room:]:
            self._tail += rest
            if len(self._tail) > 2 * self._tail_capacity:
                self._shed()

    @property
    def sha256(self) -> str:
        """Of the whole stream, as far as it was read; hex."""
        return self._digest.hexdigest()

    def value(self) -> bytes:
        """What was kept, in order."""
        self._shed()
        return bytes(self._head + self._tail)

    def _shed(self) -> None:
        del self._tail[: max(0, len(self._tail) - self._tail_capacity)]
