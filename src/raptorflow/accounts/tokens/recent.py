"""What was read from the database seconds ago and is still believed."""

import time
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

BELIEVED_SECONDS = 5.0
"""How long a session or a token that another process ended may still be taken by this one."""
MOST = 10_000


class Recent(Generic[Key, Value]):
    """Values by key, each with a deadline on the monotonic clock."""

    def __init__(self) -> None:
        self._known: dict[Key, tuple[float, Value]] = {}

    def get(self, key: Key) -> Value | None:
        """The value, while it is believed."""
        known = self._known.get(key)
        return known[1] if known and known[0] > time.monotonic() else None

    def put(self, key: Key, value: Value, deadline: float) -> None:
        """Believe a value until the deadline: `believed_until`, called before it was read."""
        if len(self._known) >= MOST:
            self.forget()
        self._known[key] = (deadline, value)

    def forget(self) -> None:
        """Ask the database again from now on."""
        self._known.clear()


def believed_until() -> float:
    """The deadline of what is read after this call, in seconds of the monotonic clock."""
    return time.monotonic() + BELIEVED_SECONDS
