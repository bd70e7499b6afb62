"""Waiting for descriptors, and pausing those that produce while the host does not take what was produced."""

import select
from _collections_abc import Callable

READABLE, WRITABLE = select.POLLIN, select.POLLOUT
Call = Callable[[], None]


class Loop:
    """Calls what is ready. A source is what makes frames: sources rest while the loop is held."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._calls: dict[int, tuple[int, Call]] = {}
        self._sources: set[int] = set()
        self._held = False

    def watch(self, descriptor: int, events: int, call: Call, *, source: bool = False) -> None:
        """Call this whenever the descriptor is ready, or has ended; in place of what was called before."""
        self._calls[descriptor] = (events, call)
        if source:
            self._sources.add(descriptor)
        if not (source and self._held):
            self._poll.register(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Watch it no more; must come before it is closed."""
        if self._calls.pop(descriptor, None):
            rested = descriptor in self._sources and self._held
            self._sources.discard(descriptor)
            if not rested:
                self._poll.unregister(descriptor)

    def hold(self, held: bool) -> None:
        """Let the sources rest, or go on."""
        if held == self._held:
            return
        self._held = held
        for descriptor in self._sources:
            if held:
                self._poll.unregister(descriptor)
            else:
                self._poll.register(descriptor, self._calls[descriptor][0])

    def run(self) -> None:
        """Wait and call, for ever."""
        while True:
            for descriptor, _ in self._poll.poll():
                # An earlier call of this round may have closed it.
                if watched := self._calls.get(descriptor):
                    watched[1]()
