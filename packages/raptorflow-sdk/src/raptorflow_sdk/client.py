"""The blocking client. Written by `make api` from `async_client.py`."""

import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Literal, Self
from uuid import UUID, uuid4

import httpx

from raptorflow_sdk.api.accounts.calls import Accounts
from raptorflow_sdk.api.orchestrator.calls import Orchestrator
from raptorflow_sdk.api.orchestrator.models import NewMessage, NewSession
from raptorflow_sdk.api.registry.calls import Registry
from raptorflow_sdk.api.registry.models import PublishReceipt
from raptorflow_sdk.connection import find_connection
from raptorflow_sdk.events import Answer, Artifact, Event, Pauses, event_of
from raptorflow_sdk.publishing import POLL_SECONDS, is_over, key_of, read_archive
from raptorflow_sdk.transport import Request, Transport, refusal, unreachable


class RaptorFlow:
    """A RaptorFlow server; use it in `with`.

    Args:
        url: the server; RAPTORFLOW_URL, or the one started on this machine, when not given.
        token: a personal access token; RAPTORFLOW_TOKEN, or that server's own, when not given.

    Raises:
        ConnectionUnknown: nobody said where the server is.
    """

    def __init__(self, url: str | None = None, token: str | None = None) -> None:
        self._transport = Transport(find_connection(url, token))
        self.accounts = Accounts(self._transport)
        self.registry = Registry(self._transport)
        self.orchestrator = Orchestrator(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.http.close()

    def ask(self, question: str, *, files: Sequence[Path] = (), session_id: UUID | None = None) -> Answer:
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
        answer = self.begin(question, files=files, session_id=session_id)
        for _ in self.stream(answer):
            pass
        return answer

    def begin(self, question: str, *, files: Sequence[Path] = (), session_id: UUID | None = None) -> Answer:
        """Send a question and return at once; `stream` tells how it goes on."""
        sent = [self.upload(path) for path in files]
        session = session_id or self.orchestrator.create_session(NewSession()).id
        message = NewMessage(text=question, files=sent)
        run = self.orchestrator.send_message(session, message, idempotency_key=uuid4().hex)
        return Answer(session, run.id)

    def stream(self, answer: Answer) -> Generator[Event]:
        """The events of an answer as they come, until it is whole; a broken connection is taken up again.

        Raises:
            RunFailed: the run ended without an answer.
            ServerUnreachable: the connection cannot be taken up again.
        """
        waits = Pauses()
        while not answer.finished:
            try:
                for event in self._events(answer):
                    waits = Pauses()
                    if answer.take(event):
                        yield event
            except httpx.HTTPError as error:
                waits.silence = unreachable(self._transport.url, error)
            if not answer.finished:
                time.sleep(waits.next())

    def upload(self, path: Path) -> UUID:
        """Send a file for the next message; its id."""
        content = path.read_bytes()
        return self.orchestrator.upload_file(content, name=path.name).id

    def download(self, artifact: Artifact) -> bytes:
        """The bytes of a file that an action made."""
        return self._transport.call(Request("GET", artifact.url), bytes)

    def publish(
        self, archive: bytes | Path, *, visibility: Literal["org", "public"] = "org", install: bool = True
    ) -> PublishReceipt:
        """Publish a skill's archive, and wait until the registry has checked it.

        Raises:
            RunFailed: the registry refused the skill.
        """
        content = read_archive(archive)
        key = key_of(content, visibility, install)
        receipt = self.registry.publish(content, visibility=visibility, install=install, idempotency_key=key)
        while not is_over(receipt):
            time.sleep(POLL_SECONDS)
            receipt = self.registry.publish_status(receipt.publish_id)
        return receipt

    def _events(self, answer: Answer) -> Generator[Event]:
        path = f"/api/v1/orchestrator/runs/{answer.run_id}/events"
        params = {"after": answer.last_number}
        with self._transport.http.stream("GET", path, params=params) as response:
            if response.is_error:
                response.read()
                raise refusal(response)
            for line in response.iter_lines():
                if event := event_of(line):
                    yield event
