"""What a program prints, kept within bounds: the beginning, the end, and how much there was."""

import hashlib
from collections import deque

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
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self.total = 0
        self.cut = False
        self._digest = hashlib.sha256()

    @property
    def truncated(self) -> bool:
        """Whether something is missing."""
        return self.cut or self.total > len(self._head) + self._tail_bytes

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.total += len(chunk)
        self._digest.update(chunk)
        room = self._head_capacity - len(self._head)
        self._head += chunk[:room]
        if rest := chunk[room:]:
            self._tail.append(rest)
            self._tail_bytes += len(rest)
            self._shed()

    @property
    def sha256(self) -> str:
        """Of the whole stream, as far as it was read; hex."""
        return self._digest.hexdigest()

    def value(self) -> bytes:
        """What was kept, in order."""
        return bytes(self._head) + b"".join(self._tail)

    def _shed(self) -> None:
        excess = self._tail_bytes - self._tail_capacity
        while excess > 0:
            first = self._tail.popleft()
            if len(first) > excess:
                self._tail.appendleft(first[excess:])
            dropped = min(len(first), excess)
            self._tail_bytes -= dropped
            excess -= dropped
