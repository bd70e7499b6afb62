"""HTTP/1.1 (RFC 9112) at one end of a stream. Heads are parsed and written anew; none passes as it came."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from http import HTTPStatus

import h11

from raptorflow.base.json import dumps
from raptorflow.sandbox.broker.errors import AnswerInvalid, EgressDenied, HeadTooLarge, RequestInvalid
from raptorflow.sandbox.broker.ports import Stream

Head = h11.Request | h11.Response | h11.InformationalResponse
REUSE_SECONDS = 4.0
"""How long a connection to a host may rest between two requests; many hosts drop it after five."""
REFUSED_SECONDS = 1.0
"""How long a client that is refused may take to notice: closed at once, it might not see why."""
VERSIONS = frozenset({b"1.0", b"1.1"})
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Peer:
    """Whoever is at the other end.

    Args:
        stream: leads there.
        head_bytes: the longest head that is read.
    """

    invalid: type[EgressDenied]
    too_large: type[EgressDenied]

    def __init__(self, stream: Stream, role: type[h11.CLIENT | h11.SERVER], head_bytes: int) -> None:
        self.stream = stream
        self.http = h11.Connection(role, max_incomplete_event_size=head_bytes)
        self._head_bytes = head_bytes

    async def body(self) -> AsyncGenerator[bytes]:
        """The body of the message whose head was read, in pieces."""
        while not isinstance(event := await self.event(), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                raise self.invalid("The message breaks off.")
            yield bytes(event.data)

    async def event(self) -> h11.Event:
        """What comes next."""
        try:
            while (event := self.http.next_event()) is h11.NEED_DATA:
                self.http.receive_data(await self._more())
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
                raise self.too_large(f"The head has more than {self._head_bytes:,} bytes.") from error
            raise self.invalid(f"That is not HTTP/1.1: {error}.") from error
        if isinstance(event, Head):
            self._check_size(event)
        return event if not isinstance(event, type) else h11.ConnectionClosed()

    async def send(self, *events: h11.Event) -> None:
        """Send."""
        try:
            data = b"".join(self.http.send(event) or b"" for event in events)
        except h11.LocalProtocolError as error:
            raise self.invalid(f"The message does not fit: {error}.") from error
        if data:
            await self.stream.write(data)

    async def _more(self) -> bytes:
        return await self.stream.read()

    def again(self) -> bool:
        """Make ready for another request; whether that is possible."""
        if self.http.our_state is not h11.DONE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        return True

    def _check_size(self, head: Head) -> None:
        size = sum(len(name) + len(value) for name, value in head.headers)
        if isinstance(head, h11.Request):
            size += len(head.target)
        if size > self._head_bytes:
            raise self.too_large(f"The head has {size:,} bytes, at most {self._head_bytes:,} are read.")


class Client(Peer):
    """The program in the sandbox.

    Args:
        stream: leads there.
        head_bytes: the longest head that is read.
        below: what the stream is made of, without TLS and uncounted; the stream itself when not given.
    """

    invalid, too_large = RequestInvalid, HeadTooLarge

    def __init__(self, stream: Stream, head_bytes: int, below: Stream | None = None) -> None:
        super().__init__(stream, h11.SERVER, head_bytes)
        self._below = below or stream
        self._method = b""

    async def request(self) -> h11.Request | None:
        """The next request; None when there is none."""
        event = await self.event()
        if isinstance(event, h11.Request):
            self._method = event.method
            if event.http_version not in VERSIONS:
                raise RequestInvalid("Only HTTP/1.0 and HTTP/1.1 are spoken here.")
            return event
        if isinstance(event, h11.ConnectionClosed):
            return None
        raise RequestInvalid("A request was expected.")

    async def go_on(self) -> None:
        """Let the body come, when the client waits to be told."""
        if self.http.they_are_waiting_for_100_continue:
            await self.send(h11.InformationalResponse(status_code=100, headers=[]))

    async def established(self) -> bytes:
        """Say that the tunnel stands; what was sent ahead of that comes back."""
        ahead, _ = self.http.trailing_data
        await self.stream.write(ESTABLISHED)
        # From here on this is no HTTP, and no answer fits.
        self.http.send_failed()
        return ahead

    async def refuse(self, denial: EgressDenied) -> None:
        """Answer with the reason, as problem details (RFC 9457), unless an answer has begun."""
        if self.http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        body = dumps(denial.problem()).encode()
        head = (
            f"HTTP/1.1 {denial.status} {HTTPStatus(denial.status).phrase}\r\n"
            f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
            f"Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        self.http.send_failed()
        await self.stream.write(head.encode() + (b"" if self._method == b"HEAD" else body))
        await self.linger()

    async def linger(self) -> None:
        """Say that no more follows, and let a client that is still sending notice."""
        await self.stream.end()
        await self._below.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(REFUSED_SECONDS):
                while await self._below.read():
                    continue

    async def left(self) -> bool:
        """Wait until the client sends more, which is kept for its next request, or ends; whether it ended."""
        try:
            data = await self.stream.read()
        except ConnectionError:
            return True
        self.http.receive_data(data)
        return not data

    def is_between(self) -> bool:
        """Whether nothing of another request has come."""
        return self.http.their_state is h11.IDLE and not self.http.trailing_data[0]


class Upstream(Peer):
    """The host outside."""

    invalid = too_large = AnswerInvalid

    def __init__(self, stream: Stream, head_bytes: int) -> None:
        super().__init__(stream, h11.CLIENT, head_bytes)
        self._loop = asyncio.get_running_loop()
        self._used = self._loop.time()
        self._resting: asyncio.Task[bytes] | None = None

    async def answer(self) -> h11.Response:
        """The answer's head; what comes before it (100, 103) is left out."""
        while not isinstance(event := await self.event(), h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise AnswerInvalid("The host closed the connection without an answer.")
        self._used = self._loop.time()
        return event

    async def offer(self, event: h11.Event) -> bool:
        """Send more of a request; False when the host no longer takes it, which its answer may explain."""
        try:
            await self.send(event)
        except ConnectionError:
            return False
        return True

    def rest(self) -> None:
        """Between two requests: see whether the host ends it, or says what it was not asked."""
        if (self.http.our_state is h11.IDLE or self.again()) and not self.http.trailing_data[0]:
            self._resting = asyncio.create_task(self.stream.read())
            self._resting.add_done_callback(_seen)

    def fresh(self) -> bool:
        """Whether it rests, has for a moment only, and the host has kept still."""
        lately = self._loop.time() - self._used < REUSE_SECONDS
        return lately and self._resting is not None and not self._resting.done()

    def close(self) -> None:
        """Let go of it."""
        if self._resting:
            self._resting.cancel()
        self.stream.close()

    async def _more(self) -> bytes:
        resting, self._resting = self._resting, None
        return await (resting or self.stream.read())


def _seen(task: asyncio.Task[bytes]) -> None:
    """What ended a connection that nobody used is nobody's concern."""
    if not task.cancelled():
        task.exception()
