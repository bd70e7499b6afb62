"""TLS over any stream."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from raptorflow.sandbox.broker.ports import Stream
from raptorflow.sandbox.broker.wire.streams import CHUNK_BYTES

T = TypeVar("T")


class TlsStream:
    """One end of a TLS connection over another stream; `handshake` comes first.

    Args:
        under: carries the records.
        context: keys and trust.
        server_name: whom to ask for and to verify, at the client's end; None at the server's.
    """

    def __init__(self, under: Stream, context: ssl.SSLContext, server_name: str | None = None) -> None:
        self._under = under
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_name is None, server_hostname=server_name
        )
        self._sending = asyncio.Lock()

    async def handshake(self) -> None:
        """Agree on keys; at the client's end, verify the server.

        Raises:
            SSLError: they do not agree; the other side has been told.
            ConnectionError: it broke.
        """
        try:
            await self._driven(self._tls.do_handshake)
        finally:
            await self._flush()

    async def read(self) -> bytes:
        """The next bytes; nothing at the end, and only a proper one counts.

        Raises:
            ConnectionError: it broke, or was cut.
        """
        try:
            return await self._driven(lambda: self._tls.read(CHUNK_BYTES))
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            raise ConnectionAbortedError(str(error)) from error

    async def write(self, data: bytes) -> None:
        """Send.

        Raises:
            ConnectionError: it is gone.
        """
        try:
            for at in range(0, len(data), CHUNK_BYTES):
                self._tls.write(data[at : at + CHUNK_BYTES])
        except ssl.SSLError as error:
            raise ConnectionAbortedError(str(error)) from error
        await self._flush()

    async def end(self) -> None:
        """Say that no more follows."""
        # The other side may go on: only our direction has ended.
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        await self._flush()

    def close(self) -> None:
        """Let go of what is under it."""
        self._under.close()

    async def _driven(self, step: Callable[[], T]) -> T:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()

    async def _feed(self) -> None:
        if data := await self._under.read():
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        # One at a time: records must leave in the order they were made.
        async with self._sending:
            if data := self._outgoing.read():
                await self._under.write(data)
