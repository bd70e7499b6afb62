"""Waiting for descriptors, and pausing those that produce while the host does not take what was produced."""

import select
from _collections_abc import Callable

READABLE, WRITABLE = select.POLLIN, select.POLLOUT
Call = Callable[[], None]


class Loop:
    """Calls what is ready. A source makes frames when it is read: while the loop is held, none is read.

    Attributes:
        held: whether sources rest.
    """

    def __init__(self) -> None:
        self._poll = select.poll()
        self._watched: dict[int, tuple[int, Call, bool]] = {}
        self._polled: set[int] = set()
        self.held = False

    def watch(self, descriptor: int, events: int, call: Call, *, source: bool = False) -> None:
        """Call this whenever the descriptor is ready, or has ended; in place of what was called before."""
        self._watched[descriptor] = (events, call, source)
        self._apply(descriptor)

    def forget(self, descriptor: int) -> None:
        """Watch it no more; must come before it is closed."""
        if self._watched.pop(descriptor, None):
            self._apply(descriptor)

    def hold(self, held: bool) -> None:
        """Let the sources rest, or go on."""
        if held == self.held:
            return
        self.held = held
        for descriptor in self._watched:
            self._apply(descriptor)

    def run(self) -> None:
        """Wait and call, for ever."""
        while True:
            for descriptor, _ in self._poll.poll():
                # An earlier call of this round may have closed it, or filled what leads to the host.
                if self._wanted(descriptor):
                    self._watched[descriptor][1]()

    def _wanted(self, descriptor: int) -> int:
        """What to wait for now."""
        events, _, source = self._watched.get(descriptor, (0, None, False))
        return events & ~READABLE if source and self.held else events

    def _apply(self, descriptor: int) -> None:
        if events := self._wanted(descriptor):
            self._poll.register(descriptor, events)
            self._polled.add(descriptor)
        elif descriptor in self._polled:
            self._polled.discard(descriptor)
            self._poll.unregister(descriptor)
