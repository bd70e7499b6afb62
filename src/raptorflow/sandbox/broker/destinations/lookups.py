"""Looking names up, a few at a time for each tenant."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from raptorflow.core.addresses import Address
from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.errors import NameUnknown, TooManyLookups
from raptorflow.sandbox.broker.ports import Resolver

AT_ONCE = 4
"""Of one tenant. Whoever owns a name can let its name servers be silent, and a look-up that nobody waits for
any longer still holds its thread until the system gives it up."""


@dataclass
class Turns:
    """Of one tenant.

    Attributes:
        free: as many as may begin.
        users: who waits or looks up.
    """

    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    users: int = 0


class LookUps:
    """Where names lead.

    Args:
        resolver: asked; each question counts until it is answered or given up by the resolver itself.
        seconds: how long a name may take, the wait for its turn included.
    """

    def __init__(self, resolver: Resolver, seconds: float) -> None:
        self._resolver = resolver
        self._seconds = seconds
        self._turns: dict[str, Turns] = {}
        self._asking: set[asyncio.Task[Sequence[Address]]] = set()

    async def addresses(self, destination: Destination, tenant: str) -> Sequence[Address]:
        """All addresses of a destination, the preferred one first.

        Raises:
            NameUnknown: the name leads nowhere, or nobody said in time where.
            TooManyLookups: others of the same tenant held every turn of it all the time.
        """
        if destination.address:
            return [destination.address]
        until = asyncio.get_running_loop().time() + self._seconds
        asked = await self._begun(destination, tenant, until)
        try:
            async with asyncio.timeout_at(until):
                # Whoever waits may go away; the question counts until it is answered.
                return await asyncio.shield(asked)
        except TimeoutError as error:
            raise NameUnknown(
                f"Where the name {destination.host} leads was not said in {self._seconds:g} s."
            ) from error
        except OSError as error:
            raise NameUnknown(f"The name {destination.host} is not known.") from error

    async def _begun(
        self, destination: Destination, tenant: str, until: float
    ) -> asyncio.Task[Sequence[Address]]:
        """The question, asked once it is its turn."""
        turns = self._turns.setdefault(tenant, Turns())
        turns.users += 1
        taken = False
        try:
            async with asyncio.timeout_at(until):
                taken = await turns.free.acquire()
        except TimeoutError as error:
            raise TooManyLookups(
                f"{destination.host} was not looked up: {AT_ONCE} other names, whose name servers do not "
                "answer, are being looked up for the same organisation."
            ) from error
        finally:
            if not taken:
                self._leave(tenant, turns)
        return self._asked(destination, tenant, turns)

    def _asked(self, destination: Destination, tenant: str, turns: Turns) -> asyncio.Task[Sequence[Address]]:
        task = asyncio.create_task(self._answer(destination))
        self._asking.add(task)

        def over(ended: asyncio.Task[Sequence[Address]]) -> None:
            self._asking.discard(ended)
            turns.free.release()
            self._leave(tenant, turns)
            if not ended.cancelled():
                ended.exception()  # seen, also when nobody waits for it any longer

        task.add_done_callback(over)
        return task

    async def _answer(self, destination: Destination) -> Sequence[Address]:
        return await self._resolver.resolve(destination.host, destination.port)

    def _leave(self, tenant: str, turns: Turns) -> None:
        turns.users -= 1
        if not turns.users:
            del self._turns[tenant]
