"""Plain HTTP: each request names its host in full and is judged anew."""

from dataclasses import dataclass

import h11

from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.http.exchange import Outgoing, exchange
from raptorflow.sandbox.broker.http.heads import HTTP_PORT, asked_host, onward, plain_destination
from raptorflow.sandbox.broker.http.peer import Client, Upstream
from raptorflow.sandbox.broker.secrets.handles import HandleCounter, handles_in_head
from raptorflow.sandbox.broker.secrets.injection import refuse_handles
from raptorflow.sandbox.broker.visit import Visit


@dataclass(frozen=True)
class Kept:
    """A connection to a host that the next request may use, if it is for the same host."""

    destination: Destination
    address: str | None
    upstream: Upstream


class PlainProxy:
    """Serves the requests of one connection, one host at a time."""

    def __init__(self, visit: Visit, client: Client) -> None:
        self._visit = visit
        self._client = client
        self._kept: Kept | None = None

    async def serve(self, first: h11.Request) -> None:
        """Serve them to the end.

        Raises:
            EgressDenied: one of them is refused; those before it were served.
        """
        request: h11.Request | None = first
        try:
            while request:
                await self._serve_one(request)
                request = await self._next()
        finally:
            self._drop()

    async def _next(self) -> h11.Request | None:
        if not self._client.again():
            return None
        # What cannot be read as a request is none of the last one's.
        self._visit.open("connection", "")
        request = await self._client.request()
        await self._visit.guest.caps.turn()
        return request

    async def _serve_one(self, request: h11.Request) -> None:
        passage = self._visit.open("http", asked_host(request))
        destination, path = plain_destination(request)
        passage.aim(destination)
        refuse_handles(self._visit.guest, destination, handles_in_head(request))
        upstream = await self._upstream(destination)
        headers = [(b"Host", destination.authority(HTTP_PORT).encode()), *onward(request)]
        seen = HandleCounter()
        try:
            await exchange(self._client, upstream, Outgoing(request.method, path, headers), seen)
        finally:
            passage.handles_left = seen.count
        upstream.rest()
        passage.finish(None)

    async def _upstream(self, destination: Destination) -> Upstream:
        kept = self._kept
        if kept and kept.destination == destination and kept.upstream.fresh():
            self._visit.passage.reuse(kept.address)
            return kept.upstream
        self._drop()
        stream = await self._visit.passage.dial()
        upstream = Upstream(stream, self._visit.guest.means.limits.head_bytes)
        self._kept = Kept(destination, self._visit.passage.address, upstream)
        return upstream

    def _drop(self) -> None:
        if self._kept:
            self._kept.upstream.close()
        self._kept = None
