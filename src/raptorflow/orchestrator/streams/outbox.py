"""Frames on their way to one client, as many as it has not taken yet and no more."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from raptorflow.orchestrator.metrics import SLOW_CLIENTS


class Outbox:
    """A bounded queue between the hub and one connection.

    Args:
        most: frames that may wait; a client that leaves more waiting is too slow.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._frames: list[str] = []
        self._live = 0
        self._news = asyncio.Event()
        self._closed = False
        self.too_slow = False
        self.ended: set[UUID] = set()

    def put(self, frames: Sequence[str], *, replayed: bool = False) -> None:
        """Queue frames; past the limit the client is given up and what waits is dropped.

        What is replayed to a client that comes back is not counted: it is as long as it is.
        """
        if self._closed:
            return
        self._live += 0 if replayed else len(frames)
        if self._live > self._most:
            SLOW_CLIENTS.inc()
            self.too_slow = True
            self._frames.clear()
            self.close()
            return
        self._frames += frames
        self._news.set()

    def run_ended(self, run_id: UUID) -> None:
        """Note that a run's last event is queued."""
        self.ended.add(run_id)
        self._news.set()

    def close(self) -> None:
        """Let the reader end after what is queued."""
        self._closed = True
        self._news.set()

    async def batches(self, idle_seconds: float | None = None) -> AsyncIterator[list[str]]:
        """What is queued, whenever there is something, until closed; nothing after each idle while."""
        while not self._closed or self._frames:
            try:
                await asyncio.wait_for(self._news.wait(), idle_seconds)
            except TimeoutError:
                yield []
                continue
            self._news.clear()
            frames, self._frames, self._live = self._frames, [], 0
            if frames or not self._closed:
                yield frames
