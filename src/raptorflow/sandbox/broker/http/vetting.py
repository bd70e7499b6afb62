"""Looking at the first bytes in a tunnel: do they ask for the host that the tunnel leads to?"""

from collections.abc import Callable
from contextlib import suppress

from raptorflow.sandbox.broker.destinations.destination import Destination, canonical_host
from raptorflow.sandbox.broker.errors import (
    AddressNotation,
    ConnectionLost,
    DestinationInvalid,
    EgressDenied,
    HelloEncrypted,
    ServerNameMismatch,
    TunnelNotTls,
)
from raptorflow.sandbox.broker.http.first_line import FirstLine, Watched
from raptorflow.sandbox.broker.ports import Stream
from raptorflow.sandbox.broker.wire.hello import MAX_HELLO, ClientHello, HelloInvalid, read_hello
from raptorflow.sandbox.broker.wire.retry import Retried
from raptorflow.sandbox.broker.wire.streams import Reread

HANDSHAKE = b"\x16"
ACCESS_DENIED = b"\x15\x03\x03\x00\x02\x02\x31"
"""The TLS alert of that name (RFC 8446, section 6): the program inside sees more than a broken connection."""
MAX_FIRST = 2 * MAX_HELLO
UNFIT = (TunnelNotTls, ServerNameMismatch, HelloEncrypted, DestinationInvalid, AddressNotation)
"""What is found in the bytes, and not in what carries them."""


class Vetted:
    """A stream from a sandbox whose first bytes are held until it is clear what they are.

    Args:
        stream: from the sandbox.
        destination: where the tunnel leads.
        refused: told why, when they may not pass.
        strict: only TLS may pass. Else HTTP may not, which would reach a host of its own choice, and what is
            neither passes unread.
    """

    def __init__(
        self,
        stream: Stream,
        destination: Destination,
        refused: Callable[[EgressDenied], None],
        *,
        strict: bool,
    ) -> None:
        self._stream = stream
        self._destination = destination
        self._refused = refused
        self._strict = strict
        self._begun = False
        self._line = FirstLine()
        self._tls = False
        self.end, self.close = stream.end, stream.close

    async def read(self) -> bytes:
        """The next bytes; the first of them are all that had to be seen.

        Raises:
            TunnelNotTls: it is not TLS and may not pass.
            ServerNameMismatch: it asks for another host.
            HelloEncrypted: whom it asks for cannot be seen.
            ConnectionLost: nothing was sent.
        """
        try:
            return await self._understood()
        except EgressDenied as denial:
            if isinstance(denial, UNFIT):
                self._refused(denial)
            if self._tls:
                with suppress(OSError):
                    await self._stream.write(ACCESS_DENIED)
                    await self._stream.end()
            raise

    async def write(self, data: bytes) -> None:
        """Send."""
        await self._stream.write(data)

    async def _understood(self) -> bytes:
        try:
            return await self._read()
        except HelloInvalid as error:
            raise TunnelNotTls(f"What was sent through the tunnel is no TLS: {error}.") from error

    async def _read(self) -> bytes:
        if self._begun:
            return await self._stream.read()
        first = await self._first()
        self._begun = True
        hello = read_hello(first) if self._tls else None
        if not hello:
            self._stream = Watched(self._line, self._stream)
            return first
        # What follows may be a second hello.
        self._stream = Retried(Reread(first[hello.size :], self._stream), self._hello_is_clear)
        return first[: hello.size]

    async def _first(self) -> bytes:
        first = b""
        while more := await self._stream.read():
            first += more
            self._tls = first[:1] == HANDSHAKE
            if self._clear(first, more):
                return first
            if len(first) > MAX_FIRST:
                raise TunnelNotTls("What was sent through the tunnel first has no end.")
        if self._strict and not first:
            raise ConnectionLost("The sandbox let go of the tunnel before it sent anything.")
        if self._strict or self._tls:
            raise TunnelNotTls("The tunnel was closed before it was clear whom it is for.")
        return first

    def _clear(self, first: bytes, more: bytes) -> bool:
        """Whether what came so far may pass; False when it cannot be told yet."""
        if self._strict or self._tls:
            return self._hello_is_clear(first)
        return self._line.see(more)

    def _hello_is_clear(self, first: bytes) -> bool:
        hello = read_hello(first)
        if hello:
            self._check(hello)
        return hello is not None

    def _check(self, hello: ClientHello) -> None:
        there = self._destination
        if hello.encrypted:
            raise HelloEncrypted(f"The TLS hello to {there} is encrypted.")
        if hello.server_name is None:
            if not there.address:
                raise ServerNameMismatch(f"The TLS hello to {there} names no host.")
        elif canonical_host(hello.server_name) != there.host:
            raise ServerNameMismatch(f"The TLS hello to {there} asks for {hello.server_name[:80]!r}.")
