"""Ways out: whoever connects inside is connected, over the channel, to the broker on the host.

There is no other way; a sandbox has no network. What may be reached is the broker's to say.
"""

import os
from _collections_abc import Callable

from . import wire
from .host import Host
from .kernel import call
from .light import socket as sockets
from .loop import READABLE, WRITABLE, Loop
from .programs import NOBODY

PROXY = ("127.0.0.1", 3128)
SERVICES = "/run/raptorflow/services.sock"
FIRST_STREAM = 0x800000
READ_BYTES = 64 * 1024
MOST_CONNECTIONS = 128
BACKLOG = 64
# SO_LINGER (socket(7)): reset it, and wait for nothing.
AT_ONCE = b"\1\0\0\0" + bytes(4)


class Ways:
    """The listeners inside, and the connections that were made to them."""

    def __init__(self, loop: Loop, host: Host) -> None:
        self._loop, self._host = loop, host
        self._open: dict[int, Connection] = {}
        self._next = FIRST_STREAM
        self._listeners: list[sockets.socket] = []

    def listen(self) -> None:
        """Offer both ways; where the filter allows no sockets, nobody inside could use them anyway."""
        offers = (
            (sockets.AF_INET, PROXY, b"http"),
            (sockets.AF_UNIX, SERVICES, b"services"),
        )
        for family, address, kind in offers:
            try:
                listener = sockets.socket(family, sockets.SOCK_STREAM)
                if family == sockets.AF_INET:
                    listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
                listener.bind(address)
                listener.listen(BACKLOG)
            except OSError:
                continue
            listener.setblocking(False)
            if family == sockets.AF_UNIX and os.getuid() == 0:
                os.chown(SERVICES, NOBODY, NOBODY)
            self._listeners.append(listener)
            self._loop.watch(listener.fileno(), READABLE, self._accepter(listener, kind))

    def take(self, stream: int, payload: bytes) -> None:
        """Bytes from the broker; none ends its direction."""
        if connection := self._open.get(stream):
            connection.take(payload)

    def grant(self, stream: int, count: int) -> None:
        """The broker can take more."""
        if connection := self._open.get(stream):
            connection.grant(count)

    def close(self, stream: int) -> None:
        """The broker has closed it."""
        if connection := self._open.get(stream):
            connection.close()

    def _accepter(self, listener: sockets.socket, kind: bytes) -> Callable[[], None]:
        return lambda: self._accept(listener, kind)

    def _accept(self, listener: sockets.socket, kind: bytes) -> None:
        descriptor = accepted(listener, sockets.SOCK_NONBLOCK)
        if descriptor < 0:
            return
        if len(self._open) >= MOST_CONNECTIONS:
            os.close(descriptor)
            return
        stream = self._free_stream()
        self._open[stream] = Connection(self._loop, self._host, stream, descriptor)
        self._open[stream].ended = lambda: self._open.pop(stream, None)
        self._host.send(wire.OPEN, stream, kind)
        self._open[stream].start()

    def _free_stream(self) -> int:
        while True:
            stream, self._next = self._next, max(FIRST_STREAM, (self._next + 1) & wire.MAX_STREAM)
            if stream not in self._open:
                return stream


class Connection:
    """One connection, both directions, each ended by itself."""

    def __init__(self, loop: Loop, host: Host, stream: int, descriptor: int) -> None:
        self._loop, self._host, self._stream = loop, host, stream
        self._socket = sockets.socket(fileno=descriptor)
        self._credit = wire.CREDIT_BYTES
        self._waiting = bytearray()
        self._in_ended = self._out_ended = False
        self.ended: Callable[[], object] = lambda: None

    def start(self) -> None:
        """Listen to it."""
        self._watch()

    def take(self, payload: bytes) -> None:
        """Bytes for the program inside."""
        self._waiting += payload
        self._in_ended = self._in_ended or not payload
        self._write()

    def grant(self, count: int) -> None:
        """The host takes this many bytes more."""
        self._credit += count
        self._watch()

    def close(self) -> None:
        """The broker takes no more, and sends no more; what came before an end still goes to the program."""
        self._out_ended = True
        if self._in_ended and self._waiting:
            self._watch()
            return
        if not self._in_ended:
            # It broke off: the program is not to take what came for the whole.
            self._socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, AT_ONCE)
        self._shut()

    def _ready(self) -> None:
        if self._waiting:
            self._write()
        if self._socket.fileno() >= 0 and not self._out_ended and self._credit > 0 and not self._loop.held:
            self._read()

    def _read(self) -> None:
        try:
            chunk = self._socket.recv(min(READ_BYTES, self._credit))
        except BlockingIOError:
            return
        except OSError:
            self._break()
            return
        self._credit -= len(chunk)
        self._out_ended = not chunk
        self._host.send(wire.DATA, self._stream, chunk)
        self._settle()

    def _write(self) -> None:
        try:
            done = self._socket.send(self._waiting) if self._waiting else 0
        except BlockingIOError:
            done = 0
        except OSError:
            self._break()
            return
        if done:
            del self._waiting[:done]
            self._host.send(wire.CREDIT, self._stream, wire.packed([b"%d" % done]))
        if self._in_ended and not self._waiting:
            self._end_inward()
        self._settle()

    def _end_inward(self) -> None:
        try:
            self._socket.shutdown(sockets.SHUT_WR)
        except OSError:
            self._out_ended = True

    def _settle(self) -> None:
        if self._in_ended and self._out_ended and not self._waiting:
            self._break()
        else:
            self._watch()

    def _watch(self) -> None:
        events = WRITABLE if self._waiting else 0
        if self._credit > 0 and not self._out_ended:
            events |= READABLE
        if events:
            self._loop.watch(self._socket.fileno(), events, self._ready, source=True)
        else:
            self._loop.forget(self._socket.fileno())

    def _break(self) -> None:
        """It is over."""
        self._host.send(wire.CLOSE, self._stream)
        self._shut()

    def _shut(self) -> None:
        """Let go of it."""
        self._loop.forget(self._socket.fileno())
        self._socket.close()
        self.ended()


def accepted(listener: sockets.socket, flags: int = 0) -> int:
    """The next connection's descriptor; -1 when there is none."""
    return call("accept4", listener.fileno(), None, None, sockets.SOCK_CLOEXEC | flags)
