"""One request out and its answer back."""

import asyncio
from dataclasses import dataclass

import h11

from raptorflow.core.tasks import end_tasks
from raptorflow.sandbox.broker.errors import AnswerInvalid, ConnectionLost
from raptorflow.sandbox.broker.http.heads import Headers, onward
from raptorflow.sandbox.broker.http.peer import Client, Upstream
from raptorflow.sandbox.broker.secrets.handles import HandleCounter
from raptorflow.sandbox.broker.secrets.redaction import Redactor

LEFT_SECONDS = 5.0
"""How long a host may still answer a client that sends no more, which most have left for good."""


@dataclass(frozen=True)
class Outgoing:
    """A request as it leaves.

    Attributes:
        method: as given.
        target: path and query.
        headers: without those of the connection.
        redactor: masks secrets in the answer; None where no secret is ever sent.
    """

    method: bytes
    target: bytes
    headers: Headers
    redactor: Redactor | None = None


async def exchange(client: Client, upstream: Upstream, outgoing: Outgoing, seen: HandleCounter) -> None:
    """Send a request whose head was read from the client, and pass the answer on.

    Raises:
        AnswerInvalid: the host's answer cannot be passed on.
        RequestInvalid: the client's body breaks off.
        ConnectionError: one side broke.
    """
    head = h11.Request(method=outgoing.method, target=outgoing.target, headers=outgoing.headers)
    await upstream.send(head)
    await client.go_on()
    sending = asyncio.create_task(_send_body(client, upstream, seen))
    answering = asyncio.create_task(_pass_answer(upstream, client, outgoing.redactor))
    try:
        await asyncio.wait([sending, answering], return_when=asyncio.FIRST_COMPLETED)
        # A host may answer before it has read everything; a client that breaks off is not waited for.
        if sending.done():
            sending.result()
            await _unless_left(client, answering)
        else:
            await answering
            # It may read on all the same.
            await sending
    finally:
        await end_tasks([sending, answering])
    if client.http.their_state is h11.SEND_BODY:
        await client.linger()


async def _unless_left(client: Client, answering: asyncio.Task[None]) -> None:
    """Wait for the answer; not much longer when the client has gone.

    Raises:
        ConnectionLost: there was none in time.
    """
    leaving = asyncio.create_task(client.left())
    try:
        await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not answering.done() and leaving.result():
            await asyncio.wait([answering], timeout=LEFT_SECONDS)
            if not answering.done():
                raise ConnectionLost("The program left before the host had answered.")
        await answering
    finally:
        await end_tasks([leaving])


async def _send_body(client: Client, upstream: Upstream, seen: HandleCounter) -> None:
    async for piece in client.body():
        seen.see(piece)
        if not await upstream.offer(h11.Data(data=piece)):
            return
    await upstream.offer(h11.EndOfMessage())


async def _pass_answer(upstream: Upstream, client: Client, redactor: Redactor | None) -> None:
    answer = await upstream.answer()
    await client.send(_redacted(answer, redactor) if redactor else _answered(answer))
    async for piece in upstream.body():
        if passed := redactor.feed(piece) if redactor else piece:
            await client.send(h11.Data(data=passed))
    rest = redactor.finish() if redactor else b""
    await client.send(*([h11.Data(data=rest)] if rest else []), h11.EndOfMessage())


def _answered(answer: h11.Response) -> h11.Response:
    return h11.Response(status_code=answer.status_code, reason=answer.reason, headers=onward(answer))


def _redacted(answer: h11.Response, redactor: Redactor) -> h11.Response:
    headers = onward(answer)
    encodings = {value.strip().lower() for name, value in answer.headers if name == b"content-encoding"}
    # Also while no secret was sent yet: one may be, before this answer has ended.
    if encodings - {b"identity"}:
        raise AnswerInvalid("The host compressed its answer, in which a secret could not be found.")
    return h11.Response(
        status_code=answer.status_code,
        reason=redactor.whole(bytes(answer.reason)),
        headers=[(redactor.whole(name), redactor.whole(value)) for name, value in headers],
    )
