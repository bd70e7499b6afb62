"""Which model answers a run: the one that its organisation has chosen, or the settings'."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from pydantic_ai.messages import ModelMessage
from pydantic_ai.tools import ToolDefinition

from raptorflow.orchestrator.connections.errors import ModelKeyUnreadable
from raptorflow.orchestrator.connections.records import ConnectedModel
from raptorflow.orchestrator.language_models.asking import Answer, Asker, Asks, Listener
from raptorflow.orchestrator.language_models.connector import Connector
from raptorflow.orchestrator.runs.records import TakenRun

MOST_KEPT = 128


class ModelChoice:
    """Gives each run its asker.

    Args:
        default: the model of the settings.
        connector: makes askers of connections.
    """

    def __init__(self, default: Asks, connector: Connector | None) -> None:
        self._default = default
        self._connector = connector
        self._kept: OrderedDict[UUID, ConnectedAsker] = OrderedDict()

    def asker(self, run: TakenRun) -> Asks:
        """A run's asker. It costs nothing: a connection's client is made when it is first asked.

        What is dropped from memory needs no closing: the runs that still use it keep it.
        """
        connection = run.connection
        if connection is None:
            return self._default
        kept = self._kept.get(connection.id)
        if kept is None or kept.connection.updated_at != connection.updated_at:
            kept = self._kept[connection.id] = ConnectedAsker(connection, self._connector)
        self._kept.move_to_end(connection.id)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return kept


class ConnectedAsker:
    """Asks a connected model.

    Args:
        connection: the model.
        connector: makes its client, at the first question.
    """

    def __init__(self, connection: ConnectedModel, connector: Connector | None) -> None:
        self.connection = connection
        self.name = connection.model
        self._connector = connector
        self._made: Asker | None = None
        self._making = asyncio.Lock()

    async def ask(
        self, messages: Sequence[ModelMessage], tools: Sequence[ToolDefinition], listener: Listener
    ) -> Answer:
        """Ask, as `Asker.ask` does.

        Raises:
            ModelKeyUnreadable: the connection's key does not open, or this worker opens none.
        """
        return await (await self._asker()).ask(messages, tools, listener)

    async def _asker(self) -> Asker:
        async with self._making:
            if self._made is None:
                if self._connector is None:
                    raise ModelKeyUnreadable("This worker was started without the means to open keys.")
                self._made = await asyncio.to_thread(self._connector.asker, self.connection)
            return self._made
