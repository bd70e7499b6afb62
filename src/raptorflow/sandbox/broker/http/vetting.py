"""Looking at the first bytes in a tunnel: do they ask for the host that the tunnel leads to?"""

import re
from contextlib import suppress

from raptorflow.sandbox.broker.destinations.destination import Destination, canonical_host
from raptorflow.sandbox.broker.errors import EgressDenied, HelloEncrypted, ServerNameMismatch, TunnelNotTls
from raptorflow.sandbox.broker.ports import Stream
from raptorflow.sandbox.broker.wire.hello import MAX_HELLO, ClientHello, HelloInvalid, read_hello

HANDSHAKE = b"\x16"
ACCESS_DENIED = b"\x15\x03\x03\x00\x02\x02\x31"
"""The TLS alert of that name (RFC 8446, section 6): the program inside sees more than a broken connection."""
MAX_FIRST = 2 * MAX_HELLO
BEGINS_LIKE_HTTP = re.compile(rb"[\r\n \t]*(?:[A-Za-z]{0,16}|[A-Za-z]{1,16} [^\r\n]*)")
HTTP_LINE = re.compile(rb"[\r\n \t]*[A-Za-z]{1,16} [^\r\n]* HTTP/[0-9][^\r\n]*[\r\n]")


class Vetted:
    """A stream from a sandbox whose first bytes are held until it is clear what they are.

    Args:
        stream: from the sandbox.
        destination: where the tunnel leads.
        strict: only TLS may pass. Else HTTP may not, which would reach a host of its own choice, and what is
            neither passes unread.
    """

    def __init__(self, stream: Stream, destination: Destination, *, strict: bool) -> None:
        self._stream = stream
        self._destination = destination
        self._strict = strict
        self._begun = False
        self.write, self.end, self.close = stream.write, stream.end, stream.close

    async def read(self) -> bytes:
        """The next bytes; the first of them are all that had to be seen.

        Raises:
            TunnelNotTls: it is not TLS and may not pass.
            ServerNameMismatch: it asks for another host.
            HelloEncrypted: whom it asks for cannot be seen.
        """
        if self._begun:
            return await self._stream.read()
        first = await self._first()
        self._begun = True
        return first

    async def _first(self) -> bytes:
        first = b""
        while more := await self._stream.read():
            first += more
            if await self._clear(first):
                return first
            if len(first) > MAX_FIRST:
                raise TunnelNotTls("What was sent through the tunnel first has no end.")
        if self._strict or first[:1] == HANDSHAKE:
            raise TunnelNotTls("The tunnel was closed before it was clear whom it is for.")
        return first

    async def _clear(self, first: bytes) -> bool:
        """Whether what came so far may pass; False when it cannot be told yet."""
        if not self._strict and first[:1] != HANDSHAKE:
            if HTTP_LINE.match(first):
                raise TunnelNotTls("Plain HTTP was sent through a tunnel.")
            return not BEGINS_LIKE_HTTP.fullmatch(first)
        try:
            hello = _read(first)
            if hello:
                self._check(hello)
        except EgressDenied:
            if first[:1] == HANDSHAKE:
                with suppress(OSError):
                    await self._stream.write(ACCESS_DENIED)
            raise
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


def _read(first: bytes) -> ClientHello | None:
    try:
        return read_hello(first)
    except HelloInvalid as error:
        raise TunnelNotTls(f"What was sent through the tunnel first is no TLS hello: {error}.") from error
