"""Which open sockets belong to which session, so that every window of it sees every run."""

import asyncio
from collections import defaultdict
from typing import Protocol
from uuid import UUID

from redis.exceptions import RedisError

from raptorflow.core.tasks import end_tasks
from raptorflow.core.telemetry import logger
from raptorflow.core.valkey import Valkey
from raptorflow.orchestrator.events import RunRef
from raptorflow.orchestrator.streams.channels import ACCEPTED

log = logger(__name__)

TROUBLE_SECONDS = 1.0


class Window(Protocol):
    """A connection that shows a session."""

    def show(self, ref: RunRef) -> None:
        """Send a run's events from its first, if it does not do so already."""
        ...


class SessionBoard:
    """The windows of this process, and the news of runs that other processes accepted."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self._windows: dict[UUID, set[Window]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None

    def enter(self, session_id: UUID, window: Window) -> None:
        """A window has opened."""
        self._windows[session_id].add(window)
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())

    def leave(self, session_id: UUID, window: Window) -> None:
        """A window has closed."""
        self._windows[session_id].discard(window)
        if not self._windows[session_id]:
            del self._windows[session_id]

    def accepted(self, ref: RunRef) -> None:
        """A session has a new run."""
        for window in tuple(self._windows.get(ref.session_id, ())):
            window.show(ref)

    async def close(self) -> None:
        """Stop listening."""
        if self._listener:
            await end_tasks([self._listener])
            self._listener = None

    async def _listen(self) -> None:
        while True:
            try:
                async with self._valkey.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(ACCEPTED)
                    async for message in channel.listen():
                        session_id, run_id, org_id = str(message["data"]).split()
                        self.accepted(RunRef(UUID(run_id), UUID(session_id), UUID(org_id)))
            except (RedisError, OSError, ValueError) as error:
                log.warning("other processes' runs not heard", error=str(error))
                await asyncio.sleep(TROUBLE_SECONDS)
