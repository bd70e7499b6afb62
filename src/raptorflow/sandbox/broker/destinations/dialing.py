"""From a destination to a connection: look up once, judge every answer, dial exactly what was judged."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from raptorflow.core.addresses import Address
from raptorflow.sandbox.broker.destinations.addresses import AddressRules
from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.errors import HostUnreachable, NameUnknown
from raptorflow.sandbox.broker.ports import Resolver, Stream
from raptorflow.sandbox.broker.wire.streams import CHUNK_BYTES, SocketStream

MOST_ANSWERS = 32
"""A name with more addresses than that is nobody's real host."""


@dataclass(frozen=True)
class Dialled:
    """An open connection and the address it leads to."""

    stream: Stream
    address: Address


class Dialer:
    """Opens connections.

    Args:
        resolver: looks names up.
        rules: which addresses may be dialled.
        resolve_seconds: how long a name may take.
        dial_seconds: how long all its addresses together may take.
    """

    def __init__(
        self, resolver: Resolver, rules: AddressRules, resolve_seconds: float, dial_seconds: float
    ) -> None:
        self._resolver = resolver
        self._rules = rules
        self._resolve_seconds = resolve_seconds
        self._dial_seconds = dial_seconds

    async def dial(self, destination: Destination) -> Dialled:
        """Connect to the first address that answers.

        Raises:
            NameUnknown: the name leads nowhere.
            AddressDenied: one of its addresses is off limits, and with it the name: an honest one has none.
            HostUnreachable: nothing answers.
        """
        addresses = await self._addresses(destination)
        for address in addresses:
            self._rules.check(address, destination.host)
        try:
            return await _first_that_answers(addresses, destination.port, self._dial_seconds / len(addresses))
        except OSError as error:
            raise HostUnreachable(f"{destination} does not answer.") from error

    async def _addresses(self, destination: Destination) -> Sequence[Address]:
        if destination.address:
            return [destination.address]
        try:
            async with asyncio.timeout(self._resolve_seconds):
                found = await self._resolver.resolve(destination.host, destination.port)
        except OSError as error:
            raise NameUnknown(f"The name {destination.host} is not known.") from error
        if not 0 < len(found) <= MOST_ANSWERS:
            raise NameUnknown(f"The name {destination.host} leads to {len(found)} addresses.")
        return found


async def _first_that_answers(addresses: Sequence[Address], port: int, seconds: float) -> Dialled:
    failure: OSError = ConnectionRefusedError()
    for address in addresses:
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await asyncio.open_connection(str(address), port, limit=CHUNK_BYTES)
        except OSError as error:
            failure = error
        else:
            return Dialled(SocketStream(reader, writer), address)
    raise failure
