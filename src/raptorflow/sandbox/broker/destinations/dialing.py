"""From a destination to a connection: look up once, judge every answer, dial exactly what was judged."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from raptorflow.core.addresses import Address
from raptorflow.sandbox.broker.destinations.addresses import AddressRules
from raptorflow.sandbox.broker.destinations.destination import Destination
from raptorflow.sandbox.broker.destinations.lookups import LookUps
from raptorflow.sandbox.broker.errors import HostUnreachable, NameUnknown
from raptorflow.sandbox.broker.ports import Stream
from raptorflow.sandbox.broker.wire.streams import CHUNK_BYTES, SocketStream

MOST_ANSWERS = 32
"""A name with more addresses than that is nobody's real host."""
MOST_DIALLED = 4
"""Of a name's addresses, all of which are judged; each that is dialled is a record."""


@dataclass(frozen=True)
class Dialled:
    """An open connection and the address it leads to."""

    stream: Stream
    address: Address


class Dialer:
    """Opens connections.

    Args:
        names: looks them up.
        rules: which addresses may be dialled.
        seconds: how long all addresses of a name together may take.
    """

    def __init__(self, names: LookUps, rules: AddressRules, seconds: float) -> None:
        self._names = names
        self._rules = rules
        self._seconds = seconds

    async def dial(self, destination: Destination, tenant: str, before: Callable[[Address], None]) -> Dialled:
        """Connect to the first address that answers.

        Args:
            destination: where to.
            tenant: for whom.
            before: told each address before it is dialled; what it raises stops that.

        Raises:
            NameUnknown: the name leads nowhere.
            TooManyLookups: too many names of the tenant are being looked up.
            AddressDenied: one of its addresses is off limits, and with it the name: an honest one has none.
            HostUnreachable: nothing answers.
        """
        addresses = await self._names.addresses(destination, tenant)
        if not 0 < len(addresses) <= MOST_ANSWERS:
            raise NameUnknown(f"The name {destination.host} leads to {len(addresses)} addresses.")
        for address in addresses:
            self._rules.check(address, destination.host)
        try:
            return await self._first_that_answers(addresses[:MOST_DIALLED], destination.port, before)
        except OSError as error:
            raise HostUnreachable(f"{destination} does not answer.") from error

    async def _first_that_answers(
        self, addresses: Sequence[Address], port: int, before: Callable[[Address], None]
    ) -> Dialled:
        failure: OSError = ConnectionRefusedError()
        for address in addresses:
            before(address)
            try:
                async with asyncio.timeout(self._seconds / len(addresses)):
                    reader, writer = await asyncio.open_connection(str(address), port, limit=CHUNK_BYTES)
            except OSError as error:
                failure = error
            else:
                return Dialled(SocketStream(reader, writer), address)
        raise failure
