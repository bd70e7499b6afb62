"""The calls of the orchestrator API. Written by `make api` from the API's document."""

from types import NoneType
from typing import Literal
from uuid import UUID

from raptorflow_sdk.api.orchestrator import models
from raptorflow_sdk.transport import AsyncTransport, Request, Transport


class Orchestrator:
    """The orchestrator API."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload_file(self, body: bytes, *, name: str | None = None) -> models.FileView:
        """Upload a file: raw bytes with `?name=`, or a multipart form with one file."""
        request = Request("POST", "/api/v1/orchestrator/files", query={"name": name}, body=body)
        return self._transport.call(request, models.FileView)

    def get_file(self, file_id: UUID) -> models.FileView:
        """A file's record."""
        request = Request("GET", "/api/v1/orchestrator/files/{file_id}", path={"file_id": file_id})
        return self._transport.call(request, models.FileView)

    def get_file_content(self, file_id: UUID) -> bytes:
        """A file's bytes, always as a download: what people upload is not ours to show as a page."""
        request = Request("GET", "/api/v1/orchestrator/files/{file_id}/content", path={"file_id": file_id})
        return self._transport.call(request, bytes)

    def list_models(self) -> models.ModelOverview:
        """The providers there are, your organisation's connections, and the model in use.

        When the chosen connection is deleted, the server's default is in use again (`source` is `settings`).
        """
        request = Request("GET", "/api/v1/orchestrator/models")
        return self._transport.call(request, models.ModelOverview)

    def connect_model(self, body: models.NewModelConnection) -> models.ModelConnection:
        """Connect a model. Its key is sealed and never shown again; test it, then choose it."""
        request = Request("POST", "/api/v1/orchestrator/models", body=body)
        return self._transport.call(request, models.ModelConnection)

    def choose_model(self, body: models.ModelChoiceRequest) -> models.ModelInUse:
        """Choose the connection that runs use from now on; null is the server's default."""
        request = Request("PUT", "/api/v1/orchestrator/models/choice", body=body)
        return self._transport.call(request, models.ModelInUse)

    def delete_model(self, connection_id: UUID) -> None:
        """Take a connection and its key away."""
        request = Request(
            "DELETE", "/api/v1/orchestrator/models/{connection_id}", path={"connection_id": connection_id}
        )
        return self._transport.call(request, NoneType)

    def get_model(self, connection_id: UUID) -> models.ModelConnection:
        """A connection with its newest test."""
        request = Request(
            "GET", "/api/v1/orchestrator/models/{connection_id}", path={"connection_id": connection_id}
        )
        return self._transport.call(request, models.ModelConnection)

    def change_model(self, connection_id: UUID, body: models.ModelConnectionChange) -> models.ModelConnection:
        """Change a connection; a stored key does not go along to another host, so send it again."""
        request = Request(
            "PATCH",
            "/api/v1/orchestrator/models/{connection_id}",
            path={"connection_id": connection_id},
            body=body,
        )
        return self._transport.call(request, models.ModelConnection)

    def test_model(self, connection_id: UUID) -> models.ModelConnection:
        """Have a worker ask the model for a text and a tool call; look at the connection for the result."""
        request = Request(
            "POST", "/api/v1/orchestrator/models/{connection_id}/test", path={"connection_id": connection_id}
        )
        return self._transport.call(request, models.ModelConnection)

    def list_runs(
        self,
        *,
        limit: int = 50,
        before: UUID | None = None,
        status: Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        session_id: UUID | None = None,
    ) -> list[models.RunSummary]:
        """Your runs, newest first, trials included; `before` is the last id of the page before."""
        request = Request(
            "GET",
            "/api/v1/orchestrator/runs",
            query={"limit": limit, "before": before, "status": status, "session_id": session_id},
        )
        return self._transport.call(request, list[models.RunSummary])

    def get_run(self, run_id: UUID) -> models.RunDetail:
        """A run with its steps."""
        request = Request("GET", "/api/v1/orchestrator/runs/{run_id}", path={"run_id": run_id})
        return self._transport.call(request, models.RunDetail)

    def cancel_run(self, run_id: UUID) -> models.RunDetail:
        """End a run."""
        request = Request("POST", "/api/v1/orchestrator/runs/{run_id}/cancel", path={"run_id": run_id})
        return self._transport.call(request, models.RunDetail)

    def list_sessions(self, *, limit: int = 50, before: UUID | None = None) -> list[models.SessionView]:
        """Your conversations, newest first; `before` is the last id of the page before."""
        request = Request("GET", "/api/v1/orchestrator/sessions", query={"limit": limit, "before": before})
        return self._transport.call(request, list[models.SessionView])

    def create_session(self, body: models.NewSession) -> models.SessionView:
        """Begin a conversation."""
        request = Request("POST", "/api/v1/orchestrator/sessions", body=body)
        return self._transport.call(request, models.SessionView)

    def delete_session(self, session_id: UUID) -> None:
        """Delete a conversation with its runs; open ones are cancelled. Files stay yours."""
        request = Request(
            "DELETE", "/api/v1/orchestrator/sessions/{session_id}", path={"session_id": session_id}
        )
        return self._transport.call(request, NoneType)

    def get_session(self, session_id: UUID) -> models.SessionDetail:
        """A conversation with its transcript, files and loaded skills."""
        request = Request(
            "GET", "/api/v1/orchestrator/sessions/{session_id}", path={"session_id": session_id}
        )
        return self._transport.call(request, models.SessionDetail)

    def rename_session(self, session_id: UUID, body: models.SessionChange) -> models.SessionView:
        """Give a conversation another title."""
        request = Request(
            "PATCH", "/api/v1/orchestrator/sessions/{session_id}", path={"session_id": session_id}, body=body
        )
        return self._transport.call(request, models.SessionView)

    def get_history(self, session_id: UUID, *, limit: int = 20, before: int | None = None) -> models.History:
        """The newest turns below the turn `before`, oldest first, each with its events so far."""
        request = Request(
            "GET",
            "/api/v1/orchestrator/sessions/{session_id}/history",
            path={"session_id": session_id},
            query={"limit": limit, "before": before},
        )
        return self._transport.call(request, models.History)

    def send_message(
        self, session_id: UUID, body: models.NewMessage, *, idempotency_key: str | None = None
    ) -> models.RunDetail:
        """Send a message, or with `replaces` send one again: its run is accepted, tail its events."""
        request = Request(
            "POST",
            "/api/v1/orchestrator/sessions/{session_id}/messages",
            path={"session_id": session_id},
            header={"idempotency-key": idempotency_key},
            body=body,
        )
        return self._transport.call(request, models.RunDetail)

    def begin_trial(self, body: models.NewTrial) -> models.RunDetail:
        """Run one action of an installed skill in the sandbox without a model; tail its run's events."""
        request = Request("POST", "/api/v1/orchestrator/trials", body=body)
        return self._transport.call(request, models.RunDetail)


class AsyncOrchestrator:
    """The orchestrator API, not blocking."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def upload_file(self, body: bytes, *, name: str | None = None) -> models.FileView:
        """Upload a file: raw bytes with `?name=`, or a multipart form with one file."""
        request = Request("POST", "/api/v1/orchestrator/files", query={"name": name}, body=body)
        return await self._transport.call(request, models.FileView)

    async def get_file(self, file_id: UUID) -> models.FileView:
        """A file's record."""
        request = Request("GET", "/api/v1/orchestrator/files/{file_id}", path={"file_id": file_id})
        return await self._transport.call(request, models.FileView)

    async def get_file_content(self, file_id: UUID) -> bytes:
        """A file's bytes, always as a download: what people upload is not ours to show as a page."""
        request = Request("GET", "/api/v1/orchestrator/files/{file_id}/content", path={"file_id": file_id})
        return await self._transport.call(request, bytes)

    async def list_models(self) -> models.ModelOverview:
        """The providers there are, your organisation's connections, and the model in use.

        When the chosen connection is deleted, the server's default is in use again (`source` is `settings`).
        """
        request = Request("GET", "/api/v1/orchestrator/models")
        return await self._transport.call(request, models.ModelOverview)

    async def connect_model(self, body: models.NewModelConnection) -> models.ModelConnection:
        """Connect a model. Its key is sealed and never shown again; test it, then choose it."""
        request = Request("POST", "/api/v1/orchestrator/models", body=body)
        return await self._transport.call(request, models.ModelConnection)

    async def choose_model(self, body: models.ModelChoiceRequest) -> models.ModelInUse:
        """Choose the connection that runs use from now on; null is the server's default."""
        request = Request("PUT", "/api/v1/orchestrator/models/choice", body=body)
        return await self._transport.call(request, models.ModelInUse)

    async def delete_model(self, connection_id: UUID) -> None:
        """Take a connection and its key away."""
        request = Request(
            "DELETE", "/api/v1/orchestrator/models/{connection_id}", path={"connection_id": connection_id}
        )
        return await self._transport.call(request, NoneType)

    async def get_model(self, connection_id: UUID) -> models.ModelConnection:
        """A connection with its newest test."""
        request = Request(
            "GET", "/api/v1/orchestrator/models/{connection_id}", path={"connection_id": connection_id}
        )
        return await self._transport.call(request, models.ModelConnection)

    async def change_model(
        self, connection_id: UUID, body: models.ModelConnectionChange
    ) -> models.ModelConnection:
        """Change a connection; a stored key does not go along to another host, so send it again."""
        request = Request(
            "PATCH",
            "/api/v1/orchestrator/models/{connection_id}",
            path={"connection_id": connection_id},
            body=body,
        )
        return await self._transport.call(request, models.ModelConnection)

    async def test_model(self, connection_id: UUID) -> models.ModelConnection:
        """Have a worker ask the model for a text and a tool call; look at the connection for the result."""
        request = Request(
            "POST", "/api/v1/orchestrator/models/{connection_id}/test", path={"connection_id": connection_id}
        )
        return await self._transport.call(request, models.ModelConnection)

    async def list_runs(
        self,
        *,
        limit: int = 50,
        before: UUID | None = None,
        status: Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = None,
        session_id: UUID | None = None,
    ) -> list[models.RunSummary]:
        """Your runs, newest first, trials included; `before` is the last id of the page before."""
        request = Request(
            "GET",
            "/api/v1/orchestrator/runs",
            query={"limit": limit, "before": before, "status": status, "session_id": session_id},
        )
        return await self._transport.call(request, list[models.RunSummary])

    async def get_run(self, run_id: UUID) -> models.RunDetail:
        """A run with its steps."""
        request = Request("GET", "/api/v1/orchestrator/runs/{run_id}", path={"run_id": run_id})
        return await self._transport.call(request, models.RunDetail)

    async def cancel_run(self, run_id: UUID) -> models.RunDetail:
        """End a run."""
        request = Request("POST", "/api/v1/orchestrator/runs/{run_id}/cancel", path={"run_id": run_id})
        return await self._transport.call(request, models.RunDetail)

    async def list_sessions(self, *, limit: int = 50, before: UUID | None = None) -> list[models.SessionView]:
        """Your conversations, newest first; `before` is the last id of the page before."""
        request = Request("GET", "/api/v1/orchestrator/sessions", query={"limit": limit, "before": before})
        return await self._transport.call(request, list[models.SessionView])

    async def create_session(self, body: models.NewSession) -> models.SessionView:
        """Begin a conversation."""
        request = Request("POST", "/api/v1/orchestrator/sessions", body=body)
        return await self._transport.call(request, models.SessionView)

    async def delete_session(self, session_id: UUID) -> None:
        """Delete a conversation with its runs; open ones are cancelled. Files stay yours."""
        request = Request(
            "DELETE", "/api/v1/orchestrator/sessions/{session_id}", path={"session_id": session_id}
        )
        return await self._transport.call(request, NoneType)

    async def get_session(self, session_id: UUID) -> models.SessionDetail:
        """A conversation with its transcript, files and loaded skills."""
        request = Request(
            "GET", "/api/v1/orchestrator/sessions/{session_id}", path={"session_id": session_id}
        )
        return await self._transport.call(request, models.SessionDetail)

    async def rename_session(self, session_id: UUID, body: models.SessionChange) -> models.SessionView:
        """Give a conversation another title."""
        request = Request(
            "PATCH", "/api/v1/orchestrator/sessions/{session_id}", path={"session_id": session_id}, body=body
        )
        return await self._transport.call(request, models.SessionView)

    async def get_history(
        self, session_id: UUID, *, limit: int = 20, before: int | None = None
    ) -> models.History:
        """The newest turns below the turn `before`, oldest first, each with its events so far."""
        request = Request(
            "GET",
            "/api/v1/orchestrator/sessions/{session_id}/history",
            path={"session_id": session_id},
            query={"limit": limit, "before": before},
        )
        return await self._transport.call(request, models.History)

    async def send_message(
        self, session_id: UUID, body: models.NewMessage, *, idempotency_key: str | None = None
    ) -> models.RunDetail:
        """Send a message, or with `replaces` send one again: its run is accepted, tail its events."""
        request = Request(
            "POST",
            "/api/v1/orchestrator/sessions/{session_id}/messages",
            path={"session_id": session_id},
            header={"idempotency-key": idempotency_key},
            body=body,
        )
        return await self._transport.call(request, models.RunDetail)

    async def begin_trial(self, body: models.NewTrial) -> models.RunDetail:
        """Run one action of an installed skill in the sandbox without a model; tail its run's events."""
        request = Request("POST", "/api/v1/orchestrator/trials", body=body)
        return await self._transport.call(request, models.RunDetail)
