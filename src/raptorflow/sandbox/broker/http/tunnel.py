"""CONNECT: a tunnel to one host, passed through unread once it is known whom it greets."""

import h11

from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.http.heads import asked_host, connect_destination
from raptorflow.sandbox.broker.http.peer import Client
from raptorflow.sandbox.broker.http.sealed import Sealed
from raptorflow.sandbox.broker.http.vetting import Vetted
from raptorflow.sandbox.broker.ports import Stream
from raptorflow.sandbox.broker.visit import Visit
from raptorflow.sandbox.broker.wire.splice import splice
from raptorflow.sandbox.broker.wire.streams import Reread


async def serve_tunnel(visit: Visit, client: Client, request: h11.Request) -> None:
    """Serve one CONNECT to its end.

    Raises:
        EgressDenied: why it was refused or cut.
    """
    passage = visit.open("connect", asked_host(request))
    destination = connect_destination(request)
    await client.event()  # the end of the head: only behind it may the tunnel's bytes stand
    passage.aim(destination)
    authority = visit.guest.authority
    if authority and visit.guest.rules.has_secret(destination):
        await _sealed(visit, client, Sealed(visit, destination, authority), destination)
    else:
        await _passed_through(visit, client, destination)


async def _sealed(visit: Visit, client: Client, sealed: Sealed, destination: Destination) -> None:
    try:
        await sealed.connect()
        vetted = await _established(visit, client, destination, strict=True)
        await sealed.serve(await _greeted(visit, vetted))
    finally:
        sealed.close()


async def _passed_through(visit: Visit, client: Client, destination: Destination) -> None:
    strict = destination.port in visit.guest.means.tls_only
    upstream = await visit.passage.dial()
    try:
        stream: Stream = await _established(visit, client, destination, strict=strict)
        if strict:
            stream = await _greeted(visit, stream)
        await splice(stream, upstream)
    finally:
        upstream.close()


async def _established(visit: Visit, client: Client, destination: Destination, *, strict: bool) -> Vetted:
    ahead = await client.established()
    return Vetted(Reread(ahead, visit.stream), destination, visit.passage.refuse, strict=strict)


async def _greeted(visit: Visit, stream: Stream) -> Stream:
    """The same stream, with its hello read and found right."""
    async with visit.hurry():
        hello = await stream.read()
    return Reread(hello, stream)
