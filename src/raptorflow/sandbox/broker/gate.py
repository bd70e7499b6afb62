"""The one way out of one sandbox."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from raptorflow.core.tasks import end_tasks
from raptorflow.sandbox.broker.destinations.denylist import DenyList
from raptorflow.sandbox.broker.destinations.rules import Rules
from raptorflow.sandbox.broker.errors import GateClosed
from raptorflow.sandbox.broker.guest import Guest
from raptorflow.sandbox.broker.http.front import serve_http
from raptorflow.sandbox.broker.ports import EgressPolicy, Stream
from raptorflow.sandbox.broker.services import serve_call
from raptorflow.sandbox.broker.visit import Visit


class Gate:
    """Serves the streams of one run in one sandbox.

    Args:
        guest: all that is held for it.
        denied: what the operator denies.
    """

    def __init__(self, guest: Guest, denied: DenyList) -> None:
        self._guest = guest
        self._denied = denied
        self._visits: dict[asyncio.Task[None], Visit] = {}
        self._closed = False

    async def http(self, stream: Stream) -> None:
        """Serve one connection to the HTTP proxy to its end; whatever fails, nothing is raised."""
        await self._serve(stream, serve_http)

    async def services(self, stream: Stream) -> None:
        """Serve one service call; whatever fails, nothing is raised."""
        await self._serve(stream, serve_call)

    def environment(self) -> Mapping[str, str]:
        """The variables that stand for the secrets inside: name -> handle, never a value."""
        return self._guest.handles.environment()

    def authority(self) -> bytes | None:
        """The certificate (PEM) that programs inside must trust; None when no secret is bound."""
        return self._guest.authority.pem() if self._guest.authority else None

    def set_policy(self, policy: EgressPolicy | None) -> None:
        """Hold it to another policy from now on: what is no longer allowed is cut at once.

        For whoever holds the gate: a run's policy is not changed by anything in the product.

        Secrets are bound when the gate is made; another policy may take them away and give them back, but
        adds none.
        """
        if self._closed:
            return
        self._guest.rules = Rules(policy, self._denied)
        for visit in list(self._visits.values()):
            visit.reconsider(self._guest.rules)

    async def close(self) -> None:
        """Cut everything; handles and authority are worth nothing from here on. Again does nothing."""
        self._closed = True
        for visit in list(self._visits.values()):
            visit.cut(GateClosed("The run is over."))
        await end_tasks(list(self._visits))
        self._guest.rules = Rules(None, self._denied)
        self._guest.authority = None
        self._guest.needles.clear()
        self._guest.ledger.finish()

    async def _serve(self, stream: Stream, serve: Callable[[Visit], Awaitable[None]]) -> None:
        if self._closed:
            stream.close()
            return
        visit = Visit(self._guest, stream)
        task = asyncio.create_task(visit.run(serve))
        self._visits[task] = visit
        try:
            # Waited for from outside: when it is cut, that is no cancellation of ours.
            await asyncio.wait([task])
        finally:
            await end_tasks([task])
            del self._visits[task]
