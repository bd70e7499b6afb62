"""TLS that ends in the broker: for hosts that a secret is bound to, and for them alone."""

import ssl
from collections.abc import Generator
from contextlib import contextmanager, suppress

import h11

from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.errors import EgressDenied, HandshakeFailed, HostUntrusted
from raptorflow.sandbox.broker.http.exchange import Outgoing, exchange
from raptorflow.sandbox.broker.http.heads import inner_path, onward
from raptorflow.sandbox.broker.http.peer import Client, Upstream
from raptorflow.sandbox.broker.ports import Stream
from raptorflow.sandbox.broker.secrets.authority import Authority
from raptorflow.sandbox.broker.secrets.handles import HandleCounter
from raptorflow.sandbox.broker.secrets.injection import injected
from raptorflow.sandbox.broker.secrets.redaction import Redactor
from raptorflow.sandbox.broker.visit import Visit
from raptorflow.sandbox.broker.wire.tls import TlsStream

HTTPS_PORT = 443


class Sealed:
    """Serves requests to one host over TLS on both sides.

    Args:
        visit: the connection.
        destination: allowed, and bound to a secret.
        authority: vouches for it towards the sandbox.
    """

    def __init__(self, visit: Visit, destination: Destination, authority: Authority) -> None:
        self._visit = visit
        self._destination = destination
        self._authority = authority
        self._upstream: Upstream | None = None

    async def connect(self) -> Upstream:
        """Open the connection to the host, or open it anew; the host shows that it is the host.

        That it may be reached is recorded before that, with the address.

        Raises:
            EgressDenied: it is not allowed any longer, does not answer, or cannot show it.
        """
        visit = self._visit
        self.close()
        visit.passage.aim(self._destination)
        stream = await visit.passage.dial()
        tls = TlsStream(stream, visit.guest.means.trust.context, self._destination.host)
        self._upstream = upstream = Upstream(tls, visit.guest.means.limits.head_bytes)
        async with visit.hurry():
            with _distrusted(HostUntrusted(f"{self._destination} cannot show that it is that host.")):
                await tls.handshake()
        upstream.rest()
        return upstream

    async def serve(self, stream: Stream) -> None:
        """Take the sandbox's TLS and serve its requests to the end.

        Args:
            stream: from the sandbox, at the beginning of its hello.

        Raises:
            EgressDenied: why it was refused or cut.
        """
        tls = TlsStream(stream, self._authority.context(self._destination.host))
        async with self._visit.hurry():
            with _distrusted(HandshakeFailed(f"The program inside refused TLS to {self._destination}.")):
                await tls.handshake()
        client = Client(tls, self._visit.guest.means.limits.head_bytes, self._visit.below)
        async with self._visit.refusing(client.refuse):
            while request := await _next(client):
                await self._serve_one(client, request)
                if not client.again():
                    break
                await self._visit.guest.caps.turn()
        with suppress(ConnectionError):
            await tls.end()

    def close(self) -> None:
        """Let go of the host."""
        if self._upstream:
            self._upstream.close()
        self._upstream = None

    async def _serve_one(self, client: Client, request: h11.Request) -> None:
        passage, seen = self._visit.passage, HandleCounter()
        try:
            outgoing = await self._outgoing(request, seen)
        except EgressDenied as denial:
            passage.note("secret", None, denial)
            raise
        upstream = await self._ready()
        try:
            await exchange(client, upstream, outgoing, seen)
        finally:
            passage.handles_left += seen.count
        upstream.rest()

    async def _outgoing(self, request: h11.Request, seen: HandleCounter) -> Outgoing:
        guest = self._visit.guest
        path = inner_path(request, self._destination, HTTPS_PORT)
        seen.see(path)
        headers, names = await injected(
            guest, self._destination, onward(request, without=[b"accept-encoding"])
        )
        for name in names:
            self._visit.passage.note("secret", name)
        host = (b"Host", self._destination.authority(HTTPS_PORT).encode())
        # What is compressed cannot be searched for the secret.
        plain = (b"Accept-Encoding", b"identity")
        return Outgoing(request.method, path, [host, plain, *headers], Redactor(guest.needles))

    async def _ready(self) -> Upstream:
        """The connection to the host while it can be used, or another one."""
        if self._upstream and self._upstream.fresh():
            return self._upstream
        return await self.connect()


async def _next(client: Client) -> h11.Request | None:
    """The next request; none when the program has left, which many do without a word of TLS."""
    try:
        return await client.request()
    except ConnectionError:
        if client.is_between():
            return None
        raise


@contextmanager
def _distrusted(denial: EgressDenied) -> Generator[None]:
    """A TLS handshake whose failure means something."""
    try:
        yield
    except (ssl.SSLError, ConnectionError) as error:
        raise denial from error
