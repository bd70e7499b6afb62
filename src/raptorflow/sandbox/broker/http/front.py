"""The HTTP proxy that a sandbox sees."""

from raptorflow.sandbox.broker.http.peer import Client
from raptorflow.sandbox.broker.http.plain import PlainProxy
from raptorflow.sandbox.broker.http.tunnel import serve_tunnel
from raptorflow.sandbox.broker.visit import Visit

CONNECT = b"CONNECT"


async def serve_http(visit: Visit) -> None:
    """Serve one connection to its end.

    Raises:
        EgressDenied: why it was refused or cut; the client has been told where it still can be.
    """
    client = Client(visit.stream, visit.guest.means.limits.head_bytes, visit.below)
    async with visit.refusing(client.refuse):
        with visit.guest.caps.connection():
            async with visit.hurry():
                request = await client.request()
            if request and request.method == CONNECT:
                await serve_tunnel(visit, client, request)
            elif request:
                await PlainProxy(visit, client).serve(request)
