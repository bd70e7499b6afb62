"""The client that does not block."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Literal, Self
from uuid import UUID, uuid4

import httpx

from raptorflow_sdk.api.accounts.calls import AsyncAccounts
from raptorflow_sdk.api.orchestrator.calls import AsyncOrchestrator
from raptorflow_sdk.api.orchestrator.models import NewMessage, NewSession
from raptorflow_sdk.api.registry.calls import AsyncRegistry
from raptorflow_sdk.api.registry.models import PublishReceipt
from raptorflow_sdk.connection import find_connection
from raptorflow_sdk.events import Answer, Artifact, Event, Pauses, event_of
from raptorflow_sdk.publishing import POLL_SECONDS, is_over, key_of, read_archive
from raptorflow_sdk.transport import AsyncTransport, Request, refusal, unreachable


class AsyncRaptorFlow:
    """A RaptorFlow server; use it in `async with`.

    Args:
        url: the server; RAPTORFLOW_URL, or the one started on this machine, when not given.
        token: a personal access token; RAPTORFLOW_TOKEN, or that server's own, when not given.

    Raises:
        ConnectionUnknown: nobody said where the server is.
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self._transport = AsyncTransport(find_connection(url, token))
        self.accounts = AsyncAccounts(self._transport)
        self.registry = AsyncRegistry(self._transport)
        self.orchestrator = AsyncOrchestrator(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.http.aclose()

    async def ask(
        self, question: str, *, files: Sequence[Path] = (), session_id: UUID | None = None
    ) -> Answer:
        """Ask the agent, and wait for the whole answer.

        Args:
            question: in plain words.
            files: what to work on.
            session_id: the conversation to go on with; a new one when not given.

        Raises:
            RunFailed: the run ended without an answer.
            RequestRefused: the server refused the question.
            ServerUnreachable: it did not answer.
        """
        answer = await self.begin(question, files=files, session_id=session_id)
        async for _ in self.stream(answer):
            pass
        return answer

    async def begin(
        self, question: str, *, files: Sequence[Path] = (), session_id: UUID | None = None
    ) -> Answer:
        """Send a question and return at once; `stream` tells how it goes on."""
        sent = [await self.upload(path) for path in files]
        session = session_id or (await self.orchestrator.create_session(NewSession())).id
        message = NewMessage(text=question, files=sent)
        run = await self.orchestrator.send_message(session, message, idempotency_key=uuid4().hex)
        return Answer(session, run.id)

    async def stream(self, answer: Answer) -> AsyncGenerator[Event]:
        """The events of an answer as they come, until it is whole; a broken connection is taken up again.

        Raises:
            RunFailed: the run ended without an answer.
            ServerUnreachable: the connection cannot be taken up again.
        """
        waits = Pauses()
        while not answer.finished:
            try:
                async for event in self._events(answer):
                    waits = Pauses()
                    if answer.take(event):
                        yield event
            except httpx.HTTPError as error:
                waits.silence = unreachable(self._transport.url, error)
            if not answer.finished:
                await asyncio.sleep(waits.next())

    async def upload(self, path: Path) -> UUID:
        """Send a file for the next message; its id."""
        content = await asyncio.to_thread(path.read_bytes)
        return (await self.orchestrator.upload_file(content, name=path.name)).id

    async def download(self, artifact: Artifact) -> bytes:
        """The bytes of a file that an action made."""
        return await self._transport.call(Request("GET", artifact.url), bytes)

    async def publish(
        self, archive: bytes | Path, *, visibility: Literal["org", "public"] = "org", install: bool = True
    ) -> PublishReceipt:
        """Publish a skill's archive, and wait until the registry has checked it.

        Raises:
            RunFailed: the registry refused the skill.
        """
        content = read_archive(archive)
        key = key_of(content, visibility, install)
        receipt = await self.registry.publish(
            content, visibility=visibility, install=install, idempotency_key=key
        )
        while not is_over(receipt):
            await asyncio.sleep(POLL_SECONDS)
            receipt = await self.registry.publish_status(receipt.publish_id)
        return receipt

    async def _events(self, answer: Answer) -> AsyncGenerator[Event]:
        path = f"/api/v1/orchestrator/runs/{answer.run_id}/events"
        params = {"after": answer.last_number}
        async with self._transport.http.stream("GET", path, params=params) as response:
            if response.is_error:
                await response.aread()
                raise refusal(response)
            async for line in response.aiter_lines():
                if event := event_of(line):
                    yield event
