"""Connecting language models: what an organisation's admins do. Each call is one transaction."""

from urllib.parse import urlsplit
from uuid import UUID

from raptorflow.accounts.identity import Caller
from raptorflow.base.clock import utc_now
from raptorflow.base.ids import new_id
from raptorflow.core.db import Database
from raptorflow.core.jobs import enqueue
from raptorflow.core.telemetry import logger
from raptorflow.orchestrator.connections.errors import (
    ModelAddressMissing,
    ModelConnectionNotFound,
    ModelKeyMissing,
    TooManyModelConnections,
)
from raptorflow.orchestrator.connections.keys import ModelKeys, hint_of
from raptorflow.orchestrator.connections.models import ModelConnectionRow
from raptorflow.orchestrator.connections.providers import PROVIDERS
from raptorflow.orchestrator.connections.repository import ConnectionsRepository
from raptorflow.orchestrator.connections.schemas import (
    ModelConnection,
    ModelConnectionChange,
    ModelInUse,
    ModelOverview,
    ModelTest,
    NewModelConnection,
)
from raptorflow.orchestrator.connections.views import connection_view, in_use, provider_views
from raptorflow.orchestrator.settings import OrchestratorSettings

log = logger(__name__)

TEST_JOB = "orchestrator.test-model"
MOST_CONNECTIONS = 50


class ModelConnections:
    """The facade of connected models.

    Args:
        database: where the connections are.
        settings: the server's default model.
        keys: what seals the providers' keys.
    """

    def __init__(self, database: Database, settings: OrchestratorSettings, keys: ModelKeys) -> None:
        self._database = database
        self._settings = settings
        self._keys = keys

    async def overview(self, caller: Caller) -> ModelOverview:
        """Providers, connections, and the model in use."""
        async with self._database.session(caller.org_id) as session:
            rows = await ConnectionsRepository(session, caller.org_id).all()
        return ModelOverview(
            providers=provider_views(),
            connections=[self._view(row) for row in rows],
            in_use=in_use(rows, self._settings.model),
        )

    async def connection(self, caller: Caller, connection_id: UUID) -> ModelConnection:
        """One connection.

        Raises:
            ModelConnectionNotFound: there is none, or it is another organisation's.
        """
        async with self._database.session(caller.org_id) as session:
            row = await _known(ConnectionsRepository(session, caller.org_id), connection_id)
        return self._view(row)

    async def connect(self, caller: Caller, new: NewModelConnection) -> ModelConnection:
        """Connect a model; it is used once it is chosen.

        Raises:
            ModelKeyMissing: the provider wants a key.
            ModelAddressMissing: the provider is only known by its address.
            TooManyModelConnections: there are as many as there may be.
        """
        row = ModelConnectionRow(
            id=new_id(),
            org_id=caller.org_id,
            provider=new.provider,
            model=new.model,
            base_url=new.base_url,
            created_at=utc_now(),
            updated_at=utc_now(),
        )
        self._set_key(row, new)
        _check_complete(row)
        async with self._database.session(caller.org_id) as session:
            repository = ConnectionsRepository(session, caller.org_id)
            if await repository.count() >= MOST_CONNECTIONS:
                raise TooManyModelConnections(f"There are {MOST_CONNECTIONS} connected models already.")
            await repository.add(row)
        log.info("model connected", connection_id=str(row.id), provider=row.provider, model=row.model)
        return self._view(row)

    async def change(
        self, caller: Caller, connection_id: UUID, change: ModelConnectionChange
    ) -> ModelConnection:
        """Change what is asked; the newest test's result no longer says anything and goes.

        Raises:
            ModelConnectionNotFound: there is none, or it is another organisation's.
            ModelKeyMissing: the provider wants a key, or the stored one was given for another address.
            ModelAddressMissing: the provider is only known by its address.
        """
        sent = change.model_fields_set
        async with self._database.session(caller.org_id) as session:
            repository = ConnectionsRepository(session, caller.org_id)
            row = await _known(repository, connection_id, lock=True)
            if "base_url" in sent:
                _check_key_stays(row, change)
                row.base_url = change.base_url
            row.model = change.model or row.model
            if "api_key" in sent:
                self._set_key(row, change)
            _check_complete(row)
            row.test, row.updated_at = None, utc_now()
        log.info("model changed", connection_id=str(row.id), provider=row.provider, model=row.model)
        return self._view(row)

    async def delete(self, caller: Caller, connection_id: UUID) -> None:
        """Take a connection away; when it was the chosen one, the server's default is in use again.

        Raises:
            ModelConnectionNotFound: there is none, or it is another organisation's.
        """
        async with self._database.session(caller.org_id) as session:
            repository = ConnectionsRepository(session, caller.org_id)
            await repository.delete(await _known(repository, connection_id, lock=True))
        log.info("model disconnected", connection_id=str(connection_id))

    async def choose(self, caller: Caller, connection_id: UUID | None) -> ModelInUse:
        """Let runs use a connection from now on, or the server's default.

        Raises:
            ModelConnectionNotFound: there is none, or it is another organisation's.
        """
        async with self._database.session(caller.org_id) as session:
            repository = ConnectionsRepository(session, caller.org_id)
            await repository.choose(connection_id)
            rows = await repository.all()
            used = in_use(rows, self._settings.model)
            if used.connection_id != connection_id:
                raise _unknown(connection_id)
        return used

    async def start_test(self, caller: Caller, connection_id: UUID) -> ModelConnection:
        """Have a worker ask the model; while a test runs, this starts no other.

        Raises:
            ModelConnectionNotFound: there is none, or it is another organisation's.
        """
        async with self._database.session(caller.org_id) as session:
            row = await _known(ConnectionsRepository(session, caller.org_id), connection_id, lock=True)
            shown = self._view(row)
            if shown.test is None or shown.test.status != "running":
                row.test = ModelTest(status="running", tested_at=utc_now()).model_dump(mode="json")
                payload = {"connection_id": str(row.id)}
                await enqueue(session, org_id=caller.org_id, name=TEST_JOB, payload=payload)
        return self._view(row)

    def _set_key(self, row: ModelConnectionRow, sent: NewModelConnection | ModelConnectionChange) -> None:
        key = sent.api_key
        row.sealed_key = self._keys.seal(key, row.org_id, row.id) if key else None
        row.key_hint = hint_of(key) if key else None

    def _view(self, row: ModelConnectionRow) -> ModelConnection:
        return connection_view(row, self._settings.model_test_seconds)


async def _known(
    repository: ConnectionsRepository, connection_id: UUID, *, lock: bool = False
) -> ModelConnectionRow:
    row = await repository.one(connection_id, lock=lock)
    if row is None:
        raise _unknown(connection_id)
    return row


def _unknown(connection_id: UUID | None) -> ModelConnectionNotFound:
    return ModelConnectionNotFound(f"There is no connected model {connection_id}.")


def _check_complete(row: ModelConnectionRow) -> None:
    provider = next(known for known in PROVIDERS.values() if known.id == row.provider)
    if provider.needs_key and row.sealed_key is None:
        raise ModelKeyMissing(f"{provider.title} wants a key.")
    if provider.needs_base_url and row.base_url is None:
        raise ModelAddressMissing("A server of your own needs its address.")


def _check_key_stays(row: ModelConnectionRow, change: ModelConnectionChange) -> None:
    """A stored key goes only where it was given for: whoever may change an address may not know the key."""
    kept = row.sealed_key is not None and "api_key" not in change.model_fields_set
    if kept and _origin(row.base_url) != _origin(change.base_url):
        raise ModelKeyMissing(
            "The key was given for another address and does not go along.",
            hint="Send `api_key` together with `base_url`.",
        )


def _origin(url: str | None) -> tuple[str, str]:
    parts = urlsplit(url or "")
    return parts.scheme, parts.netloc.lower()
