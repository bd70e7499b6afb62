"""The second TLS hello, for which a server may ask (RFC 8446, section 4.1.4): it names the same host."""

from collections.abc import Callable

from raptorflow.sandbox.broker.ports import Stream
from raptorflow.sandbox.broker.wire.hello import HANDSHAKE, MAX_RECORD, RECORD_HEAD, HelloInvalid

RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""What a ServerHello has in place of its random bytes when it asks for another hello."""
RANDOM_AT, RANDOM_END = 11, 43
MAX_HELD = 2 * MAX_RECORD
"""Bytes that are waited with: a record is complete with fewer."""

Clear = Callable[[bytes], bool]


class Retried:
    """A stream from a client of which one hello was seen; a second one is held until it was seen too.

    Args:
        stream: from the client, behind its first hello.
        clear: whether bytes begin with a hello that may pass; False while it is not whole; raises when it may
            not.
    """

    def __init__(self, stream: Stream, clear: Clear) -> None:
        self._stream = stream
        self._clear = clear
        self._answer = b""
        self._held = b""
        self._settled = False
        self.end, self.close = stream.end, stream.close

    async def read(self) -> bytes:
        """The next bytes.

        Raises:
            HelloInvalid: what follows the first hello is no TLS.
        """
        while not self._settled:
            more = await self._stream.read()
            if not more:
                return more
            self._held += more
            if passing := self._passing():
                return passing
            if len(self._held) > MAX_HELD:
                raise HelloInvalid("what follows the first hello has no end")
        held, self._held = self._held, b""
        return held or await self._stream.read()

    async def write(self, data: bytes) -> None:
        """Send the server's answer on; once it is known not to ask again, nothing is looked at any more."""
        if len(self._answer) < RANDOM_END:
            self._answer += data[: RANDOM_END - len(self._answer)]
            self._settled = self._settled or self._accepts()
        await self._stream.write(data)

    def _accepts(self) -> bool:
        """Whether the server's answer is final; False while it cannot be told."""
        other = self._answer[:1] not in {b"", bytes([HANDSHAKE])}
        return other or (len(self._answer) == RANDOM_END and self._answer[RANDOM_AT:] != RETRY)

    def _passing(self) -> bytes:
        """Whole records up to the next hello, and that too once it is clear."""
        at = 0
        while not self._settled and len(self._held) >= at + RECORD_HEAD:
            if self._held[at] == HANDSHAKE:
                self._settled = self._clear(self._held[at:])
                break
            length = int.from_bytes(self._held[at + 3 : at + RECORD_HEAD])
            if len(self._held) < at + RECORD_HEAD + length:
                break
            at += RECORD_HEAD + length
        at = len(self._held) if self._settled else at
        passing, self._held = self._held[:at], self._held[at:]
        return passing
